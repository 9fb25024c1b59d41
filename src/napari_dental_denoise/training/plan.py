"""Plan of a training: patches, steps, memory and time, known before it starts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from napari_dental_denoise.config import Preset
from napari_dental_denoise.inference import processor_has_bfloat16
from napari_dental_denoise.training.settings import TrainingConfig

# The backward pass costs twice the forward pass, and a quarter of the patches is denoised with and without details.
TRAINING_FACTOR = 3.0 * 1.25
# Speed of convolutions relative to the float32 matrix product of NumPy.
BF16_TO_NUMPY, F32_TO_NUMPY = 1.5, 0.45
START_SECONDS = 10.0


def usable_patch_size(wanted: int, shapes: Sequence[tuple[int, int]], multiple: int) -> int:
    """Return the wanted side or the largest that fits into an image, as a multiple of `multiple`."""
    fitting = max(min(shape) for shape in shapes)
    return max(min(wanted, fitting) // multiple, 1) * multiple


def patches_covering(shapes: Sequence[tuple[int, int]], side: int) -> int:
    """Return the number of patches with the same total area as the images."""
    return sum(-(-height * width // side**2) for height, width in shapes)


def steps_per_epoch(shapes: Sequence[tuple[int, int]], side: int, config: TrainingConfig) -> int:
    """Return the steps of one epoch: those of the settings, or enough to cover the images, within bounds."""
    if config.steps_per_epoch is not None:
        return config.steps_per_epoch
    low, high = config.steps_per_epoch_range
    return min(max(-(-patches_covering(shapes, side) // config.batch_size), low), high)


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """Figures of a training before it starts.

    `images` counts those for training and validation, `patches` those of one epoch, with sides of `patch_size` pixels.
    `memory` is that of the images in bytes; `seconds` is an estimate for this processor; `first` names the model with
    the first weights.
    """

    images: int
    patch_size: int
    patches: int
    memory: int
    seconds: float
    first: str | None = None


def plan_training(
    shapes: Sequence[tuple[int, int]], bytes_per_pixel: int, preset: Preset, config: TrainingConfig
) -> TrainingPlan:
    """Plan a training on images of these shapes, which have `bytes_per_pixel` in memory."""
    side = usable_patch_size(config.patch_size, shapes, preset.multiple)
    steps = steps_per_epoch(shapes, side, config)
    patches = steps * config.batch_size
    pixels = sum(height * width for height, width in shapes)
    if config.minutes is not None:
        seconds = 60 * config.minutes
    else:
        operations = TRAINING_FACTOR * preset.operations_per_pixel * patches * side**2 * config.epochs
        seconds = operations / operations_per_second()
    return TrainingPlan(len(shapes), side, patches, pixels * bytes_per_pixel, START_SECONDS + seconds)


@lru_cache(maxsize=1)
def operations_per_second() -> float:
    """Return the estimated speed of a training on this processor, from the time of one matrix product."""
    side = 768
    matrix = np.ones((side, side), np.float32)
    matrix @ matrix
    begun = time.perf_counter()
    matrix @ matrix
    product = 2 * side**3 / (time.perf_counter() - begun)
    return product * (BF16_TO_NUMPY if processor_has_bfloat16() else F32_TO_NUMPY)
