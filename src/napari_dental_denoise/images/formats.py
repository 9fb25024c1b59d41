"""The registry of formats: recognise a file, and open it once to probe or read it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from napari_dental_denoise.dicom import DICOM_START, is_dicom, read_dicom, read_dicom_info
from napari_dental_denoise.files import first_bytes, open_file
from napari_dental_denoise.images.readers import (
    CODEC,
    JPEG,
    NETPBM,
    NUMPY,
    PICTURE,
    PNG,
    RAW,
    TIFF,
    UNKNOWN,
    ZARR,
    Format,
    Pages,
    is_zarr,
)
from napari_dental_denoise.pixels import ImageInfo

DICOM = Format(is_dicom, read_dicom_info, read_dicom)
# The first that matches reads a file; the last one refuses files of no known format.
FORMATS = (ZARR, DICOM, RAW, TIFF, PNG, JPEG, NETPBM, NUMPY, CODEC, PICTURE, UNKNOWN)


def format_of(path: Path) -> Format:
    """Return the format of a file by its first bytes; `UNKNOWN` also for files that are no image or cannot be read."""
    return _matching(path, first_bytes(path, DICOM_START))


def _matching(path: Path, start: bytes) -> Format:
    return next(entry for entry in FORMATS if entry.matches(path, start))


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Format, BinaryIO]]:
    # A folder is opened by its reader.
    with io.BytesIO() if is_zarr(path) else open_file(path) as file:
        start = file.read(DICOM_START)
        file.seek(0)
        yield _matching(path, start), file


def probe(path: str | Path) -> ImageInfo:
    """Read what an image file says of itself, without unpacking its pixels; the file is opened once.

    The format is recognised by the content, whatever the suffix. Raises ImageReadError if the file is missing,
    empty, damaged, too large or of an unknown format.
    """
    path = Path(path)
    with _opened(path) as (entry, file):
        return entry.probe(path, file)


def read_stored(path: Path, wanted: slice) -> tuple[ImageInfo, Pages]:
    """Read these pages of a file (N, H, W) as stored, and what it says of them; the file is opened once."""
    with _opened(path) as (entry, file):
        info, pages = entry.read(path, file, wanted)
    # The pixels are right where a header lies about its type.
    height, width = pages.shape[1:]
    return replace(info, shape=(height, width), dtype=pages.dtype), pages
