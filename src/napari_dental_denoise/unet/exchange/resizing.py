"""Up-sampling by any interpolation, of convolutions that every converter knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.unet import keras

Weights = NDArray[np.float64]


def _box(distance: Weights) -> Weights:
    return (distance < 0.5).astype(float)


def _triangle(distance: Weights) -> Weights:
    return np.maximum(1 - distance, 0)


def _cubic(distance: Weights) -> Weights:
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    return np.where(distance < 1, near, np.where(distance < 2, far, 0))


def _lanczos(distance: Weights, lobes: int) -> Weights:
    return np.where(distance < lobes, np.sinc(distance) * np.sinc(distance / lobes), 0)


# How far a source pixel reaches, and its weight by the distance, as TensorFlow has them (R. Keys, "Cubic convolution
# interpolation for digital image processing", doi 10.1109/TASSP.1981.1163711, with -1/2).
KERNELS: Mapping[str, tuple[int, Callable[[Weights], Weights]]] = MappingProxyType(
    {
        "area": (0, _box),
        "bilinear": (1, _triangle),
        "bicubic": (2, _cubic),
        "lanczos3": (3, partial(_lanczos, lobes=3)),
        "lanczos5": (5, partial(_lanczos, lobes=5)),
    }
)


class FreeUpSampling(keras.layers.UpSampling2D):
    """Up-sampling with interpolation for images of any size, where Keras's own layer needs to know the size."""

    def call(self, inputs: Any) -> Any:
        """Resize the images (N, H, W, C)."""
        images = inputs
        for axis, factor in enumerate(self.size, start=1):
            images = _resized(images, axis, factor, *KERNELS[self.interpolation])
        return images


def _resized(images: Any, axis: int, factor: int, reach: int, kernel: Callable[[Weights], Weights]) -> Any:
    """Resize one axis: each of `factor` positions in a pixel is a weighted mean of the pixels around it."""
    taps = np.arange(-reach, reach + 1)
    ones = keras.ops.ones_like(images)
    positions = []
    for position in range(factor):
        offset = (position + 0.5) / factor - 0.5
        weights = kernel(np.abs(taps - offset)).astype(np.float32)
        shape = (len(taps), 1, 1, 1) if axis == 1 else (1, len(taps), 1, 1)
        filters = np.tile(weights.reshape(shape), (1, 1, images.shape[-1], 1))
        # Pixels beyond the border have no weight.
        sums = [keras.ops.depthwise_conv(part, filters, padding="same") for part in (images, ones)]
        positions.append(sums[0] / sums[1])
    sides = list(keras.ops.shape(images))
    sides[axis] = sides[axis] * factor
    return keras.ops.reshape(keras.ops.stack(positions, axis=axis + 1), sides)


def with_free_up_sampling(model: keras.Model) -> keras.Model:
    """Return a model whose up-sampling with interpolation takes images of any size, to be exported."""
    if not any(_interpolates(layer) for layer in model._flatten_layers()):  # noqa: SLF001 (of nested networks, too)
        return model
    copy = keras.models.clone_model(
        model,
        clone_function=lambda layer: FreeUpSampling.from_config(layer.get_config()) if _interpolates(layer) else layer,
        recursive=True,
    )
    copy.set_weights(model.get_weights())
    return copy


def _interpolates(layer: keras.layers.Layer) -> bool:
    return isinstance(layer, keras.layers.UpSampling2D) and layer.interpolation in KERNELS
