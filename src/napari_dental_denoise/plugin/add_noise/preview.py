"""The image on view with noise, computed in a thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.plugin.add_noise.recipe import Recipe
from napari_dental_denoise.plugin.shared import LayerImages, abandon, start_worker

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.qt.threading import GeneratorWorker


class NoisyImage:
    """Computes one noisy image at a time in a thread, and keeps the last one.

    The noise of a part alone would differ from that of the whole image, which will be added. `ready` is called when an
    image has been computed and should ask for the image that is needed by then; `failed` gets the error.
    """

    def __init__(self, ready: Callable[[], Any], failed: Callable[[Exception], Any]) -> None:
        self._ready, self._failed = ready, failed
        self._worker: GeneratorWorker | None = None
        self._request: tuple[Recipe, int, Any] | None = None
        self._noisy: NDArray[np.generic] | None = None

    def get(self, recipe: Recipe, layer: Image, index: int) -> NDArray[np.generic] | None:
        """Return one image of a layer with noise; None until `ready` is called."""
        data = layer.data
        if self._worker is not None:
            return None
        last = self._request
        if self._noisy is not None and last is not None and last[:2] == (recipe, index) and last[2] is data:
            return self._noisy
        self._request, self._noisy, images = (recipe, index, data), None, LayerImages(layer)
        self._worker = start_worker(lambda: recipe.add_to_one(images, index), returned=self._keep, failed=self._fail)
        return None

    def _keep(self, noisy: NDArray[np.generic]) -> None:
        self._worker, self._noisy = None, noisy
        self._ready()

    def _fail(self, error: Exception) -> None:
        self._worker = None
        self._failed(error)

    def clear(self) -> None:
        """Stop, and discard the image."""
        if self._worker is not None:
            abandon(self._worker)
        self._worker = self._request = self._noisy = None
