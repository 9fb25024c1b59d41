"""All that one training needs, and what is refused before it starts."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import TRAINING, StrategyName, TrainingConfig
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files import check_folder
from napari_dental_denoise.inference import check_precision
from napari_dental_denoise.training import Dataset, check_share, checkpoint_path
from napari_dental_denoise.unet.devices import process_number
from napari_dental_denoise.unet.export import check_model_name

Weights = list[NDArray[np.float32]]

# What must not change when a training is resumed; epochs and minutes may.
FIXED_SETTINGS = (
    *("preset", "batch_size", "patch_size", "learning_rate", "seed", "averaging", "steps_per_epoch"),
    "validation_split",
)


COUNTS = ("epochs", "batch_size", "patch_size", "steps_per_epoch")
AMOUNTS = ("learning_rate", "minutes")
OPTIONAL = ("steps_per_epoch", "minutes")


@dataclass(frozen=True)
class TrainingJob:
    """All that one training needs.

    Parameters
    ----------
    training, validation : Dataset
        Split by file.
    model : Path
        The `.keras` file to write; its checkpoint lies beside it.
    config : TrainingConfig
    start_from : Path, optional
        A model file of the same preset or one with fewer channels, whose weights are the first.
    resume : bool
        Go on from the checkpoint of `model`.
    overwrite : bool
        Replace a model of that name.
    preview : Path, optional
        A `.npy` file that is replaced after each epoch: (3, H, W) float32, one validation image
        noisy, denoised so far, and clean.
    strategy : {"auto", "single", "mirrored", "multi-worker"}
        Which devices learn together; see `find_devices`.
    """

    training: Dataset
    validation: Dataset
    model: Path
    config: TrainingConfig = TRAINING
    start_from: Path | None = None
    resume: bool = False
    overwrite: bool = False
    preview: Path | None = None
    strategy: StrategyName = "auto"


def fixed_settings(job: TrainingJob) -> dict[str, Any]:
    """What must be the same when a training is resumed."""
    settings = {key: value for key, value in asdict(job.config).items() if key in FIXED_SETTINGS}
    return {**settings, "data": job.training.fingerprint()}


def check_job(job: TrainingJob) -> None:
    """Refuse settings that cannot be used, and a model that would be written over."""
    check_config(job.config)
    check_model(job.model, replace=job.overwrite or job.resume, strategy=job.strategy)


def check_model(model: Path, *, replace: bool, strategy: StrategyName) -> None:
    """Refuse a model file that cannot be written, or would be written over unasked."""
    check_model_name(model)
    for path in () if replace else (model, checkpoint_path(model)):
        if path.exists():
            raise InputError(
                f"{path} is there already: go on with it by --resume, replace it by --overwrite, or choose another name"
            )
    # Where several machines learn together, only the first one writes, be it to try.
    if process_number(strategy) == 0:
        check_folder(model)


def check_config(config: TrainingConfig) -> None:
    """Refuse numbers that cannot be used."""
    given = {name: value for name, value in asdict(config).items() if value is not None or name not in OPTIONAL}
    for name in COUNTS:
        if name in given and not (isinstance(given[name], int) and given[name] > 0):
            raise InputError(f"{name} must be a positive whole number; received {given[name]!r}")
    for name in AMOUNTS:
        if name in given and not (isinstance(given[name], int | float) and 0 < given[name] < math.inf):
            raise InputError(f"{name} must be a positive number; received {given[name]!r}")
    if not (isinstance(config.seed, int) and config.seed >= 0):
        raise InputError(f"seed must be a whole number from 0; received {config.seed!r}")
    check_share(config.validation_split)
    check_precision(config.precision)
