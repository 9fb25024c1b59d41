"""Layers to compare: which are comparable, their displayed pixels, and their difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.pixels import shared_scales
from napari_dental_denoise.plugin.shared import (
    DETAIL_MAP,
    ERROR_MAP,
    REMOVED_MAP,
    TRAINING_PREVIEW,
    LayerImages,
    check_image,
    check_no_channel,
    current_image,
    layer_operation,
)

if TYPE_CHECKING:
    import napari.viewer
    from napari.layers import Image

WIPE = {"operation": "wipe"}
DIFFERENCE = "difference"


def comparable_layers(viewer: napari.viewer.Viewer) -> list[Image]:
    """Return the image layers of a viewer, without differences, wipes, maps and the preview of a training."""
    from napari.layers import Image

    made = (WIPE["operation"], DIFFERENCE, DETAIL_MAP, ERROR_MAP, REMOVED_MAP, TRAINING_PREVIEW)
    return [layer for layer in viewer.layers if isinstance(layer, Image) and layer_operation(layer) not in made]


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
        check_no_channel(layer)
    shapes = [LayerImages(layer).shape for layer in layers]
    for shape in shapes[1:]:
        if shape != shapes[0]:
            sizes = ["x".join(map(str, one)) for one in (shapes[0], shape)]
            raise InputError(f"The layers differ in size: {sizes[0]} and {sizes[1]}")


def shown_pixels(layer: Image, point: tuple[float, ...]) -> NDArray[np.generic]:
    """Return the image of a layer that is displayed at a point of the viewer's sliders."""
    return LayerImages(layer)[current_image(layer, point)]


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
