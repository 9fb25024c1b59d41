"""TIFF as scanners and programs write it: strips and tiles, any compression, 1 to 16 bits, floating, palettes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import LIMITS
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.files import check_is_file, first_bytes, reading_errors
from napari_dental_denoise.images.tiff_page import (
    DAMAGED,
    ORIENTATION,
    PALETTE,
    TURNED,
    WHITE_IS_ZERO,
    check_parts,
    checked_type,
    is_turned,
    page_shape,
    photometric,
    tag,
)

if TYPE_CHECKING:
    from tifffile import TiffPage

SIGNATURES = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
# Of an extra channel: colours were multiplied with it.
ASSOCIATED = 1
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 282, 283, 296
INCH, CENTIMETRE = 2, 3
CENTIMETRES_PER_INCH = 2.54


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
    with reading_errors(path, DAMAGED), tifffile.TiffFile(path) as file:
        page = file.pages.first
        dtype = checked_type(path, page)
        return TiffHeader(page_shape(page), dtype, len(file.pages), _dpi(page, is_turned(page)))


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
    with reading_errors(path, DAMAGED), tifffile.TiffFile(path) as file:
        return _read_page(path, file.pages.first)


def read_all_of_tiff(path: Path) -> NDArray[Any]:
    """Read every image of a TIFF file as grayscale, white high.

    Parameters
    ----------
    path : Path

    Returns
    -------
    (N, H, W) array; uint8, uint16 or float32

    Raises
    ------
    ImageReadError
        If one is damaged or of a kind that is not read, they differ, or all together are too large.
    """
    import tifffile

    check_is_file(path)
    with reading_errors(path, DAMAGED), tifffile.TiffFile(path) as file:
        # Counted first: only then tifffile leaves a chain of pages that leads round.
        pages = [file.pages[number].aspage() for number in range(len(file.pages))]
        _check_pages(path, pages)
        return np.stack([_read_page(path, page) for page in pages])


def _check_pages(path: Path, pages: Sequence[TiffPage]) -> None:
    """Refuse pages that make no stack, before any of them is unpacked."""
    if sum(page.imagelength * page.imagewidth for page in pages) > LIMITS.pixels:
        limit = LIMITS.pixels // 2**20
        raise ImageReadError(path, f"has {len(pages)} pages; at most {limit} million pixels are read")
    if len({(page_shape(page), checked_type(path, page)) for page in pages}) > 1:
        raise ImageReadError(path, f"holds {len(pages)} pages of different sizes or types; expected equal ones")


def _read_page(path: Path, page: TiffPage) -> NDArray[Any]:
    dtype = checked_type(path, page)
    check_parts(path, page)
    pixels = page.asarray(maxworkers=1)
    kind = photometric(page)
    if kind == PALETTE:
        grey = _from_palette(page, pixels)
    else:
        grey = _one_channel(_full_range(page, pixels).astype(dtype, copy=False), page)
    if kind == WHITE_IS_ZERO and dtype != np.float32:
        white = dtype.type(2 ** max(page.bitspersample, 8) - 1)
        grey = white - np.minimum(grey, white)
    if grey.shape != (page.imagelength, page.imagewidth):
        raise ImageReadError(path, f"holds an image of shape {grey.shape}, which is not grey or RGB")
    return np.ascontiguousarray(_turned(grey, tag(page, ORIENTATION)))


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
    pixels = _unmultiplied(pixels, page)
    if pixels.shape[-1] < 3:
        return pixels[..., 0]
    return cv2.cvtColor(np.ascontiguousarray(pixels[..., :3]), cv2.COLOR_RGB2GRAY)


def _unmultiplied(pixels: NDArray[Any], page: TiffPage) -> NDArray[Any]:
    """Colours as they were before they were multiplied with their opacity."""
    if ASSOCIATED not in page.extrasamples:
        return pixels
    whole = np.issubdtype(pixels.dtype, np.integer)
    full = 2 ** max(page.bitspersample, 8) - 1 if whole else 1
    place = pixels.shape[-1] - len(page.extrasamples) + page.extrasamples.index(ASSOCIATED)
    opacity = pixels[..., place, np.newaxis] / full
    colours = np.divide(pixels, opacity, out=np.zeros(pixels.shape), where=opacity > 0)
    return (np.rint(np.minimum(colours, full)) if whole else colours).astype(pixels.dtype)


def _turned(image: NDArray[Any], orientation: Any) -> NDArray[Any]:
    """As it is to be looked at, by TIFF's Orientation."""
    if orientation in TURNED:
        image = image.T
    # After the transposition, 6 and 8 are mirrored by columns and rows, 7 by both.
    columns, rows = orientation in (2, 3, 6, 7), orientation in (3, 4, 7, 8)
    return image[:: -1 if rows else 1, :: -1 if columns else 1]


def _dpi(page: TiffPage, turned: bool) -> tuple[float, float] | None:  # noqa: FBT001 (of one call, with its name)
    values = [tag(page, code) for code in (Y_RESOLUTION, X_RESOLUTION)]
    unit = tag(page, RESOLUTION_UNIT)
    if None in values or unit not in (INCH, CENTIMETRE, None):
        return None
    factor = CENTIMETRES_PER_INCH if unit == CENTIMETRE else 1
    vertical, horizontal = (factor * value[0] / value[1] if value[1] else 0.0 for value in values)
    return (horizontal, vertical) if turned else (vertical, horizontal)
