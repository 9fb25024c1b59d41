"""A stack of which an image is denoised when it is looked at, and kept for a while."""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.inference import Engine, finish, residual_steps
from napari_dental_denoise.pixels import PixelEncoding, Unit
from napari_dental_denoise.plugin.files import stack_of

if TYPE_CHECKING:
    from dask.array import Array

# With their float32 residuals, of 2900x1300 pixels: 150 MB of 8 bit, 180 MB of 16 bit.
KEPT_IMAGES = 8


def subtract(
    stored: NDArray[np.generic], residual: Unit, encoding: PixelEncoding, strength: float
) -> NDArray[np.generic]:
    """Return an image less a share of its residual, which is on [0, 1]."""
    return encoding.apply(lambda unit: unit - np.float32(strength) * residual, stored)


class Residuals:
    """The noise that a model sees in the images of a stack, found when it is asked for.

    Parameters
    ----------
    noisy : (N, H, W) array of numpy or dask
    engine : Engine
    encoding : PixelEncoding
    """

    def __init__(self, noisy: Any, engine: Engine, encoding: PixelEncoding) -> None:
        self._noisy, self._engine, self._encoding = noisy, engine, encoding
        self._kept: OrderedDict[int, tuple[NDArray[np.generic], Unit]] = OrderedDict()
        self._lock = threading.Lock()

    def denoised(self, index: int, strength: float) -> NDArray[np.generic]:
        """One image at one strength."""
        stored, residual = self._look(index)
        return subtract(stored, residual, self._encoding, strength)

    def _look(self, index: int) -> tuple[NDArray[np.generic], Unit]:
        # One at a time: each takes all processors, and two may ask for the same image.
        with self._lock:
            if index not in self._kept:
                stored = np.asarray(self._noisy[index])
                self._kept[index] = stored, finish(residual_steps(self._encoding.to_unit(stored), self._engine))
            self._kept.move_to_end(index)
            while len(self._kept) > KEPT_IMAGES:
                self._kept.popitem(last=False)
            return self._kept[index]

    def stack(self, strength: float) -> Array:
        """All images at one strength, each worked out when it is looked at."""
        return stack_of(partial(self.denoised, strength=strength), self._noisy.shape, self._noisy.dtype)
