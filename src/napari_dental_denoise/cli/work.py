"""The work on each file, as objects that can be sent to other processes."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.batch import NO_MAPS, DenoiseWork, MapFolders, Processed
from napari_dental_denoise.config import EngineName, Precision
from napari_dental_denoise.inference import Engine
from napari_dental_denoise.models import model_stat
from napari_dental_denoise.noise import noise_kind
from napari_dental_denoise.pixels import PLAIN, PixelEncoding


@dataclass(frozen=True)
class NoiseWork:
    """Add noise of one kind and level; the seed of an image depends on the numbers of its file and its page."""

    kind: str
    levels: Mapping[str, float]
    seed: int

    def __post_init__(self) -> None:
        # An invalid level is reported once, not for each file.
        self(np.zeros((1, 1), np.float32), PLAIN, 0)

    def __call__(self, stored: NDArray[np.generic], encoding: PixelEncoding, number: int) -> Processed:
        """Return the image or stack with noise."""
        result = np.empty_like(stored)
        results, images = (part.reshape(-1, *stored.shape[-2:]) for part in (result, stored))
        for page, image in enumerate(images):
            rng = np.random.default_rng([self.seed, number, page])
            results[page] = encoding.apply(partial(noise_kind(self.kind).add, **self.levels, rng=rng), image)
        return Processed(result)


@dataclass(frozen=True)
class KerasWork(DenoiseWork):
    """Denoise with Keras, on a GPU if TensorFlow finds one."""

    engine_name: ClassVar[EngineName] = "keras"

    def plain_engine(self) -> Engine:
        """Return the engine."""
        return _keras_engine(self.model, model_stat(self.model).st_mtime_ns, self.precision)


@lru_cache(maxsize=1)
def _keras_engine(path: Path, _modified_ns: int, precision: Precision) -> Engine:
    from napari_dental_denoise.unet import KerasEngine

    return KerasEngine(path, precision)


def denoise_work(
    model: Path, options: argparse.Namespace, threads: int | None = None, maps: MapFolders = NO_MAPS
) -> DenoiseWork:
    """Return the work for the options of `denoise` and `evaluate`."""
    kind = KerasWork if options.engine == "keras" else DenoiseWork
    # A worker of a cluster has another current folder.
    rows = options.rows.start, options.rows.stop
    settings = options.strength, options.precision, options.self_ensemble, threads, rows
    return kind(model.absolute(), *settings, maps)
