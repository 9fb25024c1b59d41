"""Conversion of grey values of any type to float32 on [0, 1], and back without loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.pixels.arrays import INTEGERS, ArrayLike, InputArray, check_type
from napari_dental_denoise.validation import check_number

Unit = NDArray[np.float32]
"""Grey values on [0, 1], which noise may leave."""

MIN_BITS = 8
# Unclipped noise exceeds [0, 1] by a little; grey levels of 8 bit and more are far above.
MAX_UNIT_VALUE = 4.0
# Means of blocks of 16x16 pixels are nearly free of noise: with any kind of noise at its usual level, they stay below
# this multiple of white.
BLOCK = 16
MAX_BLOCK = 1.125
MEDIAN_SIDE = 3
SAMPLES = 10_000
# Far more than any detector counts; the square of much larger values is infinite in float32.
MAX_VALUE = 2.0**53
MAX_EXACT = 2.0**24


def full_scale(image: NDArray[np.generic]) -> float:
    """Return the grey value that stands for white in an array of any shape.

    uint8: 255. Other integers: the largest value of the fewest bits that hold the image, so that 12 bits
    stored in 16 count as 12, counted from the smallest one (see `unsigned`). Floating: 1 for images on
    [0, 1], even with unclipped noise, else the rule of integers. Single pixels do not count; if the values
    are not whole, more of them may exceed white by up to its double, as unclipped noise does. Raises
    InputError for other types, and for values that are not finite or larger than 2 to the power of 53.
    """
    check_type(image)
    if image.dtype == np.uint8:
        return 255.0
    check_values(image)
    if image.dtype.kind in INTEGERS:
        return _bits_scale(int(without_single_pixels(unsigned([image])[0]).max(initial=0)))
    steady = without_single_pixels(image)
    peak = float(steady.max(initial=0))
    return 1.0 if peak <= MAX_UNIT_VALUE else _bits_scale(int(np.ceil(_without_noise(steady, peak))))


def without_single_pixels(image: NDArray[Any]) -> NDArray[Any]:
    """Return the medians of all neighbourhoods of 3x3 pixels of an image (..., H, W); smaller images stay as they are.

    Hot and dead pixels vanish, single or in a line. Pixels at the border have the nearest median, since only a part of
    their neighbourhood is known.
    """
    if image.ndim < 2 or min(image.shape[-2:]) < MEDIAN_SIDE or image.size == 0:
        return image
    if image.dtype.kind in INTEGERS and image.dtype.itemsize > 2:
        medians = np.rint(without_single_pixels(image.astype(np.float64)))
        return np.clip(medians, image.min(), image.max()).astype(image.dtype)
    # OpenCV takes no float64, and float32 has too few digits far from zero.
    wide = image.dtype.itemsize == np.dtype(np.float64).itemsize
    start = image.dtype.type(np.median(image.flat[:: image.size // SAMPLES + 1]) if wide else 0)
    dtype = np.dtype(np.float32) if image.dtype.kind == "f" else image.dtype.newbyteorder("=")
    planes = (image - start).reshape(-1, *image.shape[-2:]).astype(dtype, copy=False)
    filtered = [np.pad(cv2.medianBlur(plane, MEDIAN_SIDE)[1:-1, 1:-1], 1, mode="edge") for plane in planes]
    return np.stack(filtered).reshape(image.shape).astype(image.dtype, copy=False) + start


def shared_scales(images: Sequence[NDArray[np.generic]]) -> list[float]:
    """Return the grey values that stand for white in images of the same subject, the clean one first if there is one.

    Images in the same grey levels share one value, because a darker image on a scale of its own could
    become brighter: that of the first image, or the largest if another image needs two bits more. Images
    of two integer types, or on [0, 1], keep values of their own: 255 in 8 bit may be 4095 or 1.0 in the
    other.
    """
    scales = [full_scale(image) for image in images]
    integer_sizes = {image.dtype.itemsize for image in images if image.dtype.kind in INTEGERS}
    if len(integer_sizes) > 1 or 1.0 in scales:
        return scales
    one_bit_more = 2 * scales[0] + 1
    return [scales[0] if max(scales) <= one_bit_more else max(scales)] * len(scales)


def to_unit_pair(clean: NDArray[np.generic], other: NDArray[np.generic]) -> tuple[Unit, Unit]:
    """Return two images of the same subject on [0, 1]; see `shared_scales` and `to_unit`."""
    clean, other = unsigned([clean, other])
    scales = shared_scales([clean, other])
    return to_unit(clean, scales[0]), to_unit(other, scales[1])


def bits_extent(lowest: int, highest: int, bits: int) -> tuple[int, int]:
    """Return the ends of the fewest bits, 8 or more and at most `bits`, that hold these values; the first may be 0."""
    signed = lowest < 0
    needed = max(highest, -lowest - 1).bit_length() + signed
    count = min(max(needed, MIN_BITS), bits)
    low = -(2 ** (count - 1)) if signed else 0
    return low, low + 2**count - 1


def unsigned(images: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """Return signed integers counted from the smallest value of the fewest bits that hold them all.

    Images that are not all of signed integers stay as they are.
    """
    if any(image.dtype.kind != "i" for image in images):
        return list(images)
    for image in images:
        check_values(image)
    lowest, highest = (
        min(int(image.min(initial=0)) for image in images),
        max(int(image.max(initial=0)) for image in images),
    )
    low, _ = bits_extent(lowest, highest, 8 * max(image.dtype.itemsize for image in images))
    return [(image.astype(np.int64) - low).astype(f"u{image.dtype.itemsize}") for image in images]


def check_values(image: NDArray[np.generic]) -> None:
    """Raise InputError if a value is NaN, infinite or beyond 2 to the power of 53."""
    if image.dtype.kind in INTEGERS and image.dtype.itemsize < 8:
        return
    low, high = float(image.min(initial=0)), float(image.max(initial=0))
    if not (np.isfinite(low) and np.isfinite(high)):
        invalid = "NaN" if np.isnan(low) else "infinity"
        raise InputError(f"the image contains invalid pixels ({invalid}): replace them first")
    if max(-low, high) > MAX_VALUE:
        raise InputError(
            f"the image must hold values up to {MAX_VALUE:.0e}; received {max(-low, high):.0e}: divide it first"
        )


def _without_noise(image: NDArray[np.generic], peak: float) -> float:
    """Return the largest value less what unclipped noise may have added; whole numbers have none."""
    whole = float(image.min(initial=0)) >= 0 and np.array_equal(image, np.rint(image))
    means = np.empty(0) if whole else _block_means(image)
    return max(float(means.max()) / MAX_BLOCK, peak / 2) if means.size else peak


def _block_means(image: NDArray[np.generic]) -> NDArray[np.floating]:
    """Return the block means of all images of an array (..., H, W); none if they are smaller than a block."""
    planes = np.squeeze(image)
    if planes.ndim < 2 or min(planes.shape[-2:]) < BLOCK:
        return np.empty(0)
    height, width = (side // BLOCK * BLOCK for side in planes.shape[-2:])
    blocks = planes[..., :height, :width].reshape(-1, height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    return blocks.mean(axis=(2, 4))


def _bits_scale(peak: int) -> float:
    return float(2 ** max(8, peak.bit_length()) - 1)


def to_unit(image: ArrayLike, scale: float | None = None) -> Any:
    """Scale grey values to [0, 1].

    Parameters
    ----------
    image : array of integers or floats
    scale : float, optional
        The grey value that becomes 1, where 0 is black; by default `full_scale(image)`, with black below 0
        where integers are.

    Returns
    -------
    array of float32
        A new array of the same shape.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_dental_denoise import to_unit
    >>> print(to_unit(np.array([0, 51, 255], np.uint8)))
    [0.  0.2 1. ]
    """
    source = InputArray(image)
    pixels = source.pixels
    if scale is None:
        (pixels,) = unsigned([pixels])
        scale = full_scale(pixels)
    check_number("scale", scale, above=0)
    return source.like(np.divide(pixels, np.float32(scale), dtype=np.float32))


def keep_beyond_white(image: NDArray[Any], changed: NDArray[Any], scale: float) -> NDArray[Any]:
    """Return a changed image of integer type in which hot pixels keep their value, instead of that of white."""
    return np.where(image > scale, image, changed) if np.issubdtype(image.dtype, np.integer) else changed


def from_unit(unit: NDArray[np.floating], dtype: DTypeLike, scale: float) -> NDArray[np.generic]:
    """Undo `to_unit`; integers are rounded and clipped to [0, `scale`], floating values are only scaled."""
    target = np.dtype(dtype)
    # Beyond, float32 does not hold all whole numbers.
    grey = unit * (np.float32 if scale < MAX_EXACT else np.float64)(scale)
    if np.issubdtype(target, np.integer):
        np.clip(np.rint(grey, out=grey), 0, scale, out=grey)
    return grey.astype(target, copy=False)
