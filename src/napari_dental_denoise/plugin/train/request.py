"""A training as the Train form describes it: its problems, its plan and its command line."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from napari_dental_denoise.config import MODEL_SUFFIX, NOISE, PRESETS, LearnFrom
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.models import STARTER_NAME, can_initialise, first_model, read_card
from napari_dental_denoise.noise import SMALLEST_SIDE
from napari_dental_denoise.plugin.train.images import (
    FoundImages,
    find_images,
    find_noisy_images,
    find_pairs,
)
from napari_dental_denoise.plugin.train.layers import Folders, find_in_layers, find_layer_pairs
from napari_dental_denoise.progress import counted
from napari_dental_denoise.training import (
    SETTINGS,
    TRAINING,
    TrainingConfig,
    TrainingPlan,
    checkpoint_path,
    given_options,
    load_checkpoint,
    option,
    plan_training,
)

if TYPE_CHECKING:
    from napari.layers import Image

NO_CHECKPOINT = "There is no checkpoint of this model to resume"
ENDING_S = 10


@dataclass(frozen=True)
class TrainingRequest:
    """A training as the form describes it.

    `sources` and `noisy` are folders, `ranges` the lowest and highest level by name; `start_from` as in `first_model`.
    With `layers`, the training learns from these in place of the folder `sources`; for pairs, this is the clean layer,
    and `noisy_layers` the noisy one.
    """

    sources: Path | None
    model: Path | None
    noisy: Path | None = None
    layers: tuple[Image, ...] | None = None
    noisy_layers: tuple[Image, ...] = ()
    learn_from: LearnFrom = "clean"
    noise: str = NOISE.training_kind
    ranges: dict[str, tuple[float, float]] | None = None
    config: TrainingConfig = TRAINING
    start_from: str = STARTER_NAME
    resume: bool = False

    @property
    def is_incomplete(self) -> bool:
        """Return whether something has not been chosen yet, which is no error."""
        has_images = self.sources is not None and (self.learn_from != "pairs" or self.noisy is not None)
        return self.model is None or not (has_images if self.layers is None else self._has_layers)

    @property
    def _has_layers(self) -> bool:
        if self.learn_from == "pairs":
            return bool(self.layers) and bool(self.noisy_layers) and self.layers != self.noisy_layers
        return bool(self.layers)

    def longer(self) -> TrainingRequest:
        """Return the training that goes on with this model for the given length; raise InputError if it cannot."""
        if self.model is None:
            raise InputError(NO_CHECKPOINT)
        epochs, seconds = checkpoint_length(checkpoint_path(self.model))
        minutes = self.config.minutes
        total = {"epochs": epochs + self.config.epochs} if minutes is None else {"minutes": seconds / 60 + minutes}
        return replace(self, resume=True, config=replace(self.config, **total))

    def problem(self) -> str:
        """Return why the training cannot run, or an empty text."""
        levels = "The lowest noise level is above the highest"
        inverted = any(low > high for low, high in (self.ranges or {}).values())
        problem = self._folder_problem() or self._model_problem() or (levels if inverted else "")
        return problem or self._images_problem()

    def _images_problem(self) -> str:
        try:
            return self.images().problem(self.config)
        except InputError as error:
            return str(error)

    def _folder_problem(self) -> str:
        if self.layers is not None:
            wanted = "Select the layers to learn from in the layer list"
            if self.learn_from == "pairs":
                wanted = "Choose a clean layer, and its noisy one"
            return "" if self._has_layers else wanted
        noisy = "the folder of noisy images, with the same file names"
        return _no_folder(self.sources, f"a folder of {'noisy' if self.learn_from == 'noisy' else 'clean'} images") or (
            _no_folder(self.noisy, noisy) if self.learn_from == "pairs" else ""
        )

    def _model_problem(self) -> str:
        if self.model is None or self.model.suffix != MODEL_SUFFIX:
            return f"Name the model to write; it ends in {MODEL_SUFFIX}"
        checkpoint = checkpoint_path(self.model)
        if self.resume:
            return self._resume_problem(checkpoint)
        if self.model.exists():
            return self._exists_problem(self.model, checkpoint)
        return self._start_problem()

    def _exists_problem(self, model: Path, checkpoint: Path) -> str:
        if not checkpoint.is_file():
            return f"{model.name} already exists: choose another name"
        return self._resume_problem(checkpoint) or f"{model.name} already exists: choose another name, or resume"

    def _resume_problem(self, checkpoint: Path) -> str:
        try:
            epochs, seconds = checkpoint_length(checkpoint)
        except InputError as error:
            return str(error)
        minutes = self.config.minutes
        used, total = (epochs, self.config.epochs) if minutes is None else (seconds / 60, minutes)
        if self.model is None or not self.model.exists() or used < total:
            return ""
        # A training ends with a step, its validation and the files, some seconds after its minutes.
        is_over = minutes is None or used >= total + max(total / 10, ENDING_S / 60)
        shown = round(used, 1) if is_over else total
        return f"{shown:g} of {length_text(self.config)} used: enter a larger total to continue"

    def _start_problem(self) -> str:
        try:
            first = first_model(self.start_from, self.config.preset)
            preset = read_card(first).preset if first else self.config.preset
        except InputError as error:
            return str(error)
        if can_initialise(self.config.preset, preset):
            return ""
        name = Path(self.start_from).name
        if preset not in PRESETS:
            return f"{name} was made elsewhere: a training cannot begin with it"
        return f"{name} is of the preset {preset}: choose that preset"

    def record(self) -> str:
        """Return the request as JSON, for `request_from`."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        layers: list[str] | None = None if self.layers is None else []
        own = {"config": asdict(self.config), "layers": layers, "noisy_layers": []}
        return json.dumps({**values, **own}, default=str)

    def arguments(self, preview: Path | None = None) -> list[str]:
        """Return the arguments of the command `train`."""
        words: list[object] = [self.sources]
        if self.learn_from == "pairs":
            words += ["--noisy", self.noisy]
        elif self.learn_from == "noisy":
            words += ["--learn-from", "noisy"]
        words += ["-o", self.model, *given_options(self.config)]
        if self.learn_from == "clean":
            words += ["--noise", self.noise]
            for name, (low, high) in (self.ranges or {}).items():
                words += [option(name), f"{low:.5g}", f"{high:.5g}"]
        if self.resume:
            words.append("--resume")
        elif self.start_from != STARTER_NAME:
            words += ["--start-from", self.start_from]
        if preview is not None:
            words += ["--preview", preview]
        return [str(word) for word in words]

    def written_to(self, folder: Path) -> tuple[TrainingRequest, Folders]:
        """Return the training that reads the layers from files below a folder, and the layers of each folder."""
        layers = self.layers or ()
        if self.learn_from != "pairs":
            return replace(self, sources=folder, layers=None), {folder: layers}
        clean, noisy = folder / "clean", folder / "noisy"
        return replace(self, sources=clean, noisy=noisy, layers=None), {clean: layers, noisy: self.noisy_layers}

    def images(self) -> FoundImages:
        """Return what the folders hold, from the file names and the headers of some files; raise InputError."""
        if self.layers is not None:
            if self.learn_from == "pairs":
                return find_layer_pairs(*self.layers, *self.noisy_layers)
            return find_in_layers(self.layers, SMALLEST_SIDE if self.learn_from == "noisy" else 1)
        folder = self.sources or Path()
        if self.learn_from == "pairs":
            return find_pairs(folder, self.noisy or Path())
        return find_noisy_images(folder) if self.learn_from == "noisy" else find_images(folder)

    def plan(self) -> str:
        """Return the plan of the training in one line; raise InputError if the folders hold no file."""
        first = first_model(self.start_from, self.config.preset)
        found = self.images()
        bytes_per_pixel = 2 if self.learn_from == "pairs" else 1
        plan = plan_training(found.shapes, bytes_per_pixel, PRESETS[self.config.preset], self.config)
        return plan_text(replace(plan, first=first.stem if first else None), found)


def _no_folder(path: Path | None, wanted: str) -> str:
    """Return what to choose unless a path is a folder, or an empty text."""
    if path is None:
        return f"Choose {wanted}"
    return "" if path.is_dir() else f"{path} is no folder: choose {wanted}"


def checkpoint_length(checkpoint: Path) -> tuple[int, float]:
    """Return the epochs and the seconds of a training; raise InputError if its checkpoint is missing or damaged."""
    if not checkpoint.is_file():
        raise InputError(NO_CHECKPOINT)
    return _state(checkpoint, checkpoint.stat().st_mtime_ns)


def request_from(text: str) -> TrainingRequest:
    """Return the request that `TrainingRequest.record` describes; raise InputError if the text describes none."""
    try:
        values = json.loads(text)
        paths = {name: values[name] and Path(values[name]) for name in ("sources", "noisy", "model")}
        ranges = values["ranges"] and {name: (low, high) for name, (low, high) in values["ranges"].items()}
        config = TrainingConfig(**{name: values["config"][name] for name in SETTINGS})
        layers = None if values["layers"] is None else ()
        own = {"ranges": ranges, "config": config, "layers": layers, "noisy_layers": ()}
        return TrainingRequest(**{**values, **paths, **own})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError("expected the settings of a training of this version") from error


@lru_cache(maxsize=4)
def _state(checkpoint: Path, _changed_ns: int) -> tuple[int, float]:
    state = load_checkpoint(checkpoint)
    return state.epoch, state.elapsed


def length_text(config: TrainingConfig, more: str = "") -> str:
    """Return the length of a training in words, with a word before its unit."""
    number, noun = (config.epochs, "epoch") if config.minutes is None else (config.minutes, "minute")
    return counted(number, f"{more} {noun}".lstrip())


def plan_text(plan: TrainingPlan, found: FoundImages) -> str:
    """Return the plan in one line."""
    length = f"{plan.seconds:.0f} s" if plan.seconds < 90 else f"{plan.seconds / 60:.0f} min"
    mebibytes = round(plan.memory / 2**20)
    memory = f"{mebibytes} MiB" if mebibytes else "under 1 MiB"
    left_out = f"; left out: {found.left_out}" if found.left_out else ""
    return (
        f"{counted(plan.images, found.unit)}, {counted(plan.patches, 'patch', 'patches')} of {plan.patch_size} px per "
        f"epoch, {memory} of images, about {length} here; starts from {plan.first or 'random weights'}{left_out}"
    )
