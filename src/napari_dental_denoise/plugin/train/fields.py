"""Fields of the Train form, and the training that they describe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from magicgui.widgets import ComboBox, FileEdit, FloatSpinBox, Label, Widget, create_widget
from magicgui.widgets.bases import ValueWidget
from qtpy.QtWidgets import QAbstractSpinBox, QSizePolicy

from napari_dental_denoise.config import GREY_LEVELS, MODEL_SUFFIX, NOISE, SIGMA, LearnFrom
from napari_dental_denoise.models import NOTHING, STARTER_NAME
from napari_dental_denoise.noise import NOISE_KINDS
from napari_dental_denoise.plugin.models import named_models, recent_models
from napari_dental_denoise.plugin.shared import preference, row, show_text, text_label
from napari_dental_denoise.plugin.train.layers import selected_images
from napari_dental_denoise.plugin.train.request import TrainingRequest
from napari_dental_denoise.training import SETTINGS, TRAINING, WORKFLOW_TRAINING, TrainingConfig

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

SOURCES: dict[str, LearnFrom] = {
    "clean images": "clean",
    "noisy and clean pairs": "pairs",
    "only noisy images": "noisy",
}
METRIC_NOTES: dict[LearnFrom, str] = {
    "clean": "PSNR is measured on clean validation images with known noise.",
    "pairs": "PSNR is measured on validation pairs.",
    "noisy": "No clean reference: use the dB values only to compare epochs.",
}
FOLDER, LAYERS = "of a folder", "of open layers"
MINUTES, EPOCHS = "minutes", "epochs"


class TrainingFields:
    """Data, model, noise and settings of a training."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._make_data_fields()
        self._make_noise_fields()
        self._make_length()
        self.config_fields = {name: _field(name) for name, setting in SETTINGS.items() if setting.label}
        self.config_fields["preset"].value = preference("train", "preset", TRAINING.preset)

    def _make_data_fields(self) -> None:
        self.learn_from = ComboBox(
            label="Learn from",
            choices=list(SOURCES),
            tooltip="Clean images, with new noise for each patch; recorded pairs; or noisy images with estimated noise",
        )
        self.images_from = ComboBox(
            label="Images",
            choices=[FOLDER, LAYERS],
            tooltip="Those of a folder, of the layers that are selected in the layer list, or of a clean layer and its "
            "noisy one; each slice is an image",
        )
        self.metric_note: Label = text_label("What the PSNR of this training is measured on")
        self.clean = FileEdit(label="Clean", mode="d", tooltip="Folder of the training images", nullable=True)
        self.noisy = FileEdit(
            label="Noisy",
            mode="d",
            tooltip="Folder of noisy images, each with the name of its clean image",
            nullable=True,
        )
        self.clean_layer = _layer_field("Clean", "Layer of the clean images")
        self.noisy_layer = _layer_field("Noisy", "Layer of the same images with noise, in their order")
        self.model = FileEdit(
            label="Model",
            mode="w",
            filter=f"*{MODEL_SUFFIX}",
            value=Path.home() / f"dental{MODEL_SUFFIX}",
            tooltip="Model file to write; its checkpoint lies beside it",
        )
        self.start_from = ComboBox(
            label="Start from",
            choices=self._first_models,
            tooltip="A model of the package (not for classic), a recently used one, or random weights",
        )
        for field in (self.clean, self.noisy, self.model):
            field.choose_btn.text = "Browse ..."

    def _first_models(self, *_: object) -> list[tuple[str, str]]:
        first = [(f"the {STARTER_NAME} model", STARTER_NAME), (NOTHING, NOTHING)]
        recent = named_models(recent_models(), taken=[name for name, _ in first])
        return [*first, *((name, str(path)) for name, path in recent)]

    def _make_noise_fields(self) -> None:
        self.kind = ComboBox(
            label="Noise",
            choices=list(NOISE_KINDS),
            value=NOISE.training_kind,
            tooltip="Kind of noise that is added to clean patches:\n"
            + "\n".join(f"{name}: {kind.title}" for name, kind in NOISE_KINDS.items()),
        )
        self.lowest = FloatSpinBox(
            value=SIGMA.low * GREY_LEVELS, min=0, max=GREY_LEVELS, tooltip="Minimum sigma in grey levels of 8 bit"
        )
        self.highest = FloatSpinBox(
            value=SIGMA.high * GREY_LEVELS,
            min=0,
            max=GREY_LEVELS,
            tooltip="Maximum sigma in grey levels of 8 bit; the model works for any level in the range",
        )
        for level in (self.lowest, self.highest):
            level.native.setDecimals(1)
            _hide_buttons(level)
        self.sigmas = row(self.lowest, self.highest, label="Sigma (levels)")

    def _make_length(self) -> None:
        self.amount = FloatSpinBox(
            value=preference("train", "minutes", WORKFLOW_TRAINING.minutes),
            min=0.01,
            max=10_000,
            step=1,
            tooltip="How long to train; it can be stopped at any time",
        )
        _hide_buttons(self.amount)
        self.unit = ComboBox(choices=[MINUTES, EPOCHS], tooltip="Unit of the length")
        self.length = row(self.amount, self.unit, label="Train for")
        # Equal halves cut off the text of the choice.
        self.unit.native.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    @property
    def lines(self) -> list[Widget]:
        """Return the fields from top to bottom of the form."""
        folders, layers = [self.clean, self.noisy], [self.clean_layer, self.noisy_layer]
        data = [self.learn_from, self.images_from, *folders, *layers, self.metric_note, self.model]
        preset, *others = self.config_fields.values()
        return [*data, preset, self.start_from, self.length, self.kind, self.sigmas, *others]

    @property
    def inputs(self) -> list[Widget]:
        """Return all fields that a user can change."""
        rows = [self.length, self.sigmas]
        single = [line for line in self.lines if line not in [*rows, self.metric_note]]
        return [*single, *(field for line in rows for field in line)]

    @property
    def settings(self) -> dict[str, ValueWidget]:
        """Return the fields that are remembered."""
        names = ("learn_from", "clean", "noisy", "model", "start_from", "amount", "unit", "kind", "lowest", "highest")
        return {**{name: getattr(self, name) for name in names}, **self.config_fields}

    @property
    def _sigma_applies(self) -> bool:
        """Return whether noise is added and its level has the range of these fields."""
        added = SOURCES[self.learn_from.value] == "clean"
        return added and NOISE_KINDS[self.kind.value].levels.get("sigma") is SIGMA

    @property
    def _from_layers(self) -> bool:
        return bool(self.images_from.value == LAYERS)

    def _layers(self) -> tuple[tuple[Image, ...], tuple[Image, ...]]:
        """Return the layers to learn from, and for pairs those with noise."""
        if SOURCES[self.learn_from.value] != "pairs":
            return selected_images(self._viewer), ()
        clean, noisy = ((field.value,) if field.value else () for field in (self.clean_layer, self.noisy_layer))
        return clean, noisy

    def show_what_applies(self) -> None:
        """Hide the fields that do not apply, and say what the PSNR is measured on."""
        learn_from = SOURCES[self.learn_from.value]
        self.clean.label = "Noisy" if learn_from == "noisy" else "Clean"
        pairs, layers = learn_from == "pairs", self._from_layers
        self.clean.visible, self.noisy.visible = not layers, pairs and not layers
        self.clean_layer.visible = self.noisy_layer.visible = pairs and layers
        self.kind.visible = learn_from == "clean"
        self.sigmas.visible = self._sigma_applies
        show_text(self.metric_note, METRIC_NOTES[learn_from])

    def request(self, *, resume: bool = False) -> TrainingRequest:
        """Return the training that the form describes."""
        by_time = self.unit.value == MINUTES
        config = TrainingConfig(
            minutes=float(self.amount.value) if by_time else None,
            epochs=TRAINING.epochs if by_time else max(round(self.amount.value), 1),
            **{name: field.value for name, field in self.config_fields.items()},
        )
        levels = (self.lowest.value / GREY_LEVELS, self.highest.value / GREY_LEVELS)
        layers, noisy_layers = self._layers()
        return TrainingRequest(
            sources=_path(self.clean.value),
            layers=layers if self._from_layers else None,
            noisy_layers=noisy_layers,
            noisy=_path(self.noisy.value),
            learn_from=SOURCES[self.learn_from.value],
            model=_path(self.model.value),
            noise=self.kind.value,
            ranges={"sigma": levels} if self._sigma_applies else None,
            config=config,
            start_from=self.start_from.value,
            resume=resume,
        )

    def show(self, request: TrainingRequest) -> None:
        """Show the settings of a training."""
        self.learn_from.value = next(title for title, kind in SOURCES.items() if kind == request.learn_from)
        self.images_from.value = FOLDER if request.layers is None else LAYERS
        for field, path in ((self.clean, request.sources), (self.noisy, request.noisy), (self.model, request.model)):
            field.value = path
        minutes = request.config.minutes
        self.amount.value = request.config.epochs if minutes is None else round(minutes, 2)
        self.unit.value = EPOCHS if minutes is None else MINUTES
        self.kind.value = request.noise
        low, high = (request.ranges or {}).get("sigma", (SIGMA.low, SIGMA.high))
        self.lowest.value, self.highest.value = low * GREY_LEVELS, high * GREY_LEVELS
        for name, field in self.config_fields.items():
            field.value = getattr(request.config, name)
        if request.start_from in self.start_from.choices:
            self.start_from.value = request.start_from


def _layer_field(label: str, tooltip: str) -> ValueWidget:
    return create_widget(annotation="napari.layers.Image", label=label, options={"tooltip": tooltip, "nullable": True})


def _field(name: str) -> ValueWidget:
    """Return the form's field for a setting of a training."""
    setting = SETTINGS[name]
    spin = dict(zip(("min", "max", "step"), setting.spin, strict=True))
    options = {"choices": setting.choices} if setting.choices else spin
    tooltip = setting.text[0].upper() + setting.text[1:]
    return create_widget(getattr(TRAINING, name), label=setting.label, options={"tooltip": tooltip, **options})


def _hide_buttons(field: FloatSpinBox) -> None:
    """Leave the room of the step buttons to the number: half of a narrow form shows only one of them."""
    field.native.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)


def _path(value: Path | None) -> Path | None:
    """Return None for an empty FileEdit, whose value is the current folder."""
    return None if value is None or value == Path() else Path(value)
