"""The element of a DICOM file that holds the pixels: where it lies, and its frames, read one by one."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO, NamedTuple

from napari_dental_denoise.dicom.codestream import Codestream, codestream

KEYWORDS = {0x0010: "PixelData", 0x0008: "FloatPixelData", 0x0009: "DoubleFloatPixelData"}
PIXEL_GROUP = 0x7FE0
LONG_VRS = (b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"UN")
UNDEFINED = 0xFFFFFFFF
ITEM = b"\xfe\xff\x00\xe0"
# Holds the header of a frame behind its metadata, such as a colour profile.
HEADER_BYTES = 2**20
CODESTREAM_END = b"\xff\xd9"
MAX_ITEMS = 2**20
# A codestream ends within so many bytes of its last fragment, which may be padded.
TAIL = 10


class Span(NamedTuple):
    """A part of the value."""

    start: int
    length: int


@dataclass(frozen=True)
class PixelElement:
    """Pixels in an open file, where their value starts and how long it is; nothing of it is in memory."""

    keyword: str
    vr: str
    file: BinaryIO
    start: int
    length: int
    # Pixels in items, of compressed frames; the length then is that of the rest of the file.
    is_encapsulated: bool

    def read(self, start: int = 0, length: int | None = None) -> bytes:
        """Return bytes of the value, or as many as there are."""
        self.file.seek(self.start + start)
        available = max(0, self.length - start)
        return self.file.read(available if length is None else min(length, available))

    @cached_property
    def codestream(self) -> Codestream | None:
        """The header of the first frame, if it is compressed by JPEG, JPEG-LS or JPEG 2000."""
        first = self._items[1] if len(self._items) > 1 else Span(0, HEADER_BYTES)
        return codestream(self.read(first.start, min(first.length, HEADER_BYTES)))

    def frames(self, count: int) -> list[list[Span]]:
        """Return the places of the compressed frames, at most `count`: the fragments of each in the value."""
        _, *fragments = self._items or [Span(0, 0), Span(0, self.length)]
        if count == 1 or len(fragments) <= count:
            # One that is behind the first frame may still belong to it.
            return [fragments] if count == 1 and fragments else [[fragment] for fragment in fragments]
        return self._by_offsets(fragments, count) or self._by_ends(fragments)[:count]

    @cached_property
    def _items(self) -> list[Span]:
        """The items, of which the first is the table of offsets; whatever comes behind them is left alone."""
        items: list[Span] = []
        position = 0
        while self.is_encapsulated and position + 8 <= self.length and len(items) < MAX_ITEMS:
            head = self.read(position, 8)
            (length,) = struct.unpack("<L", head[4:])
            if not head.startswith(ITEM) or length == UNDEFINED:
                break
            items.append(Span(position + 8, length))
            position += 8 + length
        return items

    def _by_offsets(self, fragments: list[Span], count: int) -> list[list[Span]]:
        """Return the fragments of each frame by the table of offsets, or nothing if it has not one for each frame."""
        table = self._items[0]
        offsets = list(struct.unpack(f"<{table.length // 4}L", self.read(table.start, table.length // 4 * 4)))
        if len(offsets) != count or offsets != sorted(offsets):
            return []
        origin = fragments[0].start
        ends = [*offsets[1:], self.length]
        frames = [
            [fragment for fragment in fragments if low <= fragment.start - origin < high]
            for low, high in zip(offsets, ends, strict=True)
        ]
        return frames if all(frames) else []

    def _by_ends(self, fragments: list[Span]) -> list[list[Span]]:
        """Return the fragments of each frame, which ends where a codestream does."""
        frames: list[list[Span]] = [[]]
        for fragment in fragments:
            frames[-1].append(fragment)
            tail = min(fragment.length, TAIL)
            if CODESTREAM_END in self.read(fragment.start + fragment.length - tail, tail):
                frames.append([])
        return [frame for frame in frames if frame]


def find_element(file: BinaryIO) -> PixelElement | None:
    """Return the element with the pixels at the position of a file, or None if there is another one or none."""
    start = file.tell()
    head = file.read(12)
    if len(head) < 8:
        return None
    for order in "<>":
        group, element = struct.unpack(f"{order}2H", head[:4])
        if group != PIXEL_GROUP or element not in KEYWORDS:
            continue
        is_long = head[4:6] in LONG_VRS
        (length,) = struct.unpack(f"{order}L", head[8:12] if is_long else head[4:8])
        start += 12 if is_long else 8
        rest = file.seek(0, os.SEEK_END) - start
        file.seek(start)
        is_encapsulated = length == UNDEFINED or file.read(len(ITEM)) == ITEM
        vr = head[4:6].decode() if is_long and head[4:6] != b"UN" else "OW"
        return PixelElement(KEYWORDS[element], vr, file, start, min(length, rest), is_encapsulated)
    return None
