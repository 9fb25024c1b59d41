"""Restrict a result to drawn shapes: outside of them it is the source."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.evaluation import outline_mask
from napari_dental_denoise.pixels import Planes
from napari_dental_denoise.plugin.shared import LayerImages, check_no_channel, outlines, stack_of

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

REGION_TOOLTIP = "Denoise inside the closed shapes of the topmost Shapes layer; outside, the result is the source"
# The mask of the image with this index.
Masks = Callable[[int], NDArray[np.bool_]]
At = Callable[[float], Any]


def drawn_masks(viewer: Viewer, image: Image) -> Masks:
    """Return the masks of the closed shapes in the topmost Shapes layer for the images of a layer, as they are now.

    Raise InputError unless a shape lies on the displayed image. In other images of a stack there may be none.
    """
    from napari.layers import Shapes

    drawn = [layer for layer in viewer.layers if isinstance(layer, Shapes)]
    point = tuple(viewer.dims.point)
    if not drawn or not outlines(drawn[-1], image, point):
        raise InputError("Draw a closed shape in a Shapes layer first, or denoise the whole image")
    check_no_channel(image)
    images = LayerImages(image)
    shape = images.shape[-2:]
    points = (_point_of(image, place, point) for place in np.ndindex(images.shape[:-2]))
    found = [outlines(drawn[-1], image, each) for each in points]

    @cache
    def mask(index: int) -> NDArray[np.bool_]:
        return outline_mask(found[index], shape) if found[index] else np.zeros(shape, bool)

    return mask


def _point_of(image: Image, place: tuple[int, ...], point: tuple[float, ...]) -> tuple[float, ...]:
    """Return the point of the viewer's sliders at an image of a stack."""
    world = image.data_to_world((*place, 0, 0))[: len(place)]
    return (*point[: -image.ndim], *map(float, world), *point[-2:])


def within(at: At, masks: Masks, shown: int, window: tuple[slice, slice] | None) -> At:
    """Return the results of `at` inside the masks, and of strength 0, which are the source, outside of them.

    `at` is that of a stack if it returns one, else of its image `shown`, or the `window` of it.
    """
    told: set[str] = set()

    def restricted(strength: float) -> Any:
        inside, outside = at(strength), at(0.0)
        if inside.ndim == 2:
            return np.where(masks(shown)[window or ...], inside, outside)
        return stack_of(partial(_frame, inside, outside, masks), inside.shape, inside.dtype, told)

    return restricted


def _frame(inside: Any, outside: Any, masks: Masks, index: int) -> NDArray[np.generic]:
    return np.where(masks(index), Planes(inside)[index], Planes(outside)[index])
