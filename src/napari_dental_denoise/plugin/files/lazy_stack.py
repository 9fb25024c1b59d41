"""The frames of lazy stacks of files: each is read when it is displayed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.files import stat_or_none
from napari_dental_denoise.images import Frame, read_radiograph

# Time of the last change in ns, and size.
State = tuple[int, int] | None


class FileFrames:
    """Reader of the frames of a stack of files; raises ImageReadError if one is damaged, or its file has changed."""

    def __init__(self, frames: Sequence[Frame], shape: tuple[int, int], dtype: np.dtype[np.generic]) -> None:
        self._frames, self._shape, self._dtype = frames, shape, dtype
        self._states = {frame.image.path: file_state(frame.image.path) for frame in frames}

    def __call__(self, index: int) -> NDArray[np.generic]:
        """Return the frame at `index`."""
        frame = self._frames[index]
        info = frame.image
        if file_state(info.path) not in (self._states[info.path], None):
            raise ImageReadError(info.path, "has changed since it was opened: open it again")
        image = read_radiograph(info.path, pages=slice(frame.page, frame.page + 1)).pixels
        if (image.shape, image.dtype) != (self._shape, info.dtype):
            raise ImageReadError(
                info.path,
                f"is now {image.shape} {image.dtype}, but the stack is {self._shape} {info.dtype}: "
                "open the folder again",
            )
        return frame.convert(image)


def file_state(path: Path) -> State:
    """Return what changes when a file is replaced or written; None if it is gone."""
    status = stat_or_none(path)
    return None if status is None else (status.st_mtime_ns, status.st_size)
