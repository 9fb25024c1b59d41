"""How the numbers of a file stand for grey: polarity, sign, bits, padding; to grey with white high, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Of 8 or 16 bits, signed or unsigned, or floating.
Pixels = NDArray[Any]

LEAST_BITS = 8


@dataclass(frozen=True, slots=True)
class PixelEncoding:
    """How stored values stand for grey.

    Attributes
    ----------
    inverted : bool
        Whether the lowest value is white, as in DICOM's MONOCHROME1.
    bits : int
        That a value may have, its sign included.
    padding : (low, high), optional
        Values outside the radiograph, which stand for no grey.
    """

    inverted: bool = False
    bits: int = 16
    padding: tuple[int, int] | None = None

    def to_grey(self, pixels: Pixels) -> Pixels:
        """Return stored values as unsigned ones with black at 0 and white high; `from_grey` undoes it exactly.

        Parameters
        ----------
        pixels : (..., H, W) array; 8 or 16 bit, signed or unsigned, or floating
            Floating ones stay as they are.

        Returns
        -------
        array of the same shape; uint8, uint16 or floating
        """
        if self._is_grey(pixels):
            return pixels
        low, high = self._range(pixels)
        grey = high - pixels if self.inverted else pixels - low
        # Padding may lie beyond the range of the rest.
        return np.clip(grey, 0, high - low).astype(_unsigned(pixels.dtype))

    def from_grey(self, grey: Pixels, pixels: Pixels) -> Pixels:
        """Return processed grey values as stored values; padding pixels keep their value.

        Parameters
        ----------
        grey : (..., H, W) array
            Of the type that `to_grey` returns.
        pixels : (..., H, W) array
            The stored values before.

        Returns
        -------
        array of the type of `pixels`
        """
        if self._is_grey(pixels):
            stored = grey
        else:
            low, high = self._range(pixels)
            wide = grey.astype(np.int32)
            stored = np.clip(high - wide if self.inverted else wide + low, low, high).astype(pixels.dtype)
        return self.keep_padding(stored, pixels, pixels)

    def keep_padding(self, result: Pixels, before: Pixels, pixels: Pixels) -> Pixels:
        """A result with the values of before where the stored values are padding."""
        return result if self.padding is None else np.where(self.is_padding(pixels), before, result)

    def is_padding(self, pixels: Pixels) -> NDArray[np.bool_]:
        """Which pixels lie outside the radiograph."""
        if self.padding is None:
            return np.zeros(pixels.shape, bool)
        low, high = self.padding
        return (pixels >= low) & (pixels <= high)

    def _is_grey(self, pixels: Pixels) -> bool:
        plain = np.issubdtype(pixels.dtype, np.unsignedinteger) and not self.inverted and self.padding is None
        return plain or np.issubdtype(pixels.dtype, np.floating)

    def _range(self, pixels: Pixels) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """The smallest and the largest value of the fewest bits that hold each image."""
        wide = pixels.astype(np.int32)
        seen = ~self.is_padding(pixels)
        lowest = wide.min((-2, -1), keepdims=True, initial=0, where=seen)
        highest = wide.max((-2, -1), keepdims=True, initial=0, where=seen)
        signed = lowest < 0
        largest = np.maximum(highest, -lowest - 1)
        bits = np.ceil(np.log2(largest + 1.0)).astype(np.int32)
        bits = np.clip(bits + signed, min(LEAST_BITS, self.bits), self.bits)
        low = np.where(signed, -(2 ** (bits - 1)), 0).astype(np.int32)
        return low, (low + 2**bits - 1).astype(np.int32)

    def record(self) -> dict[str, Any]:
        """As plain values, for the metadata of a layer."""
        return asdict(self)


PLAIN = PixelEncoding()


def encoding_from(record: Mapping[str, Any] | None) -> PixelEncoding:
    """The encoding that `PixelEncoding.record` describes; the plain one where there is none.

    Parameters
    ----------
    record : mapping, optional
    """
    if record is None:
        return PLAIN
    padding = record["padding"]
    return PixelEncoding(bool(record["inverted"]), int(record["bits"]), None if padding is None else tuple(padding))


def _unsigned(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(f"u{dtype.itemsize}")
