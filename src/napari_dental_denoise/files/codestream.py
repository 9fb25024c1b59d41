"""Headers of compressed frames, checked before a decoder allocates memory for their pixels."""

from __future__ import annotations

import struct

# For a frame without an installed decoder.
CURE = "pip install imagecodecs"
PNG_START = b"\x89PNG\r\n\x1a\n"
# Channels of grey and alpha, RGB, RGB and alpha; other types have one.
PNG_COLOURS = {4: 2, 2: 3, 6: 4}
JPEG_START, JPEG_END, JPEG_SCAN = b"\xff\xd8", b"\xff\xd9", b"\xff\xda"
J2K_START = b"\xff\x4f\xff\x51"
JP2_SIGNATURE, JP2_CODESTREAM = b"\x00\x00\x00\x0cjP  ", b"jp2c"
# Start of frame of JPEG (baseline, extended, lossless ...) and JPEG-LS; not tables or arithmetic conditions.
FRAME_MARKERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
# Markers without a length: temporary, restarts, start of image.
LONE_MARKERS = {0x01, *range(0xD0, 0xD9)}


def claimed_shape(frame: bytes) -> tuple[int, int, int] | None:
    """Return (height, width, colours) in the header of a JPEG, JPEG-LS, JPEG 2000 or PNG codestream, or None."""
    if frame.startswith(JP2_SIGNATURE):
        frame = _inside_jp2(frame)
    if frame.startswith(J2K_START):
        return _j2k_shape(frame)
    if frame.startswith(PNG_START):
        return _png_shape(frame)
    return _jpeg_shape(frame) if frame.startswith(JPEG_START) else None


def is_whole(frame: bytes) -> bool:
    """Return whether a JPEG or JPEG-LS codestream is complete; True for others, whose decoders check it.

    JPEG decoders fill missing pixels with grey and report nothing.
    """
    # A scan contains neither marker.
    return not frame.startswith(JPEG_START) or frame.rfind(JPEG_END) > frame.rfind(JPEG_SCAN)


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


def _jpeg_shape(frame: bytes) -> tuple[int, int, int] | None:
    position = len(JPEG_START)
    while position + 10 <= len(frame):
        prefix, marker = frame[position], frame[position + 1]
        # Decoders differ in how they skip bytes between markers.
        if prefix != 0xFF or marker == 0:
            return None
        if marker == 0xFF:
            position += 1
        elif marker in LONE_MARKERS:
            position += 2
        elif marker in FRAME_MARKERS:
            height, width, colours = struct.unpack(">2HB", frame[position + 5 : position + 10])
            return height, width, colours
        else:
            position += 2 + int.from_bytes(frame[position + 2 : position + 4], "big")
    return None
