"""Layers to compare: which are comparable, their displayed pixels, and their difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.pixels import shared_scales
from napari_dental_denoise.plugin.shared import (
    DETAIL_MAP,
    ERROR_MAP,
    METADATA,
    REMOVED_MAP,
    check_image,
    current_image,
    matching_layer_kwargs,
)

if TYPE_CHECKING:
    import napari.viewer
    from napari.layers import Image, Layer

WIPE = {"operation": "wipe"}
DIFFERENCE = "difference"
# A few outliers would make the rest of a difference colourless.
SHOWN_PERCENTILE = 99.8
# RdBu of ColorBrewer, which colour-blind people can read; zero is neutral.
DIVERGING = ("#2166ac", "#67a9cf", "#d1e5f0", "#f7f7f7", "#fddbc7", "#ef8a62", "#b2182b")


def layer_record(layer: Layer) -> dict[str, Any]:
    """Return the record of how a layer was made, from its metadata; empty for layers of other origin."""
    record = layer.metadata.get(METADATA, {})
    return record if isinstance(record, dict) else {}


def operation(layer: Layer) -> str:
    """Return the operation that made a layer; "" for layers of other origin."""
    return str(layer_record(layer).get("operation", ""))


def comparable_layers(viewer: napari.viewer.Viewer) -> list[Image]:
    """Return the image layers of a viewer, without differences, wipes and maps."""
    from napari.layers import Image

    made = (WIPE["operation"], DIFFERENCE, DETAIL_MAP, ERROR_MAP, REMOVED_MAP)
    return [layer for layer in viewer.layers if isinstance(layer, Image) and operation(layer) not in made]


def check_chosen(layers: Sequence[Image]) -> None:
    """Raise InputError unless these are two or three layers that can be compared."""
    if len(layers) < 2:
        raise InputError("Choose two layers to compare")
    if len({id(layer) for layer in layers}) < len(layers):
        raise InputError("The same layer is chosen twice")
    check_layers(layers)


def check_layers(layers: Sequence[Image]) -> None:
    """Raise InputError unless all layers are grey images of the same size."""
    for layer in layers:
        check_image(layer)
    for layer in layers[1:]:
        if layer.data.shape != layers[0].data.shape:
            sizes = ["x".join(str(side) for side in one.data.shape) for one in (layers[0], layer)]
            raise InputError(f"The layers differ in size: {sizes[0]} and {sizes[1]}")


def shown_pixels(layer: Image, point: tuple[float, ...]) -> NDArray[np.generic]:
    """Return the image of a layer that is displayed at a point of the viewer's sliders."""
    image = layer.data if layer.ndim == 2 else layer.data[current_image(layer, point)]
    return np.asarray(image)


def divisors(images: Sequence[NDArray[np.generic]], scaled: Sequence[NDArray[np.generic]]) -> list[float]:
    """Return the numbers by which `on_one_scale` divided images to get the scaled ones: 1 if it left them unchanged."""
    return [1.0] * len(images) if scaled[0] is images[0] else shared_scales(images)


def guess_layers(names: Sequence[str]) -> tuple[str | None, str | None, str | None]:
    """Return the names of the clean, noisy and denoised layers, guessed from the names that the plugin gives.

    These are "x", "x noisy" and "x noisy denoised". The names are in the order of the layers, lowest first.
    """
    second = next((name for name in reversed(names) if "denoised" in name), None)
    first = _origin(second, names) or next((name for name in reversed(names) if _is_noisy(name)), None)
    clean = _origin(first, names) or next((name for name in names if "clean" in name and not _is_noisy(name)), None)
    rest = [name for name in names if name not in (clean, first, second)]
    first = first or (rest.pop(0) if rest else None)
    second = second or (rest.pop(0) if rest else None)
    return clean, first, second


def _is_noisy(name: str) -> bool:
    return "noisy" in name and "denoised" not in name


def _origin(name: str | None, names: Sequence[str]) -> str | None:
    """Return the longest other name with which a name begins."""
    origins = [other for other in names if name is not None and name.startswith(f"{other} ")]
    return max(origins, key=len, default=None)


def add_difference(viewer: napari.viewer.Viewer, minuend: Image, subtrahend: Image) -> Image:
    """Add a layer of one layer minus another, or replace an earlier one; raise InputError if they are not comparable.

    It is float32, at the position of the minuend, with a symmetric colour scale.
    """
    from napari.layers import Image
    from napari.utils import Colormap

    check_layers([minuend, subtrahend])
    data = _subtract(minuend, subtrahend, viewer.dims.point)
    largest, shown = _limits(data, minuend, viewer.dims.point)
    record = {"operation": DIFFERENCE, "minuend": minuend.name, "subtrahend": subtrahend.name}
    name = f"{minuend.name} - {subtrahend.name}"
    settings = matching_layer_kwargs(minuend, "", record) | {
        "name": name,
        "colormap": Colormap(list(DIVERGING), name="difference"),
        "contrast_limits": (-shown, shown),
        "gamma": 1.0,
        "blending": "translucent_no_depth",
    }
    for old in [layer for layer in viewer.layers if operation(layer) == DIFFERENCE and layer.name == name]:
        viewer.layers.remove(old)
    layer = Image(data, **settings)
    layer.contrast_limits_range = (-largest, largest)
    layer.contrast_limits = (-shown, shown)
    layer.colorbar.visible = True
    viewer.add_layer(layer)
    return layer


def _subtract(minuend: Image, subtrahend: Image, point: tuple[float, ...]) -> Any:
    """Return the difference of NumPy or dask arrays, on a common scale if their types differ."""
    first, second = minuend.data.astype(np.float32), subtrahend.data.astype(np.float32)
    if minuend.dtype == subtrahend.dtype:
        return first - second
    scales = shared_scales([shown_pixels(layer, point) for layer in (minuend, subtrahend)])
    return first / np.float32(scales[0]) - second / np.float32(scales[1])


def _limits(data: Any, layer: Image, point: tuple[float, ...]) -> tuple[float, float]:
    """Return the largest difference of the displayed image, and the one to show in full colour."""
    image = data if layer.ndim == 2 else data[current_image(layer, point)]
    size = np.abs(np.asarray(image))
    if not np.isfinite(size).all():
        raise InputError(
            f"{layer.name} and the other layer contain invalid pixels (NaN or infinity): replace them first"
        )
    largest = float(size.max()) or 1.0
    return largest, float(np.percentile(size, SHOWN_PERCENTILE)) or largest
