"""Formats of 8 bit that Pillow reads: BMP, GIF, WebP, PCX, TGA; of an animation, the first image."""

from __future__ import annotations

import contextlib
import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image as PillowImage

from napari_dental_denoise.config import LIMITS
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.files import reading_errors, unseen
from napari_dental_denoise.images.readers.format import DAMAGED, PILLOW_ERRORS, Format, Pages, check_size, stored_type
from napari_dental_denoise.images.readers.grey import ORIENTATION, TURNED, Pixels, to_grey, turned, turned_shape
from napari_dental_denoise.pixels import ImageInfo, pixel_size_from_dpi

FORMATS = ("BMP", "GIF", "WEBP", "PCX", "TGA")
# TGA has no signature.
TGA_SUFFIX = ".tga"
# The density of other formats is what the last program wrote for printers.
WITH_PIXEL_SIZE = ("PNG", "BMP")
# Pillow's modes of grey without a palette.
GREY_MODES = ("L", "LA", "La", "1")
RLE8 = 1
END_OF_ROW, END_OF_RLE8 = b"\0\0", b"\0\1"


def _is_picture(path: Path, start: bytes) -> bool:
    if start.startswith((b"BM", b"GIF87a", b"GIF89a")):
        return True
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return True
    # The start of a PCX file: maker, version, run lengths.
    return (start[:1] == b"\x0a" and start[1:2] <= b"\x05" and start[2:3] == b"\x01") or (
        path.suffix.lower() == TGA_SUFFIX and _is_tga(start)
    )


def _is_tga(start: bytes) -> bool:
    """Return whether bytes can be the header of TGA: palette or not, a known kind of image, 8 to 32 bits."""
    return (
        len(start) >= 18
        and start[1] in (0, 1)
        and start[2] in (1, 2, 3, 9, 10, 11)
        and start[16] in (1, 8, 15, 16, 24, 32)
    )


@contextmanager
def opened(path: Path, file: BinaryIO, formats: tuple[str, ...] | None = None) -> Iterator[PillowImage.Image]:
    """Open an image with Pillow; raise ImageReadError if that fails."""
    with unseen():
        try:
            image = PillowImage.open(file, formats=formats)
        except PillowImage.DecompressionBombError as error:
            reason = f"claims more pixels than the {LIMITS.pixels // 2**20} million that are read"
            raise ImageReadError(path, reason) from error
        except PILLOW_ERRORS as error:
            raise ImageReadError(path, _reason(path, error)) from error
        with image:
            yield image


def _reason(path: Path, error: Exception) -> str:
    """Return why Pillow does not open a file."""
    if str(error).startswith("Unsupported"):
        return f"is of a kind that is not read ({error}): export it again"
    return _damaged(path)


def _damaged(path: Path) -> str:
    # Pillow reads some kinds of TGA only, and says the same of others and of damaged ones.
    return f"{DAMAGED}, or of a kind of TGA that is not read" if path.suffix.lower() == TGA_SUFFIX else DAMAGED


def orientation_of(image: PillowImage.Image) -> Any:
    """Return the orientation of EXIF, or None."""
    with contextlib.suppress(*PILLOW_ERRORS):
        return image.getexif().get(ORIENTATION)
    return None


def picture_info(path: Path, image: PillowImage.Image, dtype: np.dtype[Any], orientation: Any) -> ImageInfo:
    """Return what Pillow says of an image."""
    width, height = image.size
    check_size(path, height, width)
    dpi = image.info.get("dpi") if image.format in WITH_PIXEL_SIZE else None
    size = pixel_size_from_dpi(*(dpi[::-1] if orientation in TURNED else dpi)) if dpi else None
    return ImageInfo(path, str(image.format), turned_shape(height, width, orientation), dtype, pixel_size=size)


def _probe(path: Path, file: BinaryIO) -> ImageInfo:
    with opened(path, file, FORMATS) as image:
        info = picture_info(path, image, stored_type(8), orientation_of(image))
        # These formats have neither an end nor checksums that tell a truncated file.
        with reading_errors(path, _damaged(path)):
            image.load()
        return info


def _read(path: Path, file: BinaryIO, _wanted: slice) -> tuple[ImageInfo, Pages]:
    data = file.read()
    with opened(path, io.BytesIO(data), FORMATS) as image:
        orientation = orientation_of(image)
        info = picture_info(path, image, stored_type(8), orientation)
        with reading_errors(path, _damaged(path)):
            pixels = _unpacked(data, image)
        return info, turned(to_grey(pixels), orientation)[None]


def _unpacked(data: bytes, image: PillowImage.Image) -> Pixels:
    width = image.width
    if image.format == "BMP" and width % 4 and _is_rle8(data):
        # Some programs write rows of whole groups of four pixels, which Pillow takes for a part of the next row.
        padded = data[:18] + struct.pack("<i", width + -width % 4) + data[22:]
        if padded.endswith(END_OF_RLE8):
            # Others leave out the code that ends the last row, which then is too short.
            padded = padded[: -len(END_OF_RLE8)] + END_OF_ROW + END_OF_RLE8
        with PillowImage.open(io.BytesIO(padded)) as whole:
            return _pixels(whole)[:, :width]
    return _pixels(image)


def _is_rle8(data: bytes) -> bool:
    size, compression = struct.unpack("<12xI12xI", data[2:34])
    return size >= 40 and compression == RLE8


def _pixels(image: PillowImage.Image) -> Pixels:
    """Return grey (H, W), or red, green and blue (H, W, 3)."""
    if image.mode in GREY_MODES:
        return np.asarray(image.convert("L"))
    return np.asarray(image.convert("RGBA").convert("RGB") if image.mode in ("P", "PA") else image.convert("RGB"))


PICTURE = Format(_is_picture, _probe, _read)
