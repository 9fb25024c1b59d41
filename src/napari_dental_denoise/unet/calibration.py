"""Calibration of the error map of a network with validation images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from napari_dental_denoise.models import Draw, calibrate, describe_noise
from napari_dental_denoise.noise import hidden_by_clipping
from napari_dental_denoise.pixels import PLAIN, Unit, up_to_multiples
from napari_dental_denoise.training import Dataset, random_window

# Windows of validation images, with new noise each.
DRAWS, SIDE = 96, 192
# Below this, an expected squared error is one of rounding.
SMALLEST_ERROR = np.float32(1e-8)


def calibrated(
    denoise: Callable[[Unit], tuple[Unit, Unit]], dataset: Dataset, multiple: int, seed: int
) -> dict[str, Any]:
    """Return the calibration of an error map; an empty one if there is no clean image to compare with.

    `denoise` maps a batch (N, H, W, 1) to the denoised one and its expected squared errors.
    """
    return {} if dataset.reference == "noisy" else calibrate(list(_draws(denoise, dataset, multiple, seed)))


def _draws(denoise: Callable[[Unit], tuple[Unit, Unit]], dataset: Dataset, multiple: int, seed: int) -> Iterator[Draw]:
    for number in range(DRAWS):
        rng = np.random.default_rng([seed, number])
        index = number % len(dataset.shapes)
        pair = dataset.patch(index, random_window(dataset.shapes[index], SIDE, rng), rng)
        # As for an image that is denoised.
        encoding = PLAIN.fit(pair.noisy)
        noisy, clean = (up_to_multiples(encoding.normalise(image), multiple) for image in pair[:2])
        denoised, squared = (part[0, ..., 0] for part in denoise(noisy[np.newaxis, ..., np.newaxis]))
        noise = noisy - denoised
        noise -= hidden_by_clipping(noisy, noise)
        ratios = np.abs(noisy - noise - clean) / np.sqrt(np.maximum(squared, SMALLEST_ERROR))
        yield Draw(*describe_noise(noise), ratios.astype(np.float32, copy=False))
