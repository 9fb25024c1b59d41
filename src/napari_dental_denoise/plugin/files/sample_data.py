"""Sample data: synthetic radiographs, clean and noisy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import GREY_LEVELS, NOISE, SIGMA, UNSEEN_SEED
from napari_dental_denoise.noise import add_gaussian_noise
from napari_dental_denoise.pixels import from_unit
from napari_dental_denoise.plugin.files.image_layers import LayerData
from napari_dental_denoise.synthesis import phantoms

STACK_SIZE = 5


def clean_radiograph() -> list[LayerData]:
    """Return a layer with a clean synthetic 8-bit radiograph."""
    return [_layer(_clean(1)[0], "clean radiograph")]


def noisy_radiograph() -> list[LayerData]:
    """Return a layer with the image of `clean_radiograph` and Gaussian noise of the default level."""
    return [_layer(_noisy(_clean(1))[0], "noisy radiograph")]


def noisy_stack() -> list[LayerData]:
    """Return a layer with five noisy synthetic radiographs, the first of which is `noisy_radiograph`."""
    return [_layer(_noisy(_clean(STACK_SIZE)), "noisy radiographs")]


def _clean(count: int) -> NDArray[np.generic]:
    return from_unit(np.stack(phantoms(count, rng=UNSEEN_SEED)), np.uint8, GREY_LEVELS)


def _noisy(clean: NDArray[np.generic]) -> NDArray[np.generic]:
    return np.stack([add_gaussian_noise(image, SIGMA.default, rng=NOISE.seed + n) for n, image in enumerate(clean)])


def _layer(data: NDArray[np.generic], name: str) -> LayerData:
    settings: dict[str, Any] = {
        "name": name,
        "rgb": False,
        "contrast_limits": (0, GREY_LEVELS),
        "axis_labels": ("image", "y", "x")[3 - data.ndim :],
    }
    return data, settings, "image"
