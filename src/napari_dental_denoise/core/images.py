"""Read one raster image as grayscale, and write one; neither ever changes an existing file by accident."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import UnidentifiedImageError

from napari_dental_denoise.core.atomic import write_bytes
from napari_dental_denoise.core.config import LIMITS
from napari_dental_denoise.core.errors import ImageReadError, InputError

READABLE = {"PNG", "JPEG", "MPO", "TIFF", "BMP", "PPM"}
WRITABLE_SUFFIXES = (".png", ".tif", ".tiff", ".bmp", ".pgm", ".jpg", ".jpeg")
LOSSLESS_16_BIT = (".png", ".tif", ".tiff", ".pgm")
FLOATING = (".tif", ".tiff")
# What Pillow raises for headers and chunks that lie.
DAMAGED = (OSError, SyntaxError, ValueError, TypeError, KeyError, EOFError, OverflowError, struct.error)
EXPECTED = "expected PNG, JPEG, TIFF, BMP or PGM"


def read_image(path: str | Path) -> NDArray[np.generic]:
    """Read one radiograph as grayscale.

    Colour and palette become grey by the standard weights (0.299 R + 0.587 G + 0.114 B); grey that
    is stored as RGB comes back exactly. The EXIF orientation is applied, transparency is dropped.

    Parameters
    ----------
    path : str or Path
        A PNG, JPEG, TIFF, BMP or PGM file; the content decides, not the suffix.

    Returns
    -------
    (H, W) array; uint8, uint16 or float32, as stored

    Raises
    ------
    ImageReadError
        If there is no such file, or it is empty, truncated, too large or no such image.
    """
    path = Path(path)
    data = _read_bytes(path)
    _check_header(path, data)
    image = _decode(path, data)
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    if image.dtype not in (np.uint8, np.uint16, np.float32, np.float64):
        raise ImageReadError(path, f"holds {image.dtype} pixels; expected unsigned 8 or 16 bit, or floating")
    return image.astype(np.float32) if image.dtype == np.float64 else image


def _read_bytes(path: Path) -> bytes:
    if not path.exists():
        raise ImageReadError(path, "no such file")
    if not path.is_file():
        raise ImageReadError(path, "is not a regular file")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageReadError(path, f"cannot be read ({error.strerror})") from error
    if not data:
        raise ImageReadError(path, "is empty (0 bytes)")
    return data


def _check_header(path: Path, data: bytes) -> None:
    """Refuse by the header alone what would take the memory, and what OpenCV would complain of on stderr."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with _open_header(path, data) as header:
            _refuse_foreign(path, header)
            try:
                header.verify()
            except DAMAGED as error:
                raise ImageReadError(path, "is truncated or damaged") from error


def _open_header(path: Path, data: bytes) -> PillowImage.Image:
    try:
        return PillowImage.open(io.BytesIO(data))
    except PillowImage.DecompressionBombError as error:
        raise ImageReadError(
            path, f"claims more pixels than the {LIMITS.pixels // 2**20} million that are read"
        ) from error
    except UnidentifiedImageError as error:
        raise ImageReadError(path, _unidentified(data)) from error
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


def _unidentified(data: bytes) -> str:
    signatures = (b"\x89PNG", b"\xff\xd8\xff", b"II*\x00", b"MM\x00*", b"BM", b"P2", b"P5", b"P6")
    if data.startswith(signatures):
        return "is truncated or damaged"
    return f"is not an image; {EXPECTED}"


def _decode(path: Path, data: bytes) -> NDArray[np.generic]:
    flags = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR
    try:
        with _quiet_opencv():
            image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise ImageReadError(path, f"cannot be decoded ({error.err})") from error
    if image is None:
        raise ImageReadError(path, "is truncated or damaged")
    return image


@contextmanager
def _quiet_opencv() -> Iterator[None]:
    """OpenCV writes to stderr what is reported here in one line with the file's name."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)


def write_image(path: str | Path, image: NDArray[np.generic], *, overwrite: bool = False) -> None:
    """Write one grayscale image; the format follows the suffix.

    Parameters
    ----------
    path : str or Path
        Ends in .png, .tif, .tiff, .bmp, .pgm, .jpg or .jpeg.
    image : (H, W) array; uint8, uint16 or floating
        16 bit goes into PNG, TIFF and PGM; floating values into TIFF, as float32.
    overwrite : bool
        Replace a file of that name.

    Raises
    ------
    InputError
        If the suffix is another one, the format cannot hold the type, or the file is there already.
    """
    path = Path(path)
    check_writable(path, image.dtype)
    if np.issubdtype(image.dtype, np.floating):
        image = image.astype(np.float32, copy=False)
    done, encoded = cv2.imencode(path.suffix.lower(), image)
    if not done:
        raise InputError(f"{path.name}: the image of shape {image.shape} cannot be written in this format")
    write_bytes(path, encoded.tobytes(), overwrite=overwrite)


def check_writable(path: Path, dtype: np.dtype[np.generic]) -> None:
    """Refuse a suffix that is unknown, or whose format would lose bits of `dtype`."""
    suffix = path.suffix.lower()
    if suffix not in WRITABLE_SUFFIXES:
        raise InputError(f"{path.name}: expected a name that ends in {', '.join(WRITABLE_SUFFIXES)}")
    if dtype == np.uint16 and suffix not in LOSSLESS_16_BIT:
        raise InputError(f"{path.name}: {suffix} holds 8 bits, the image has 16: write PNG or TIFF")
    if np.issubdtype(dtype, np.floating) and suffix not in FLOATING:
        raise InputError(f"{path.name}: {suffix} holds whole numbers, the image has floating ones: write TIFF")
