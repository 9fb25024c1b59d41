"""The eight symmetries of the square, and images that go on beyond their end as in a mirror."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Value = TypeVar("Value", bound=np.generic)

SYMMETRIES = 8


def turned(image: NDArray[Value], symmetry: int, axes: tuple[int, int] = (0, 1)) -> NDArray[Value]:
    """Turn by so many quarters, and from the fifth symmetry on flip, too.

    Parameters
    ----------
    image : array
    symmetry : int
        From 0, which leaves it as it is, to 7.
    axes : (int, int)
        Its rows and columns.

    Returns
    -------
    array
        A view of the image.
    """
    quarters = np.rot90(image, symmetry % 4, axes)
    return quarters if symmetry < 4 else np.flip(quarters, axes[1])


def turned_back(image: NDArray[Value], symmetry: int, axes: tuple[int, int] = (0, 1)) -> NDArray[Value]:
    """Undo `turned`."""
    unflipped = image if symmetry < 4 else np.flip(image, axes[1])
    return np.rot90(unflipped, -(symmetry % 4), axes)


def mirrored(image: NDArray[Value], height: int, width: int) -> NDArray[Value]:
    """The image, mirrored beyond its end where a side is shorter than that.

    Parameters
    ----------
    image : (H, W) array
    height, width : int
        In pixels.

    Returns
    -------
    array of that size at least
    """
    missing = [(0, max(wanted - length, 0)) for wanted, length in zip((height, width), image.shape, strict=True)]
    return np.pad(image, missing, mode="symmetric") if any(after for _, after in missing) else image


def up_to_multiples(image: NDArray[Value], multiple: int) -> NDArray[Value]:
    """The image, mirrored beyond its end until both sides are multiples."""
    height, width = (next_multiple(length, multiple) for length in image.shape)
    return mirrored(image, height, width)


def next_multiple(length: int, multiple: int) -> int:
    """The length, rounded up."""
    return -(-length // multiple) * multiple
