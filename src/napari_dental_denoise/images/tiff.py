"""Read TIFF: strips and tiles, any compression, 1 to 16 bits, floating values, palettes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import LIMITS
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.files import CURE, claimed_shape, is_whole, reading_errors
from napari_dental_denoise.pixels import ImageInfo, PixelSize, pixel_size_from_dpi

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

DAMAGED = "is truncated or damaged"
# Photometric interpretations of TIFF 6.0.
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, SEPARATED, YCBCR = 0, 1, 2, 3, 5, 6
READ_COLOURS = (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE)
PHOTOMETRIC = 262
UNCOMPRESSED = 1
# Compressions with JPEG: the old one of TIFF 6.0, the current one, and two of other programs.
JPEG = (6, 7, 33007, 34892)
# Compressions whose parts state their own size: JPEG, JPEG 2000, PNG.
SELF_DESCRIBING = (*JPEG, 33003, 33004, 33005, 34712, 34933)
# Some programs round the size of JPEG up to whole blocks.
BLOCK = 16
ORIENTATION = 274
# Orientations whose rows are stored as columns.
TURNED = (5, 6, 7, 8)
# Red, green, blue and alpha.
MAX_CHANNELS = 4
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


def read_tiff(path: Path, file: BinaryIO, wanted: slice) -> tuple[ImageInfo, NDArray[Any]]:
    """Return what a TIFF file says of its first page, and these of its pages (N, H, W), grey with white high.

    Raises ImageReadError if one of these is damaged or not read, they differ in size or type, or are too large in sum.
    """
    import tifffile

    with reading_errors(path, DAMAGED), tifffile.TiffFile(file) as tiff:
        # Counted first: only then tifffile leaves a chain of pages that leads round.
        info = _info(path, tiff)
        pages = [tiff.pages[number].aspage() for number in range(info.pages)[wanted]]
        _check_pages(path, pages)
        return info, np.stack([_read_page(path, page) for page in pages])


def _info(path: Path, tiff: TiffFile) -> ImageInfo:
    page = tiff.pages.first
    dtype = _checked_type(path, page)
    return ImageInfo(path, "TIFF", _page_shape(page), dtype, len(tiff.pages), pixel_size=_pixel_size(page))


def _check_pages(path: Path, pages: Sequence[TiffPage]) -> None:
    """Raise ImageReadError if the pages make no stack, before any of them is unpacked."""
    if sum(page.imagelength * page.imagewidth for page in pages) > LIMITS.pixels:
        limit = LIMITS.pixels // 2**20
        raise ImageReadError(path, f"has {len(pages)} pages; at most {limit} million pixels are read")
    if len({(_page_shape(page), _checked_type(path, page)) for page in pages}) > 1:
        raise ImageReadError(path, f"holds {len(pages)} pages of different sizes or types; expected equal ones")


def _tag(page: TiffPage, code: int) -> Any:
    """Return the value of a tag, or None."""
    found = page.tags.get(code)
    return None if found is None else found.value


def _is_turned(page: TiffPage) -> bool:
    """Return whether rows are stored as columns."""
    return _tag(page, ORIENTATION) in TURNED


def _page_shape(page: TiffPage) -> tuple[int, int]:
    """Return height and width as the page is viewed."""
    height, width = int(page.imagelength), int(page.imagewidth)
    return (width, height) if _is_turned(page) else (height, width)


def _photometric(page: TiffPage) -> int:
    """Return the photometric interpretation; if it is missing, that which other programs assume."""
    if PHOTOMETRIC in page.tags or page.photometric != WHITE_IS_ZERO:
        return int(page.photometric)
    return BLACK_IS_ZERO if page.samplesperpixel < 3 else RGB


def _checked_type(path: Path, page: TiffPage) -> np.dtype[Any]:
    """Return the type that is read; raise ImageReadError if the page is too large, or of a kind that is not read."""
    height, width = page.imagelength, page.imagewidth
    if min(height, width) < 1:
        raise ImageReadError(path, DAMAGED)
    if page.imagedepth > 1:
        raise ImageReadError(path, f"holds a volume of {page.imagedepth} slices; expected one image for each page")
    if page.samplesperpixel > MAX_CHANNELS:
        raise ImageReadError(path, f"claims {page.samplesperpixel} channels; expected grayscale or RGB")
    # More than the image may be unpacked at once: its channels, and tiles that reach beyond it.
    if height * width > LIMITS.pixels or math.prod(page.chunks) > MAX_CHANNELS * LIMITS.pixels:
        raise ImageReadError(path, f"claims {width}x{height} pixels; at most {LIMITS.pixels // 2**20} million are read")
    if 0 in page.databytecounts:
        # A missing part would be read as black.
        raise ImageReadError(path, DAMAGED)
    _check_colours(path, page)
    _check_decoder(path, page)
    stored = np.dtype(page.dtype)
    if np.issubdtype(stored, np.floating):
        return np.dtype(np.float32)
    if _photometric(page) == PALETTE or stored in (np.bool_, np.uint8):
        return np.dtype(np.uint8)
    if stored == np.uint16:
        return np.dtype(np.uint16)
    raise ImageReadError(path, f"holds {stored} pixels; expected unsigned 8 or 16 bit, or floating")


def _check_colours(path: Path, page: TiffPage) -> None:
    """Raise ImageReadError if the channels are neither grey nor red, green and blue."""
    kind = _photometric(page)
    if kind == SEPARATED:
        raise ImageReadError(path, "is a CMYK image, made for print; expected grayscale or RGB: export it again")
    if kind not in READ_COLOURS and not (kind == YCBCR and page.compression in JPEG):
        name = getattr(page.photometric, "name", kind)
        raise ImageReadError(path, f"has {name} colours; expected grayscale or RGB: export it again")


def _check_decoder(path: Path, page: TiffPage) -> None:
    import tifffile

    if page.compression != UNCOMPRESSED and page.compression not in tifffile.TIFF.DECOMPRESSORS:
        name = getattr(page.compression, "name", page.compression)
        raise ImageReadError(
            path, f"is compressed ({name}), and no decoder for that is installed: {CURE}, or export it again"
        )


def _check_parts(path: Path, page: TiffPage) -> None:
    """Raise ImageReadError if a part was cut off, or would unpack to more than its place."""
    if page.compression not in SELF_DESCRIBING:
        return
    place = (page.tilelength, page.tilewidth) if page.is_tiled else (page.imagelength, page.imagewidth)
    for data, _ in page.parent.filehandle.read_segments(page.dataoffsets, page.databytecounts):
        height, width, _ = (data and claimed_shape(data)) or (0, 0, 0)
        if height > place[0] + BLOCK or width > place[1] + BLOCK:
            raise ImageReadError(path, f"claims {width}x{height} pixels in a part of {place[1]}x{place[0]}")
        if data and not is_whole(data):
            raise ImageReadError(path, DAMAGED)


def _read_page(path: Path, page: TiffPage) -> NDArray[Any]:
    dtype = _checked_type(path, page)
    _check_parts(path, page)
    pixels = page.asarray(maxworkers=1)
    kind = _photometric(page)
    if kind == PALETTE:
        colours = (np.asarray(page.colormap).T[pixels] >> 8).astype(np.uint8)
        grey = cv2.cvtColor(np.ascontiguousarray(colours), cv2.COLOR_RGB2GRAY)
    else:
        grey = _one_channel(_full_range(page, pixels).astype(dtype, copy=False), page)
    if kind == WHITE_IS_ZERO and dtype != np.float32:
        white = dtype.type(2 ** max(page.bitspersample, 8) - 1)
        grey = white - np.minimum(grey, white)
    if grey.shape != (page.imagelength, page.imagewidth):
        raise ImageReadError(path, f"holds an image of shape {grey.shape}, which is not grey or RGB")
    return np.ascontiguousarray(_turned(grey, _tag(page, ORIENTATION)))


def _full_range(page: TiffPage, pixels: NDArray[Any]) -> NDArray[Any]:
    """Return pixels of fewer than 8 bits scaled to 8."""
    bits = int(page.bitspersample)
    if bits >= 8 or (not np.issubdtype(page.dtype, np.unsignedinteger) and page.dtype != np.bool_):
        return pixels
    return pixels.astype(np.uint8) * np.uint8(255 // (2**bits - 1))


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
    resolutions = [_tag(page, code) for code in (X_RESOLUTION, Y_RESOLUTION)]
    if None in resolutions or _tag(page, RESOLUTION_UNIT) not in (INCH, CENTIMETRE, None):
        return None
    dpi = page.get_resolution(INCH)
    return pixel_size_from_dpi(*(dpi[::-1] if _is_turned(page) else dpi))
