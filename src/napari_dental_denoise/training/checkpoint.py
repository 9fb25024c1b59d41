"""The state of a training, so that it goes on where it stopped: numbers and text, no code."""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files import replacing

Arrays = list[NDArray[np.generic]]


@dataclass(frozen=True)
class Checkpoint:
    """What a training needs to go on.

    Attributes
    ----------
    weights, average, optimizer : list of arrays
        Of the network, their moving average, and the optimizer's variables.
    settings : dict
        What must be the same when it goes on.
    epoch, step : int
        That are done.
    elapsed : float
        Seconds of training so far.
    best_epoch, best_psnr, best_ssim : the best so far; PSNR in dB
    """

    weights: Arrays
    average: Arrays
    optimizer: Arrays
    settings: dict[str, Any]
    epoch: int
    step: int
    elapsed: float
    best_epoch: int
    best_psnr: float
    best_ssim: float


ARRAYS = ("weights", "average", "optimizer")


def checkpoint_path(model: Path) -> Path:
    """Of the training of a model file."""
    return model.with_suffix(".checkpoint")


def save_checkpoint(path: Path, state: Checkpoint) -> None:
    """Write a checkpoint, whole or not at all, in place of the one before."""
    arrays = {f"{kind}_{index}": array for kind in ARRAYS for index, array in enumerate(getattr(state, kind))}
    text = json.dumps({key: value for key, value in asdict(state).items() if key not in ARRAYS})
    with replacing(path, overwrite=True) as temporary, temporary.open("wb") as file:
        np.savez(file, text=np.array(text), **arrays)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises
    ------
    InputError
        If there is none, or it is damaged.
    """
    if not path.is_file():
        raise InputError(f"{path}: no checkpoint there: start the training without --resume")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays: dict[str, Any] = {kind: _numbered(archive, kind) for kind in ARRAYS}
            return Checkpoint(**arrays, **json.loads(str(archive["text"])))
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: the checkpoint is damaged: start the training without --resume") from error


def _numbered(archive: np.lib.npyio.NpzFile, kind: str) -> Arrays:
    count = sum(name.startswith(f"{kind}_") for name in archive.files)
    return [archive[f"{kind}_{index}"] for index in range(count)]
