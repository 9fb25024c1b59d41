"""The result layers of the last run of the Denoise form, which follow its strength."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_dental_denoise.config import INFERENCE, PERCENT
from napari_dental_denoise.plugin.denoise.layer import Outcome, Task
from napari_dental_denoise.plugin.denoise.map_fields import MapFields
from napari_dental_denoise.plugin.shared import (
    METADATA,
    PreviewLayer,
    layer_record,
    matching_layer_kwargs,
    place_window,
    stack_of,
)

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer


class Results:
    """Adds the layers of a run, and changes their strength without the model."""

    def __init__(self, viewer: Viewer, maps: MapFields) -> None:
        self._viewer, self._maps = viewer, maps
        self._preview = PreviewLayer(viewer)
        self._shown: list[tuple[Task, Outcome, Image]] = []
        self._shown_maps: list[tuple[Image, Image]] = []

    def show(self, runs: Sequence[tuple[Task, Outcome]], strength: float) -> str:
        """Add the layers of all runs at a strength, which may have changed since; return what to tell."""
        self._shown_maps = []
        self._shown = [(task, outcome, self._add(task, outcome, strength)) for task, outcome in runs]
        names = ", ".join(result.name for _, _, result in self._shown)
        of_maps = [str(outcome.maps) for _, outcome in runs]
        if len(runs) > 1:
            of_maps = [f"{task.layer.name}: {text}" for (task, _), text in zip(runs, of_maps, strict=True) if text]
        return ". ".join(filter(None, (f"Done: {names}", *of_maps)))

    def layers(self) -> list[tuple[Image, Image]]:
        """Return the inputs and the results of the last run, and the inputs and the maps."""
        return [*((task.layer, result) for task, _, result in self._shown), *self._shown_maps]

    def _add(self, task: Task, outcome: Outcome, strength: float) -> Image:
        record = _record(task, outcome, strength)
        what = "denoised preview" if task.window else "denoised"
        look = matching_layer_kwargs(task.layer, f"{what} {_made_with(task, strength)}", record)
        denoised = _data(task, outcome.denoised if strength == task.strength else outcome.at(strength))
        if task.window:
            result = self._preview.show(denoised, {**look, **place_window(task.layer, *task.window)})
        elif task.lazy:
            # A new layer reads the first image of its stack, which would run the model on it.
            result = self._viewer.add_image(_data(task, _black(task)), **look)
            result.data = denoised
        else:
            result = self._viewer.add_image(denoised, **look)
        maps = self._maps.show(task, outcome.maps, {**record, "result": result.name})
        self._shown_maps += [(task.layer, each) for each in maps]
        return result

    def set_strength(self, strength: float, image: Image | None, model: Path | None) -> str:
        """Change the strength of the results of the last run, if they are there; return what to tell, if anything.

        With another image or model in the form, the strength is that of the next run.
        """
        layers = [layer for task, _, result in self._shown for layer in (task.layer, result)]
        if image not in layers or model != self._shown[0][0].model:
            return ""
        for task, outcome, result in self._shown:
            if result in self._viewer.layers:
                record = layer_record(result)
                before = record.get("strength", task.strength)
                result.metadata = {**result.metadata, METADATA: {**record, "strength": strength}}
                # After the metadata, for those who listen.
                result.data = _data(task, outcome.at(strength))
                # A name that the user gave has no such part.
                result.name = result.name.replace(_made_with(task, before), _made_with(task, strength))
        with_maps = [task for task, outcome, _ in self._shown if outcome.maps.exist]
        return f"The maps are those of a strength of {with_maps[0].strength:g}" if with_maps else ""


def _made_with(task: Task, strength: float) -> str:
    """Return the part of a layer's name that tells the model, the strength and the self-ensemble."""
    settings = [task.model.stem, f"{PERCENT * strength:.0f} %", *["self-ensemble"] * task.self_ensemble]
    return f"({', '.join(settings)})"


def _data(task: Task, denoised: Any) -> Any:
    """Return denoised images as data of their layer: of the kind of the input, but for a preview."""
    return denoised if task.window else task.images.layer_data(denoised)


def _black(task: Task) -> Any:
    shape, dtype = task.images.shape, task.images.dtype
    return stack_of(lambda _: np.zeros(shape[-2:], dtype), shape, dtype)


def _record(task: Task, outcome: Outcome, strength: float) -> dict[str, Any]:
    return {
        "operation": "denoise",
        "model": task.model.name,
        "model_sha256": outcome.engine.card.weights_sha256,
        "strength": strength,
        "precision": INFERENCE.precision,
        "self_ensemble": task.self_ensemble,
        **({} if task.masks is None else {"region": "drawn shapes"}),
    }
