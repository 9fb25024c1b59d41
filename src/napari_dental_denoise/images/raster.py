"""Read images as grayscale."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import GREY_LEVELS
from napari_dental_denoise.dicom import is_dicom, read_dicom
from napari_dental_denoise.errors import ImageReadError, InputError
from napari_dental_denoise.files import read_file
from napari_dental_denoise.images.header import check_whole
from napari_dental_denoise.images.tiff import is_tiff, read_all_of_tiff, read_tiff

# Width, height and white, with comments between them.
BINARY_PNM = re.compile(rb"P[56]" + 2 * rb"(?:\s|#[^\n]*\n)+\d+" + rb"(?:\s|#[^\n]*\n)+(\d+)")
AS_STORED = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR


def take_rows(image: NDArray[np.generic], rows: slice) -> NDArray[np.generic]:
    """These rows of an image or stack (..., H, W), as a view.

    Raises
    ------
    InputError
        If it has none of them.
    """
    taken = image[..., rows, :]
    if taken.size == 0:
        raise InputError(f"has {image.shape[-2]} rows, none of them among those asked for")
    return taken


def read_image(path: str | Path) -> NDArray[np.generic]:
    """Read one radiograph as grayscale, white high.

    Of DICOM, the stored values, in the fewest bits that hold them; where the lowest is shown white
    (as in MONOCHROME1) or some are negative, as unsigned values with black at 0. Of several frames or
    pages, the first.

    Colour and palette become grey by the standard weights (0.299 R + 0.587 G + 0.114 B); grey that
    is stored as RGB comes back exactly. The EXIF orientation is applied, transparency is dropped.

    Parameters
    ----------
    path : str or Path
        A PNG, JPEG, TIFF, BMP, PGM or DICOM file; the content decides, not the suffix.

    Returns
    -------
    (H, W) array; uint8, uint16 or float32, as stored

    Raises
    ------
    ImageReadError
        If there is no such file, or it is empty, truncated, too large or no such image.
    """
    path = Path(path)
    if is_dicom(path):
        return _first_frame(_dicom_grey(path))
    if is_tiff(path):
        return read_tiff(path)
    data = read_file(path)
    check_whole(path, data)
    return _grey(_decode(path, data))


def read_pages(path: str | Path) -> NDArray[np.generic]:
    """Read every image of a multi-page TIFF or multi-frame DICOM file as grayscale, white high.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    (N, H, W) array; uint8, uint16 or float32, as stored

    Raises
    ------
    ImageReadError
        If a page cannot be read, the pages differ in size or type, or are too many to be held.
    """
    path = Path(path)
    if is_dicom(path):
        pixels = _dicom_grey(path)
        return pixels if pixels.ndim == 3 else pixels[np.newaxis]
    if not is_tiff(path):
        return read_image(path)[np.newaxis]
    return read_all_of_tiff(path)


def _dicom_grey(path: Path) -> NDArray[np.generic]:
    header, pixels = read_dicom(path)
    return header.encoding.to_grey(pixels)


def _first_frame(pixels: NDArray[np.generic]) -> NDArray[np.generic]:
    return pixels if pixels.ndim == 2 else pixels[0]


def _grey(image: NDArray[np.generic]) -> NDArray[np.generic]:
    return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.ndim == 3 else image


def _decode(path: Path, data: bytes) -> NDArray[np.generic]:
    try:
        with _opencv_log.silent():
            image = cv2.imdecode(np.frombuffer(data, np.uint8), AS_STORED)
    except cv2.error as error:
        raise ImageReadError(path, f"cannot be decoded ({error.err})") from error
    if image is None:
        raise ImageReadError(path, "is truncated or damaged")
    return _with_white_at_255(image, data)


def _with_white_at_255(image: NDArray[np.generic], data: bytes) -> NDArray[np.generic]:
    """Pixels of a binary PGM or PPM file of less than 8 bits, which OpenCV leaves as they are, on those of 8 bits."""
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
