"""Images that stay in their files until they are used, for sets that do not fit into memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_dental_denoise.images.radiograph import read_pages


class ImageCache:
    """Keeps the pixels of the files that were used last.

    Parameters
    ----------
    limit : float
        Number of bytes of pixels to keep.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._kept: OrderedDict[Path, NDArray[np.generic]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def read(self, path: Path) -> NDArray[np.generic]:
        """Return the images of a file (N, H, W)."""
        with self._lock:
            if path in self._kept:
                self._kept.move_to_end(path)
                return self._kept[path]
        pages = read_pages(path)
        with self._lock:
            if path not in self._kept:
                self._kept[path] = pages
                self._bytes += pages.nbytes
            while self._bytes > self._limit and len(self._kept) > 1:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= oldest.nbytes
        return pages


class FileImage:
    """One image in its file, which can be used like an array.

    Parameters
    ----------
    path : Path
    page : int
    rows : slice
        Rows of the page to use.
    image : (H, W) array
        Those rows, from which shape, type and range are noted.
    cache : ImageCache
    """

    ndim = 2

    def __init__(self, path: Path, page: int, rows: slice, image: NDArray[Any], cache: ImageCache) -> None:
        self._path, self._page, self._rows, self._cache = path, page, rows, cache
        self.shape, self.dtype = image.shape, image.dtype
        self._ends = image.min(), image.max()

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:  # noqa: FBT001 (numpy's)
        """Return the whole image."""
        image = self._cache.read(self._path)[self._page, self._rows]
        return np.array(image, dtype) if copy else np.asarray(image, dtype)

    def __getitem__(self, window: Any) -> NDArray[Any]:
        """Return a part of the image."""
        return np.asarray(self)[window]

    def min(self, initial: float | None = None) -> Any:
        """Return the smallest value, without reading the file."""
        return self._ends[0] if initial is None else min(self._ends[0], initial)

    def max(self, initial: float | None = None) -> Any:
        """Return the largest value, without reading the file."""
        return self._ends[1] if initial is None else max(self._ends[1], initial)
