"""Batches of random patches, drawn in a thread while the network trains on the batch before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from napari_dental_denoise.pixels import SYMMETRIES, Unit, apply_dihedral, mirrored
from napari_dental_denoise.training.dataset import Dataset

Batch = tuple[Unit, Unit]


def batches(
    dataset: Dataset, side: int, size: int, count: int, rng: np.random.Generator, share: slice = slice(None)
) -> Iterator[Batch]:
    """Draw `count` batches of `size` noisy and clean patches, each (size, side, side, 1) float32 on [0, 1].

    The probability of an image is proportional to its area. Windows and one of the 8 orientations are drawn at random;
    an image smaller than a patch is mirrored at its border. With a `share`, only this part of each batch is drawn.
    """
    areas = np.array([height * width for height, width in dataset.shapes], np.float64)
    chances = areas / areas.sum()
    with ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(_draw_batch, dataset, side, _choose(chances, size, rng)[share])
        for _ in range(count - 1):
            ready = coming.result()
            coming = ahead.submit(_draw_batch, dataset, side, _choose(chances, size, rng)[share])
            yield ready
        yield coming.result()


def _choose(chances: Unit, size: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Return an image and a seed for each patch of a batch."""
    images = rng.choice(len(chances), size, p=chances)
    return list(zip(images.tolist(), rng.integers(2**63, size=size).tolist(), strict=True))


def _draw_batch(dataset: Dataset, side: int, chosen: Sequence[tuple[int, int]]) -> Batch:
    noisy = np.empty((len(chosen), side, side, 1), np.float32)
    clean = np.empty_like(noisy)
    for place, (index, seed) in enumerate(chosen):
        rng = np.random.default_rng(seed)
        window = _random_window(dataset.shapes[index], side, rng)
        symmetry = int(rng.integers(SYMMETRIES))
        for target, patch in zip((noisy, clean), dataset.patch(index, window, rng), strict=True):
            target[place, :, :, 0] = apply_dihedral(mirrored(patch, side, side), symmetry)
    return noisy, clean


def _random_window(shape: tuple[int, int], side: int, rng: np.random.Generator) -> tuple[slice, slice]:
    rows, columns = (int(rng.integers(max(length - side, 0) + 1)) for length in shape)
    return slice(rows, rows + side), slice(columns, columns + side)
