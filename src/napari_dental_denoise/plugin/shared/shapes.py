"""Regions and lines drawn in a Shapes layer, in pixel coordinates of an image layer."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

import numpy as np

from napari_dental_denoise.evaluation import Points, ellipse_outline

if TYPE_CHECKING:
    from napari.layers import Image, Shapes

CLOSED = ("rectangle", "polygon", "ellipse")
LINES = ("line", "path")


def outlines(shapes: Shapes, image: Image, point: tuple[float, ...]) -> list[Points]:
    """Return the closed shapes at a viewer position as (K, 2) arrays: rows and columns of their corners in `image`."""
    return [
        _in_pixels(ellipse_outline(corners) if kind == "ellipse" else corners, shapes, image, point)
        for kind, corners in _shown(shapes, CLOSED, point)
    ]


def last_line(shapes: Shapes, image: Image, point: tuple[float, ...]) -> Points | None:
    """Return the displayed line or path that was drawn last; see `outlines`."""
    lines = [corners for _, corners in _shown(shapes, LINES, point)]
    return _in_pixels(lines[-1], shapes, image, point) if lines else None


def _shown(shapes: Shapes, kinds: Collection[str], point: tuple[float, ...]) -> Iterator[tuple[str, Points]]:
    """Yield kind and last two coordinates of the shapes on the displayed slice."""
    here = np.rint(shapes.world_to_data(point))[:-2]
    for kind, vertices in zip(shapes.shape_type, shapes.data, strict=True):
        on_slice = (np.rint(vertices[:, :-2]) == here).all()
        if kind in kinds and on_slice:
            yield kind, np.asarray(vertices[:, -2:], np.float64)


def _in_pixels(corners: Points, shapes: Shapes, image: Image, point: tuple[float, ...]) -> Points:
    here = shapes.world_to_data(point)[:-2]
    pixels = []
    for corner in corners:
        world = np.array(point, np.float64)
        drawn = shapes.data_to_world([*here, *corner])
        world[-len(drawn) :] = drawn
        pixels.append(image.world_to_data(world)[-2:])
    return np.array(pixels)
