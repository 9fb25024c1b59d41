"""Run a model on images of any size, tile by tile."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.core.config import INFERENCE, PRECISIONS, Precision
from napari_dental_denoise.core.conversion import converted
from napari_dental_denoise.core.errors import InputError
from napari_dental_denoise.core.intensity import from_unit, full_scale, to_unit
from napari_dental_denoise.core.model_file import ModelCard, ModelFile, read_model_file
from napari_dental_denoise.core.openvino_runtime import openvino
from napari_dental_denoise.core.starter import STARTER
from napari_dental_denoise.core.tiling import Tile, plan_tiles

Result = TypeVar("Result")


class Engine(Protocol):
    """Something that runs a network."""

    @property
    def card(self) -> ModelCard:
        """The card of its model."""

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Network output for a (N, H, W, 1) float32 batch on [0, 1]; sides are multiples of the card's."""


class OpenVinoEngine:
    """Runs the OpenVINO export of a model file on the processor.

    Parameters
    ----------
    model : ModelFile
    precision : {"auto", "f32", "bf16"}
        Of the network's body; "auto" takes bf16 where the processor has it, at about half the time.

    Raises
    ------
    InputError
        If OpenVINO cannot read the export, or it is no network from one image to one of its size.
    """

    def __init__(self, model: ModelFile, precision: Precision = INFERENCE.precision) -> None:
        if precision not in PRECISIONS:
            raise InputError(f"precision must be one of {', '.join(PRECISIONS)}; received {precision!r}")
        self.card = model.card
        runtime = openvino()
        core = runtime.Core()
        options = {} if precision == "auto" else {"INFERENCE_PRECISION_HINT": precision}
        try:
            network = core.read_model(model.graph, runtime.Tensor(np.frombuffer(model.weights, np.uint8).copy()))
            _check_network(network)
            self._compiled = core.compile_model(network, "CPU", options)
        except RuntimeError as error:
            raise InputError(f"{model.path.name}: OpenVINO cannot use its export: train or convert it again") from error

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Network output for a (N, H, W, 1) float32 batch; see `Engine`."""
        try:
            # A request of its own for each call: one request serves one thread at a time.
            output = np.array(self._compiled.create_infer_request().infer(batch)[0])
        except RuntimeError as error:
            raise InputError(f"OpenVINO cannot run this model: {str(error).splitlines()[-1]}") from error
        if output.shape != batch.shape:
            raise InputError(f"the model made an output of shape {output.shape} of an input of shape {batch.shape}")
        return output


def _check_network(network: object) -> None:
    inputs, outputs = network.inputs, network.outputs  # type: ignore[attr-defined]  # openvino has no stubs
    if len(inputs) != 1 or len(outputs) != 1 or inputs[0].partial_shape.rank.get_length() != 4:
        raise RuntimeError("expected one image in and one out")


def load_engine(path: str | Path, precision: Precision = INFERENCE.precision) -> OpenVinoEngine:
    """Load a model file for OpenVINO; a Keras model without an export is converted first, once.

    Parameters
    ----------
    path : str or Path
        A `.keras` file.
    precision : {"auto", "f32", "bf16"}
        See `OpenVinoEngine`.

    Raises
    ------
    InputError
        If the file is missing, damaged, foreign or not what its card says.
    """
    return OpenVinoEngine(read_model_file(converted(Path(path))), precision)


@lru_cache(maxsize=4)
def cached_engine(path: Path, _modified_ns: int, precision: Precision) -> OpenVinoEngine:
    """`load_engine`, kept for the next image; its time of change makes a changed file a new one."""
    return load_engine(path, precision)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long work is, in tiles."""

    done: int
    total: int


def denoise(
    image: NDArray[np.generic],
    model: str | Path | Engine = STARTER,
    *,
    strength: float = INFERENCE.strength,
    precision: Precision = INFERENCE.precision,
) -> NDArray[np.generic]:
    """Denoise an image, or each image of a stack.

    Parameters
    ----------
    image : (H, W) or (N, H, W) array; uint8, uint16 or floating
    model : str, Path or engine
        A `.keras` model file, or what `load_engine` made of one; by default the model of the package.
    strength : float
        Share of the estimated noise that is taken away; 0 leaves the image as it is.
    precision : {"auto", "f32", "bf16"}
        Of the network's body; only where `model` is a path.

    Returns
    -------
    array of the same shape and type

    Raises
    ------
    InputError
        If the image, the model or the strength cannot be used.
    """
    engine: Engine
    if isinstance(model, str | Path):
        path = Path(model)
        if not path.is_file():
            raise InputError(f"{path}: no such model file")
        engine = cached_engine(path.resolve(), path.stat().st_mtime_ns, precision)
    else:
        engine = model
    return finish(denoise_steps(image, engine, strength=strength))


def denoise_steps(
    image: NDArray[np.generic],
    engine: Engine,
    *,
    strength: float = INFERENCE.strength,
    tile_side: int = INFERENCE.tile_side,
) -> Generator[Progress, None, NDArray[np.generic]]:
    """Denoise as `denoise` does, one tile a step; to stop, close the generator.

    Parameters
    ----------
    image : (H, W) or (N, H, W) array; uint8, uint16 or floating
    engine : Engine
    strength : float
        Share of the estimated noise that is taken away, 0 and more.
    tile_side : int
        Largest side of what one tile gives, in pixels.

    Yields
    ------
    Progress
        Tiles that are done, and all of them.

    Returns
    -------
    array of the same shape and type
    """
    check_strength(strength)
    images = as_images(image)
    result = np.empty(image.shape, image.dtype)
    results = result.reshape(images.shape)
    for seen in _noise_in_tiles(images, engine, tile_side):
        denoised = seen.noisy - np.float32(strength) * seen.noise
        results[seen.place] = from_unit(denoised, image.dtype, seen.scale)
        yield seen.progress
    return result


def residual_steps(
    image: NDArray[np.generic], engine: Engine, *, tile_side: int = INFERENCE.tile_side
) -> Generator[Progress, None, NDArray[np.float32]]:
    """The noise that a model sees, one tile a step: any strength is free then, by `subtract`.

    Parameters
    ----------
    image : (H, W) or (N, H, W) array, also a lazy one; uint8, uint16 or floating
    engine : Engine
    tile_side : int
        Largest side of what one tile gives, in pixels.

    Yields
    ------
    Progress
        Tiles that are done, and all of them.

    Returns
    -------
    float32 array of the same shape, on the [0, 1] scale
    """
    images = as_images(image)
    result = np.empty(image.shape, np.float32)
    results = result.reshape(images.shape)
    for seen in _noise_in_tiles(images, engine, tile_side):
        results[seen.place] = seen.noise
        yield seen.progress
    return result


def subtract(image: NDArray[np.generic], residual: NDArray[np.float32], strength: float) -> NDArray[np.generic]:
    """Take a share of the residual away from one image.

    Parameters
    ----------
    image : (H, W) array; uint8, uint16 or floating
    residual : (H, W) float32 array on the [0, 1] scale
    strength : float

    Returns
    -------
    array of the same shape and type
    """
    scale = full_scale(image)
    return from_unit(to_unit(image, scale) - np.float32(strength) * residual, image.dtype, scale)


def as_images(image: NDArray[np.generic]) -> NDArray[np.generic]:
    """The image as a stack of one, or the stack as it is.

    Raises
    ------
    InputError
        If it is neither, or has no pixels.
    """
    if image.ndim == 3 and image.shape[2] in (3, 4):
        raise InputError(f"expected grey images; received colour of shape {image.shape}: convert it to grey first")
    images = image[np.newaxis] if image.ndim == 2 else image
    if images.ndim != 3 or 0 in images.shape:
        raise InputError(f"expected an image (H, W) or a stack (N, H, W) with pixels; received shape {image.shape}")
    return images


def finish(steps: Generator[Progress, None, Result]) -> Result:
    """Run a generator to its end and give what it returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@dataclass(frozen=True, slots=True)
class _TileNoise:
    """The core of one tile with noise, the noise that the network sees in it, and its place in the stack."""

    place: tuple[int, slice, slice]
    noisy: NDArray[np.float32]
    noise: NDArray[np.float32]
    scale: float
    progress: Progress


def _noise_in_tiles(images: NDArray[np.generic], engine: Engine, tile_side: int) -> Iterator[_TileNoise]:
    multiple = engine.card.multiple
    tiles = plan_tiles(images.shape[1:], tile_side, engine.card.halo, multiple)
    for index in range(len(images)):
        image = np.asarray(images[index])
        scale = full_scale(image)
        for number, tile in enumerate(tiles, start=1):
            window = _padded(to_unit(image[tile.rows.window, tile.columns.window], scale), multiple)
            noisy, noise = _run_window(window, tile, engine)
            progress = Progress(index * len(tiles) + number, len(images) * len(tiles))
            yield _TileNoise((index, tile.rows.core, tile.columns.core), noisy, noise, scale, progress)


def _padded(window: NDArray[np.float32], multiple: int) -> NDArray[np.float32]:
    """Mirrored at its end, up to multiples."""
    missing = [(0, -side % multiple) for side in window.shape]
    return np.pad(window, missing, mode="symmetric")


def _run_window(
    window: NDArray[np.float32], tile: Tile, engine: Engine
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The tile's core and its noise; subtractions are float32 even where the network's body is bf16."""
    inner = (tile.rows.inner, tile.columns.inner)
    output = engine(window[np.newaxis, :, :, np.newaxis])[0, :, :, 0][inner]
    noisy = window[inner]
    return noisy, noisy - output if engine.card.predicts == "image" else output


def check_strength(strength: float) -> None:
    """Refuse a strength that is negative or no number."""
    if not (np.isfinite(strength) and strength >= 0):
        raise InputError(f"strength must be a number from 0; received {strength}")
