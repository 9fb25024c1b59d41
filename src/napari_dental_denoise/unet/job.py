"""Input of a training, and its checks before the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import StrategyName
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files import check_folder
from napari_dental_denoise.training import SETTINGS, TRAINING, Dataset, TrainingConfig, check_settings, checkpoint_path
from napari_dental_denoise.unet.devices import process_number
from napari_dental_denoise.unet.export import check_model_name

Weights = list[NDArray[np.float32]]


@dataclass(frozen=True)
class TrainingJob:
    """Input of a training, whose images are split by file.

    Attributes
    ----------
    model : Path
        The `.keras` file to write; its checkpoint is beside it.
    start_from : Path, optional
        Model file with the first weights, of the same preset or one with fewer channels.
    resume, overwrite : bool
        Continue from the checkpoint of `model`, or replace an existing model file.
    preview : Path, optional
        A `.npy` file, replaced after each epoch: (3, H, W) float32, one validation image noisy, denoised and clean.
    strategy : {"auto", "single", "mirrored", "multi-worker"}
        Devices to train on; see `find_devices`.
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
    """Return the settings that a resumed training must share."""
    settings = {name: getattr(job.config, name) for name, setting in SETTINGS.items() if setting.fixed}
    return {**settings, "data": job.training.fingerprint()}


def check_job(job: TrainingJob) -> None:
    """Raise InputError unless the settings are valid and the files can be written."""
    check_settings(job.config)
    check_model_path(job.model, replace=job.overwrite or job.resume, strategy=job.strategy)
    if job.preview is not None and process_number(job.strategy) == 0:
        check_folder(job.preview)


def check_model_path(model: Path, *, replace: bool, strategy: StrategyName) -> None:
    """Raise InputError unless the model file can be written; with `replace`, it may exist."""
    check_model_name(model)
    for path in () if replace else (model, checkpoint_path(model)):
        if path.exists():
            raise InputError(
                f"{path} already exists: continue with --resume, replace with --overwrite, or choose another name"
            )
    # Of several machines that train together, only the first one writes.
    if process_number(strategy) == 0:
        check_folder(model)


def check_resumable(name: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise InputError unless a checkpoint has the settings and data of the training that resumes it."""
    # A checkpoint of an earlier version lacks settings that were added since; it was trained with their defaults, and
    # without details.
    before = {**asdict(TRAINING), "detail": 0.0, **before}
    changed = [key for key in now if before.get(key) != now[key]]
    if "data" in changed:
        raise InputError(
            f"{name}: the training to resume has other images or other noise: give the same images and the same "
            "options, or choose another name without --resume"
        )
    if changed:
        raise InputError(
            f"{name}: the training to resume has another {', '.join(changed)}: "
            + ", ".join(f"{key} {before[key]}, now {now[key]}" for key in changed)
        )
