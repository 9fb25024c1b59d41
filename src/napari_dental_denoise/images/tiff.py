"""Read TIFF: strips and tiles, any compression, 1 to 16 bits, floating values, palettes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import LIMITS
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.files import reading_errors
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
from napari_dental_denoise.pixels import ImageInfo, PixelSize, pixel_size_from_dpi

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

SIGNATURES = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
# The kind of an extra channel by which the colours were multiplied.
ASSOCIATED = 1
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 282, 283, 296
INCH, CENTIMETRE = 2, 3


def is_tiff(_path: Path, start: bytes) -> bool:
    """Return whether a file is TIFF, from its first bytes."""
    return start.startswith(SIGNATURES)


def probe_tiff(path: Path, file: BinaryIO) -> ImageInfo:
    """Return what a TIFF file says of its first page; raise ImageReadError if that is damaged or not read."""
    import tifffile

    with reading_errors(path, DAMAGED), tifffile.TiffFile(file) as tiff:
        return _info(path, tiff)


def read_tiff(path: Path, file: BinaryIO, max_pages: int | None) -> tuple[ImageInfo, NDArray[Any]]:
    """Return what a TIFF file says of its first page, and its pages (N, H, W) as grayscale, white high.

    Parameters
    ----------
    path : Path
    file : binary file
    max_pages : int, optional
        Number of pages to read at most; those must agree in size and type.

    Raises
    ------
    ImageReadError
        If one of them is damaged or not read, they differ, or are too large together.
    """
    import tifffile

    with reading_errors(path, DAMAGED), tifffile.TiffFile(file) as tiff:
        # Counted first: only then tifffile leaves a chain of pages that leads round.
        info = _info(path, tiff)
        pages = [tiff.pages[number].aspage() for number in range(info.pages)[:max_pages]]
        _check_pages(path, pages)
        return info, np.stack([_read_page(path, page) for page in pages])


def _info(path: Path, tiff: TiffFile) -> ImageInfo:
    page = tiff.pages.first
    dtype = checked_type(path, page)
    return ImageInfo(path, "TIFF", page_shape(page), dtype, len(tiff.pages), pixel_size=_pixel_size(page))


def _check_pages(path: Path, pages: Sequence[TiffPage]) -> None:
    """Raise ImageReadError if the pages make no stack, before any of them is unpacked."""
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
    """Return pixels of fewer than 8 bits scaled to 8."""
    bits = int(page.bitspersample)
    if bits >= 8 or (not np.issubdtype(page.dtype, np.unsignedinteger) and page.dtype != np.bool_):
        return pixels
    return pixels.astype(np.uint8) * np.uint8(255 // (2**bits - 1))


def _from_palette(page: TiffPage, pixels: NDArray[Any]) -> NDArray[Any]:
    colours = (np.asarray(page.colormap).T[pixels] >> 8).astype(np.uint8)
    return cv2.cvtColor(np.ascontiguousarray(colours), cv2.COLOR_RGB2GRAY)


def _one_channel(pixels: NDArray[Any], page: TiffPage) -> NDArray[Any]:
    """Return grey by the standard weights, without transparency."""
    if page.axes.startswith("S"):
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.ndim < 3:
        return pixels
    pixels = _unmultiplied(pixels, page)
    if pixels.shape[-1] < 3:
        return pixels[..., 0]
    return cv2.cvtColor(np.ascontiguousarray(pixels[..., :3]), cv2.COLOR_RGB2GRAY)


def _unmultiplied(pixels: NDArray[Any], page: TiffPage) -> NDArray[Any]:
    """Return colours as they were before they were multiplied by their opacity."""
    if ASSOCIATED not in page.extrasamples:
        return pixels
    whole = np.issubdtype(pixels.dtype, np.integer)
    full = 2 ** max(page.bitspersample, 8) - 1 if whole else 1
    place = pixels.shape[-1] - len(page.extrasamples) + page.extrasamples.index(ASSOCIATED)
    opacity = pixels[..., place, np.newaxis] / full
    colours = np.divide(pixels, opacity, out=np.zeros(pixels.shape), where=opacity > 0)
    return (np.rint(np.minimum(colours, full)) if whole else colours).astype(pixels.dtype)


def _turned(image: NDArray[Any], orientation: Any) -> NDArray[Any]:
    """Return the image as TIFF's Orientation says that it is viewed."""
    if orientation in TURNED:
        image = image.T
    # After the transposition, 6 and 8 are mirrored by columns and rows, 7 by both.
    columns, rows = orientation in (2, 3, 6, 7), orientation in (3, 4, 7, 8)
    return image[:: -1 if rows else 1, :: -1 if columns else 1]


def _pixel_size(page: TiffPage) -> PixelSize | None:
    resolutions = [tag(page, code) for code in (X_RESOLUTION, Y_RESOLUTION)]
    if None in resolutions or tag(page, RESOLUTION_UNIT) not in (INCH, CENTIMETRE, None):
        return None
    dpi = page.get_resolution(INCH)
    return pixel_size_from_dpi(*(dpi[::-1] if is_turned(page) else dpi))
