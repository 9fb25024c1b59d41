"""Headers of compressed frames, checked before a decoder allocates memory for their pixels."""

from __future__ import annotations

import struct

from napari_dental_denoise.files.jpeg import JPEG_START, jpeg_frame

# For a frame without an installed decoder.
CURE = "pip install imagecodecs"
PNG_START = b"\x89PNG\r\n\x1a\n"
# Channels of grey and alpha, RGB, RGB and alpha; other types have one.
PNG_COLOURS = {4: 2, 2: 3, 6: 4}
# A bare codestream, and one in boxes.
JPEG_2000_STARTS = J2K_START, JP2_START = b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  "
JPEG_XL_STARTS = (b"\xff\x0a", b"\x00\x00\x00\x0cJXL ")
# Of JPEG XL: widths as shares of the height, and the bits of a side, by the selectors in the header.
RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
SIDE_BITS = (9, 13, 18, 30)
JP2_CODESTREAM = b"jp2c"


def claimed_shape(frame: bytes) -> tuple[int, int, int] | None:
    """Return (height, width, colours) in the header of a JPEG, JPEG-LS, JPEG 2000 or PNG codestream, or None."""
    if frame.startswith(JP2_START):
        frame = _inside_jp2(frame)
    if frame.startswith(J2K_START):
        return _j2k_shape(frame)
    if frame.startswith(PNG_START):
        return _png_shape(frame)
    found = jpeg_frame(frame) if frame.startswith(JPEG_START) else None
    return None if found is None else (found.height, found.width, found.colours)


def _inside_jp2(frame: bytes) -> bytes:
    """Return the codestream in a JP2 file, found box by box as a decoder does."""
    position = 0
    while position + 8 <= len(frame):
        length, kind = int.from_bytes(frame[position : position + 4], "big"), frame[position + 4 : position + 8]
        start = position + 8
        if length == 1:
            length, start = int.from_bytes(frame[start : start + 8], "big"), start + 8
        if kind == JP2_CODESTREAM:
            return frame[start:]
        # A box of length 0 extends to the end.
        if length < start - position:
            break
        position += length
    return b""


def _j2k_shape(frame: bytes) -> tuple[int, int, int] | None:
    if len(frame) < 42:
        return None
    right, bottom, left, top = struct.unpack(">4I", frame[8:24])
    (colours,) = struct.unpack(">H", frame[40:42])
    return bottom - top, right - left, colours


def _png_shape(frame: bytes) -> tuple[int, int, int] | None:
    if len(frame) < 26:
        return None
    width, height, kind = struct.unpack(">2IxB", frame[16:26])
    return height, width, PNG_COLOURS.get(kind, 1)


def jpeg_xl_shape(data: bytes) -> tuple[int, int]:
    """Return height and width in the header of JPEG XL, whose numbers have their lowest bit first.

    Raises ValueError if it has none.
    """
    bare, boxes = JPEG_XL_STARTS
    start = 0 if data.startswith(bare) else data.index(bare, data.index(b"jxl", len(boxes) + 12))
    bits = int.from_bytes(data[start + 2 : start + 16], "little")

    def take(count: int) -> int:
        nonlocal bits
        value, bits = bits & ((1 << count) - 1), bits >> count
        return value

    is_small = take(1)

    def side() -> int:
        return 8 * (1 + take(5)) if is_small else 1 + take(SIDE_BITS[take(2)])

    height, ratio = side(), take(3)
    if ratio == 0:
        return height, side()
    above, below = RATIOS[ratio - 1]
    return height, height * above // below
