"""Add noise form: a kind, its levels, a live preview, and a new layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from magicgui.widgets import (
    CheckBox,
    ComboBox,
    Container,
    PushButton,
    SpinBox,
)

from napari_dental_denoise.config import NOISE
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.noise import NOISE_KINDS, is_in_grey_levels, noise_kind
from napari_dental_denoise.pixels import PLAIN
from napari_dental_denoise.plugin.add_noise.levels import LevelFields
from napari_dental_denoise.plugin.add_noise.preview import NoisyImage
from napari_dental_denoise.plugin.add_noise.recipe import Recipe
from napari_dental_denoise.plugin.add_noise.script import noise_command, noise_python
from napari_dental_denoise.plugin.files import SaveButton
from napari_dental_denoise.plugin.shared import (
    FormWork,
    LayerField,
    LayerImages,
    Memory,
    NoiseLabel,
    PreviewLayer,
    Script,
    ScriptInput,
    check_image,
    copy_buttons,
    current_image,
    delayed,
    finish_form,
    fit_encoding,
    layer_encoding,
    matching_layer_kwargs,
    place_window,
    preference,
    report_error,
    row,
    show_problem,
    show_text,
    text_label,
    visible_window,
)
from napari_dental_denoise.progress import decimal

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

PREVIEW = "noise preview"
PREVIEW_DELAY_MS = 80


class NoiseWidget(Container):
    """Add noise of a known kind and level to an image layer; the result is a new layer."""

    def __init__(self, napari_viewer: Viewer) -> None:
        self._viewer = napari_viewer
        self._preview = PreviewLayer(napari_viewer)
        self._white: tuple[tuple[Any, int], float] | None = None
        self._make_fields()
        self.work = FormWork([self.add], self.status)
        self.saving = SaveButton(napari_viewer, self.work, self.status)
        self.noise = NoiseLabel(napari_viewer, self.image)
        self._noisy = NoisyImage(self._show_preview, lambda error: show_problem(self.status, error))
        widgets = [
            self.field.row,
            self.noise.label,
            self.kind,
            *self.levels.fields.values(),
            self.in_grey,
            self.seed,
            self.preview,
            row(self.add, self.saving.button, self.work.cancel),
            copy_buttons(lambda: self._script(noise_command), lambda: self._script(noise_python), self.status),
        ]
        super().__init__(widgets=[*widgets, self.work.progress, self.status])
        finish_form(self, self._close)
        self.field.forget_problems(self, self.status)
        self._timer = delayed(self.native, PREVIEW_DELAY_MS, self._show_preview)
        self._connect()
        self.field.follow()
        self._choose_kind()
        self._memory = Memory("add_noise", self.native, {"kind": self.kind, **self.levels.fields, "seed": self.seed})

    def _make_fields(self) -> None:
        self.field = LayerField(self._viewer, "Clean image or stack of images; it is not changed")
        self.image = self.field.image
        self.kind = ComboBox(
            label="Noise",
            choices=list(NOISE_KINDS),
            value=preference("noise", "kind", NOISE.kind),
            tooltip="\n".join(f"{name}: {kind.title}" for name, kind in NOISE_KINDS.items()),
        )
        self.levels = LevelFields()
        self.in_grey = text_label("Level on the [0, 1] scale, and in grey levels of the image")
        self.seed = SpinBox(
            label="Seed",
            value=preference("noise", "seed", NOISE.seed),
            max=2**31 - 1,
            tooltip="The same seed gives the same noise",
        )
        self.preview = CheckBox(text="Preview visi&ble region", tooltip="Show the noise while you move a slider")
        self.add = PushButton(text="&Add noise", tooltip="Add a new layer with the noisy image")
        self.status = text_label()

    def _connect(self) -> None:
        self.kind.changed.connect(self._choose_kind)
        for field in (self.image, self.seed, self.preview, *self.levels.fields.values()):
            field.changed.connect(self._changed)
        self._viewer.scene.camera.events.connect(self._changed)
        self._viewer.dims.events.current_step.connect(self._changed)
        self.add.clicked.connect(self.add_noise)

    def _close(self) -> None:
        self._memory.close()
        self.field.close()
        self.noise.close()
        self._viewer.scene.camera.events.disconnect(self._changed)
        self._viewer.dims.events.current_step.disconnect(self._changed)
        self.work.close()
        self._timer.stop()
        self._noisy.clear()
        self._preview.remove()

    def _choose_kind(self) -> None:
        """Show the levels of this kind, at their defaults."""
        self.levels.show(self.kind.value)
        self._changed()

    def recipe(self) -> Recipe:
        """Return the noise that the form describes."""
        levels = self.levels.values(self.kind.value)
        encoding = PLAIN if self.image.value is None else layer_encoding(self.image.value)
        are_files = self.image.value is not None and ScriptInput(self.image.value).are_files
        return Recipe(self.kind.value, dict(levels), int(self.seed.value), encoding, are_files)

    def _script(self, make: Callable[[Image, Recipe], Script]) -> Script:
        return make(check_image(self.image.value), self.recipe())

    def _changed(self, *_: object) -> None:
        show_text(self.in_grey, self._level_text())
        if self.preview.value:
            self._timer.start()
        else:
            self._timer.stop()
            self._noisy.clear()
            self._preview.remove()

    def _level_text(self) -> str:
        recipe = self.recipe()
        sigma = recipe.levels.get("sigma")
        layer = self.image.value
        if sigma is None or not is_in_grey_levels(recipe.kind, "sigma"):
            return noise_kind(recipe.kind).title
        text = f"sigma {sigma:.4g} on the [0, 1] scale"
        if layer is None or layer.dtype == np.uint8:
            return text
        try:
            white = self._white_of(layer)
        except InputError:
            return text
        return f"{text}, {decimal(sigma * white, 4)} in the image, where white is {white:.10g}"

    def _white_of(self, layer: Image) -> float:
        """Return the white of a layer; it is cached, because a stack may be large."""
        shown = layer.data, current_image(layer, self._viewer.dims.point)
        if self._white is None or self._white[0][0] is not shown[0] or self._white[0][1] != shown[1]:
            encoding = fit_encoding(layer_encoding(layer), LayerImages(layer), shown[1])
            self._white = shown, encoding.white or 1.0
        return self._white[1]

    def _show_preview(self) -> None:
        try:
            layer = check_image(self.image.value)
            window = visible_window(layer, self._viewer.dims)
        except InputError as error:
            show_problem(self.status, error)
            return
        noisy = self._noisy.get(self.recipe(), layer, current_image(layer, self._viewer.dims.point))
        if noisy is None:
            return
        show_text(self.status, "")
        look = {**matching_layer_kwargs(layer, PREVIEW, {"operation": PREVIEW}), **place_window(layer, *window)}
        selected = set(self._viewer.layers.selection)
        with self.field.results():
            self._preview.show(noisy[window], look)
        # The input stays the active layer.
        self._viewer.layers.selection = selected & set(self._viewer.layers)

    def add_noise(self) -> None:
        """Start adding noise; the result becomes a new layer."""
        try:
            layer = check_image(self.image.value)
        except InputError as error:
            report_error(self.status, error)
            return
        self.preview.value = False
        recipe, images = self.recipe(), LayerImages(layer)
        look = matching_layer_kwargs(
            layer,
            f"noisy ({recipe.title})",
            {"operation": "add noise", "kind": recipe.kind, "levels": recipe.levels, "seed": recipe.seed},
        )
        self.work.begin(
            lambda: recipe.add_to_all(images),
            lambda noisy: self._show(layer, images.layer_data(noisy), look),
            text=f"Adding noise to {layer.name} ...",
            unit="images",
        )

    def _show(self, layer: Image, noisy: Any, look: dict[str, Any]) -> None:
        with self.field.results():
            added = self._viewer.add_image(noisy, **look)
        told = (f"Done: {added.name}", self.saving.offer([(layer, added)]))
        show_text(self.status, ". ".join(filter(None, told)))
