"""Raw pixels (.raw) whose size and type a MetaImage header beside them tells (.mhd), as ITK and ImageJ write it.

Either file stands for both.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from napari_dental_denoise.config import RAW_TYPES
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.files import first_bytes, is_file, open_file, reading_errors, write_text
from napari_dental_denoise.images.readers.format import DAMAGED, Format, Pages, check_size, encoding_of
from napari_dental_denoise.pixels import ImageInfo, check_pixel_size, is_plausible

RAW_SUFFIX, HEADER_SUFFIX = ".raw", ".mhd"
MAX_HEADER_BYTES = 2**16
NAMES = ("UCHAR", "CHAR", "USHORT", "SHORT", "UINT", "INT", "FLOAT", "DOUBLE")
TYPES = {f"MET_{name}": dtype for name, dtype in zip(NAMES, RAW_TYPES, strict=True)}
EXPECTED = "expected NDims 2 or 3, DimSize and an ElementType of 8 to 32 bit or floating"


class RawLayout(NamedTuple):
    """Layout of raw files, as told by the user: images of one size, one after the other."""

    # (height, width).
    shape: tuple[int, int]
    # One of `RAW_TYPES`.
    dtype: str
    big_endian: bool = False
    # Bytes before the pixels.
    skip: int = 0
    # (step between images, height, width) of a pixel in mm.
    spacing: tuple[float, float, float] | None = None


def write_raw_header(path: Path, layout: RawLayout, *, overwrite: bool) -> Path:
    """Write the header of a raw file and return its path; raise InputError if the file holds no whole images."""
    with open_file(path) as file:
        length = file.seek(0, 2) - layout.skip
    height, width = layout.shape
    size = height * width * np.dtype(layout.dtype).itemsize
    if length < size or length % size:
        raise ImageReadError(
            path, f"has {length} bytes of pixels; images of {height}x{width} {layout.dtype} need multiples of {size}"
        )
    check_pixel_size(layout.spacing)
    sides = (length // size, height, width)[length == size :]
    # The order is that of the format, with the name of the file at the end.
    lines = {
        "ObjectType": "Image",
        "NDims": len(sides),
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": layout.big_endian,
        "HeaderSize": layout.skip,
        "ElementSpacing": _joined((layout.spacing or (1, 1, 1))[-len(sides) :]),
        "DimSize": _joined(sides),
        "ElementType": next(name for name, dtype in TYPES.items() if dtype == layout.dtype),
        "ElementDataFile": path.name,
    }
    if layout.spacing is None:
        del lines["ElementSpacing"]
    header = _header_of(path)
    write_text(header, "".join(f"{name} = {value}\n" for name, value in lines.items()), overwrite=overwrite)
    return header


def _joined(sides: Sequence[float]) -> str:
    """Return sides, width first."""
    return " ".join(f"{side:.10g}" for side in reversed(sides))


class Layout(NamedTuple):
    """Layout of the pixels in the file."""

    shape: tuple[int, int, int]
    stored: np.dtype[np.generic]
    start: int
    # (step between images, height, width) in mm, as far as they are known.
    spacing: tuple[float | None, float | None, float | None]


def _header_of(path: Path) -> Path:
    return path.with_suffix(HEADER_SUFFIX)


def _is_raw(path: Path, _start: bytes) -> bool:
    partners = {RAW_SUFFIX: HEADER_SUFFIX, HEADER_SUFFIX: RAW_SUFFIX}
    suffix = path.suffix.lower()
    return suffix in partners and is_file(path.with_suffix(partners[suffix]))


@contextmanager
def _pixels(path: Path, file: BinaryIO) -> Iterator[BinaryIO]:
    """Give the open file itself or, where it is the header, the one with the pixels."""
    if path.suffix.lower() == RAW_SUFFIX:
        yield file
    else:
        with open_file(path.with_suffix(RAW_SUFFIX)) as pixels:
            yield pixels


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


def _spacing(fields: Mapping[str, str]) -> tuple[float | None, float | None, float | None]:
    sides = [float(side) for side in fields.get("ElementSpacing", fields.get("ElementSize", "")).split()]
    width, height, step = [side if is_plausible(side) else None for side in (*sides, *[0.0] * 3)[:3]]
    return step, height, width


def _info(path: Path, layout: Layout) -> ImageInfo:
    kind, dtype = layout.stored.kind, layout.stored.newbyteorder("=")
    dtype = np.dtype(np.float32) if kind == "f" else dtype
    count, height, width = layout.shape
    step, row, column = layout.spacing
    size = None if row is None or column is None else (row, column)
    return ImageInfo(path, "raw", (height, width), dtype, count, encoding_of(dtype), size, step)


def _probe(path: Path, file: BinaryIO) -> ImageInfo:
    with _pixels(path, file) as pixels:
        return _info(path, _layout(path, pixels))


def _read(path: Path, file: BinaryIO, wanted: slice) -> tuple[ImageInfo, Pages]:
    with _pixels(path, file) as pixels, reading_errors(path, DAMAGED):
        layout = _layout(path, pixels)
        info = _info(path, layout)
        pages = np.memmap(pixels, layout.stored, "r", layout.start, layout.shape)
        return info, np.array(pages[wanted], info.dtype)


RAW = Format(_is_raw, _probe, _read)
