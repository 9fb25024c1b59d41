"""Error maps: which layer has the error of a denoised layer, and the interval that it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import PERCENT
from napari_dental_denoise.plugin.shared import ERROR_MAP, LayerImages, layer_operation, layer_record

if TYPE_CHECKING:
    import napari.viewer
    from napari.layers import Image

DENOISE = "denoise"


def error_layers(viewer: napari.viewer.Viewer) -> list[Image]:
    """Return the error maps in a viewer, lowest first."""
    from napari.layers import Image

    return [layer for layer in viewer.layers if isinstance(layer, Image) and layer_operation(layer) == ERROR_MAP]


def error_layer(viewer: napari.viewer.Viewer, image: Image) -> Image | None:
    """Return the error map of a denoised layer, or None.

    It is at the same place, and its record names the layer as its "result". An only map there without a "result"
    belongs to all denoised layers. The strength of the layer may have changed since: then there is none.
    """
    here = [
        layer for layer in error_layers(viewer) if _at_same_place(layer, image) and _is_of_same_strength(layer, image)
    ]
    named = [layer for layer in here if layer_record(layer).get("result") == image.name]
    if named:
        # The newest one is on top.
        return named[-1]
    unnamed = [layer for layer in here if "result" not in layer_record(layer)]
    return unnamed[0] if len(unnamed) == 1 and _is_denoised(image) else None


def interval_title(layer: Image) -> str:
    """Return a title of the interval that an error map stands for, with the share of the pixels that it holds for."""
    share = layer_record(layer).get("share")
    return "interval" if share is None else f"{PERCENT * share:g} % interval"


def _is_denoised(layer: Image) -> bool:
    # A denoised image from a file has no record.
    return layer_operation(layer) == DENOISE or "denoised" in layer.name


def _is_of_same_strength(first: Image, second: Image) -> bool:
    strengths = [layer_record(layer).get("strength") for layer in (first, second)]
    return None in strengths or strengths[0] == strengths[1]


def _at_same_place(first: Image, second: Image) -> bool:
    return LayerImages(first).sides == LayerImages(second).sides and np.allclose(_corners(first), _corners(second))


def _corners(layer: Image) -> NDArray[np.float64]:
    """Return the positions of the first pixel and of the ends of the axes, which differ for any other transform."""
    sides = np.diag(LayerImages(layer).sides).astype(np.float64)
    return np.array([layer.data_to_world(corner) for corner in (np.zeros(layer.ndim), *sides)])
