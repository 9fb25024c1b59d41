"""A training as the Train form describes it: its problems, its plan and its command line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from napari_dental_denoise.config import MODEL_SUFFIX, NOISE, PRESETS, LearnFrom
from napari_dental_denoise.errors import ImageReadError, InputError
from napari_dental_denoise.images import list_files, probe
from napari_dental_denoise.models import STARTER_NAME, can_initialise, first_model, read_card
from napari_dental_denoise.training import (
    TRAINING,
    TrainingConfig,
    TrainingPlan,
    checkpoint_path,
    given_options,
    option,
    plan_training,
)

SAMPLE_SIZE = 40


@dataclass(frozen=True)
class TrainingRequest:
    """A training as the form describes it.

    `sources` and `noisy` are folders, `ranges` the lowest and highest level by name; `start_from` as in `first_model`.
    """

    sources: Path | None
    model: Path | None
    noisy: Path | None = None
    learn_from: LearnFrom = "clean"
    noise: str = NOISE.training_kind
    ranges: dict[str, tuple[float, float]] | None = None
    config: TrainingConfig = TRAINING
    start_from: str = STARTER_NAME
    resume: bool = False

    def problem(self) -> str:
        """Return why the training cannot run, or an empty text."""
        levels = "The lowest noise level is above the highest"
        inverted = any(low > high for low, high in (self.ranges or {}).values())
        return self._folder_problem() or self._model_problem() or (levels if inverted else "")

    def _folder_problem(self) -> str:
        if self.sources is None or not self.sources.is_dir():
            return f"Choose a folder of {'noisy' if self.learn_from == 'noisy' else 'clean'} images"
        if self.learn_from == "pairs" and (self.noisy is None or not self.noisy.is_dir()):
            return "Choose the folder of noisy images, with the same file names"
        return ""

    def _model_problem(self) -> str:
        if self.model is None or self.model.suffix != MODEL_SUFFIX:
            return f"Name the model to write; it ends in {MODEL_SUFFIX}"
        if self.resume and not checkpoint_path(self.model).is_file():
            return "There is no checkpoint of this model to resume"
        if not self.resume and self.model.exists():
            return f"{self.model.name} already exists: choose another name, or resume"
        return "" if self.resume else self._start_problem()

    def _start_problem(self) -> str:
        try:
            first = first_model(self.start_from, self.config.preset)
            preset = read_card(first).preset if first else self.config.preset
        except InputError as error:
            return str(error)
        if can_initialise(self.config.preset, preset):
            return ""
        if preset not in PRESETS:
            return f"{self.start_from} was made elsewhere: a training cannot begin with it"
        return f"{self.start_from} is of the preset {preset}: choose that preset"

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

    def plan(self) -> TrainingPlan:
        """Plan the training from the file names and the headers of some files; raise InputError without any image."""
        folder = self.sources or Path()
        every = _shapes(folder, folder.stat().st_mtime_ns if folder.is_dir() else 0)
        first = first_model(self.start_from, self.config.preset)
        plan = plan_training(every, 2 if self.learn_from == "pairs" else 1, PRESETS[self.config.preset], self.config)
        return replace(plan, first=first.stem if first else None)


@lru_cache(maxsize=4)
def _shapes(folder: Path, _changed_ns: int) -> tuple[tuple[int, int], ...]:
    """Return the shapes of the images of a folder, extrapolated from some of them."""
    files = list_files([folder])
    step = max(len(files) // SAMPLE_SIZE, 1)
    sample = files[::step][:SAMPLE_SIZE]
    shapes: list[tuple[int, int]] = []
    for path in sample:
        try:
            info = probe(path)
        except ImageReadError:
            continue
        shapes += [info.shape] * info.pages
    if not shapes:
        raise InputError(f"{folder}: no image in it can be read")
    # Large folders take seconds: the other files are assumed to be like the sample.
    count = round(len(files) * len(shapes) / len(sample))
    return tuple(shapes[index % len(shapes)] for index in range(count))


def plan_text(plan: TrainingPlan) -> str:
    """Return the plan in one line."""
    length = f"{plan.seconds:.0f} s" if plan.seconds < 90 else f"{plan.seconds / 60:.0f} min"
    return (
        f"{plan.images} images, {plan.patches} patches of {plan.patch_size} px per epoch, "
        f"{plan.memory / 2**20:.0f} MiB of images, about {length} here; "
        f"starts from {plan.first or 'random weights'}"
    )
