"""Checkpoints: the state of a training as arrays and JSON, which hold no code."""

from __future__ import annotations

import json
import math
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files import atomic_write

Arrays = list[NDArray[np.generic]]


@dataclass(frozen=True)
class Checkpoint:
    """State from which a training can be resumed.

    `average` holds the moving average of the weights, `optimizer` its variables, and `settings` what a resumed training
    must share. `epoch` and `step` count the finished ones, `elapsed` seconds; PSNR is in dB.
    """

    weights: Arrays
    average: Arrays
    optimizer: Arrays
    settings: dict[str, Any]
    epoch: int = 0
    step: int = 0
    elapsed: float = 0.0
    best_epoch: int = 0
    best_psnr: float = -math.inf
    best_ssim: float = -math.inf


ARRAYS = ("weights", "average", "optimizer")


def checkpoint_path(model: Path) -> Path:
    """Return the path of the checkpoint of a model file."""
    return model.with_suffix(".checkpoint")


def save_checkpoint(path: Path, state: Checkpoint) -> None:
    """Write a checkpoint and replace the one before in a single step."""
    arrays = {f"{kind}_{index}": array for kind in ARRAYS for index, array in enumerate(getattr(state, kind))}
    text = json.dumps({key: value for key, value in asdict(state).items() if key not in ARRAYS})
    with atomic_write(path, overwrite=True) as temporary, temporary.open("wb") as file:
        np.savez(file, text=np.array(text), **arrays)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; raise InputError if the file is missing or damaged."""
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint: start the training without --resume")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays: dict[str, Any] = {kind: _numbered(archive, kind) for kind in ARRAYS}
            return Checkpoint(**arrays, **json.loads(str(archive["text"])))
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: the checkpoint is damaged: start the training without --resume") from error


def _numbered(archive: np.lib.npyio.NpzFile, kind: str) -> Arrays:
    count = sum(name.startswith(f"{kind}_") for name in archive.files)
    return [archive[f"{kind}_{index}"] for index in range(count)]
