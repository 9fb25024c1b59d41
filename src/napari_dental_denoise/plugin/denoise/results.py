"""The result layers of the last run of the Denoise form, which follow its strength."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_dental_denoise.config import INFERENCE
from napari_dental_denoise.plugin.denoise.layer import Outcome, Task
from napari_dental_denoise.plugin.denoise.map_fields import MapFields
from napari_dental_denoise.plugin.shared import METADATA, PreviewLayer, matching_layer_kwargs, place_window

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer


class Results:
    """Adds the layers of a run, and changes their strength without the model."""

    def __init__(self, viewer: Viewer, maps: MapFields) -> None:
        self._viewer, self._maps = viewer, maps
        self._preview = PreviewLayer(viewer)
        self._task: Task | None = None
        self._outcome: Outcome | None = None
        self._result: Image | None = None

    def show(self, task: Task, outcome: Outcome, strength: float) -> str:
        """Add the layers of a run at a strength, which may have changed since; return what to tell."""
        self._task, self._outcome = task, outcome
        record = _record(task, outcome, strength)
        look = matching_layer_kwargs(task.layer, "denoised preview" if task.window else "denoised", record)
        denoised = outcome.denoised if strength == task.strength else outcome.at(strength)
        if task.window:
            result = self._preview.show(denoised, {**look, **place_window(task.layer, *task.window)})
        elif task.lazy:
            # A new layer reads the first image of its stack, which would run the model on it.
            result = self._viewer.add_image(task.data, **look)
            result.data = denoised
        else:
            result = self._viewer.add_image(denoised, **look)
        self._result = result
        self._maps.show(task, outcome.maps, {**record, "result": result.name})
        return ". ".join(filter(None, (f"Done: {result.name}", str(outcome.maps))))

    def set_strength(self, strength: float, image: Image | None, model: Path | None) -> str:
        """Change the strength of the result of this image and model, if it is there; return what to tell, if anything.

        With another image or model, the strength is that of the next result.
        """
        result, task, outcome = self._result, self._task, self._outcome
        if result is None or task is None or outcome is None or result not in self._viewer.layers:
            return ""
        if image not in (task.layer, result) or model != task.model:
            return ""
        result.data = outcome.at(strength)
        record = result.metadata.get(METADATA, {})
        result.metadata = {**result.metadata, METADATA: {**record, "strength": strength}}
        return f"The maps are those of a strength of {task.strength:g}" if outcome.maps.exist else ""


def _record(task: Task, outcome: Outcome, strength: float) -> dict[str, Any]:
    return {
        "operation": "denoise",
        "model": task.model.name,
        "model_sha256": outcome.engine.card.weights_sha256,
        "strength": strength,
        "precision": INFERENCE.precision,
        "self_ensemble": task.self_ensemble,
    }
