"""Wipe: one layer left of an edge, another right of it, with an edge that the mouse drags."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.evaluation import on_one_scale
from napari_dental_denoise.plugin.compare.layers import WIPE, check_layers, divisors, shown_pixels
from napari_dental_denoise.plugin.shared import METADATA, Connections, place_window

if TYPE_CHECKING:
    import napari.viewer
    from napari.layers import Image, Vectors

EDGE_COLOR = "#ffcc00"
EDGE_WIDTH = 2.0
GRIP = 8.0
PAN_ZOOM = "pan_zoom"
COVERING = "translucent_no_depth"


class Wipe:
    """Two temporary layers, the composed image and its edge, until it is closed.

    The edge is at a share of the width, from 0 at the left to 1 at the right. `moved` gets the share when the mouse
    moves the edge, and `ended` the reason when the wipe cannot continue, or "" if one of its layers was removed. Raise
    InputError if the layers are not comparable, or the viewer does not display them as 2D images.
    """

    def __init__(
        self,
        viewer: napari.viewer.Viewer,
        left: Image,
        right: Image,
        share: float,
        *,
        moved: Callable[[float], None],
        ended: Callable[[str], None],
    ) -> None:
        check_layers([left, right])
        self._viewer, self._left, self._right = viewer, left, right
        self._moved, self._ended = moved, ended
        self._check_view()
        self._active_before = viewer.layers.selection.active
        self._load()
        self.column = self._column_of(share)
        self.image = self._make_image()
        self.edge = self._make_edge()
        self._closed = False
        self._hovering = False
        self._connections = Connections()
        self._show()

    def _check_view(self) -> None:
        dims = self._viewer.dims
        if dims.ndisplay != 2 or tuple(dims.displayed) != (dims.ndim - 2, dims.ndim - 1):
            raise InputError("Wipe needs the 2D view with the axes in their original order")
        if self._viewer.canvas.grid.enabled:
            raise InputError("Wipe needs the grid view to be off")

    def _load(self) -> None:
        point = self._viewer.dims.point
        images = [shown_pixels(self._left, point), shown_pixels(self._right, point)]
        scaled, _ = on_one_scale(images)
        self._left_pixels, self._right_pixels = scaled
        # Layers of different types are scaled to [0, 1], and so must the contrast limits of the left one be.
        self._divisor = divisors(images, scaled)[0]

    def _composed(self) -> NDArray[np.generic]:
        image = self._right_pixels.copy()
        image[:, : self.column] = self._left_pixels[:, : self.column]
        return image

    def _make_image(self) -> Image:
        from napari.layers import Image

        left, (height, width) = self._left, self._left_pixels.shape
        low, high = left.contrast_limits
        return Image(
            self._composed(),
            name=f"{left.name} | {self._right.name}",
            colormap=left.colormap,
            contrast_limits=(low / self._divisor, high / self._divisor),
            gamma=left.gamma,
            # It must hide the layers below, whatever their blending.
            blending=COVERING,
            metadata={METADATA: WIPE},
            # A 2D layer, which is visible on every slice of a stack.
            **place_window(left, slice(0, height), slice(0, width)),
        )

    def _make_edge(self) -> Vectors:
        from napari.layers import Vectors

        place = {name: getattr(self.image, name) for name in ("scale", "translate", "rotate", "shear", "units")}
        return Vectors(
            self._edge_data(),
            name="edge of the wipe",
            edge_color=EDGE_COLOR,
            edge_width=self._canvas_pixels(EDGE_WIDTH),
            vector_style="line",
            opacity=1.0,
            metadata={METADATA: WIPE},
            affine=self.image.affine,
            **place,
        )

    def _edge_data(self) -> NDArray[np.float64]:
        return np.array([[[-0.5, self.column - 0.5], [self._left_pixels.shape[0], 0.0]]])

    def _canvas_pixels(self, count: float) -> float:
        """Return a number of canvas pixels in columns of the image."""
        return count / (self._viewer.scene.camera.zoom * abs(float(self.image.scale[-1])))

    def _show(self) -> None:
        from napari.layers import Image

        layers, viewer = self._viewer.layers, self._viewer
        top_image = max(index for index, layer in enumerate(layers) if isinstance(layer, Image))
        layers.insert(top_image + 1, self.image)
        layers.insert(top_image + 2, self.edge)
        # The mouse must not draw or select in another layer while it drags the edge.
        layers.selection.active = self.image
        viewer.mouse_drag_callbacks.append(self._drag)
        viewer.mouse_move_callbacks.append(self._hover)
        dims = viewer.dims.events
        data = (self._left.events.data, self._right.events.data)
        for emitter in (dims.current_step, dims.ndisplay, dims.order, viewer.canvas.grid.events.enabled, *data):
            self._connections.add(emitter, self._on_change)
        self._connections.add(viewer.scene.camera.events.zoom, self._on_zoom)
        self._connections.add(layers.events.removed, self._on_removed)

    def move_to(self, share: float) -> None:
        """Move the edge to a position from 0 at the left to 1 at the right."""
        column = self._column_of(share)
        if column == self.column:
            return
        changed = slice(min(column, self.column), max(column, self.column))
        source = self._left_pixels if column > self.column else self._right_pixels
        self.column = column
        self.image.data[:, changed] = source[:, changed]
        self.image.refresh()
        self.edge.data = self._edge_data()

    def _column_of(self, share: float) -> int:
        width = self._left_pixels.shape[1]
        return int(np.clip(round(share * width), 0, width))

    def _under(self, position: Any) -> float:
        """Return the column boundary under the mouse."""
        return float(self.image.world_to_data(position)[-1]) + 0.5

    def _can_grip(self, event: Any) -> bool:
        """Return whether the mouse is at the edge and no drawing or selecting tool is active."""
        active = self._viewer.layers.selection.active
        free = active is None or str(active.mode) == PAN_ZOOM
        return free and abs(self._under(event.position) - self.column) <= self._canvas_pixels(GRIP)

    def _drag(self, viewer: Any, event: Any) -> Iterator[None]:
        if event.button != 1 or not self._can_grip(event):
            return
        camera = self._viewer.scene.camera
        panning, camera.mouse_pan = camera.mouse_pan, False
        event.handled = True
        yield
        while event.type == "mouse_move" and not self._closed:
            share = float(np.clip(self._under(event.position) / self._left_pixels.shape[1], 0, 1))
            self.move_to(share)
            self._moved(share)
            yield
        camera.mouse_pan = panning

    def _hover(self, viewer: Any, event: Any) -> None:
        near = self._can_grip(event)
        if near != self._hovering:
            self._hovering = near
            self._viewer.cursor.style = "pointing" if near else "standard"

    def _on_zoom(self, _event: object) -> None:
        self.edge.edge_width = self._canvas_pixels(EDGE_WIDTH)

    def _on_removed(self, _event: object) -> None:
        layers = self._viewer.layers
        if any(layer not in layers for layer in (self.image, self.edge, self._left, self._right)):
            self._ended("")

    def _on_change(self, _event: object) -> None:
        try:
            self._check_view()
            check_layers([self._left, self._right])
            self._load()
        except InputError as error:
            self._ended(str(error))
            return
        self.image.data = self._composed()

    def close(self) -> None:
        """Remove the temporary layers."""
        self._closed = True
        self._connections.close()
        viewer = self._viewer
        viewer.mouse_drag_callbacks.remove(self._drag)
        viewer.mouse_move_callbacks.remove(self._hover)
        if self._hovering:
            viewer.cursor.style = "standard"
        for layer in (self.image, self.edge):
            if layer in viewer.layers:
                viewer.layers.remove(layer)
        if self._active_before is not None and self._active_before in viewer.layers:
            viewer.layers.selection.active = self._active_before
