"""What an image file says of itself: enough to refuse it, before its pixels take the memory."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage
from PIL import UnidentifiedImageError

from napari_dental_denoise.config import LIMITS
from napari_dental_denoise.dicom import is_dicom, read_dicom_header
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.files import check_is_file, unseen
from napari_dental_denoise.images.tiff import is_tiff, read_tiff_header
from napari_dental_denoise.images.tiff_page import TURNED

READABLE = {"PNG", "JPEG", "MPO", "BMP", "PPM"}
EXPECTED = "expected PNG, JPEG, TIFF, BMP, PGM or DICOM"
SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"BM", b"P2", b"P5", b"P6")
# What Pillow raises for headers and chunks that lie; found by fuzzing.
DAMAGED = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, ArithmeticError, AttributeError),
    *(AssertionError, RuntimeError, struct.error, zlib.error),
)
EXIF_ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself; its pixels may still turn out to be damaged.

    Attributes
    ----------
    shape : (height, width)
        As `read_image` gives it, the EXIF orientation applied.
    dtype : numpy.dtype
        As it is stored.
    pages : int
        Images in the file; more than one only in TIFF and DICOM.
    """

    shape: tuple[int, int]
    dtype: np.dtype[np.generic]
    pages: int


def read_header(path: str | Path) -> Header:
    """Read what a file says of its size and type, without unpacking its pixels.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Header

    Raises
    ------
    ImageReadError
        If there is no such file, or it is empty, too large or no such image.
    """
    path = Path(path)
    if is_dicom(path):
        found = read_dicom_header(path)
        return Header(found.shape, found.dtype, found.frames)
    if is_tiff(path):
        tiff = read_tiff_header(path)
        return Header(tiff.shape, tiff.dtype, tiff.pages)
    with open_header(path) as header:
        try:
            return Header(_shape(header), _stored_type(header), 1)
        except DAMAGED as error:
            raise ImageReadError(path, "is truncated or damaged") from error


@contextmanager
def open_header(path: Path, data: bytes | None = None) -> Iterator[PillowImage.Image]:
    """The file, or its bytes, opened by Pillow without a warning; refused where it is no image that is read."""
    if data is None:
        check_is_file(path)
    with unseen(), _open(path, data) as header:
        _refuse_foreign(path, header)
        yield header


def check_whole(path: Path, data: bytes) -> None:
    """Refuse by the header and the checksums what OpenCV would take the memory for, or complain of on stderr."""
    with open_header(path, data) as header:
        try:
            header.verify()
        except DAMAGED as error:
            raise ImageReadError(path, "is truncated or damaged") from error


def _open(path: Path, data: bytes | None) -> PillowImage.Image:
    try:
        return PillowImage.open(path if data is None else io.BytesIO(data))
    except PillowImage.DecompressionBombError as error:
        raise ImageReadError(
            path, f"claims more pixels than the {LIMITS.pixels // 2**20} million that are read"
        ) from error
    except PermissionError as error:
        raise ImageReadError(path, f"cannot be read ({error.strerror})") from error
    except UnidentifiedImageError as error:
        raise ImageReadError(path, _unidentified(path, data)) from error
    except DAMAGED as error:
        raise ImageReadError(path, "is truncated or damaged") from error


def _refuse_foreign(path: Path, header: PillowImage.Image) -> None:
    if header.format not in READABLE:
        raise ImageReadError(path, f"is a {header.format} file; {EXPECTED}")
    width, height = header.size
    if width * height > LIMITS.pixels:
        raise ImageReadError(path, f"claims {width}x{height} pixels; at most {LIMITS.pixels // 2**20} million are read")
    if header.mode == "CMYK":
        raise ImageReadError(path, "is a CMYK image, made for print; expected grayscale or RGB: export it again")


def _unidentified(path: Path, data: bytes | None) -> str:
    if data is None:
        with path.open("rb") as file:
            data = file.read(8)
    if data.startswith(SIGNATURES):
        return "is truncated or damaged"
    return f"is not an image; {EXPECTED}"


def is_turned(header: PillowImage.Image) -> bool:
    """Whether rows are stored as columns."""
    # Pillow would unpack a PNG file whole to look for what is not in front of its pixels.
    if header.format == "PNG" and "exif" not in header.info:
        return False
    return header.getexif().get(EXIF_ORIENTATION) in TURNED


def _shape(header: PillowImage.Image) -> tuple[int, int]:
    width, height = header.size
    return (width, height) if is_turned(header) else (height, width)


def _stored_type(header: PillowImage.Image) -> np.dtype[np.generic]:
    # Pillow opens 16-bit colour as 8 bit, and tells the depth only in how it would unpack it.
    wide = header.mode.startswith("I") or any(";16" in str(tile) for tile in getattr(header, "tile", ()))
    return np.dtype(np.uint16 if wide else np.uint8)
