"""Batches of random patches, drawn in a thread while the network trains on the batch before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.pixels import SYMMETRIES, Unit, apply_dihedral, mirrored
from napari_dental_denoise.training.dataset import Dataset
from napari_dental_denoise.training.details import random_details


class Batch(NamedTuple):
    """Patches (N, side, side, 1) float32 on [0, 1].

    Attributes
    ----------
    noisy, clean : array
        With the details.
    detail : array
        What was added to both; 0 where nothing was.
    grain : (N,) array
        Standard deviation of the noise that the clean patches have themselves.
    """

    noisy: Unit
    clean: Unit
    detail: Unit
    grain: NDArray[np.float32]


def batches(
    dataset: Dataset,
    side: int,
    size: int,
    count: int,
    rng: np.random.Generator,
    *,
    share: slice = slice(None),
    with_details: bool = False,
) -> Iterator[Batch]:
    """Draw `count` batches of `size` patches.

    The probability of an image is proportional to its area. Windows and one of the 8 orientations are drawn at random;
    an image smaller than a patch is mirrored at its border. With a `share`, only this part of each batch is drawn.
    """
    areas = np.array([height * width for height, width in dataset.shapes], np.float64)
    chances = areas / areas.sum()
    with ThreadPoolExecutor(1) as ahead:
        draw = partial(_draw_batch, dataset, side, with_details=with_details)
        coming = ahead.submit(draw, _choose(chances, size, rng)[share])
        for _ in range(count - 1):
            ready = coming.result()
            coming = ahead.submit(draw, _choose(chances, size, rng)[share])
            yield ready
        yield coming.result()


def _choose(chances: NDArray[np.float64], size: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Return an image and a seed for each patch of a batch."""
    images = rng.choice(len(chances), size, p=chances)
    return list(zip(images.tolist(), rng.integers(2**63, size=size).tolist(), strict=True))


def _draw_batch(dataset: Dataset, side: int, chosen: Sequence[tuple[int, int]], *, with_details: bool) -> Batch:
    noisy = np.empty((len(chosen), side, side, 1), np.float32)
    batch = Batch(noisy, np.empty_like(noisy), np.zeros_like(noisy), np.empty(len(chosen), np.float32))
    for place, (index, seed) in enumerate(chosen):
        rng = np.random.default_rng(seed)
        drawn = dataset.draw(index, side, rng)
        batch.grain[place] = drawn.grain
        symmetry = int(rng.integers(SYMMETRIES))
        for target, patch in ((batch.noisy, drawn.noisy), (batch.clean, drawn.clean)):
            target[place, :, :, 0] = apply_dihedral(mirrored(patch, side, side), symmetry)
        if with_details:
            noise = float(np.std(batch.noisy[place] - batch.clean[place]))
            batch.detail[place, :, :, 0] = random_details(side, noise, rng)
    return batch._replace(noisy=batch.noisy + batch.detail, clean=batch.clean + batch.detail)
