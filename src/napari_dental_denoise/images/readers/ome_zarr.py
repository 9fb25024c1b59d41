"""OME-Zarr: an image or a stack in a folder (.zarr) with the sizes of its elements; the first of its resolutions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from napari_dental_denoise.config import LIMITS
from napari_dental_denoise.errors import ImageReadError, needed_for
from napari_dental_denoise.files import is_folder, reading_errors
from napari_dental_denoise.images.readers.format import DAMAGED, Format, Pages, check_size, encoding_of
from napari_dental_denoise.pixels import MM_PER_INCH, ImageInfo, is_plausible

ZARR_SUFFIX = ".zarr"
ZARR_NAME = "OME-Zarr"
NOT_UNDERSTOOD = "is not an OME-Zarr image, or is damaged"
# Units of length of the standard that radiographs have.
MM = {
    "millimeter": 1.0,
    "micrometer": 1e-3,
    "nanometer": 1e-6,
    "centimeter": 10.0,
    "meter": 1000.0,
    "inch": MM_PER_INCH,
}
DEPTH_AXIS = "z"


def is_zarr(path: Path, _start: bytes = b"") -> bool:
    """Return whether a path is a folder that is one image."""
    return path.suffix.lower() == ZARR_SUFFIX and is_folder(path)


def _opened(path: Path) -> tuple[Any, dict[str, float]]:
    """Return the array, which is read from the folder when it is indexed, and the sizes in mm along its named axes."""
    with needed_for(f"{path.name}, an OME-Zarr", "zarr"):
        import zarr
    with reading_errors(path, NOT_UNDERSTOOD):
        found = zarr.open(path, mode="r")
        if isinstance(found, zarr.Array):
            return found, {}
        attributes = dict(found.attrs)
        # Since version 0.5, under a name of their own.
        image = attributes.get("ome", attributes)["multiscales"][0]
        level = image["datasets"][0]
        array = found[level["path"]]
        if not isinstance(array, zarr.Array):
            raise ImageReadError(path, NOT_UNDERSTOOD)
        return array, _sizes_in_mm(image, level)


def _sizes_in_mm(image: Mapping[str, Any], level: Mapping[str, Any]) -> dict[str, float]:
    axes = [axis for axis in image.get("axes", ()) if isinstance(axis, dict)]
    sizes = [MM.get(axis.get("unit", ""), math.nan) for axis in axes]
    # That of the resolution, and one of all resolutions.
    for change in (*level.get("coordinateTransformations", ()), *image.get("coordinateTransformations", ())):
        if change["type"] == "scale":
            sizes = [size * float(side) for size, side in zip(sizes, change["scale"], strict=True)]
    named = {str(axis["name"]): size for axis, size in zip(axes, sizes, strict=True)}
    return {name: size for name, size in named.items() if is_plausible(size)}


def _pages(path: Path) -> tuple[Any, ImageInfo]:
    """Return the array and what it says of itself; raise ImageReadError unless it is one image or one stack."""
    array, sizes = _opened(path)
    shape, dtype = array.shape, array.dtype
    if not (dtype.kind in "bf" or (dtype.kind in "ui" and dtype.itemsize <= 4)):
        raise ImageReadError(path, f"holds {dtype} values; expected integers of 8 to 32 bit, or floating")
    if len(shape) < 2:
        raise ImageReadError(path, f"holds an array of shape {shape}; expected an image or one stack of images")
    if sum(side != 1 for side in shape[:-2]) > 1:
        raise ImageReadError(
            path,
            f"holds several stacks, as an array of shape {shape}; expected one: "
            "open it with napari's own reader and denoise that layer, or save one stack alone",
        )
    check_size(path, *shape[-2:])
    # A part of the array is unpacked whole.
    if 0 in shape or math.prod(array.chunks) * dtype.itemsize > LIMITS.stack_bytes:
        raise ImageReadError(path, DAMAGED)
    is_volume = len(shape) > 2 and shape[-3] > 1
    row, column = sizes.get("y"), sizes.get("x")
    read_type = np.dtype(np.float32) if dtype.kind == "f" else np.dtype(np.uint8) if dtype.kind == "b" else dtype
    read_type = read_type.newbyteorder("=")
    info = ImageInfo(
        path,
        ZARR_NAME,
        shape[-2:],
        read_type,
        math.prod(shape[:-2]),
        encoding_of(read_type),
        pixel_size=None if row is None or column is None else (row, column),
        step=sizes.get(DEPTH_AXIS) if is_volume else None,
    )
    return array, info


def _probe(path: Path, _file: BinaryIO) -> ImageInfo:
    return _pages(path)[1]


def _read(path: Path, _file: BinaryIO, wanted: slice) -> tuple[ImageInfo, Pages]:
    array, info = _pages(path)
    numbers = range(info.pages)[wanted]
    if len(numbers) * math.prod(info.shape) * info.dtype.itemsize > LIMITS.stack_bytes:
        raise ImageReadError(
            path, f"has {info.pages} images; at most {LIMITS.stack_bytes // 2**20} MiB are read at once"
        )
    # The axis of the images; those before and behind it have one element.
    axis = next((place for place, side in enumerate(array.shape[:-2]) if side != 1), 0)
    index = [slice(None)] * array.ndim
    if array.ndim > 2:
        index[axis] = slice(numbers.start, numbers.stop)
    with reading_errors(path, DAMAGED):
        pixels = np.asarray(array[tuple(index)]).reshape(-1, *info.shape).astype(info.dtype)
    # Of two values, the higher is white.
    return info, pixels * np.uint8(255) if array.dtype == bool else pixels


ZARR = Format(is_zarr, _probe, _read)
