"""JPEG 2000, JPEG XL and AVIF: their sizes are checked before imagecodecs unpacks them."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.files import (
    J2K_START,
    JPEG_2000_STARTS,
    JPEG_XL_STARTS,
    claimed_shape,
    jpeg_xl_shape,
    reading_errors,
)
from napari_dental_denoise.images.readers.format import DAMAGED, Format, Pages, check_size, encoding_of, stored_type
from napari_dental_denoise.images.readers.grey import Pixels, full_range, inks_to_rgb, to_grey, turned, turned_shape
from napari_dental_denoise.images.readers.picture import opened, orientation_of
from napari_dental_denoise.pixels import ImageInfo

# The box of JPEG 2000 that names the colours: by number (1), precision and approximation, CMYK (12).
CMYK_COLOURS = b"colr\x01\x00\x00\x00\x00\x00\x0c"
AVIF_ANIMATION = b"ftypavis"
AVIF_BRANDS = (b"ftypavif", AVIF_ANIMATION)


class Claim(NamedTuple):
    """Size and type in the header of a file; `bits` is 0 where only the pixels tell."""

    format: str
    height: int
    width: int
    bits: int
    signed: bool = False
    has_inks: bool = False


def _is_codec(_path: Path, start: bytes) -> bool:
    return start.startswith((*JPEG_2000_STARTS, *JPEG_XL_STARTS)) or start[4:12] in AVIF_BRANDS


def _claim(data: bytes) -> Claim:
    if data.startswith(JPEG_2000_STARTS):
        height, width, _ = claimed_shape(data) or (0, 0, 0)
        depth = data[data.index(J2K_START) + 42]
        has_inks = CMYK_COLOURS in data[: data.index(J2K_START)]
        return Claim("JPEG 2000", height, width, (depth & 0x7F) + 1, signed=depth > 0x7F, has_inks=has_inks)
    if data[4:12] in AVIF_BRANDS:
        size, codec = data.index(b"ispe") + 8, data.index(b"av1C")
        width, height = struct.unpack(">2I", data[size : size + 8])
        is_deep = data[codec + 6] & 0x40
        return Claim("AVIF", height, width, 12 if is_deep else 8)
    return Claim("JPEG XL", *jpeg_xl_shape(data), bits=0)


def _probe(path: Path, file: BinaryIO) -> ImageInfo:
    data = file.read()
    with reading_errors(path, DAMAGED):
        claim = _claim(data)
        check_size(path, claim.height, claim.width)
        dtype = (
            stored_type(claim.bits, signed=claim.signed) if claim.bits else to_grey(_decoded(path, data, claim)).dtype
        )
        shape = turned_shape(claim.height, claim.width, _orientation(path, data, claim))
        return ImageInfo(path, claim.format, shape, dtype, encoding=encoding_of(dtype))


def _read(path: Path, file: BinaryIO, _wanted: slice) -> tuple[ImageInfo, Pages]:
    data = file.read()
    with reading_errors(path, DAMAGED):
        claim = _claim(data)
        check_size(path, claim.height, claim.width)
        orientation = _orientation(path, data, claim)
        grey = turned(to_grey(_decoded(path, data, claim)), orientation)
        return ImageInfo(path, claim.format, grey.shape, grey.dtype, encoding=encoding_of(grey.dtype)), grey[None]


def _decoded(path: Path, data: bytes, claim: Claim) -> Pixels:
    import imagecodecs

    if claim.format == "JPEG 2000":
        try:
            pixels = full_range(imagecodecs.jpeg2k_decode(data), claim.bits)
        except NotImplementedError:
            raise ImageReadError(
                path, "is JPEG 2000 of subsampled pixels, which are not read: export it again"
            ) from None
        return inks_to_rgb(pixels, 2 ** max(claim.bits, 8) - 1) if claim.has_inks else pixels
    if data[4:12] == AVIF_ANIMATION:
        # Its first image: imagecodecs would unpack them all, and ends the process if asked for one.
        with opened(path, io.BytesIO(data), ("AVIF",)) as image:
            return np.asarray(image.convert("RGB"))
    pixels = imagecodecs.avif_decode(data) if claim.format == "AVIF" else imagecodecs.jpegxl_decode(data, index=0)
    return pixels.astype(np.float32) if pixels.dtype.kind == "f" else pixels


def _orientation(path: Path, data: bytes, claim: Claim) -> Any:
    """Return the orientation of AVIF; the others have none, or their decoder applies it."""
    if claim.format != "AVIF":
        return None
    with opened(path, io.BytesIO(data), ("AVIF",)) as image:
        return orientation_of(image)


CODEC = Format(_is_codec, _probe, _read)
