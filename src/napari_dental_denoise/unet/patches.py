"""Batches of random patches, drawn while the network learns from the batch before."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.unet.dataset import Dataset

Unit = NDArray[np.float32]
Batch = tuple[Unit, Unit]

SYMMETRIES = 8


def batches(dataset: Dataset, side: int, size: int, count: int, rng: np.random.Generator) -> Iterator[Batch]:
    """Draw `count` batches of `size` noisy and clean patches.

    Images are chosen by their area, windows at random, and turned and flipped in one of eight
    ways; an image smaller than a patch is mirrored at its border.

    Parameters
    ----------
    dataset : Dataset
    side : int
        Of a patch, in pixels.
    size : int
        Patches in one batch.
    count : int
        Batches.
    rng : numpy.random.Generator

    Yields
    ------
    noisy, clean : (size, side, side, 1) float32 arrays on [0, 1]
    """
    areas = np.array([height * width for height, width in dataset.shapes], np.float64)
    chances = areas / areas.sum()
    with ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(_draw_batch, dataset, side, size, chances, rng)
        for _ in range(count - 1):
            ready = coming.result()
            coming = ahead.submit(_draw_batch, dataset, side, size, chances, rng)
            yield ready
        yield coming.result()


def _draw_batch(dataset: Dataset, side: int, size: int, chances: Unit, rng: np.random.Generator) -> Batch:
    noisy = np.empty((size, side, side, 1), np.float32)
    clean = np.empty_like(noisy)
    for place, index in enumerate(rng.choice(len(chances), size, p=chances)):
        window = _random_window(dataset.shapes[index], side, rng)
        symmetry = int(rng.integers(SYMMETRIES))
        for target, patch in zip((noisy, clean), dataset.patch(int(index), window, rng), strict=True):
            target[place, :, :, 0] = _turn(_mirror_up(patch, side), symmetry)
    return noisy, clean


def _random_window(shape: tuple[int, int], side: int, rng: np.random.Generator) -> tuple[slice, slice]:
    rows, columns = (int(rng.integers(max(length - side, 0) + 1)) for length in shape)
    return slice(rows, rows + side), slice(columns, columns + side)


def _mirror_up(patch: Unit, side: int) -> Unit:
    below, right = (side - length for length in patch.shape)
    if below <= 0 and right <= 0:
        return patch
    return cv2.copyMakeBorder(patch, 0, below, 0, right, cv2.BORDER_REFLECT)


def _turn(patch: Unit, symmetry: int) -> Unit:
    turned = np.rot90(patch, symmetry % 4)
    return turned if symmetry < 4 else turned[:, ::-1]
