"""Denoise an image layer: the task of one run, and its outcome at any strength."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.inference import Engine, SelfEnsemble, cached_engine, residual_steps
from napari_dental_denoise.models import ModelCard
from napari_dental_denoise.pixels import PixelEncoding, Unit
from napari_dental_denoise.plugin.denoise.lazy import Residuals
from napari_dental_denoise.plugin.files import stack_of
from napari_dental_denoise.plugin.shared import fit_encoding
from napari_dental_denoise.progress import Progress

if TYPE_CHECKING:
    from napari.layers import Image

Window = tuple[slice, slice]


@dataclass(frozen=True)
class Task:
    """Input of one run, recorded at its start because the layer may change or be deleted meanwhile.

    `data` is that of the layer. With `lazy`, the images of a stack are denoised on demand. `shown` is the index of the
    image on view; for a preview, `window` has its rows and columns, and None denoises all.
    """

    layer: Image
    data: Any
    encoding: PixelEncoding
    model: Path
    strength: float
    self_ensemble: bool
    lazy: bool
    shown: int
    window: Window | None

    def engine(self) -> Engine:
        """Return the engine of the model; raise InputError if its file is missing."""
        if not self.model.is_file():
            raise InputError(f"{self.model.name} is missing: choose another model")
        plain = cached_engine(self.model)
        return SelfEnsemble(plain) if self.self_ensemble else plain

    def image(self) -> NDArray[np.generic]:
        """Return the image on view, as stored."""
        return np.asarray(self.data if self.data.ndim == 2 else self.data[self.shown])

    def image_encoding(self) -> PixelEncoding:
        """Return the encoding with the black and the white of the image on view; see `fit_encoding`."""
        return fit_encoding(self.encoding, self.data, self.shown)


@dataclass(frozen=True)
class Outcome:
    """Result of a run: `at` maps any strength to the result, without running the model again."""

    engine: Engine
    at: Callable[[float], Any]
    denoised: Any


def layer_steps(task: Task) -> Generator[Progress, None, Outcome]:
    """Load the model and denoise, one tile per step; meant for a thread."""
    engine = task.engine()
    at = yield from _denoise(task, engine)
    return Outcome(engine, at, at(task.strength))


def _denoise(task: Task, engine: Engine) -> Generator[Progress, None, Callable[[float], Any]]:
    if task.window is not None:
        return (yield from _denoise_window(task, task.window, engine))
    encoding = fit_encoding(task.encoding, task.data)
    if task.lazy:
        yield Progress(0, 1)
        residuals = Residuals(task.data, engine, encoding)
        # In this thread, because the window would wait for the image on view otherwise.
        residuals.denoised(task.shown, task.strength)
        return residuals.stack
    residual = yield from residual_steps(task.data, engine, encoding=encoding)
    return partial(_subtract_all, task.data, residual, encoding)


def _denoise_window(
    task: Task, window: Window, engine: Engine
) -> Generator[Progress, None, Callable[[float], NDArray[np.generic]]]:
    """Denoise a part of one image as in the whole: with its black and white, and the pixels around the part."""
    encoding, image = task.image_encoding(), task.image()
    around, inner = zip(*(_with_halo(part, engine.card) for part in window), strict=True)
    residual = yield from residual_steps(image[around], engine, encoding=encoding)
    return partial(encoding.subtract, image[window], residual[inner])


def _with_halo(part: slice, card: ModelCard) -> tuple[slice, slice]:
    """Return the rows or columns that influence a part of them, and the position of the part in these."""
    start = max((part.start - card.halo) // card.multiple * card.multiple, 0)
    return slice(start, part.stop + card.halo), slice(part.start - start, part.stop - start)


def _subtract_all(data: Any, residual: Unit, encoding: PixelEncoding, strength: float) -> Any:
    if residual.ndim == 2:
        return encoding.subtract(np.asarray(data), residual, strength)

    def denoised(index: int) -> NDArray[np.generic]:
        return encoding.subtract(np.asarray(data[index]), residual[index], strength)

    return stack_of(denoised, data.shape, data.dtype)
