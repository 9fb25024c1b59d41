"""Raw pixels (.raw) whose size and type a MetaImage header beside them tells (.mhd), as ITK and ImageJ write it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.files import first_bytes, is_file, reading_errors
from napari_dental_denoise.images.readers.format import DAMAGED, Format, Pages, check_size, encoding_of
from napari_dental_denoise.pixels import ImageInfo, PixelSize, is_plausible

SUFFIX, HEADER_SUFFIX = ".raw", ".mhd"
MAX_HEADER_BYTES = 2**16
TYPES = {
    "MET_UCHAR": "u1",
    "MET_CHAR": "i1",
    "MET_USHORT": "u2",
    "MET_SHORT": "i2",
    "MET_UINT": "u4",
    "MET_INT": "i4",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
EXPECTED = "expected NDims 2 or 3, DimSize and an ElementType of 8 to 32 bit or floating"


class Layout(NamedTuple):
    """How the pixels lie in the file."""

    shape: tuple[int, int, int]
    stored: np.dtype[np.generic]
    start: int
    pixel_size: PixelSize | None


def _header_of(path: Path) -> Path:
    return path.with_suffix(HEADER_SUFFIX)


def _is_raw(path: Path, _start: bytes) -> bool:
    return path.suffix.lower() == SUFFIX and is_file(_header_of(path))


def _layout(path: Path, file: BinaryIO) -> Layout:
    header = _header_of(path)
    with reading_errors(path, f"has a header {header.name} that is not understood; {EXPECTED}"):
        text = first_bytes(header, MAX_HEADER_BYTES).decode()
        fields = {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in text.splitlines())}
        # Width first, and the number of images last.
        sides = [int(side) for side in reversed(fields["DimSize"].split())]
        height, width = sides[-2:]
        shape = math.prod(sides[:-2]), height, width
        is_big = any(fields.get(f"{name}ByteOrderMSB") == "True" for name in ("BinaryData", "Element"))
        stored = np.dtype(TYPES[fields["ElementType"]]).newbyteorder(">" if is_big else "<")
        size = math.prod(shape) * stored.itemsize
        start = int(fields.get("HeaderSize", 0))
        spacing = _spacing(fields)
    if fields.get("CompressedData") == "True" or fields.get("ElementNumberOfChannels", "1") != "1":
        raise ImageReadError(path, "holds compressed or colour pixels; expected plain grey ones")
    check_size(path, height, width)
    length = file.seek(0, 2)
    # By convention, -1 stands for pixels at the end.
    start = length - size if start < 0 else start
    if start < 0 or length < start + size or shape[0] < 1:
        raise ImageReadError(path, f"has {length} bytes; its header {header.name} needs {size}")
    return Layout(shape, stored, start, spacing)


def _spacing(fields: Mapping[str, str]) -> PixelSize | None:
    sides = [float(side) for side in fields.get("ElementSpacing", fields.get("ElementSize", "")).split()]
    if len(sides) < 2 or not all(is_plausible(side) for side in sides[:2]):
        return None
    return sides[1], sides[0]


def _info(path: Path, layout: Layout) -> ImageInfo:
    kind, dtype = layout.stored.kind, layout.stored.newbyteorder("=")
    dtype = np.dtype(np.float32) if kind == "f" else dtype
    count, height, width = layout.shape
    return ImageInfo(path, "raw", (height, width), dtype, count, encoding_of(dtype), layout.pixel_size)


def _probe(path: Path, file: BinaryIO) -> ImageInfo:
    return _info(path, _layout(path, file))


def _read(path: Path, file: BinaryIO, wanted: slice) -> tuple[ImageInfo, Pages]:
    layout = _layout(path, file)
    info = _info(path, layout)
    with reading_errors(path, DAMAGED):
        pages = np.memmap(file, layout.stored, "r", layout.start, layout.shape)
        return info, np.array(pages[wanted], info.dtype)


RAW = Format(_is_raw, _probe, _read)
