"""The size that a compressed frame claims, read before a decoder takes the memory for it."""

from __future__ import annotations

import struct

JPEG_START, J2K_START = b"\xff\xd8", b"\xff\x4f\xff\x51"
JP2_SIGNATURE, JP2_CODESTREAM = b"\x00\x00\x00\x0cjP  ", b"jp2c"
# Start of frame: baseline, extended, lossless and so on, and that of JPEG-LS; not tables nor arithmetic conditions.
FRAME_MARKERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}


def claimed_size(frame: bytes) -> tuple[int, int] | None:
    """Height and width in the header of a JPEG, JPEG-LS or JPEG 2000 codestream.

    Parameters
    ----------
    frame : bytes

    Returns
    -------
    (height, width) or None
        None where there is no such header.
    """
    if frame.startswith(JP2_SIGNATURE):
        frame = frame[max(frame.find(JP2_CODESTREAM), 0) + len(JP2_CODESTREAM) :]
    if frame.startswith(J2K_START):
        return _j2k_size(frame)
    return _jpeg_size(frame) if frame.startswith(JPEG_START) else None


def _j2k_size(frame: bytes) -> tuple[int, int] | None:
    if len(frame) < 24:
        return None
    right, bottom, left, top = struct.unpack(">4I", frame[8:24])
    return bottom - top, right - left


def _jpeg_size(frame: bytes) -> tuple[int, int] | None:
    position = len(JPEG_START)
    while position + 9 <= len(frame):
        if frame[position] != 0xFF:
            return None
        marker = frame[position + 1]
        if marker == 0xFF:
            position += 1
        elif marker in FRAME_MARKERS:
            height, width = struct.unpack(">2H", frame[position + 5 : position + 9])
            return height, width
        else:
            position += 2 + int.from_bytes(frame[position + 2 : position + 4], "big")
    return None
