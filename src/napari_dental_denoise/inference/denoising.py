"""Denoise images of any size with a model, tile by tile."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from reprlib import repr as shortened
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import INFERENCE, KERAS_ENGINE, Precision
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.inference.engine import Engine, cached_engine
from napari_dental_denoise.inference.tiling import Tile, plan_tiles
from napari_dental_denoise.models import STARTER_NAME, ModelCard, find_model
from napari_dental_denoise.noise import clipping_bias
from napari_dental_denoise.pixels import (
    PLAIN,
    ArrayLike,
    InputArray,
    PixelEncoding,
    Planes,
    Unit,
    seen_by,
    up_to_multiples,
)
from napari_dental_denoise.progress import Progress, finish
from napari_dental_denoise.validation import check_number

# keras.Model, which this package does not load.
KerasModel: TypeAlias = Any


def denoise(
    image: ArrayLike,
    model: str | Path | Engine | KerasModel = STARTER_NAME,
    *,
    strength: float = INFERENCE.strength,
    precision: Precision = INFERENCE.precision,
) -> Any:
    """Denoise an image, or each image of a stack.

    Parameters
    ----------
    image : (H, W), (..., H, W) or (..., H, W, 1) array; integers or floating
        Of NumPy or any library that NumPy can read, such as xarray, dask, h5py and zarr.
    model : str, Path, engine or keras.Model
        A `.keras` model file, an engine of `load_engine`, or a Keras model from one grey image to
        another; or "starter" (the default) or "starter-fast", the models of the package.
    strength : float
        Share of the estimated noise to subtract, from 0, which leaves the image unchanged, to 1.5.
    precision : {"auto", "f32", "bf16"}
        Precision of the network's body; ignored if `model` is an engine.

    Returns
    -------
    array of the same shape and type
        Of NumPy, but with the mask of a masked array and the coordinates of an xarray.
        Floating values may lie slightly beyond those of the image: clipping them would shift the
        mean of its darkest and brightest parts.

    Raises
    ------
    InputError
        If the image, the model or the strength cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.full((64, 64), 100, np.uint8)
    >>> denoised = denoise(image, "starter-fast")
    >>> denoised.shape, denoised.dtype
    ((64, 64), dtype('uint8'))
    """
    source = InputArray(image)
    pixels = source.pixels
    as_images(pixels)
    # As for a layer, black and white are those of the whole stack.
    steps = denoise_steps(pixels, engine_of(model, precision), strength=strength, encoding=PLAIN.fit(pixels))
    return source.like(finish(steps))


def engine_of(model: str | Path | Engine | KerasModel, precision: Precision = INFERENCE.precision) -> Engine:
    """Return the engine of a model, which may be named as in `denoise`; an engine is returned as it is."""
    if isinstance(model, str | Path):
        return cached_engine(find_model(model), precision)
    if type(model).__module__.partition(".")[0] == "keras":
        model = resolve_name(KERAS_ENGINE)(model)
    if not hasattr(model, "card"):
        raise InputError(f"model must be a name, a file, an engine or a Keras model; received {shortened(model)}")
    engine: Engine = model
    return engine


def denoise_unit(unit: Unit, engine: Engine, *, strength: float = INFERENCE.strength) -> Unit:
    """Denoise a floating image or stack."""
    return finish(denoise_steps(unit, engine, strength=strength)).astype(np.float32, copy=False)


def denoise_steps(
    image: NDArray[np.generic],
    engine: Engine,
    *,
    strength: float = INFERENCE.strength,
    tile_side: int = INFERENCE.tile_side,
    encoding: PixelEncoding = PLAIN,
) -> Generator[Progress, None, NDArray[np.generic]]:
    """Denoise an image or stack of stored values, one tile per step; to stop, close the generator.

    `tile_side` is the maximum side of a tile's core in pixels; an `encoding` that is not fitted is fitted to
    each image.
    """
    check_strength(strength)
    images = as_images(image)
    result = np.empty(images.shape, images.dtype)
    results = result.reshape(-1, *images.shape[-2:])
    for seen in noise_in_tiles(images, engine, tile_side, encoding):
        results[seen.place] = seen.encoding.subtract(seen.stored, seen.noise, strength)
        yield seen.progress
    return result


def residual_steps(
    image: NDArray[np.generic] | Planes,
    engine: Engine,
    *,
    tile_side: int = INFERENCE.tile_side,
    encoding: PixelEncoding = PLAIN,
) -> Generator[Progress, None, Unit]:
    """Estimate the noise of stored values, which may be lazy, one tile per step, on the scale of the encoding.

    `PixelEncoding.subtract` then removes any share of it without the model. An `encoding` that is not fitted is fitted
    to each image.
    """
    images = as_images(image)
    result = np.empty(images.shape, np.float32)
    results = result.reshape(-1, *images.shape[-2:])
    for seen in noise_in_tiles(images, engine, tile_side, encoding):
        results[seen.place] = seen.noise
        yield seen.progress
    return result


def as_images(image: NDArray[np.generic] | Planes) -> Planes:
    """Return the images of an array (..., H, W); raise InputError for other or empty arrays."""
    return image if isinstance(image, Planes) else Planes(image)


Run = Callable[[Unit], Sequence[Unit]]


@dataclass(frozen=True, slots=True)
class TileNoise:
    """The stored values and the estimated noise in the core of one tile, its place, and the scale of its image.

    The place is that in a stack (N, H, W). `others` are further outputs of the network.
    """

    place: tuple[int, slice, slice]
    stored: NDArray[np.generic]
    noise: Unit
    others: Sequence[Unit]
    encoding: PixelEncoding
    progress: Progress


def noise_in_tiles(
    images: Planes, engine: Engine, tile_side: int, encoding: PixelEncoding, run: Run | None = None
) -> Iterator[TileNoise]:
    """Yield the noise of images, tile by tile; `run` may be the engine's `with_error`."""
    shape = images.shape[-2], images.shape[-1]
    tiles = plan_tiles(shape, tile_side, engine.card.halo, engine.card.multiple)
    total = len(images) * len(tiles)
    # Small images run together, as many as have the pixels of one tile.
    together = max(tile_side**2 // math.prod(shape), 1) if len(tiles) == 1 else 1
    run = run or (lambda batch: (engine(batch),))
    for first in range(0, len(images), together):
        group = images[first : first + together]
        fitted = [encoding.fit(image) if encoding.ends is None else encoding for image in group]
        for number, tile in enumerate(tiles, start=1):
            noise, *others = _run_windows(group, fitted, tile, engine.card, run)
            for index, own in enumerate(fitted):
                core = tile.rows.core, tile.columns.core
                progress = Progress((first + index) * len(tiles) + number, total)
                further = [other[index] for other in others]
                yield TileNoise((first + index, *core), group[index][core], noise[index], further, own, progress)


def _run_windows(
    group: Sequence[NDArray[np.generic]], encodings: Sequence[PixelEncoding], tile: Tile, card: ModelCard, run: Run
) -> list[Unit]:
    """Return the outputs in the core of each image, first the noise, in float32 even if the network's body is bf16."""
    window = tile.rows.window, tile.columns.window
    units = [encoding.normalise(image[window]) for image, encoding in zip(group, encodings, strict=True)]
    windows = np.stack([up_to_multiples(unit, card.multiple) for unit in units])
    output, *others = (part[..., 0] for part in run(seen_by(card.sees, windows[..., np.newaxis])))
    noise = windows - output if card.predicts == "image" else output
    noise = np.stack([part - clipping_bias(*pair) for part, *pair in zip(noise, windows, noise, strict=True)])
    return [part[:, tile.rows.inner, tile.columns.inner] for part in (noise, *others)]


def check_strength(strength: float) -> None:
    """Raise InputError unless `strength` is a number from 0 to 1.5."""
    check_number("strength", strength, high=INFERENCE.max_strength)
