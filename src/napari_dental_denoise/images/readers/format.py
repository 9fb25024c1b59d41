"""The interface of the reader of a format, and what all readers share."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import LIMITS
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.pixels import ImageInfo, PixelEncoding

Pages = NDArray[np.generic]

DAMAGED = "is truncated or damaged"
EXPECTED = "expected an image, such as PNG, JPEG, TIFF or DICOM"
# What Pillow raises for headers and chunks that lie; found by fuzzing.
PILLOW_ERRORS = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, ArithmeticError, AttributeError),
    *(AssertionError, RuntimeError, struct.error, zlib.error),
)


class Format(NamedTuple):
    """One format, or a family that is read by the same library."""

    # Recognises a file by its path and first bytes.
    matches: Callable[[Path, bytes], bool]
    probe: Callable[[Path, BinaryIO], ImageInfo]
    # Returns these of the pages (N, H, W).
    read: Callable[[Path, BinaryIO, slice], tuple[ImageInfo, Pages]]


def check_size(path: Path, height: int, width: int) -> None:
    """Raise ImageReadError if an image would have no pixels, or more than are read."""
    if min(height, width) < 1:
        raise ImageReadError(path, DAMAGED)
    if height * width > LIMITS.pixels:
        raise ImageReadError(path, f"claims {width}x{height} pixels; at most {LIMITS.pixels // 2**20} million are read")


def stored_type(bits: int, *, signed: bool = False) -> np.dtype[Any]:
    """Return the integer type of 8 to 32 bit that holds values of so many bits."""
    size = next(size for size in (1, 2, 4) if bits <= 8 * size)
    return np.dtype(f"{'i' if signed else 'u'}{size}")


def encoding_of(dtype: np.dtype[Any]) -> PixelEncoding:
    """Return the encoding of grey values of a type, white high."""
    return PixelEncoding(bits=8 * dtype.itemsize)
