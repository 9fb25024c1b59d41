"""Stacks of which an image is only read, or worked out, when it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.dicom import is_dicom
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.images import read_image, read_radiograph

if TYPE_CHECKING:
    from dask.array import Array


def lazy_stack(paths: Sequence[Path], shape: tuple[int, int], dtype: np.dtype[np.generic]) -> Array:
    """A stack of files of equal size and type, each read when it is asked for.

    Parameters
    ----------
    paths : sequence of Path
    shape : (height, width)
    dtype : numpy.dtype

    Returns
    -------
    (N, H, W) dask array, one chunk for each file
    """
    return stack_of(Frames(tuple(paths), shape, dtype), (len(paths), *shape), dtype)


def stack_of(
    frame: Callable[[int], NDArray[np.generic]], shape: tuple[int, int, int], dtype: np.dtype[np.generic]
) -> Array:
    """A stack of which each image is made when it is asked for.

    Parameters
    ----------
    frame : callable
        From the index of an image to the image (H, W).
    shape : (N, H, W)
    dtype : numpy.dtype

    Returns
    -------
    (N, H, W) dask array, one chunk for each image
    """
    import dask.array as da

    def block(index: NDArray[np.integer[Any]]) -> NDArray[np.generic]:
        return frame(int(index[0]))[np.newaxis]

    count, height, width = shape
    return da.map_blocks(
        block,
        da.arange(count, chunks=1),
        # A name of its own each time: napari keeps frames by name, and what they are made of may have changed.
        name=f"radiographs-{uuid4().hex}",
        dtype=dtype,
        chunks=((1,) * count, (height,), (width,)),
        new_axis=(1, 2),
        meta=np.empty((0, 0, 0), dtype),
    )


class Frames:
    """Reads frames of a stack; one that cannot be read is black, and its file is named once.

    Parameters
    ----------
    paths : tuple of Path
    shape : (height, width)
    dtype : numpy.dtype
    """

    def __init__(self, paths: tuple[Path, ...], shape: tuple[int, int], dtype: np.dtype[np.generic]) -> None:
        self._paths = paths
        self._shape = shape
        self._dtype = dtype
        self._named: set[Path] = set()

    def __call__(self, index: int) -> NDArray[np.generic]:
        """The frame of that index."""
        path = self._paths[index]
        try:
            return self._read(path)
        except ImageReadError as error:
            self._name(path, error)
            return np.zeros(self._shape, self._dtype)

    def _read(self, path: Path) -> NDArray[np.generic]:
        image = read_radiograph(path).pixels if is_dicom(path) else read_image(path)
        if (image.shape, image.dtype) != (self._shape, self._dtype):
            raise ImageReadError(
                path, f"is {image.shape} {image.dtype}, the stack {self._shape} {self._dtype}: open the folder again"
            )
        return image

    def _name(self, path: Path, error: ImageReadError) -> None:
        if path in self._named:
            return
        self._named.add(path)
        from napari.utils.notifications import show_warning

        show_warning(f"Shown black: {error}")
