"""Lazy stacks: each image is read or computed when it is displayed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.images import Frame, read_radiograph

if TYPE_CHECKING:
    from dask.array import Array


def stack_of(
    frame: Callable[[int], NDArray[np.generic]], shape: tuple[int, int, int], dtype: np.dtype[np.generic]
) -> Array:
    """Return a lazy (N, H, W) dask array, one chunk for each image, whose images a function makes from their index."""
    import dask.array as da

    def block(index: NDArray[np.integer[Any]]) -> NDArray[np.generic]:
        return frame(int(index[0]))[np.newaxis]

    count, height, width = shape
    return da.map_blocks(
        block,
        da.arange(count, chunks=1),
        # Unique, as napari's cache of dask results works by name, and the files or the settings may have changed.
        name=f"radiographs-{uuid4().hex}",
        dtype=dtype,
        chunks=((1,) * count, (height,), (width,)),
        new_axis=(1, 2),
        meta=np.empty((0, 0, 0), dtype),
    )


class FileFrames:
    """Reader of the frames of a stack of files; an unreadable frame is black and reported once."""

    def __init__(self, frames: Sequence[Frame], shape: tuple[int, int], dtype: np.dtype[np.generic]) -> None:
        self._frames, self._shape, self._dtype = frames, shape, dtype
        self._reported: set[Path] = set()

    def __call__(self, index: int) -> NDArray[np.generic]:
        """Return the frame at `index`."""
        frame = self._frames[index]
        path = frame.image.path
        try:
            return self._read(frame)
        except ImageReadError as error:
            from napari.utils.notifications import show_warning

            if path not in self._reported:
                self._reported.add(path)
                show_warning(f"Displayed as black: {error}")
            return np.zeros(self._shape, self._dtype)

    def _read(self, frame: Frame) -> NDArray[np.generic]:
        info = frame.image
        image = read_radiograph(info.path, pages=slice(frame.page, frame.page + 1)).pixels
        if (image.shape, image.dtype) != (self._shape, info.dtype):
            raise ImageReadError(
                info.path,
                f"is now {image.shape} {image.dtype}, but the stack is {self._shape} {info.dtype}: "
                "open the folder again",
            )
        return frame.convert(image)
