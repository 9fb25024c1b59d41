"""Arrays of NumPy (.npy): an image (H, W), a stack (N, H, W), or a colour image (H, W, 3) of 8 bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.files import reading_errors
from napari_dental_denoise.images.readers.format import DAMAGED, Format, Pages, check_size, encoding_of
from napari_dental_denoise.images.readers.grey import to_grey
from napari_dental_denoise.pixels import ImageInfo

START = b"\x93NUMPY"
CHANNELS = (3, 4)


def _opened(path: Path) -> NDArray[Any]:
    """Return an array (N, H, W) or (1, H, W, C) whose pixels are still in the file."""
    with reading_errors(path, DAMAGED):
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    kind, size = array.dtype.kind, array.dtype.itemsize
    if not (kind in "bf" or (kind in "ui" and size <= 4)):
        raise ImageReadError(path, f"holds {array.dtype} values; expected integers of 8 to 32 bit, or floating")
    is_colour = array.ndim == 3 and array.dtype == np.uint8 and array.shape[-1] in CHANNELS
    if array.ndim not in (2, 3):
        raise ImageReadError(path, f"holds an array of shape {array.shape}; expected (H, W) or (N, H, W)")
    pages = array[np.newaxis] if array.ndim == 2 or is_colour else array
    if len(pages) == 0:
        raise ImageReadError(path, f"holds an array of shape {array.shape}, without an image")
    check_size(path, *pages.shape[1:3])
    return pages


def _info(path: Path, pages: NDArray[Any]) -> ImageInfo:
    height, width = pages.shape[1:3]
    dtype = _read_type(pages.dtype)
    return ImageInfo(path, "NumPy", (height, width), dtype, len(pages), encoding_of(dtype))


def _read_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    if dtype.kind == "f":
        return np.dtype(np.float32)
    return np.dtype(np.uint8) if dtype.kind == "b" else dtype.newbyteorder("=")


def _probe(path: Path, _file: BinaryIO) -> ImageInfo:
    return _info(path, _opened(path))


def _read(path: Path, _file: BinaryIO, wanted: slice) -> tuple[ImageInfo, Pages]:
    pages = _opened(path)
    info = _info(path, pages)
    found = [to_grey(np.asarray(page)).astype(info.dtype) for page in pages[wanted]]
    # Of two values, the higher is white.
    return info, np.stack(found) * np.uint8(255) if pages.dtype == bool else np.stack(found)


NUMPY = Format(lambda _path, start: start.startswith(START), _probe, _read)
