"""TIFF as scanners and programs write it: strips and tiles, any compression, 1 to 16 bits, floating, palettes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.core.config import LIMITS
from napari_dental_denoise.core.errors import ImageReadError
from napari_dental_denoise.core.refusal import refusing
from napari_dental_denoise.core.regular_file import check_is_file, first_bytes

if TYPE_CHECKING:
    from tifffile import TiffPage

SIGNATURES = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
DAMAGED = "is truncated or damaged"
LIBRARY = "tifffile"
# TIFF 6.0, and what is in it of Exif.
WHITE_IS_ZERO, PALETTE, SEPARATED = 0, 3, 5
ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 274, 282, 283, 296
INCH, CENTIMETRE = 2, 3
CENTIMETRES_PER_INCH = 2.54
# Orientations that lie on their side: rows are stored as columns.
TURNED = (5, 6, 7, 8)
# Red, green, blue and alpha.
MOST_CHANNELS = 4


@dataclass(frozen=True, slots=True)
class TiffHeader:
    """What a TIFF file says of its first image.

    Attributes
    ----------
    shape : (height, width)
        Turned as its orientation says.
    dtype : numpy.dtype
        As it is read.
    pages : int
    dpi : (vertical, horizontal), optional
    """

    shape: tuple[int, int]
    dtype: np.dtype[Any]
    pages: int
    dpi: tuple[float, float] | None


def is_tiff(path: Path) -> bool:
    """Whether a file is TIFF, by its first bytes."""
    return first_bytes(path, 4) in SIGNATURES


def read_tiff_header(path: Path) -> TiffHeader:
    """Read what a TIFF file says of its first image, without its pixels.

    Parameters
    ----------
    path : Path

    Returns
    -------
    TiffHeader

    Raises
    ------
    ImageReadError
        If it is damaged, too large, or of a kind that is not read.
    """
    import tifffile

    check_is_file(path)
    with refusing(path, DAMAGED, LIBRARY), tifffile.TiffFile(path) as file:
        page = file.pages.first
        dtype = _checked_type(path, page)
        height, width = int(page.imagelength), int(page.imagewidth)
        turned = _tag(page, ORIENTATION) in TURNED
        return TiffHeader((width, height) if turned else (height, width), dtype, len(file.pages), _dpi(page, turned))


def read_tiff(path: Path) -> NDArray[Any]:
    """Read the first image of a TIFF file as grayscale, white high.

    Parameters
    ----------
    path : Path

    Returns
    -------
    (H, W) array; uint8, uint16 or float32

    Raises
    ------
    ImageReadError
        If it is damaged, too large, or of a kind that is not read.
    """
    import tifffile

    check_is_file(path)
    with refusing(path, DAMAGED, LIBRARY), tifffile.TiffFile(path) as file:
        return _read_page(path, file.pages.first)


def read_all_of_tiff(path: Path) -> list[NDArray[Any]]:
    """Read every image of a TIFF file as grayscale, white high.

    Parameters
    ----------
    path : Path

    Returns
    -------
    list of (H, W) arrays; uint8, uint16 or float32

    Raises
    ------
    ImageReadError
        If one is damaged or of a kind that is not read, or all together are too large.
    """
    import tifffile

    check_is_file(path)
    with refusing(path, DAMAGED, LIBRARY), tifffile.TiffFile(path) as file:
        first = file.pages.first
        if len(file.pages) * first.imagelength * first.imagewidth > LIMITS.pixels:
            limit = LIMITS.pixels // 2**20
            raise ImageReadError(path, f"has {len(file.pages)} pages; at most {limit} million pixels are read")
        return [_read_page(path, page.aspage()) for page in file.pages]


def _checked_type(path: Path, page: TiffPage) -> np.dtype[Any]:
    """The type that is read; refuses what is too large, made for print, or of other numbers."""
    height, width = page.imagelength, page.imagewidth
    if min(height, width) < 1 or page.imagedepth > 1:
        raise ImageReadError(path, DAMAGED)
    if page.samplesperpixel > MOST_CHANNELS:
        raise ImageReadError(path, f"claims {page.samplesperpixel} channels; expected grayscale or RGB")
    # What is unpacked at once may be more than the image: its channels, and tiles that reach beyond it.
    if height * width > LIMITS.pixels or math.prod(page.chunks) > MOST_CHANNELS * LIMITS.pixels:
        raise ImageReadError(path, f"claims {width}x{height} pixels; at most {LIMITS.pixels // 2**20} million are read")
    if 0 in page.databytecounts:
        # A part that is not there would be read as black.
        raise ImageReadError(path, DAMAGED)
    if page.photometric == SEPARATED:
        raise ImageReadError(path, "is a CMYK image, made for print; expected grayscale or RGB: export it again")
    stored = np.dtype(page.dtype)
    if np.issubdtype(stored, np.floating):
        return np.dtype(np.float32)
    if page.photometric == PALETTE or stored in (np.bool_, np.uint8):
        return np.dtype(np.uint8)
    if stored == np.uint16:
        return np.dtype(np.uint16)
    raise ImageReadError(path, f"holds {stored} pixels; expected unsigned 8 or 16 bit, or floating")


def _read_page(path: Path, page: TiffPage) -> NDArray[Any]:
    dtype = _checked_type(path, page)
    pixels = page.asarray(maxworkers=1)
    if page.photometric == PALETTE:
        grey = _from_palette(page, pixels)
    else:
        grey = _one_channel(_full_range(page, pixels).astype(dtype, copy=False), page)
    if page.photometric == WHITE_IS_ZERO and dtype != np.float32:
        white = dtype.type(2 ** max(page.bitspersample, 8) - 1)
        grey = white - np.minimum(grey, white)
    if grey.shape != (page.imagelength, page.imagewidth):
        raise ImageReadError(path, f"holds an image of shape {grey.shape}, which is not grey or RGB")
    return np.ascontiguousarray(_turned(grey, _tag(page, ORIENTATION)))


def _full_range(page: TiffPage, pixels: NDArray[Any]) -> NDArray[Any]:
    """Fewer than 8 bits, from black to white of 8."""
    bits = int(page.bitspersample)
    if bits >= 8 or (not np.issubdtype(page.dtype, np.unsignedinteger) and page.dtype != np.bool_):
        return pixels
    return pixels.astype(np.uint8) * np.uint8(255 // (2**bits - 1))


def _from_palette(page: TiffPage, pixels: NDArray[Any]) -> NDArray[Any]:
    colours = (np.asarray(page.colormap).T[pixels] >> 8).astype(np.uint8)
    return cv2.cvtColor(np.ascontiguousarray(colours), cv2.COLOR_RGB2GRAY)


def _one_channel(pixels: NDArray[Any], page: TiffPage) -> NDArray[Any]:
    """Grey by the standard weights, without transparency."""
    if page.axes.startswith("S"):
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.ndim < 3:
        return pixels
    if pixels.shape[-1] < 3:
        return pixels[..., 0]
    return cv2.cvtColor(np.ascontiguousarray(pixels[..., :3]), cv2.COLOR_RGB2GRAY)


def _turned(image: NDArray[Any], orientation: Any) -> NDArray[Any]:
    """As it is to be looked at, by TIFF's Orientation."""
    if orientation in TURNED:
        image = image.T
    # After the transposition, 6 and 8 are mirrored by columns and rows, 7 by both.
    columns, rows = orientation in (2, 3, 6, 7), orientation in (3, 4, 7, 8)
    return image[:: -1 if rows else 1, :: -1 if columns else 1]


def _tag(page: TiffPage, code: int) -> Any:
    tag = page.tags.get(code)
    return None if tag is None else tag.value


def _dpi(page: TiffPage, turned: bool) -> tuple[float, float] | None:  # noqa: FBT001 (of one call, with its name)
    values = [_tag(page, code) for code in (Y_RESOLUTION, X_RESOLUTION)]
    unit = _tag(page, RESOLUTION_UNIT)
    if None in values or unit not in (INCH, CENTIMETRE, None):
        return None
    factor = CENTIMETRES_PER_INCH if unit == CENTIMETRE else 1
    vertical, horizontal = (factor * value[0] / value[1] if value[1] else 0.0 for value in values)
    return (horizontal, vertical) if turned else (vertical, horizontal)
