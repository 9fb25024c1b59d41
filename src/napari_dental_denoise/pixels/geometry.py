"""Dihedral symmetries of the square, mirrored borders, and doubled sides."""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Value = TypeVar("Value", bound=np.generic)

SYMMETRIES = 8


def apply_dihedral(image: NDArray[Value], symmetry: int, axes: tuple[int, int] = (0, 1)) -> NDArray[Value]:
    """Return a view of an image, rotated by quarter turns and, for symmetries 4 to 7, flipped; 0 is the identity.

    `axes` are those of the rows and the columns.
    """
    quarters = np.rot90(image, symmetry % 4, axes)
    return quarters if symmetry < 4 else np.flip(quarters, axes[1])


def invert_dihedral(image: NDArray[Value], symmetry: int, axes: tuple[int, int] = (0, 1)) -> NDArray[Value]:
    """Undo `apply_dihedral`."""
    unflipped = image if symmetry < 4 else np.flip(image, axes[1])
    return np.rot90(unflipped, -(symmetry % 4), axes)


def mirrored(image: NDArray[Value], height: int, width: int) -> NDArray[Value]:
    """Return an image (H, W), padded at its end by its mirror image to at least this size in pixels."""
    missing = [(0, max(wanted - length, 0)) for wanted, length in zip((height, width), image.shape, strict=True)]
    return np.pad(image, missing, mode="symmetric") if any(after for _, after in missing) else image


def up_to_multiples(image: NDArray[Value], multiple: int) -> NDArray[Value]:
    """Return an image (H, W), padded at its end by its mirror image until both sides are multiples."""
    height, width = (next_multiple(length, multiple) for length in image.shape)
    return mirrored(image, height, width)


def next_multiple(length: int, multiple: int) -> int:
    """Round a length up to a multiple."""
    return -(-length // multiple) * multiple


def doubled(batch: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a batch (N, H, W, 1) of images at twice the size, linearly interpolated."""
    sides = 2 * batch.shape[2], 2 * batch.shape[1]
    return np.stack([cv2.resize(image, sides, interpolation=cv2.INTER_LINEAR) for image in batch])[..., np.newaxis]
