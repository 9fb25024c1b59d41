"""Headers of compressed frames, checked before a decoder allocates memory for their pixels."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

# For a frame without an installed decoder.
CURE = "pip install imagecodecs"
PNG_START = b"\x89PNG\r\n\x1a\n"
# Channels of grey and alpha, RGB, RGB and alpha; other types have one.
PNG_COLOURS = {4: 2, 2: 3, 6: 4}
JPEG_START, JPEG_END = b"\xff\xd8", b"\xff\xd9"
SCAN = 0xDA
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
    found = jpeg_frame(frame) if frame.startswith(JPEG_START) else None
    return None if found is None else (found.height, found.width, found.colours)


def is_whole(frame: bytes) -> bool:
    """Return whether a JPEG or JPEG-LS codestream has its end; True for others, whose decoders check it.

    JPEG decoders fill missing pixels with grey and report nothing.
    """
    if not frame.startswith(JPEG_START):
        return True
    # Not the last end: one may lie in a thumbnail, or behind the image. Within a scan there is none.
    return any(marker == SCAN and frame.find(JPEG_END, start) >= 0 for marker, start, _ in jpeg_segments(frame))


def jpeg_segments(frame: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and end of the content of each segment of a JPEG codestream, to its first scan."""
    position = len(JPEG_START)
    while position + 4 <= len(frame):
        prefix, marker = frame[position], frame[position + 1]
        # Decoders differ in how they skip bytes between markers.
        if prefix != 0xFF or marker == 0:
            return
        if marker == 0xFF:
            position += 1
        elif marker in LONE_MARKERS:
            position += 2
        else:
            end = position + 2 + int.from_bytes(frame[position + 2 : position + 4], "big")
            yield marker, position + 4, end
            if marker == SCAN:
                return
            position = end


class JpegFrame(NamedTuple):
    """The header of a frame: its process by its marker, bits of a value, height, width and number of colours."""

    marker: int
    bits: int
    height: int
    width: int
    colours: int


def jpeg_frame(frame: bytes) -> JpegFrame | None:
    """Return the header of the frame of a JPEG or JPEG-LS codestream, or None."""
    for marker, start, _ in jpeg_segments(frame):
        if marker in FRAME_MARKERS and start + 6 <= len(frame):
            return JpegFrame(marker, *struct.unpack(">B2HB", frame[start : start + 6]))
    return None


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
