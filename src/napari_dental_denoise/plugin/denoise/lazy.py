"""Stack whose images are denoised on demand and cached."""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.inference import Engine, residual_steps
from napari_dental_denoise.pixels import PixelEncoding, Planes, Unit
from napari_dental_denoise.plugin.shared import stack_of
from napari_dental_denoise.progress import finish

if TYPE_CHECKING:
    from dask.array import Array

# With their float32 residuals, 8 images of 2900x1300 pixels take 150 MB in 8 bit and 180 MB in 16 bit.
MAX_CACHED = 8


class Residuals:
    """Residuals of images, estimated on demand."""

    def __init__(self, noisy: Planes, engine: Engine, encoding: PixelEncoding) -> None:
        self._noisy, self._engine, self._encoding = noisy, engine, encoding
        self._cache: OrderedDict[int, tuple[NDArray[np.generic], Unit]] = OrderedDict()
        self._lock = threading.Lock()
        self._told: set[str] = set()

    def denoised(self, index: int, strength: float) -> NDArray[np.generic]:
        """Return one denoised image."""
        stored, residual = self._get(index)
        return self._encoding.subtract(stored, residual, strength)

    def _get(self, index: int) -> tuple[NDArray[np.generic], Unit]:
        # One at a time, because each uses all processors and two threads may ask for the same image.
        with self._lock:
            if index not in self._cache:
                stored = self._noisy[index]
                self._cache[index] = stored, finish(residual_steps(stored, self._engine, encoding=self._encoding))
            self._cache.move_to_end(index)
            while len(self._cache) > MAX_CACHED:
                self._cache.popitem(last=False)
            return self._cache[index]

    def stack(self, strength: float) -> Array:
        """Return all images at one strength as a lazy stack."""
        return stack_of(partial(self.denoised, strength=strength), self._noisy.shape, self._noisy.dtype, self._told)
