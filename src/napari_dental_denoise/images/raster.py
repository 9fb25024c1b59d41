"""PNG, JPEG, BMP and PNM (PGM, PPM, PFM): probed by Pillow, unpacked by OpenCV."""

from __future__ import annotations

import io
import re
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import UnidentifiedImageError

from napari_dental_denoise.config import GREY_LEVELS, LIMITS
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.files import unseen
from napari_dental_denoise.images.tiff import DAMAGED, TURNED
from napari_dental_denoise.pixels import ImageInfo, pixel_size_from_dpi

READABLE = {"PNG", "JPEG", "MPO", "BMP", "PPM"}
EXPECTED = "expected PNG, JPEG, TIFF, BMP, PGM or DICOM"
SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"BM", b"P2", b"P5", b"P6", b"Pf")
# What Pillow raises for headers and chunks that lie; found by fuzzing.
PILLOW_ERRORS = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, ArithmeticError, AttributeError),
    *(AssertionError, RuntimeError, struct.error, zlib.error),
)
EXIF_ORIENTATION = 0x0112
# Width, height and white, with comments between them.
BINARY_PNM = re.compile(rb"P[56]" + 2 * rb"(?:\s|#[^\n]*\n)+\d+" + rb"(?:\s|#[^\n]*\n)+(\d+)")
AS_STORED = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR


def probe_raster(path: Path, file: BinaryIO) -> ImageInfo:
    """Return what the header says; raise ImageReadError if this is no image that is read."""
    with unseen(), _opened(path, file) as header:
        return _info(path, header)


def read_raster(path: Path, file: BinaryIO, _wanted: slice) -> tuple[ImageInfo, NDArray[np.generic]]:
    """Return what the header says, and the image as one page (1, H, W), grey."""
    data = file.read()
    # Header and checksums first: OpenCV would take the memory for whatever is claimed, and complain on stderr.
    with unseen(), _opened(path, io.BytesIO(data)) as header:
        info = _info(path, header)
        try:
            header.verify()
        except PILLOW_ERRORS as error:
            raise ImageReadError(path, DAMAGED) from error
    image = _decode(path, data)
    return info, (cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.ndim == 3 else image)[np.newaxis]


@contextmanager
def _opened(path: Path, file: BinaryIO) -> Iterator[PillowImage.Image]:
    try:
        header = PillowImage.open(file)
    except PillowImage.DecompressionBombError as error:
        reason = f"claims more pixels than the {LIMITS.pixels // 2**20} million that are read"
        raise ImageReadError(path, reason) from error
    except UnidentifiedImageError as error:
        file.seek(0)
        known = file.read(8).startswith(SIGNATURES)
        raise ImageReadError(path, DAMAGED if known else f"is not an image; {EXPECTED}") from error
    except PILLOW_ERRORS as error:
        raise ImageReadError(path, DAMAGED) from error
    with header:
        yield header


def _info(path: Path, header: PillowImage.Image) -> ImageInfo:
    if header.format not in READABLE:
        raise ImageReadError(path, f"is a {header.format} file; {EXPECTED}")
    width, height = header.size
    if width * height > LIMITS.pixels:
        raise ImageReadError(path, f"claims {width}x{height} pixels; at most {LIMITS.pixels // 2**20} million are read")
    if header.mode == "CMYK":
        raise ImageReadError(path, "is a CMYK image, made for print; expected grayscale or RGB: export it again")
    turned = _is_turned(header)
    # The density of a JPEG is what the last program wrote for printers.
    dpi = header.info.get("dpi") if header.format == "PNG" else None
    return ImageInfo(
        path,
        header.format,
        (width, height) if turned else (height, width),
        _stored_type(header),
        pixel_size=pixel_size_from_dpi(*(dpi[::-1] if turned else dpi)) if dpi else None,
    )


def _is_turned(header: PillowImage.Image) -> bool:
    """Return whether rows are stored as columns."""
    # Pillow would unpack a PNG file whole to look for what is not in front of its pixels.
    if header.format == "PNG" and "exif" not in header.info:
        return False
    try:
        return header.getexif().get(EXIF_ORIENTATION) in TURNED
    except PILLOW_ERRORS:
        return False


def _stored_type(header: PillowImage.Image) -> np.dtype[np.generic]:
    if header.mode == "F":
        return np.dtype(np.float32)
    # Pillow opens 16-bit colour as 8 bit, and tells the depth only in how it would unpack it.
    wide = header.mode.startswith("I") or any(";16" in str(tile) for tile in getattr(header, "tile", ()))
    return np.dtype(np.uint16 if wide else np.uint8)


def _decode(path: Path, data: bytes) -> NDArray[np.generic]:
    try:
        with _opencv_log.silent():
            image = cv2.imdecode(np.frombuffer(data, np.uint8), AS_STORED)
    except cv2.error as error:
        raise ImageReadError(path, f"cannot be decoded ({error.err})") from error
    if image is None:
        raise ImageReadError(path, DAMAGED)
    return _with_white_at_255(image, data)


def _with_white_at_255(image: NDArray[np.generic], data: bytes) -> NDArray[np.generic]:
    """Return the pixels of a binary PGM or PPM of less than 8 bits, which OpenCV leaves as they are, in 8 bits."""
    header = BINARY_PNM.match(data)
    if header is None or (white := int(header[1])) >= GREY_LEVELS:
        return image
    return np.rint(np.minimum(image, white) * (GREY_LEVELS / white)).astype(np.uint8)


class _OpenCVLog:
    """Silences OpenCV's log from the first of several threads that ask for it until the last is done."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asking = 0
        self._level = 0

    @contextmanager
    def silent(self) -> Iterator[None]:
        with self._lock:
            if self._asking == 0:
                self._level = cv2.utils.logging.getLogLevel()
                cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
            self._asking += 1
        try:
            yield
        finally:
            with self._lock:
                self._asking -= 1
                if self._asking == 0:
                    cv2.utils.logging.setLogLevel(self._level)


# OpenCV writes to stderr what is reported here in one line with the file's name.
_opencv_log = _OpenCVLog()
