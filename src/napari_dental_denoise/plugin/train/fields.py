"""The fields of the Train form, and the training that they describe."""

from __future__ import annotations

from pathlib import Path

from magicgui.widgets import ComboBox, Container, FileEdit, FloatSpinBox, Label, SpinBox, Widget

from napari_dental_denoise.config import (
    GREY_LEVELS,
    NOISE,
    PRESETS,
    SIGMA,
    TRAINING,
    WORKFLOW,
    LearnFrom,
    TrainingConfig,
)
from napari_dental_denoise.models import NOTHING, STARTER_NAME
from napari_dental_denoise.noise import NOISE_KINDS
from napari_dental_denoise.plugin.denoise import named_models, recent_models
from napari_dental_denoise.plugin.shared import preference, row, show_text, text_label
from napari_dental_denoise.plugin.train.settings import TrainingSettings

SOURCES: dict[str, LearnFrom] = {
    "clean images": "clean",
    "noisy and clean pairs": "pairs",
    "only noisy images": "noisy",
}
WORTH: dict[LearnFrom, str] = {
    "clean": "PSNR is measured on clean images that are kept apart, with known noise.",
    "pairs": "PSNR is measured on pairs that are kept apart.",
    "noisy": "Nothing clean to measure with: the dB only tell better from worse. Look at the result beside its input.",
}
MINUTES, EPOCHS = "minutes", "epochs"


class TrainingFields:
    """What to learn from, with what, and for how long."""

    def __init__(self) -> None:
        self._make_data_fields()
        self._make_noise_fields()
        self._make_course_fields()

    def _make_data_fields(self) -> None:
        self.learn_from = ComboBox(
            label="learn from",
            choices=list(SOURCES),
            tooltip="Clean images, to which noise is added anew for every patch; pairs that were recorded; or noisy "
            "images alone, whose noise is estimated",
        )
        self.worth: Label = text_label("What the figures of this training are worth")
        self.clean = FileEdit(label="clean", mode="d", tooltip="Folder of the radiographs to learn from", nullable=True)
        self.noisy = FileEdit(
            label="noisy",
            mode="d",
            tooltip="Folder of noisy images, each with the name of its clean one",
            nullable=True,
        )
        self.model = FileEdit(
            label="model",
            mode="w",
            filter="*.keras",
            value=Path.home() / "dental.keras",
            tooltip="Model file to write; its checkpoint lies beside it",
        )
        self.preset = ComboBox(
            label="preset",
            choices=list(PRESETS),
            value=preference("train", "preset", TRAINING.preset),
            tooltip="fast, standard and best cost more and give more; classic is the textbook U-Net",
        )
        self.start_from = ComboBox(
            label="start from",
            choices=self._first_models,
            tooltip="Begin with a model of the package (all but classic can), with one that you used lately, "
            "or with nothing",
        )

    def _first_models(self, *_: object) -> list[tuple[str, str]]:
        first = [(f"the {STARTER_NAME} model", STARTER_NAME), (NOTHING, NOTHING)]
        recent = named_models(recent_models(), taken=[name for name, _ in first])
        return [*first, *((name, str(path)) for name, path in recent)]

    def _make_noise_fields(self) -> None:
        self.kind = ComboBox(
            label="noise",
            choices=list(NOISE_KINDS),
            value=NOISE.training_kind,
            tooltip="What is added to the clean patches:\n"
            + "\n".join(f"{name}: {kind.title}" for name, kind in NOISE_KINDS.items()),
        )
        self.lowest = FloatSpinBox(
            value=SIGMA.low * GREY_LEVELS, min=0, max=GREY_LEVELS, tooltip="Weakest noise, sigma in grey levels of 255"
        )
        self.highest = FloatSpinBox(
            value=SIGMA.high * GREY_LEVELS,
            min=0,
            max=GREY_LEVELS,
            tooltip="Strongest noise, sigma in grey levels of 255; the model is blind to the level between",
        )
        self.sigmas = row(self.lowest, self.highest, label="sigma of 255")

    def _make_course_fields(self) -> None:
        self.amount = FloatSpinBox(
            value=WORKFLOW.minutes, min=0.01, max=10_000, step=1, tooltip="How long to train; stop whenever you like"
        )
        self.unit = ComboBox(choices=[MINUTES, EPOCHS], tooltip="Of time, or passes over the images")
        self.length = row(self.amount, self.unit, label="for")
        self.batch_size = SpinBox(value=TRAINING.batch_size, min=1, max=256, tooltip="Patches in one step")
        self.patch_size = SpinBox(
            value=TRAINING.patch_size, min=16, max=512, step=16, tooltip="Side of a patch in pixels"
        )
        self.validation = FloatSpinBox(
            label="validation",
            value=TRAINING.validation_split,
            min=0.01,
            max=0.9,
            step=0.05,
            tooltip="Share of the files that is kept to validate with",
        )
        self.patches = row(self.batch_size, self.patch_size, label="batch, patch")

    @property
    def lines(self) -> list[Widget]:
        """The fields from the top to the bottom of the form."""
        data = [self.learn_from, self.clean, self.noisy, self.worth, self.model, self.preset, self.start_from]
        return [*data, self.length, self.kind, self.sigmas, self.patches, self.validation]

    @property
    def inputs(self) -> list[Widget]:
        """All that a user changes."""
        rows = (self.length, self.sigmas, self.patches)
        return [
            field
            for line in self.lines
            if line is not self.worth
            for field in (line if isinstance(line, Container) and line in rows else [line])
        ]

    @property
    def _sigma_applies(self) -> bool:
        """Whether noise is added, of a kind whose level has the range of these fields."""
        added = SOURCES[self.learn_from.value] == "clean"
        return added and NOISE_KINDS[self.kind.value].levels.get("sigma") is SIGMA

    def show_what_applies(self) -> None:
        """Hide the fields that mean nothing here, and say what the figures are worth."""
        learn_from = SOURCES[self.learn_from.value]
        self.clean.label = "noisy" if learn_from == "noisy" else "clean"
        self.noisy.visible = learn_from == "pairs"
        self.kind.visible = learn_from == "clean"
        self.sigmas.visible = self._sigma_applies
        show_text(self.worth, WORTH[learn_from])

    def settings(self, *, resume: bool = False) -> TrainingSettings:
        """The training that the form describes."""
        by_time = self.unit.value == MINUTES
        config = TrainingConfig(
            preset=self.preset.value,
            minutes=float(self.amount.value) if by_time else None,
            epochs=TRAINING.epochs if by_time else max(round(self.amount.value), 1),
            batch_size=self.batch_size.value,
            patch_size=self.patch_size.value,
            validation_split=self.validation.value,
        )
        levels = (self.lowest.value / GREY_LEVELS, self.highest.value / GREY_LEVELS)
        return TrainingSettings(
            sources=_path(self.clean.value),
            noisy=_path(self.noisy.value),
            learn_from=SOURCES[self.learn_from.value],
            model=_path(self.model.value),
            noise=self.kind.value,
            ranges={"sigma": levels} if self._sigma_applies else None,
            config=config,
            start_from=self.start_from.value,
            resume=resume,
        )


def _path(value: Path | None) -> Path | None:
    """FileEdit gives the working folder for an empty line."""
    return None if value is None or value == Path() else Path(value)
