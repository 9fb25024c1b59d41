"""The Denoise form: a layer, a model, a strength, and a result layer that matches its input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from magicgui.widgets import CheckBox, Container, FloatSlider, FloatSpinBox, PushButton
from magicgui.widgets.bases import ValueWidget

from napari_dental_denoise.batch import DenoiseWork
from napari_dental_denoise.config import INFERENCE
from napari_dental_denoise.detail import CONTRAST_TO_NOISE, RADIUS, DetailMap
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.images import summarise_errors
from napari_dental_denoise.plugin.denoise.classical import classical_methods, interruptible, is_classical, summary
from napari_dental_denoise.plugin.denoise.folder import FolderOutcome, OpenResults, folder_steps
from napari_dental_denoise.plugin.denoise.kept import Spot, kept_layer, kept_steps
from napari_dental_denoise.plugin.denoise.layer import Outcome, Task, all_steps
from napari_dental_denoise.plugin.denoise.map_fields import MapFields
from napari_dental_denoise.plugin.denoise.new_images import NewImages
from napari_dental_denoise.plugin.denoise.prepare import ModelPreparation
from napari_dental_denoise.plugin.denoise.region import REGION_TOOLTIP, drawn_masks
from napari_dental_denoise.plugin.denoise.results import Results
from napari_dental_denoise.plugin.denoise.script import denoise_command, denoise_python
from napari_dental_denoise.plugin.files import SaveButton, ask_for_folder
from napari_dental_denoise.plugin.models import ModelField, remember_model
from napari_dental_denoise.plugin.shared import (
    FormWork,
    LayerField,
    LayerImages,
    Memory,
    NoiseLabel,
    check_image,
    check_no_channel,
    copy_buttons,
    current_image,
    finish_form,
    is_stack,
    layer_encoding,
    preference,
    report_error,
    row,
    show_text,
    text_label,
    visible_window,
)
from napari_dental_denoise.progress import counted

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer


class DenoiseWidget(Container):
    """Denoise an image layer with a model; the result is a new layer."""

    def __init__(self, napari_viewer: Viewer) -> None:
        self._viewer = napari_viewer
        self.maps = MapFields(napari_viewer)
        self._results = Results(napari_viewer, self.maps)
        self._make_fields()
        self.work = FormWork([self.start, self.folder, self.map], self.status)
        self.open_results = OpenResults(napari_viewer)
        self.saving = SaveButton(napari_viewer, self.work, self.status)
        buttons = row(self.start, self.saving.button, self.work.cancel)
        folders = row(self.folder, self.open_results.button)
        self.noise = NoiseLabel(napari_viewer, self.image)
        fields = [self.field.row, self.noise.label, *self.models.widgets, self.strength]
        choices = [self.visible_only, self.in_shapes, self.lazy, self.self_ensemble, *self.maps.widgets]
        spot = [row(self.radius, self.contrast, label="Spot (px, noise)"), self.map]
        copy = copy_buttons(
            lambda: denoise_command([self._new_task(layer) for layer in self.field.layers()]),
            lambda: denoise_python(self._new_task(self.image.value)),
            self.status,
        )
        run = [buttons, folders, *spot, copy, self.work.progress, self.status]
        super().__init__(widgets=[*fields, *choices, self.new_images.box, *run])
        finish_form(self, self._close)
        self.field.forget_problems(self, self.status)
        self.start.clicked.connect(self.denoise)
        self.strength.changed.connect(self._show_strength)
        self.model.changed.connect(self._show_what_applies)
        self.image.changed.connect(self._show_choices)
        self.folder.clicked.connect(self._choose_folders)
        self.map.clicked.connect(self.map_detail)
        self.field.follow()
        self._show_choices()
        self._show_what_applies()
        self._memory = Memory("denoise", self.native, self._settings())
        ModelPreparation(self.native, lambda: self.model.value)

    def _make_fields(self) -> None:
        self.field = LayerField(self._viewer, "Image or stack of images, 8 or 16 bit or floating; it is not changed")
        self.image = self.field.image
        self.models = ModelField(self._viewer, classical_methods, summary)
        self.model, self.card = self.models.model, self.models.card
        self.strength = FloatSlider(
            label="Strength",
            value=preference("denoise", "strength", INFERENCE.strength),
            max=INFERENCE.max_strength,
            step=0.01,
            tooltip="Share of the noise to subtract; changes the result at once, without running the model again",
        )
        self.visible_only = CheckBox(
            text="Visible re&gion only", tooltip="Denoise a preview of the region that the canvas shows"
        )
        self.in_shapes = CheckBox(text="Within drawn shapes only", tooltip=REGION_TOOLTIP)
        self.lazy = CheckBox(
            text="Denoise slices on demand",
            value=preference("denoise", "lazy", default=False),
            tooltip="Denoise an image of the stack when you scroll to it. One whose source has changed since, of dask "
            "data since it was first displayed, is black. To keep the window responsive meanwhile, set "
            "Preferences > Experimental > Render Layers Asynchronously",
        )
        self.folder = PushButton(
            text="Denoise a folde&r ...",
            tooltip="Choose a folder of images and an output folder. Files that have a result are skipped; a report "
            "beside the output folder lists every file",
        )
        self.self_ensemble = CheckBox(
            text="Self-ensemble: average 8 orientations\n(slower, slightly better)",
            value=preference("denoise", "self_ensemble", INFERENCE.self_ensemble),
            tooltip="Average the network over all rotations and flips of the image: slightly better, 8 times slower",
        )
        self.start = PushButton(
            text="&Denoise", tooltip="Add a new layer with the denoised image, of each layer if several are selected"
        )
        self.radius = FloatSpinBox(
            value=RADIUS, min=0.5, max=50, step=0.5, tooltip="Radius of the spot to map, in pixels"
        )
        self.contrast = FloatSpinBox(
            value=CONTRAST_TO_NOISE,
            min=0.1,
            max=100,
            step=0.5,
            tooltip="Contrast of the spot to map, in standard deviations of the noise of the image",
        )
        self.map = PushButton(
            text="Map detail &kept",
            tooltip="Put faint spots of this radius and contrast into the image, denoise, and show which share of "
            "their contrast survives at each place. Red is where a spot would vanish",
        )
        self.new_images = NewImages(self._viewer, self._denoise_new)
        self.status = text_label()

    def _settings(self) -> dict[str, ValueWidget]:
        """Return the fields that are remembered."""
        names = ("model", "strength", "visible_only", "lazy", "self_ensemble", "radius", "contrast")
        fields = {name: getattr(self, name) for name in names}
        return {**fields, "new_images": self.new_images.box, **self.maps.settings}

    def use_model(self, path: Path) -> None:
        """Add a model file to the choices and select it."""
        self.models.use(path)

    def _show_choices(self) -> None:
        layer: Image | None = self.image.value
        self.lazy.visible = is_stack(layer)

    def _choose_folders(self) -> None:
        source = ask_for_folder("Denoise the images of a folder")
        output = ask_for_folder("Choose the output folder") if source is not None else None
        if source is not None and output is not None:
            self.denoise_folder(source, output)

    def denoise_folder(self, source: Path, output: Path) -> None:
        """Start denoising a folder and its subfolders into another one."""
        try:
            work = DenoiseWork(self.models.chosen(), self.strength.value, self_ensemble=self.self_ensemble.value)
        except InputError as error:
            report_error(self.status, error)
            return
        self.work.begin(
            lambda: folder_steps(source, output, work),
            self._show_folder,
            text=f"Denoising {source.name} ...",
            unit="images",
            if_cancelled="Cancelled; results so far are kept, and choosing the same folders resumes",
        )

    def _show_folder(self, outcome: FolderOutcome) -> None:
        from napari.utils.notifications import show_warning

        self.open_results.offer(outcome)
        show_text(self.status, outcome.text(), problem=outcome.failed)
        if outcome.errors:
            show_warning(f"{counted(len(outcome.errors), 'image')} failed: {summarise_errors(outcome.errors)}")

    def _show_what_applies(self) -> None:
        is_model = not is_classical(self.model.value)
        for field in (self.self_ensemble, *self.maps.error_fields):
            field.enabled = is_model
        for button in (self.folder, self.map):
            self.work.allow(button, allowed=is_model)

    def denoise(self) -> None:
        """Start denoising; the result becomes a new layer."""
        self._begin(self.field.layers(), self._new_task)

    def _denoise_new(self, layers: Sequence[Image]) -> bool:
        """Start denoising layers that were just opened, unless another work is running."""
        free = bool(self.start.enabled)
        if free:
            self._begin(layers, lambda one: replace(self._new_task(one), lazy=is_stack(one), window=None))
        return free

    def _begin(self, layers: Sequence[Image | None], new_task: Callable[[Image | None], Task]) -> None:
        """Start denoising the layers that can be; of the others, tell why at the end."""
        tasks, refused = [], []
        for layer in layers:
            try:
                tasks.append(new_task(layer))
            except InputError as error:
                refused.append(error)
        if not tasks:
            report_error(self.status, refused[0])
            return
        name = tasks[0].layer.name if len(tasks) == 1 else f"{len(tasks)} layers"
        self.work.begin(
            lambda: all_steps(tasks),
            lambda outcomes: self._show_results(tasks, outcomes, refused),
            text=f"Denoising {name} ...",
            unit="tiles" if len(tasks) == 1 else "parts",
            interrupt=interruptible().stop,
        )

    def map_detail(self) -> None:
        """Start mapping which share of a faint spot's contrast survives at each place of the image on view."""
        try:
            task = self._new_task(self.image.value)
            check_no_channel(task.layer)
        except InputError as error:
            report_error(self.status, error)
            return
        spot = Spot(self.radius.value, self.contrast.value)
        self.work.begin(
            lambda: kept_steps(task, spot),
            lambda detail_map: self._show_map(task, detail_map),
            text=f"Mapping {task.layer.name} ...",
            unit="tiles",
        )

    def _show_map(self, task: Task, detail_map: DetailMap) -> None:
        remember_model(task.model)
        with self.field.results():
            self._viewer.add_layer(kept_layer(task, detail_map))
        show_text(self.status, str(detail_map))

    def _new_task(self, chosen: Image | None) -> Task:
        layer = check_image(chosen)
        model = self.models.chosen()
        strength, self_ensemble = self.strength.value, self.self_ensemble.value
        shown = current_image(layer, self._viewer.dims.point)
        lazy = is_stack(layer) and self.lazy.value
        window = visible_window(layer, self._viewer.dims) if self.visible_only.value else None
        share, removed = self.maps.error_share(strength), self.maps.removed.value
        if share is not None or removed:
            check_no_channel(layer)
        images, encoding = LayerImages(layer), layer_encoding(layer)
        masks = drawn_masks(self._viewer, layer) if self.in_shapes.value else None
        return Task(layer, images, encoding, model, strength, self_ensemble, lazy, shown, window, share, removed, masks)

    def _show_results(
        self, tasks: Sequence[Task], outcomes: Sequence[Outcome | InputError], refused: Sequence[InputError]
    ) -> None:
        from napari.utils.notifications import show_warning

        remember_model(tasks[0].model)
        pairs = list(zip(tasks, outcomes, strict=True))
        done = [(task, outcome) for task, outcome in pairs if isinstance(outcome, Outcome)]
        failed = [f"{task.layer.name}: {outcome}" for task, outcome in pairs if isinstance(outcome, InputError)]
        failed += [*map(str, refused), *(f"{task.layer.name}: {each.problem()}" for task, each in done if each.unread)]
        with self.field.results():
            told = self._results.show(done, self.strength.value)
        if failed:
            show_warning(". ".join(failed))
        text = ". ".join(filter(None, (*failed, told, self.saving.offer(self._results.layers()))))
        show_text(self.status, text, problem=bool(failed))

    def _show_strength(self) -> None:
        told = self._results.set_strength(self.strength.value, self.image.value, self.model.value)
        if told:
            show_text(self.status, told)

    def _close(self) -> None:
        self._memory.close()
        self.field.close()
        self.noise.close()
        self.new_images.close()
        self.work.close()
