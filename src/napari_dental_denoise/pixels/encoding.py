"""Encoding of grey in stored values: polarity, sign, bits, padding, black and white; to [0, 1] and back.

There are two scales. `to_unit` has white at the full scale of the type: noise levels are shares of it. `normalise` has
black and white at the darkest and the brightest part of the radiograph: networks see this, so that the unit of the
values does not matter to them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.pixels.arrays import check_type
from napari_dental_denoise.pixels.intensity import (
    MEDIAN_SIDE,
    Unit,
    bits_extent,
    check_values,
    from_unit,
    full_scale,
    keep_beyond_white,
    to_unit,
    without_single_pixels,
)

# Integers, signed or unsigned, or floating.
Pixels = NDArray[Any]

# Bounds of what a network sees, where black is 0 and white 1; Gaussian noise stays within. Beyond are defects only.
LOWEST, HIGHEST = -1.0, 2.0


@dataclass(frozen=True, slots=True)
class PixelEncoding:
    """Encoding of grey in stored values.

    Without `extent` and `white`, each array decides its own, so it must be a whole image, file or layer. `fit` decides
    them once, for crops and for further images.
    """

    # The lowest value is white, as in DICOM's MONOCHROME1.
    inverted: bool = False
    # Number of bits of a value, its sign included; at most those of the type.
    bits: int = 64
    # Lowest and highest of the values outside the radiograph, which stand for no grey.
    padding: tuple[int, int] | None = None
    # Lowest and highest stored value: black and white, or white and black where inverted.
    extent: tuple[int, int] | None = None
    # Grey value, counted from black, that is 1 on the [0, 1] scale; see `full_scale`.
    white: float | None = None
    # Grey values of the darkest and the brightest part, which are 0 and 1 for a network, and the lowest and highest.
    ends: tuple[float, float] | None = None
    limits: tuple[float, float] | None = None

    def fit(self, stored: Pixels) -> PixelEncoding:
        """Return the encoding with the scales of a whole image, file or layer (..., H, W); no single pixel decides."""
        check_type(stored)
        extent = None if self._is_grey(stored) else self._extent(stored)
        grey = replace(self, extent=extent).to_grey(stored)
        white = full_scale(grey)
        inside: Any = True if self.padding is None else ~self.is_padding(stored)
        ends = _ends(without_single_pixels(grey), _far_from_padding(inside))
        limits = _ends(grey, inside)
        if ends[0] == ends[1]:
            ends = limits if limits[0] < limits[1] else (limits[0], limits[0] + 1)
        return replace(self, extent=extent, white=white, ends=ends, limits=limits)

    def with_extent(self, stored: Pixels) -> PixelEncoding:
        """Return the encoding with the black and the white of an image; none where its values are grey as they are."""
        return self if self._is_grey(stored) else replace(self, extent=self._extent(stored))

    def normalise(self, stored: Pixels) -> Unit:
        """Return what a network sees: the darkest part at 0 and the brightest at 1, defects far beyond like others.

        For `a` > 0, the result of `a * stored + b` is the same up to rounding.
        """
        if self.ends is None:
            return self.fit(stored).normalise(stored)
        grey = self.to_grey(stored)
        black, white = self.ends
        # Far from zero, float32 has too few digits for the differences of float64 values.
        exact = np.result_type(grey.dtype, np.float32).type
        unit = np.subtract(grey, exact(black), dtype=exact) / exact(white - black)
        if self.padding is not None:
            unit = np.where(self.is_padding(stored), np.clip(unit, 0, 1), unit)
        return _within_bounds(unit.astype(np.float32, copy=False))

    def subtract(self, stored: Pixels, noise: Unit, strength: float) -> Pixels:
        """Return an image less a share of its noise, which is on the scale of `normalise`; padding keeps its value.

        Whole numbers are rounded, and stay within the lowest and the highest value of the image.
        """
        if self.ends is None or self.limits is None:
            return self.fit(stored).subtract(stored, noise, strength)
        grey = self.to_grey(stored)
        exact = np.result_type(grey.dtype, np.float32).type
        less = grey - exact(strength * (self.ends[1] - self.ends[0])) * noise
        if np.issubdtype(grey.dtype, np.integer):
            np.clip(np.rint(less, out=less), *self.limits, out=less)
        return self.from_grey(less.astype(grey.dtype, copy=False), stored)

    def apply(self, function: Callable[[Unit], Pixels], stored: Pixels) -> Pixels:
        """Return `function` of an image (..., H, W), computed on [0, 1], as stored values; padding keeps its value.

        `function` takes a float32 array with black at 0 and white at 1, and returns one of the same shape.
        """
        if self.white is None:
            return self.fit(stored).apply(function, stored)
        grey = self.to_grey(stored)
        changed = from_unit(function(to_unit(grey, self.white)), grey.dtype, self.white)
        return self.from_grey(keep_beyond_white(grey, changed, self.white), stored)

    def to_unit(self, stored: Pixels) -> Unit:
        """Return stored values on [0, 1], black at 0 and white at 1."""
        if self.white is None:
            return self.fit(stored).to_unit(stored)
        return to_unit(self.to_grey(stored), self.white)

    def to_grey(self, stored: Pixels) -> Pixels:
        """Return stored integers as unsigned ones with black at 0 and white high; `from_grey` undoes it exactly.

        Floating values stay as they are.
        """
        if self._is_grey(stored):
            return stored
        low, high = self._extent(stored)
        wide = _wide(stored)
        # Padding may lie beyond the extent of the rest.
        return np.clip(high - wide if self.inverted else wide - low, 0, high - low).astype(f"u{stored.itemsize}")

    def from_grey(self, grey: Pixels, stored: Pixels) -> Pixels:
        """Undo `to_grey` after processing; padding pixels keep the value that they have in `stored`."""
        if self._is_grey(stored):
            result = grey
        else:
            low, high = self._extent(stored)
            wide = _wide(grey)
            result = np.clip(high - wide if self.inverted else wide + low, low, high).astype(stored.dtype)
        return result if self.padding is None else np.where(self.is_padding(stored), stored, result)

    def is_padding(self, stored: Pixels) -> NDArray[np.bool_]:
        """Return which pixels lie outside the radiograph."""
        if self.padding is None:
            return np.zeros(stored.shape, bool)
        low, high = self.padding
        return (stored >= low) & (stored <= high)

    def record(self) -> dict[str, Any]:
        """Return the encoding as plain values, for the metadata of a layer."""
        return asdict(self)

    def _is_grey(self, stored: Pixels) -> bool:
        plain = np.issubdtype(stored.dtype, np.unsignedinteger) and not self.inverted and self.padding is None
        return plain or np.issubdtype(stored.dtype, np.floating)

    def _extent(self, stored: Pixels) -> tuple[int, int]:
        """Return the smallest and the largest value of the fewest bits that hold the image."""
        if self.extent is not None:
            return self.extent
        seen: Any = True if self.padding is None else ~self.is_padding(stored)
        check_values(stored)
        lowest, highest = (int(end(initial=0, where=seen)) for end in (stored.min, stored.max))
        low, high = bits_extent(lowest, highest, min(self.bits, 8 * stored.dtype.itemsize))
        return low, min(high, int(np.iinfo(stored.dtype).max))


def _wide(pixels: Pixels) -> Pixels:
    """Return integers with room for differences of two of them."""
    return pixels.astype(np.int64 if pixels.itemsize > 2 else np.int32)


def _far_from_padding(inside: Any) -> Any:
    """Return where a pixel and its eight neighbours are inside; where none is, `inside`."""
    if inside is True or min(inside.shape[-2:]) < MEDIAN_SIDE:
        return inside
    planes = inside.reshape(-1, *inside.shape[-2:]).astype(np.uint8)
    eroded = np.stack([cv2.erode(plane, np.ones((MEDIAN_SIDE, MEDIAN_SIDE), np.uint8)) for plane in planes])
    return eroded.reshape(inside.shape).astype(bool) if eroded.any() else inside


def _ends(grey: Pixels, inside: Any) -> tuple[float, float]:
    """Return the lowest and the highest grey value where `inside` is true; 0 if there is none."""
    if grey.size == 0 or not np.any(inside):
        return 0.0, 0.0
    lowest, highest = (grey.min, grey.max) if inside is True else (grey[inside].min, grey[inside].max)
    return float(lowest()), float(highest())


def _within_bounds(unit: Unit) -> Unit:
    """Return an image in which single pixels beyond the bounds have the median around them, and others the bound."""
    beyond = (unit < LOWEST) | (unit > HIGHEST)
    if not beyond.any():
        return unit
    return np.clip(np.where(beyond, without_single_pixels(unit), unit), LOWEST, HIGHEST)


PLAIN = PixelEncoding()


def encoding_from(record: Mapping[str, Any] | None) -> PixelEncoding:
    """Return the encoding that `PixelEncoding.record` of any version describes; of None, the plain one."""
    if record is None:
        return PLAIN
    names = [field.name for field in fields(PixelEncoding) if field.name in record]
    known: dict[str, Any] = {name: record[name] for name in names}
    return PixelEncoding(**known | {name: tuple(value) for name, value in known.items() if isinstance(value, list)})
