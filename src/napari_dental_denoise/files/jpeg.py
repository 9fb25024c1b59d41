"""JPEG and JPEG-LS codestreams: their headers, and JPEG of 8 bits without pixels that a decoder made up."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from numpy.typing import NDArray

JPEG_START, JPEG_END = b"\xff\xd8", b"\xff\xd9"
SCAN, TABLES = 0xDA, 0xC4
# Start of frame of JPEG (baseline, extended, lossless ...) and JPEG-LS; not tables or arithmetic conditions.
FRAME_MARKERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
# Baseline, extended and progressive frames.
LOSSY = (0xC0, 0xC1, 0xC2)
# Markers without a length: temporary, restarts, start of image.
LONE_MARKERS = {0x01, *range(0xD0, 0xD9)}
END = 0xD9
# The next marker, as libjpeg finds it: whatever is before it, and bytes that fill, are skipped.
MARKER = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)
# Segments of metadata; those that tell the colours are kept.
METADATA = {*range(0xE1, 0xEE), 0xEF, 0xFE}
# Colour spaces of simplejpeg by the number of colours.
SPACES = {1: "GRAY", 3: "RGB", 4: "CMYK"}
# What libjpeg says of scans whose pixels are lost; it also warns of oddities that cost none.
LOST = ("Corrupt JPEG data", "Premature end of JPEG file")
EXTRANEOUS = re.compile(r"(\d+) extraneous bytes before marker 0xd9")
FILLING = b"\x00\xff"
# More zeros than the codes of any details have, and than the last bits of details that are known already: encoders
# gather up to 1000 of these.
HOLE, HOLE_IN_LAST_BITS = bytes(64), bytes(128)
# A marker behind coded data, but none of those between its parts.
AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
# Of a Huffman table: the bit of those of details, and the symbol for sixteen zeros.
DETAILS, SIXTEEN_ZEROS = 0x10, 0xF0


class JpegFrame(NamedTuple):
    """The header of a frame: its process by its marker, bits of a value, height, width and number of colours."""

    marker: int
    bits: int
    height: int
    width: int
    colours: int

    @property
    def is_usual(self) -> bool:
        """True if `decode_jpeg` reads this kind."""
        return self.marker in LOSSY and self.bits == 8 and self.colours in SPACES


def jpeg_segments(frame: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the marker, the start and the end of the content of each segment of a codestream, up to its first scan."""
    position = len(JPEG_START)
    while found := MARKER.search(frame, position):
        marker, position = found[1][0], found.end()
        if marker in LONE_MARKERS:
            continue
        start, end = position + 2, position + int.from_bytes(frame[position : position + 2], "big")
        if marker == END or end < start:
            return
        yield marker, start, end
        if marker == SCAN:
            return
        position = end


def jpeg_frame(frame: bytes) -> JpegFrame | None:
    """Return the header of the frame of a codestream, or None."""
    for marker, start, _ in jpeg_segments(frame):
        if marker in FRAME_MARKERS and start + 6 <= len(frame):
            return JpegFrame(marker, *struct.unpack(">B2HB", frame[start : start + 6]))
    return None


def has_end(frame: bytes) -> bool:
    """Return whether a codestream has a scan and its end."""
    # The first end behind the scan: another one may lie in a thumbnail, or behind the image.
    return any(marker == SCAN and frame.find(JPEG_END, start) >= 0 for marker, start, _ in jpeg_segments(frame))


def has_hole(frame: bytes) -> bool:
    """Return whether a run of zeros, as a lost part of a file leaves it, lies where its codes cannot mean flat areas.

    Decoders find other damage by the number of blocks, which agrees by chance after such a hole.
    """
    if HOLE not in frame:
        return False
    # By kind (0 of the mean of a block, 1 of its details) and number, what a code of zeros alone stands for.
    meanings: dict[int, int] = {}
    for marker, start, end in _all_segments(frame):
        if marker == TABLES:
            meanings |= _zero_meanings(frame[start:end])
        elif marker == SCAN and HOLE in frame[start:end] and _is_hole(frame, start, end, meanings):
            return True
    return False


def _all_segments(frame: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the segments of a codestream as `jpeg_segments`, those of all scans with their coded data."""
    position = 0
    while position < len(frame):
        # As if another stream began here.
        for marker, start, end in jpeg_segments(frame[position:]):
            if marker != SCAN:
                yield marker, position + start, position + end
                continue
            found = AFTER_SCAN.search(frame, position + start)
            last = len(frame) if found is None else found.start()
            yield marker, position + start, last
            position = last - len(JPEG_START)
            break
        else:
            return


def _zero_meanings(content: bytes) -> dict[int, int]:
    """Return the first symbol of each Huffman table, which is that of the code of zeros alone, by the table."""
    found: dict[int, int] = {}
    while len(content) > 17:
        found[content[0]] = content[17]
        content = content[17 + sum(content[1:17]) :]
    return found


def _is_hole(frame: bytes, start: int, end: int, meanings: dict[int, int]) -> bool:
    """Return whether zeros in a scan stand neither for blocks without details and of the same mean, nor for bits."""
    count = frame[start]
    first, last, refines = frame[start + 1 + 2 * count : start + 4 + 2 * count]
    # Bits of the means have no codes.
    if refines >> 4 and (first == 0 or HOLE_IN_LAST_BITS not in frame[start:end]):
        return False
    tables = [frame[start + 2 + 2 * number] for number in range(count)]
    means = [meanings.get(table >> 4, 0) for table in tables] if first == 0 else []
    details = [meanings.get(DETAILS | table & 0x0F, 0) for table in tables] if last else []
    # The end of a block has no bits of a value, and is no run of sixteen zeros.
    return any(means) or not all(symbol & 0x0F == 0 and symbol < SIXTEEN_ZEROS for symbol in details)


def is_whole(frame: bytes) -> bool:
    """Return whether a JPEG or JPEG-LS codestream has all its pixels; True for others, whose decoders check it.

    Most JPEG decoders fill missing and damaged pixels with grey and report nothing.
    """
    if not frame.startswith(JPEG_START):
        return True
    header = jpeg_frame(frame)
    if not has_end(frame) or header is None or not header.is_usual:
        return has_end(frame)
    try:
        decode_jpeg(frame)
    except ValueError as error:
        return not str(error).startswith(LOST)
    return True


def _without_metadata(stream: bytes) -> bytes:
    """Return a stream without metadata and without what lies between its segments: neither has to do with pixels."""
    parts = [JPEG_START]
    for marker, start, end in jpeg_segments(stream):
        if marker not in METADATA:
            parts += [bytes((0xFF, marker)), stream[start - 2 : None if marker == SCAN else end]]
    return b"".join(parts)


def decode_jpeg(stream: bytes) -> NDArray[Any]:
    """Return the pixels (H, W, C) of a usual JPEG stream as grey, as red, green and blue, or as four inks.

    Raises ValueError if a scan is damaged.
    """
    import imagecodecs
    import simplejpeg

    stream = _without_metadata(stream)
    header = jpeg_frame(stream)
    space = SPACES[1 if header is None else header.colours]
    if has_hole(stream):
        raise ValueError(f"{LOST[0]}: a run of zeros")
    try:
        return simplejpeg.decode_jpeg(stream, space, strict=True)
    except ValueError as error:
        if str(error).startswith(LOST) and not _is_filling(stream, str(error)):
            raise
    # This one has no strictness, and reads more kinds of streams.
    return imagecodecs.jpeg8_decode(stream)


def _is_filling(stream: bytes, warning: str) -> bool:
    """Return whether the warning is only of bytes that fill the space up to the end, as some devices write them."""
    found = EXTRANEOUS.search(warning)
    end = stream.rfind(JPEG_END)
    return found is not None and not stream[end - int(found[1]) : end].strip(FILLING)
