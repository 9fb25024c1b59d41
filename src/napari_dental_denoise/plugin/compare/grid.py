"""Side-by-side view of layers in napari's grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from napari_dental_denoise.plugin.shared import Connections

if TYPE_CHECKING:
    import napari.viewer
    from napari.layers import Image, Layer

GAP = 4
# napari's font size for names, and the measured width of a letter in it; long names get a smaller font.
NAME_POINTS = 10.0
PIXELS_PER_LETTER = 10.5
MIN_POINTS = 5.0


class SideBySide:
    """View of some layers in a row, with their names; calls `ended` when the user turns off napari's grid."""

    def __init__(self, viewer: napari.viewer.Viewer, layers: Sequence[Image], ended: Callable[[], None]) -> None:
        self._viewer = viewer
        self._ended = ended
        self._connections = Connections()
        grid, camera = viewer.canvas.grid, viewer.scene.camera
        self._grid_before = {name: getattr(grid, name) for name in ("enabled", "shape", "stride", "spacing")}
        self._camera_before = {name: getattr(camera, name) for name in ("center", "zoom")}
        self._layers_before: list[tuple[Layer, bool, bool, float]] = [
            (layer, layer.visible, layer.name_overlay.visible, layer.name_overlay.font_size) for layer in viewer.layers
        ]
        points = self._name_points(layers)
        for layer, *_ in self._layers_before:
            # Every visible layer takes a cell of the grid.
            layer.visible = layer in layers
            layer.name_overlay.visible = layer in layers
            layer.name_overlay.font_size = points
        grid.shape, grid.stride, grid.spacing, grid.enabled = (1, -1), 1, GAP, True
        viewer.fit_to_view()
        self._connections.add(grid.events.enabled, self._on_enabled)

    def _name_points(self, layers: Sequence[Image]) -> float:
        """Return the font size at which the longest name fits its cell."""
        width = self._viewer.canvas.size[1] / len(layers)
        longest = max(len(layer.name) for layer in layers) + 2
        return float(np.clip(NAME_POINTS * width / (longest * PIXELS_PER_LETTER), MIN_POINTS, NAME_POINTS))

    def _on_enabled(self, _event: object) -> None:
        if not self._viewer.canvas.grid.enabled:
            self._ended()

    def close(self) -> None:
        """Restore the grid, the camera and the visible layers."""
        self._connections.close()
        grid, camera = self._viewer.canvas.grid, self._viewer.scene.camera
        for name, value in self._grid_before.items():
            setattr(grid, name, value)
        for layer, visible, named, points in self._layers_before:
            if layer in self._viewer.layers:
                layer.visible, layer.name_overlay.visible, layer.name_overlay.font_size = visible, named, points
        for name, value in self._camera_before.items():
            setattr(camera, name, value)
