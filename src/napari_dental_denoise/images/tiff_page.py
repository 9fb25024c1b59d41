"""Properties of one TIFF page, and checks before its pixels are unpacked."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_dental_denoise.config import LIMITS
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.files import CURE, claimed_shape, is_whole

if TYPE_CHECKING:
    from tifffile import TiffPage

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


def tag(page: TiffPage, code: int) -> Any:
    """Return the value of a tag, or None."""
    found = page.tags.get(code)
    return None if found is None else found.value


def is_turned(page: TiffPage) -> bool:
    """Return whether rows are stored as columns."""
    return tag(page, ORIENTATION) in TURNED


def page_shape(page: TiffPage) -> tuple[int, int]:
    """Return height and width as the page is viewed."""
    height, width = int(page.imagelength), int(page.imagewidth)
    return (width, height) if is_turned(page) else (height, width)


def photometric(page: TiffPage) -> int:
    """Return the photometric interpretation; if it is missing, that which other programs assume."""
    if PHOTOMETRIC in page.tags or page.photometric != WHITE_IS_ZERO:
        return int(page.photometric)
    return BLACK_IS_ZERO if page.samplesperpixel < 3 else RGB


def checked_type(path: Path, page: TiffPage) -> np.dtype[Any]:
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
    if photometric(page) == PALETTE or stored in (np.bool_, np.uint8):
        return np.dtype(np.uint8)
    if stored == np.uint16:
        return np.dtype(np.uint16)
    raise ImageReadError(path, f"holds {stored} pixels; expected unsigned 8 or 16 bit, or floating")


def _check_colours(path: Path, page: TiffPage) -> None:
    """Raise ImageReadError if the channels are neither grey nor red, green and blue."""
    kind = photometric(page)
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


def check_parts(path: Path, page: TiffPage) -> None:
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
