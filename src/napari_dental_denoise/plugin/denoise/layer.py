"""Denoise an image layer: the task of one run, and its outcome at any strength."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.inference import (
    NO_ERROR_MAP,
    Engine,
    ExpectedError,
    SelfEnsemble,
    cached_engine,
    error_steps,
    residual_steps,
)
from napari_dental_denoise.models import ModelCard
from napari_dental_denoise.pixels import PixelEncoding, Planes, Unit
from napari_dental_denoise.plugin.denoise.classical import classical_engine, interruptible, is_classical
from napari_dental_denoise.plugin.denoise.fixed import BlackIfMissing, CheckedImages, KeptImages, is_copied, kept_images
from napari_dental_denoise.plugin.denoise.lazy import Residuals
from napari_dental_denoise.plugin.denoise.maps import Maps, error_of, structure_of
from napari_dental_denoise.plugin.denoise.region import Masks, within
from napari_dental_denoise.plugin.shared import LayerImages, fit_encoding, stack_of
from napari_dental_denoise.progress import Progress, counted

if TYPE_CHECKING:
    from napari.layers import Image

Window = tuple[slice, slice]
Expected = ExpectedError | None
# The results at any strength, their error, and why images of a stack could not be read.
Steps = tuple[Callable[[float], Any], Expected, Sequence[InputError]]
ALL = (slice(None), slice(None))
NO_MAPS = Maps()


@dataclass(frozen=True)
class Task:
    """Input of one run, recorded at its start because the layer may change or be deleted meanwhile.

    `images` are those of the layer. With `lazy`, those of a stack are denoised on demand. `shown` is the index of the
    image on view; for a preview, `window` has its rows and columns, and None denoises all. With an `error_share`, an
    error map for this share of the pixels is made, and with `removed` a map of the structure that was removed; of a
    stack, those of the image on view. With `masks`, the result is the source outside of them.
    """

    layer: Image
    images: LayerImages
    encoding: PixelEncoding
    model: Path
    strength: float
    self_ensemble: bool
    lazy: bool
    shown: int
    window: Window | None
    error_share: float | None = None
    removed: bool = False
    masks: Masks | None = None

    def engine(self) -> Engine:
        """Return the engine of the model; raise InputError if its file is missing."""
        if is_classical(self.model):
            return classical_engine(self.model)
        if not self.model.is_file():
            raise InputError(f"{self.model.name} is missing: choose another model")
        plain = cached_engine(self.model)
        return SelfEnsemble(plain) if self.self_ensemble else plain

    def tells_error(self, card: ModelCard) -> bool:
        """Return whether an error map is wanted, and the model has one."""
        return self.error_share is not None and bool(card.calibration)

    @property
    def is_stack(self) -> bool:
        """True if several images are denoised."""
        return len(self.images.shape) > 2 and self.window is None

    def source(self) -> Source:
        """Return the images as they are now; raise InputError if they have no black and white."""
        indices = range(len(self.images)) if self.is_stack else [self.shown]
        if self.lazy and self.is_stack and not is_copied(self.images):
            images: KeptImages | CheckedImages = CheckedImages(self.images, self.layer.name)
        else:
            images = kept_images(self.images, indices)
        return Source(images, fit_encoding(self.encoding, self.images, None if self.is_stack else self.shown))


@dataclass(frozen=True)
class Source:
    """The images of a run, which stay as they are, and their encoding."""

    images: KeptImages | CheckedImages
    encoding: PixelEncoding

    def encoding_of(self, image: NDArray[np.generic]) -> PixelEncoding:
        """Return the encoding with the black and the white of one of the images, if not that of all."""
        return self.encoding.fit(image) if self.encoding.ends is None else self.encoding


@dataclass(frozen=True)
class Outcome:
    """Result of a run: `at` maps any strength to the result, without running the model again."""

    engine: Engine
    at: Callable[[float], Any]
    denoised: Any
    maps: Maps = NO_MAPS
    unread: Sequence[InputError] = ()

    def problem(self) -> str:
        """Return which images of the stack could not be read, in words."""
        if not self.unread:
            return ""
        return f"{counted(len(self.unread), 'image')} could not be read and came out black: {self.unread[0]}"


def all_steps(tasks: Sequence[Task]) -> Generator[Progress, None, list[Outcome | InputError]]:
    """Denoise one layer after the other, as one progress in which each layer counts the same.

    Images in memory are copied before the first model is loaded, because they may change. A layer that cannot
    be denoised has its error as outcome and does not keep the others from it; the error of all is raised.
    """
    outcomes: list[Outcome | InputError] = []
    sources = [_source_or_error(task) for task in tasks]
    for number, (task, source) in enumerate(zip(tasks, sources, strict=True)):
        steps = _layer_steps(task, source)
        while True:
            try:
                part = next(steps)
            except StopIteration as end:
                outcomes.append(end.value)
                break
            except InputError as error:
                outcomes.append(error)
                break
            yield Progress(number * part.total + part.done, len(tasks) * part.total)
    errors = [outcome for outcome in outcomes if isinstance(outcome, InputError)]
    if len(errors) == len(tasks):
        raise errors[0]
    return outcomes


def _source_or_error(task: Task) -> Source | InputError:
    try:
        return task.source()
    except InputError as error:
        return error


def _layer_steps(task: Task, source: Source | InputError) -> Generator[Progress, None, Outcome]:
    """Load the model and denoise, one tile per step; meant for a thread."""
    if isinstance(source, InputError):
        raise source
    interruptible().allow()
    engine = task.engine()
    yield Progress(0, 1)
    at, expected, unread = yield from (_stack_steps if task.is_stack else _image_steps)(task, source, engine)
    if task.masks is not None:
        at = within(at, task.masks, task.shown, task.window)
    denoised = at(task.strength)
    return Outcome(engine, at, denoised, _maps(task, source, denoised, expected), unread)


def _maps(task: Task, source: Source, denoised: Any, expected: Expected) -> Maps:
    """Return the maps that are wanted of the image on view."""
    maps = NO_MAPS
    if task.error_share is None and not task.removed:
        return maps
    try:
        image = source.images[task.shown]
    except InputError:
        return Maps(problem="The image on view has no map: it could not be read")
    if task.error_share is not None:
        maps = Maps(problem=NO_ERROR_MAP.capitalize()) if expected is None else error_of(expected, task.error_share)
    if task.masks is not None and maps.error is not None:
        # The source outside has no error of the model.
        maps = replace(maps, error=np.where(task.masks(task.shown)[task.window or ALL], maps.error, np.float32(np.nan)))
    if task.removed:
        plane = Planes(denoised)[task.shown if task.is_stack else 0]
        structure = structure_of(image[task.window or ALL], plane, source.encoding_of(image))
        if task.window is not None:
            structure = structure.shifted(task.window[0].start, task.window[1].start)
        maps = replace(maps, structure=structure)
    return maps


def _image_steps(task: Task, source: Source, engine: Engine) -> Generator[Progress, None, Steps]:
    """Denoise an image, or a part of one as in the whole: with its black and white, and the pixels around the part."""
    encoding, image = source.encoding, source.images[task.shown]
    window = task.window or (slice(0, image.shape[0]), slice(0, image.shape[1]))
    around, inner = zip(*(_with_halo(part, engine.card) for part in window), strict=True)
    if not task.tells_error(engine.card):
        residual = yield from residual_steps(image[around], engine, encoding=encoding)
        return partial(encoding.subtract, image[window], residual[inner]), None, ()
    expected = yield from error_steps(image[around], engine, encoding=encoding)
    arrays = {name: getattr(expected, name)[inner] for name in ("noise", "error", "counts")}
    part = replace(expected, **arrays)
    return partial(encoding.subtract, image[window], part.noise), part, ()


def _stack_steps(task: Task, source: Source, engine: Engine) -> Generator[Progress, None, Steps]:
    """Denoise a stack, and tell the error of the image on view."""
    images, encoding = source.images, source.encoding
    at: Callable[[float], Any]
    unread: Sequence[InputError] = ()
    if task.lazy or isinstance(images, CheckedImages):
        yield Progress(0, 1)
        if isinstance(images, CheckedImages):
            yield from images.first_steps()
        residuals = Residuals(images, engine, encoding)
        # In this thread, because the window would wait for the image on view otherwise.
        residuals.denoised(task.shown, task.strength)
        at = residuals.stack
    else:
        residual = yield from residual_steps(BlackIfMissing(images), engine, encoding=encoding)
        unread = images.errors
        if len(unread) == len(images):
            raise unread[0]
        at = partial(_subtract_all, images, residual, encoding, set())
    if not task.tells_error(engine.card):
        return at, None, unread
    try:
        image = images[task.shown]
    except InputError:
        return at, None, unread
    return at, (yield from error_steps(image, engine, encoding=source.encoding_of(image))), unread


def _with_halo(part: slice, card: ModelCard) -> tuple[slice, slice]:
    """Return the rows or columns that influence a part of them, and the position of the part in these."""
    start = max((part.start - card.halo) // card.multiple * card.multiple, 0)
    return slice(start, part.stop + card.halo), slice(part.start - start, part.stop - start)


def _subtract_all(images: Planes, residual: Unit, encoding: PixelEncoding, told: set[str], strength: float) -> Any:
    noise = residual.reshape(-1, *images.shape[-2:])

    def denoised(index: int) -> NDArray[np.generic]:
        return encoding.subtract(images[index], noise[index], strength)

    return stack_of(denoised, images.shape, images.dtype, told)
