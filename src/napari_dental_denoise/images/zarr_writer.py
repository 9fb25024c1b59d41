"""Write images and stacks as OME-Zarr 0.5, with the sizes and units of their axes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_dental_denoise.errors import InputError, needed_for
from napari_dental_denoise.files import atomic_folder, is_file, is_name
from napari_dental_denoise.images.writer import as_stored
from napari_dental_denoise.pixels import Planes, check_pixel_size

METADATA = ("zarr.json", ".zattrs", ".zgroup", ".zarray")


def write_ome_zarr(path: Path, stack: Any, sizes_mm: Sequence[float | None], *, overwrite: bool = False) -> None:
    """Write an image (H, W) or a stack (N, H, W) of NumPy or dask, one image at a time.

    Pixels are of 8 to 32 bit or floating, which become float32. `sizes_mm` are the sizes of an element along each axis,
    None where one is not known; images without a step between them are no volume. Raises InputError if the library
    zarr is missing, or the folder exists and `overwrite` is false or it holds something else.
    """
    images = Planes(stack)
    if len(images.shape) > 3:
        raise InputError(f"{path.name}: expected an image (H, W) or a stack (N, H, W); received shape {images.shape}")
    check_pixel_size([size for size in sizes_mm if size is not None])
    if is_name(path) and not any(is_file(path / name) for name in METADATA):
        raise InputError(f"{path.name} exists and is not a Zarr: choose another name")
    with needed_for(f"{path.name}, an OME-Zarr", "zarr"):
        import zarr
    dtype = np.dtype(np.float32) if images.dtype.kind == "f" else images.dtype.newbyteorder("=")
    axes = [_axis(name, size) for name, size in zip("zyx"[-len(sizes_mm) :], sizes_mm, strict=True)]
    scale = [1.0 if size is None else float(size) for size in sizes_mm]
    level = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": scale}]}
    image = {"name": path.name, "axes": axes, "datasets": [level]}
    with atomic_folder(path, overwrite=overwrite) as temporary:
        group = zarr.open_group(temporary, mode="w", attributes={"ome": {"version": "0.5", "multiscales": [image]}})
        array = group.create_array(
            "0",
            shape=images.shape,
            chunks=(1, *images.shape[-2:])[-len(images.shape) :],
            dtype=dtype,
            dimension_names=[axis["name"] for axis in axes],
        )
        for number, plane in enumerate(images):
            array[number if len(images.shape) > 2 else ...] = as_stored(path, plane)


def _axis(name: str, size_mm: float | None) -> dict[str, str]:
    if size_mm is not None:
        return {"name": name, "type": "space", "unit": "millimeter"}
    # A stack of other images has no axis of space.
    return {"name": "image"} if name == "z" else {"name": name, "type": "space"}
