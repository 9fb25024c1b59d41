"""Run Keras models in memory, as a notebook has them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.unet import keras
from napari_dental_denoise.unet.exchange.conversion import measured


class KerasModelEngine:
    """Engine of a Keras model in memory, with the weights that it has at the time; see `measured`."""

    def __init__(self, model: keras.Model) -> None:
        self._model, self.card = measured(model, model.name)

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the network's output for a (N, H, W, 1) float32 batch; see `Engine`."""
        return np.asarray(self._model(batch))

    def with_error(self, _batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Raise InputError: its card has no calibration."""
        raise InputError(f"{self._model.name}: this model has no error map, as no Keras model in memory has")
