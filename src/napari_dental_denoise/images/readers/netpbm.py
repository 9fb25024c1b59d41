"""PBM, PGM and PPM, binary and as text, and PFM of floating values."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from napari_dental_denoise.config import GREY_LEVELS
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.files import reading_errors
from napari_dental_denoise.images.readers.format import DAMAGED, Format, Pages, check_size
from napari_dental_denoise.images.readers.grey import Pixels, scaled, to_grey
from napari_dental_denoise.pixels import ImageInfo

START = re.compile(rb"P[1-6fF](?:\s|#)")
SPACE = rb"(?:\s|#[^\n]*\n)+"
COMMENT = re.compile(rb"#[^\n]*")
NUMBER = rb"(\d+)"
BILEVEL = re.compile(rb"P([14])" + SPACE + NUMBER + SPACE + NUMBER + rb"\s")
WHOLE = re.compile(rb"P([2356])" + SPACE + NUMBER + SPACE + NUMBER + SPACE + NUMBER + rb"\s")
# A negative scale stands for little-endian.
FLOATING = re.compile(rb"P([fF])\s+" + NUMBER + rb"\s+" + NUMBER + rb"\s+(-?)[\d.eE+-]+\s")
COLOURS = (b"3", b"6", b"F")
MAX_WHITE = 2**16 - 1


class Header(NamedTuple):
    """Header of a file; the pixels begin at `start`."""

    kind: bytes
    height: int
    width: int
    white: int
    is_little_endian: bool
    start: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Height, width and, of colours, their number."""
        return (self.height, self.width, 3) if self.kind in COLOURS else (self.height, self.width)

    @property
    def binary_size(self) -> int:
        """The number of bytes that the pixels need, at least 0 where they are text."""
        if self.kind == b"4":
            return self.height * -(-self.width // 8)
        sizes = {b"5": 1, b"6": 1, b"f": 4, b"F": 4}
        return math.prod(self.shape) * sizes.get(self.kind, 0) * (2 if self.white > GREY_LEVELS else 1)

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """The type of the grey values."""
        if self.kind in b"fF":
            return np.dtype(np.float32)
        return np.dtype(np.uint8 if self.white <= GREY_LEVELS else np.uint16)


def _header(path: Path, data: bytes) -> Header:
    found = BILEVEL.match(data) or WHOLE.match(data) or FLOATING.match(data)
    if found is None:
        raise ImageReadError(path, DAMAGED)
    width, height = (int(side) for side in found.group(2, 3))
    check_size(path, height, width)
    last = found[4] if len(found.groups()) > 3 else b"1"
    white = int(last) if last.isdigit() else 1
    if not 1 <= white <= MAX_WHITE:
        raise ImageReadError(path, f"says that white is {white}; expected 1 to {MAX_WHITE}")
    header = Header(found[1], height, width, white, last == b"-", found.end())
    if len(data) < header.start + header.binary_size:
        raise ImageReadError(path, DAMAGED)
    return header


def _info(path: Path, header: Header) -> ImageInfo:
    return ImageInfo(path, "PNM", (header.height, header.width), header.dtype)


def _probe(path: Path, file: BinaryIO) -> ImageInfo:
    return _info(path, _header(path, file.read()))


def _read(path: Path, file: BinaryIO, _wanted: slice) -> tuple[ImageInfo, Pages]:
    data = file.read()
    header = _header(path, data)
    with reading_errors(path, DAMAGED):
        return _info(path, header), np.ascontiguousarray(to_grey(_pixels(header, data[header.start :])))[None]


def _pixels(header: Header, data: bytes) -> Pixels:
    shape, count = header.shape, math.prod(header.shape)
    if header.kind in b"fF":
        values = np.frombuffer(data, "<f4" if header.is_little_endian else ">f4", count).astype(np.float32)
        return values.reshape(shape)[::-1]
    if header.kind in b"14":
        return _bilevel(header, data)
    if header.kind in b"23":
        stored = np.fromstring(COMMENT.sub(b"", data), np.int64, sep=" ")[:count]
    else:
        stored = np.frombuffer(data, ">u2" if header.white > GREY_LEVELS else "u1", count)
    # Beyond the white that it names, a file is white.
    values = np.minimum(stored.reshape(shape), header.white)
    return scaled(values, header.white) if header.white <= GREY_LEVELS else values.astype(header.dtype)


def _bilevel(header: Header, data: bytes) -> Pixels:
    """Return black and white of bits, where 1 is black."""
    if header.kind == b"1":
        digits = COMMENT.sub(b"", data).translate(None, b" \t\r\n\v\f")[: header.height * header.width]
        ink = np.frombuffer(digits, np.uint8).reshape(header.height, header.width) == ord("1")
    else:
        packed = np.frombuffer(data, np.uint8, header.height * -(-header.width // 8))
        ink = np.unpackbits(packed.reshape(header.height, -1), axis=1, count=header.width) == 1
    return np.where(ink, np.uint8(0), np.uint8(GREY_LEVELS))


NETPBM = Format(lambda _path, start: START.match(start) is not None, _probe, _read)
