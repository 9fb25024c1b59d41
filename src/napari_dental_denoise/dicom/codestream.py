"""Compressed frames of DICOM: their headers, which count before that of the file, and their pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.files import (
    CURE,
    J2K_START,
    JPEG_2000_STARTS,
    JPEG_START,
    JPEG_XL_STARTS,
    claimed_shape,
    decode_jpeg,
    is_whole,
    jpeg_frame,
    jpeg_segments,
    jpeg_xl_shape,
)

LOSSLESS_MARKERS = {0xC3, 0xC7, 0xCB, 0xCF}
JPEG_LS_MARKER = 0xF7
# Segments of JPEG: JFIF, whose colours are luminance and chroma, and Adobe, which says what they are.
APP0, APP14 = 0xE0, 0xEE
# Segments of JPEG 2000: size of the image, and coding style.
SIZE, CODING = b"\xff\x51", b"\xff\x52"
JPEG, LOSSLESS, JPEG_LS, JPEG_2000, JPEG_XL = "JPEG", "lossless JPEG", "JPEG-LS", "JPEG 2000", "JPEG XL"
# The decoder of imagecodecs for each kind.
CODECS = {
    JPEG: "jpeg8_decode",
    LOSSLESS: "jpeg8_decode",
    JPEG_LS: "jpegls_decode",
    JPEG_2000: "jpeg2k_decode",
    JPEG_XL: "jpegxl_decode",
}
TRUNCATED = "is a DICOM file whose pixels are truncated"
# Prevents a conversion that a JFIF header asks for and DICOM does not.
AS_STORED = {"colorspace": "RGB", "outcolorspace": "RGB"}


class Codestream(NamedTuple):
    """Header of a compressed frame."""

    kind: str
    # (height, width) and number of colours; None where only the pixels tell.
    shape: tuple[int, int]
    colours: int | None
    bits: int | None
    # The colours are luminance and chroma (True) or red, green and blue (False); None where nothing says which.
    is_ybr: bool | None = None


def codestream(frame: bytes) -> Codestream | None:
    """Return what a compressed frame says of itself; None if it is none of JPEG, JPEG-LS, JPEG 2000 and JPEG XL."""
    if frame.startswith(JPEG_XL_STARTS):
        try:
            return Codestream(JPEG_XL, jpeg_xl_shape(frame), None, None, is_ybr=False)
        except ValueError:
            return None
    claimed = claimed_shape(frame) if frame.startswith((JPEG_START, *JPEG_2000_STARTS)) else None
    if claimed is None:
        return None
    *_, colours = claimed
    if frame.startswith(JPEG_2000_STARTS):
        return Codestream(JPEG_2000, claimed[:2], colours, _jpeg_2000_bits(frame), _undoes_ybr(frame))
    header = jpeg_frame(frame)
    if header is None:
        return None
    kind = JPEG_LS if header.marker == JPEG_LS_MARKER else LOSSLESS if header.marker in LOSSLESS_MARKERS else JPEG
    # What is lossless is stored as it came: only the header of the file knows its colours.
    is_ybr = _is_ybr(frame, header.marker) if kind == JPEG and colours > 1 else None
    return Codestream(kind, claimed[:2], colours, header.bits, is_ybr)


def decode_codestream(path: Path, frame: bytes, *, is_ybr: bool) -> NDArray[Any]:
    """Return the pixels of a frame, (H, W) or (H, W, 3) as red, green and blue.

    `is_ybr` says whether the file describes the colours as luminance and chroma, for frames that do not say it.
    """
    found = codestream(frame)
    if found is None:
        raise ImageReadError(path, "holds a frame that is no JPEG, JPEG-LS, JPEG 2000 or JPEG XL")
    if (found.kind, found.colours, found.bits) == (JPEG, 1, 8):
        try:
            return decode_jpeg(frame).reshape(found.shape)
        except ValueError:
            raise ImageReadError(path, TRUNCATED) from None
    if not is_whole(frame):
        raise ImageReadError(path, TRUNCATED)
    decode = installed(CODECS[found.kind])
    if decode is None:
        raise ImageReadError(path, f"is compressed ({found.kind}), and no decoder for that is installed: {CURE}")
    stored_as_ybr = is_ybr if found.is_ybr is None else found.is_ybr
    has_colours = found.colours is not None and found.colours > 1
    if found.kind == JPEG and has_colours:
        return decode(frame, colorspace="YCBCR" if stored_as_ybr else "RGB", outcolorspace="RGB")
    options = AS_STORED if found.kind == LOSSLESS and has_colours else {}
    pixels = decode(frame, **options)
    return _ybr_to_rgb(path, pixels) if has_colours and stored_as_ybr else pixels


def installed(name: str) -> Any:
    """Return a function of imagecodecs, or None."""
    try:
        import imagecodecs
    except ImportError:
        return None
    return getattr(imagecodecs, name)


def _is_ybr(frame: bytes, start_of_frame: int) -> bool | None:
    """Return how a JPEG stores colours by its markers or, without, by the names and the sizes of its components."""
    names, sizes, is_jfif = b"", b"", False
    for marker, start, end in jpeg_segments(frame):
        content = frame[start:end]
        if marker == APP14 and content.startswith(b"Adobe") and len(content) > 11:
            return content[11] != 0
        is_jfif |= marker == APP0 and content.startswith(b"JFIF")
        if marker == start_of_frame:
            names, sizes = content[6::3], content[7::3]
    if is_jfif or names == b"\1\2\3" or len(set(sizes)) > 1:
        return True
    return False if names == b"RGB" else None


def _segment(frame: bytes, marker: bytes) -> bytes:
    """Return the content of a segment of the main header of a JPEG 2000 codestream, with its length."""
    start = frame.find(J2K_START)
    position = start + 2
    while start >= 0 and position + 4 <= len(frame):
        if frame[position : position + 2] == marker:
            return frame[position + 2 :]
        position += 2 + max(2, int.from_bytes(frame[position + 2 : position + 4], "big"))
    return b""


def _jpeg_2000_bits(frame: bytes) -> int:
    size = _segment(frame, SIZE)
    # The highest bit tells of a sign.
    return (size[38] & 0x7F) + 1 if len(size) > 38 else 8


def _undoes_ybr(frame: bytes) -> bool | None:
    """Return False for frames whose decoder turns luminance and chroma back to red, green and blue by itself."""
    coding = _segment(frame, CODING)
    return False if len(coding) > 6 and coding[6] == 1 else None


def _ybr_to_rgb(path: Path, pixels: NDArray[Any]) -> NDArray[Any]:
    from pydicom.pixels.processing import convert_color_space

    if pixels.dtype != np.uint8:
        raise ImageReadError(path, "is a DICOM file of YBR colours of more than 8 bits, which are not read")
    return convert_color_space(pixels, "YBR_FULL", "RGB")
