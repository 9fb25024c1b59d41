"""The Denoise form: a layer, a model, a strength, and a result that is the layer's twin."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from magicgui.widgets import CheckBox, ComboBox, Container, FloatSlider, ProgressBar, PushButton, create_widget
from numpy.typing import NDArray

from napari_dental_denoise.core.config import INFERENCE
from napari_dental_denoise.core.engine import Engine, cached_engine
from napari_dental_denoise.core.errors import InputError
from napari_dental_denoise.core.inference import Progress, residual_steps, subtract
from napari_dental_denoise.core.model_file import read_card
from napari_dental_denoise.core.self_ensemble import SelfEnsemble
from napari_dental_denoise.core.storage import Storage
from napari_dental_denoise.plugin.card_text import card_text
from napari_dental_denoise.plugin.form import complain, finish_form, row, say, text_label
from napari_dental_denoise.plugin.grey import layer_storage, upright
from napari_dental_denoise.plugin.known_models import recent_models, remember_model, starter_models
from napari_dental_denoise.plugin.noise_line import NoiseLine
from napari_dental_denoise.plugin.preferences import preference
from napari_dental_denoise.plugin.twin import check_image, current_image, place_window, twin, visible_window
from napari_dental_denoise.plugin.workers import Eta, abandon, start_worker

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.qt.threading import GeneratorWorker
    from napari.viewer import Viewer

STRONGEST = 1.5
NO_MODEL = "No model yet: train one, or choose a file"


@dataclass(frozen=True)
class Task:
    """What one run works on, noted when it starts: the layer may change or go meanwhile."""

    layer: Image
    noisy: Any
    storage: Storage
    model: Path
    look: dict[str, Any]
    strength: float
    self_ensemble: bool


@dataclass(frozen=True)
class Outcome:
    """What came of it: the noise, what ran, and the result at the strength of the start."""

    residual: NDArray[np.float32]
    engine: Engine
    denoised: Any


class DenoiseWidget(Container):
    """Denoise an image layer with a model; the result is a new layer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        self._viewer = napari_viewer
        self._worker: GeneratorWorker | None = None
        self._task: Task | None = None
        self._outcome: Outcome | None = None
        self._result: Image | None = None
        self._browsed: list[Path] = []
        self._make_fields()
        buttons = row(self.start, self.cancel)
        self.noise = NoiseLine(napari_viewer, self.image)
        fields = [self.image, self.noise.label, self.model, self.browse, self.card, self.strength]
        choices = [self.visible_only, self.self_ensemble]
        super().__init__(widgets=[*fields, *choices, buttons, self.progress, self.status])
        finish_form(self, self._close)
        self.start.clicked.connect(self.denoise)
        self.cancel.clicked.connect(self.stop)
        self.browse.clicked.connect(self._choose_file)
        self.strength.changed.connect(self._show_strength)
        self.model.changed.connect(self._show_card)
        self._show_card()

    def _make_fields(self) -> None:
        self.image = create_widget(
            annotation="napari.layers.Image",
            label="image",
            options={"tooltip": "An image or a stack of images: 8 or 16 bit, or floating; it is never changed"},
        )
        self.model = ComboBox(
            label="model",
            choices=self._models,
            tooltip="The model of the package, one that you trained or used lately, or a file",
        )
        self.browse = PushButton(text="Another model ...", tooltip="Choose a .keras model file")
        self.card = text_label("What the model was trained on")
        self.strength = FloatSlider(
            label="strength",
            value=preference("denoise", "strength", INFERENCE.strength),
            max=STRONGEST,
            step=0.01,
            tooltip="Share of the noise to take away: acts at once on the result, with no new computation",
        )
        self.visible_only = CheckBox(
            text="visible region only", tooltip="Try it on what the canvas shows; the result is a preview"
        )
        self.self_ensemble = CheckBox(
            text="average eight turns",
            value=INFERENCE.self_ensemble,
            tooltip="Run the network on eight turns and flips of the image: eight times slower, slightly better",
        )
        self.start = PushButton(text="Denoise", tooltip="Make a new layer with the denoised image")
        self.cancel = PushButton(text="Cancel", enabled=False, tooltip="Stop within a tile; nothing is changed")
        self.progress = ProgressBar(value=0, min=0, max=1, visible=False)
        self.status = text_label()

    def _models(self, *_: object) -> list[tuple[str, Path]]:
        paths = dict.fromkeys([*self._browsed, *starter_models(), *recent_models()])
        return [(path.stem, path) for path in paths]

    def use_model(self, path: Path) -> None:
        """Offer a model file and choose it.

        Parameters
        ----------
        path : Path
        """
        if path not in self._browsed:
            self._browsed.insert(0, path)
        self.model.reset_choices()
        self.model.value = path
        self._show_card()

    def _choose_file(self) -> None:
        from qtpy.QtWidgets import QFileDialog

        name, _ = QFileDialog.getOpenFileName(self.native, "Choose a model", "", "Models (*.keras)")
        if name:
            self.use_model(Path(name))

    def _show_card(self) -> None:
        path: Path | None = self.model.value
        if path is None:
            say(self.card, NO_MODEL, problem=True)
            return
        try:
            say(self.card, card_text(read_card(path)))
        except InputError as error:
            say(self.card, str(error), problem=True)

    def denoise(self) -> None:
        """Start; the result comes as a new layer when all is done."""
        try:
            task = self._new_task()
        except InputError as error:
            complain(self.status, error)
            return
        self.start.enabled, self.cancel.enabled, self.progress.visible = False, True, True
        self.progress.value = 0
        say(self.status, f"Denoising {task.layer.name} ...")
        eta = Eta()
        self._worker = start_worker(
            lambda: _work(task),
            progressed=lambda progress: self._show_progress(progress, eta),
            returned=lambda outcome: self._show_result(task, outcome),
            failed=lambda error: complain(self.status, error),
            finished=self._ready,
        )

    def _new_task(self) -> Task:
        layer = check_image(self.image.value)
        model: Path | None = self.model.value
        if model is None:
            raise InputError(NO_MODEL)
        strength, self_ensemble = self.strength.value, self.self_ensemble.value
        storage = layer_storage(layer)
        if not self.visible_only.value:
            return Task(layer, layer.data, storage, model, {}, strength, self_ensemble)
        rows, columns = visible_window(layer)
        index = current_image(layer, self._viewer.dims.point)
        image = layer.data if layer.ndim == 2 else layer.data[index]
        look = place_window(layer, rows, columns)
        return Task(layer, image[rows, columns], storage, model, look, strength, self_ensemble)

    def _show_progress(self, progress: Progress, eta: Eta) -> None:
        self.progress.max = progress.total
        self.progress.value = progress.done
        say(self.status, f"{progress.done} of {progress.total} tiles, {eta.text(progress.done, progress.total)}")

    def _show_result(self, task: Task, outcome: Outcome) -> None:
        remember_model(task.model)
        self._task, self._outcome = task, outcome
        suffix = "denoised preview" if task.look else "denoised"
        look = {**twin(task.layer, suffix, self._record(task, outcome)), **task.look}
        if task.look:
            look = {key: value for key, value in look.items() if key not in ("rotate", "shear", "affine")}
        self._remove_preview(look["name"])
        same_strength = self.strength.value == task.strength
        denoised = outcome.denoised if same_strength else _denoised(task, outcome.residual, self.strength.value)
        self._result = self._viewer.add_image(denoised, **look)
        say(self.status, f"Done: {self._result.name}")

    def _remove_preview(self, name: str) -> None:
        old = self._result
        if name.endswith("preview") and old is not None and old in self._viewer.layers and old.name == name:
            self._viewer.layers.remove(old)

    def _record(self, task: Task, outcome: Outcome) -> dict[str, Any]:
        card = outcome.engine.card
        return {
            "operation": "denoise",
            "model": task.model.name,
            "model_sha256": card.weights_sha256,
            "strength": self.strength.value,
            "precision": INFERENCE.precision,
            "self_ensemble": task.self_ensemble,
        }

    def _show_strength(self) -> None:
        result, task, outcome = self._result, self._task, self._outcome
        if result is None or task is None or outcome is None or result not in self._viewer.layers:
            return
        result.data = _denoised(task, outcome.residual, self.strength.value)
        record = result.metadata.get("napari_dental_denoise", {})
        result.metadata = {**result.metadata, "napari_dental_denoise": {**record, "strength": self.strength.value}}

    def stop(self) -> None:
        """Stop within a tile, leaving everything as it was."""
        if self._worker is not None:
            self._worker.quit()

    def _close(self) -> None:
        self.noise.close()
        if self._worker is not None:
            abandon(self._worker)

    def _ready(self) -> None:
        stopped = self._worker is not None and self._worker.abort_requested
        self._worker = None
        self.start.enabled, self.cancel.enabled, self.progress.visible = True, False, False
        if stopped:
            say(self.status, "Cancelled; nothing was changed")


def _work(task: Task) -> Generator[Progress, None, Outcome]:
    """In the thread: load the model, then tile by tile."""
    path = task.model
    if not path.is_file():
        raise InputError(f"{path.name} is no longer there: choose another model")
    plain = cached_engine(path, path.stat().st_mtime_ns, INFERENCE.precision)
    engine = SelfEnsemble(plain) if task.self_ensemble else plain
    residual = yield from residual_steps(upright(task.noisy, task.storage), engine)
    return Outcome(residual, engine, _denoised(task, residual, task.strength))


def _denoised(task: Task, residual: NDArray[np.float32], strength: float) -> Any:
    """The result at one strength; of a stack, each image when it is looked at."""
    if residual.ndim == 2:
        return _one_denoised(np.asarray(task.noisy), residual, strength, task.storage)
    return _lazy_stack(task.noisy, residual, strength, task.storage)


def _one_denoised(
    noisy: NDArray[np.generic], residual: NDArray[np.float32], strength: float, storage: Storage
) -> NDArray[np.generic]:
    return storage.restore(subtract(storage.upright(noisy), residual, strength), noisy)


def _lazy_stack(noisy: Any, residual: NDArray[np.float32], strength: float, storage: Storage) -> Any:
    import dask.array as da
    from dask import delayed

    def one(index: int) -> NDArray[np.generic]:
        return _one_denoised(np.asarray(noisy[index]), residual[index], strength, storage)

    shape, dtype = noisy.shape[1:], noisy.dtype
    return da.stack([da.from_delayed(delayed(one)(index), shape, dtype) for index in range(len(noisy))])
