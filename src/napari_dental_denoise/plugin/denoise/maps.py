"""Maps of a denoised layer: the error of each pixel, and the structure that was removed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import PERCENT
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.evaluation import RemovedStructure, removed_structure
from napari_dental_denoise.inference import ExpectedError
from napari_dental_denoise.pixels import PixelEncoding, Unit
from napari_dental_denoise.plugin.shared import ERROR_MAP, REMOVED_MAP, is_stack, matching_layer_kwargs, place_window

if TYPE_CHECKING:
    from napari.layers import Image

Pixels = NDArray[np.generic]
# The brightest colour of an error map: single pixels are beyond it.
BRIGHTEST_PERCENTILE = 99.5
# A dark detail, none, and a bright one; colourless where nothing stands out, so that the image below is seen as it is.
COLORS = ((0.13, 0.4, 0.67, 1.0), (0.13, 0.4, 0.67, 0.0), (0.7, 0.09, 0.17, 0.0), (0.7, 0.09, 0.17, 1.0))
STOPS = (0.0, 0.25, 0.75, 1.0)


@dataclass(frozen=True)
class Maps:
    """The maps of an image, or of a part of it, that a run has made, and why one is missing.

    `error` is for `share` of the pixels, in grey values.
    """

    share: float = 0.0
    error: Unit | None = None
    structure: RemovedStructure | None = None
    problem: str = ""

    @property
    def exist(self) -> bool:
        """True if there is a map."""
        return self.error is not None or self.structure is not None

    def __str__(self) -> str:
        sentences = (self.problem, "" if self.structure is None else str(self.structure))
        return ". ".join(filter(None, sentences))


def error_of(expected: ExpectedError, share: float) -> Maps:
    """Return the error map, or why there is none for such noise."""
    try:
        return Maps(share, expected.half_width(share))
    except InputError as error:
        return Maps(share, problem=str(error).capitalize())


def structure_of(
    image: NDArray[np.generic], denoised: NDArray[np.generic], encoding: PixelEncoding
) -> RemovedStructure:
    """Return where structure was removed from stored values."""
    return removed_structure(encoding.to_grey(image), encoding.to_grey(denoised))


def map_layers(
    layer: Image, maps: Maps, record: dict[str, Any], window: tuple[slice, slice] | None
) -> Iterator[tuple[str, Unit, dict[str, Any]]]:
    """Yield the operation, the pixels and the settings of the layers that show maps over a layer or a part of it."""
    for operation, title, pixels, look in _looks(maps):
        # napari shows the map of one image over all images of a stack.
        suffix = f"{title}, image {record['image'] + 1}" if is_stack(layer) else title
        place = window or tuple(slice(0, side) for side in pixels.shape)
        settings = {
            **matching_layer_kwargs(layer, suffix, {**record, "operation": operation}),
            **place_window(layer, place[0], place[1]),
            "gamma": 1.0,
            **look,
        }
        yield operation, pixels, settings


def _looks(maps: Maps) -> Iterator[tuple[str, str, Unit, dict[str, Any]]]:
    from napari.utils import Colormap

    if maps.error is not None:
        brightest = max(float(np.nanpercentile(maps.error, BRIGHTEST_PERCENTILE)), np.finfo(np.float32).tiny)
        look = {"colormap": "inferno", "contrast_limits": (0.0, brightest), "blending": "translucent"}
        yield ERROR_MAP, f"error ({PERCENT * maps.share:g} %)", maps.error, look
    if maps.structure is not None:
        # Colours begin at the alarms.
        limit = 2 * maps.structure.threshold
        colors = Colormap(list(COLORS), controls=list(STOPS), name=REMOVED_MAP)
        look = {"colormap": colors, "contrast_limits": (-limit, limit), "blending": "translucent"}
        yield REMOVED_MAP, "removed structure", maps.structure.z, look
