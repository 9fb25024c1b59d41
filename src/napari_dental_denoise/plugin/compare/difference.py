"""Difference of two layers, with a colour bar that tells its ends, its zero and its unit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.pixels import Planes, shared_scales
from napari_dental_denoise.plugin.compare.layers import (
    DIFFERENCE,
    check_layers,
    shown_pixels,
)
from napari_dental_denoise.plugin.shared import (
    LayerImages,
    current_image,
    layer_operation,
    layer_record,
    matching_layer_kwargs,
    stack_of,
)

if TYPE_CHECKING:
    import napari.viewer
    from napari.layers import Image

# A few outliers would make the rest of a difference colourless.
SHOWN_PERCENTILE = 99.8
# RdBu of ColorBrewer, which colour-blind people can read; zero is neutral.
DIVERGING = ("#2166ac", "#67a9cf", "#d1e5f0", "#f7f7f7", "#fddbc7", "#ef8a62", "#b2182b")
# With such limits, times a power of ten, napari's colour bar has numbers at both ends and at zero.
ROUND = (1, 2, 4, 5, 10)
OVERLAY = "difference_unit"
GREY_VALUES, SHARE_OF_WHITE = "grey values", "share of white"


def add_difference(viewer: napari.viewer.Viewer, minuend: Image, subtrahend: Image) -> Image:
    """Add a layer of one layer minus another, or replace an earlier one; raise InputError if they are not comparable.

    It is float32, at the position of the minuend, with a symmetric colour scale.
    """
    from napari.layers import Image
    from napari.utils import Colormap

    check_layers([minuend, subtrahend])
    data = _subtract(minuend, subtrahend, viewer.dims.point)
    largest, shown = _limits(data, minuend, viewer.dims.point)
    unit = GREY_VALUES if minuend.dtype == subtrahend.dtype else SHARE_OF_WHITE
    record = {"operation": DIFFERENCE, "minuend": minuend.name, "subtrahend": subtrahend.name, "unit": unit}
    name = f"{minuend.name} - {subtrahend.name}"
    settings = matching_layer_kwargs(minuend, "", record) | {
        "name": name,
        "colormap": Colormap(list(DIVERGING), name="difference"),
        "contrast_limits": (-shown, shown),
        "gamma": 1.0,
        "blending": "translucent_no_depth",
    }
    for old in [layer for layer in viewer.layers if layer_operation(layer) == DIFFERENCE and layer.name == name]:
        viewer.layers.remove(old)
    layer = Image(data, **settings)
    layer.contrast_limits_range = (-largest, largest)
    layer.contrast_limits = (-shown, shown)
    layer.colorbar.visible = True
    viewer.add_layer(layer)
    _show_unit(viewer)
    return layer


def _show_unit(viewer: napari.viewer.Viewer) -> None:
    """Show the unit of the topmost visible difference above its colour bar from now on."""
    from napari.components.overlays import TextOverlay

    if OVERLAY not in viewer.canvas.overlays:
        text = TextOverlay(position="top_right", box=True)
        viewer.canvas.overlays[OVERLAY] = text

        def update() -> None:
            units = [
                str(layer_record(layer).get("unit"))
                for layer in viewer.layers
                if layer.visible and layer_operation(layer) == DIFFERENCE
            ]
            text.visible, text.text = bool(units), units[-1] if units else ""

        viewer.layers.events.connect(update)
        update()


def _subtract(minuend: Image, subtrahend: Image, point: tuple[float, ...]) -> Any:
    """Return the difference of two layers, on a common scale if their types differ; lazy unless both are in memory."""
    one, other = LayerImages(minuend), LayerImages(subtrahend)
    scales = [1.0, 1.0]
    if one.dtype != other.dtype:
        scales = shared_scales([shown_pixels(layer, point) for layer in (minuend, subtrahend)])

    def difference(index: int) -> NDArray[np.float32]:
        # Differences of 32-bit integers need more digits than float32 has.
        return np.subtract(one[index] / scales[0], other[index] / scales[1], dtype=np.float64).astype(np.float32)

    if len(one.shape) == 2:
        return difference(0)
    if not (one.is_in_memory and other.is_in_memory):
        return stack_of(difference, one.shape, np.dtype(np.float32))
    return np.stack([difference(index) for index in range(len(one))]).reshape(one.shape)


def _limits(data: Any, layer: Image, point: tuple[float, ...]) -> tuple[float, float]:
    """Return the largest difference of the displayed image, and the one to show in full colour, a round number."""
    size = np.abs(Planes(data)[current_image(layer, point)])
    if not np.isfinite(size).all():
        raise InputError(
            f"{layer.name} and the other layer contain invalid pixels (NaN or infinity): replace them first"
        )
    largest = float(size.max()) or 1.0
    shown = _rounded_up(float(np.percentile(size, SHOWN_PERCENTILE)) or largest)
    return max(largest, shown), shown


def _rounded_up(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return next(number * power for number in ROUND if number * power >= value * (1 - 1e-9))
