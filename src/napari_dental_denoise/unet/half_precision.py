"""Weights with as many significant bits as half precision has: they pack to half the size and denoise as well."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.unet.backend import keras

# Of the 23 bits behind the point of float32, half precision has 10.
DROPPED_BITS = 13
EXPONENT = np.uint32(0x7F800000)


def with_short_weights(model: keras.Model) -> keras.Model:
    """A copy of a model whose weights are rounded; the model itself is not changed.

    Parameters
    ----------
    model : keras.Model
    """
    copy = keras.models.clone_model(model)
    copy.set_weights([shortened(weights) for weights in model.get_weights()])
    return copy


def shortened(weights: NDArray[np.generic]) -> NDArray[np.generic]:
    """Round to 11 significant bits, half to even; the exponent keeps the range of float32.

    Parameters
    ----------
    weights : array of any shape
        Only float32 is rounded. What is not finite stays so, and nothing finite becomes infinite.

    Returns
    -------
    array of the same shape and type
    """
    if weights.dtype != np.float32:
        return weights
    bits = np.ascontiguousarray(weights).view(np.uint32)
    cut = np.uint32(2**32 - 2**DROPPED_BITS)
    odd = (bits >> np.uint32(DROPPED_BITS)) & np.uint32(1)
    rounded = (bits + (np.uint32(2 ** (DROPPED_BITS - 1) - 1) + odd)) & cut
    rounded = np.where(_is_finite(rounded), rounded, bits & cut)
    return np.where(_is_finite(bits), rounded, bits).view(np.float32).reshape(weights.shape)


def _is_finite(bits: NDArray[np.uint32]) -> NDArray[np.bool_]:
    return (bits & EXPONENT) != EXPONENT
