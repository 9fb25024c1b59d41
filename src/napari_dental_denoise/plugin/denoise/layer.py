"""Denoise an image layer: what one run works on, and what comes of it at any strength."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import INFERENCE
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.inference import Engine, Progress, SelfEnsemble, cached_engine, residual_steps, subtract
from napari_dental_denoise.pixels import PixelEncoding
from napari_dental_denoise.plugin.denoise.lazy import Residuals
from napari_dental_denoise.plugin.files import stack_of
from napari_dental_denoise.plugin.shared import to_grey

if TYPE_CHECKING:
    from napari.layers import Image


@dataclass(frozen=True)
class Task:
    """What one run works on, noted when it starts: the layer may change or go meanwhile.

    Of a stack, `shown` is the image on view; `lazy` that the others wait until they are looked at.
    """

    layer: Image
    noisy: Any
    encoding: PixelEncoding
    model: Path
    look: dict[str, Any]
    strength: float
    self_ensemble: bool
    lazy: bool
    shown: int


@dataclass(frozen=True)
class Outcome:
    """What came of it: the noise, what ran, and the result at the strength of the start."""

    residual: NDArray[np.float32] | Residuals
    engine: Engine
    denoised: Any


def layer_steps(task: Task) -> Generator[Progress, None, Outcome]:
    """In the thread: load the model, then tile by tile."""
    path = task.model
    if not path.is_file():
        raise InputError(f"{path.name} is no longer there: choose another model")
    plain = cached_engine(path, path.stat().st_mtime_ns, INFERENCE.precision)
    engine = SelfEnsemble(plain) if task.self_ensemble else plain
    if task.lazy:
        yield Progress(0, 1)
        residuals = Residuals(task.noisy, engine, task.encoding)
        # Here and not in the window's own thread, which would stand still.
        residuals.denoised(task.shown, task.strength)
        return Outcome(residuals, engine, residuals.stack(task.strength))
    residual = yield from residual_steps(to_grey(task.noisy, task.encoding), engine)
    return Outcome(residual, engine, denoised_at(task, residual, task.strength))


def denoised_at(task: Task, residual: NDArray[np.float32] | Residuals, strength: float) -> Any:
    """The result at one strength; of a stack, each image when it is looked at."""
    if isinstance(residual, Residuals):
        return residual.stack(strength)
    if residual.ndim == 2:
        return _one_denoised(np.asarray(task.noisy), residual, strength, task.encoding)
    return _lazy_stack(task.noisy, residual, strength, task.encoding)


def _one_denoised(
    noisy: NDArray[np.generic], residual: NDArray[np.float32], strength: float, encoding: PixelEncoding
) -> NDArray[np.generic]:
    return encoding.from_grey(subtract(encoding.to_grey(noisy), residual, strength), noisy)


def _lazy_stack(noisy: Any, residual: NDArray[np.float32], strength: float, encoding: PixelEncoding) -> Any:
    def one(index: int) -> NDArray[np.generic]:
        return _one_denoised(np.asarray(noisy[index]), residual[index], strength, encoding)

    return stack_of(one, noisy.shape, noisy.dtype)
