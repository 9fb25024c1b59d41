"""Grey of decoded pixels: colours, few bits, inks, opacity, and the orientation in which an image is viewed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import GREY_LEVELS

Pixels = NDArray[Any]

# The tag of EXIF and of TIFF, and its values for images whose rows are stored as columns.
ORIENTATION = 274
TURNED = (5, 6, 7, 8)
# Rows that are computed at a time, so that floating copies of a large image take little memory.
ROWS = 256


def to_grey(pixels: Pixels) -> Pixels:
    """Return the grey (H, W) of grey or red, green and blue, with or without opacity, which is dropped.

    The weights are the standard ones: 0.299, 0.587 and 0.114.
    """
    if pixels.ndim == 2:
        return pixels
    if pixels.shape[-1] < 3:
        return np.ascontiguousarray(pixels[..., 0])
    colours = pixels[..., :3] if pixels.dtype.kind != "f" else pixels[..., :3].astype(np.float32)
    return cv2.cvtColor(np.ascontiguousarray(colours), cv2.COLOR_RGB2GRAY)


def full_range(pixels: Pixels, bits: int) -> Pixels:
    """Return values of fewer than 8 bits scaled to 8, so that white is 255."""
    return pixels if bits >= 8 else scaled(pixels.astype(np.uint8), 2**bits - 1)


def scaled(pixels: Pixels, white: int) -> Pixels:
    """Return whole values up to `white`, which is at most 255, as 8 bits with white at 255."""
    table = (np.arange(white + 1) * GREY_LEVELS + white // 2) // white
    return table.astype(np.uint8)[pixels]


def inks_to_rgb(inks: Pixels, full: int) -> Pixels:
    """Return red, green and blue of cyan, magenta, yellow and black, where `full` is the most ink."""
    colours = np.empty((*inks.shape[:2], 3), inks.dtype)
    for rows in blocks_of_rows(inks):
        light = np.subtract(full, inks[rows][..., :4], dtype=np.float32)
        colours[rows] = np.rint(light[..., :3] * light[..., 3:] / full)
    return colours


def unmultiplied(pixels: Pixels, channel: int, full: float) -> Pixels:
    """Return colours as they were before they were multiplied by their opacity, which is full at `full`."""
    colours = np.empty_like(pixels)
    whole = pixels.dtype.kind in "ui"
    for rows in blocks_of_rows(pixels):
        part = pixels[rows].astype(np.float64)
        opacity = part[..., channel, np.newaxis] / full
        divided = np.divide(part, opacity, out=np.zeros(part.shape), where=opacity > 0)
        colours[rows] = np.rint(np.minimum(divided, full)) if whole else divided
    return colours


def blocks_of_rows(image: Pixels) -> Iterator[slice]:
    """Yield the rows of an image in blocks."""
    for first in range(0, len(image), ROWS):
        yield slice(first, first + ROWS)


def turned(image: Pixels, orientation: Any) -> Pixels:
    """Return the image as the Orientation of EXIF or TIFF says that it is viewed."""
    if orientation in TURNED:
        image = image.T
    # After the transposition, 6 and 8 are mirrored by columns and rows, 7 by both.
    columns, rows = orientation in (2, 3, 6, 7), orientation in (3, 4, 7, 8)
    return np.ascontiguousarray(image[:: -1 if rows else 1, :: -1 if columns else 1])


def turned_shape(height: int, width: int, orientation: Any) -> tuple[int, int]:
    """Return height and width as an image is viewed."""
    return (width, height) if orientation in TURNED else (height, width)
