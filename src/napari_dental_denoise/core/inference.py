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
        import openvino

        if precision not in PRECISIONS:
            raise InputError(f"precision must be one of {', '.join(PRECISIONS)}; received {precision!r}")
        self.card = model.card
        core = openvino.Core()
        options = {} if precision == "auto" else {"INFERENCE_PRECISION_HINT": precision}
        try:
            network = core.read_model(model.graph, openvino.Tensor(np.frombuffer(model.weights, np.uint8).copy()))
            _check_network(network)
            self._compiled = core.compile_model(network, "CPU", options)
        except RuntimeError as error:
            raise InputError(f"{model.path.name}: OpenVINO cannot use its export: train or convert it again") from error

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Network output for a (N, H, W, 1) float32 batch; see `Engine`."""
        output = np.asarray(self._compiled(batch)[0])
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
    """How far a long work is."""

    done: int
    total: int


def denoise(
    image: NDArray[np.generic],
    model: str | Path | Engine,
    *,
    strength: float = INFERENCE.strength,
    precision: Precision = INFERENCE.precision,
) -> NDArray[np.generic]:
    """Denoise an image, or each image of a stack.

    Parameters
    ----------
    image : (H, W) or (N, H, W) array; uint8, uint16 or floating
    model : str, Path or engine
        A `.keras` model file, or what `load_engine` made of one.
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
    result = np.empty_like(image)
    images = image[np.newaxis] if image.ndim == 2 else image
    results = result[np.newaxis] if image.ndim == 2 else result
    if images.ndim != 3 or image.size == 0:
        raise InputError(f"expected an image (H, W) or a stack (N, H, W) with pixels; received shape {image.shape}")
    tiles = plan_tiles(images.shape[1:], tile_side, engine.card.halo, engine.card.multiple)
    total = len(images) * len(tiles)
    for index, (noisy, denoised) in enumerate(zip(images, results, strict=True)):
        scale = full_scale(noisy)
        for number, (tile, window) in enumerate(_windows(noisy, tiles, scale, engine.card.multiple)):
            clean = _denoise_window(window, tile, engine, strength)
            denoised[tile.rows.core, tile.columns.core] = from_unit(clean, image.dtype, scale)
            yield Progress(index * len(tiles) + number + 1, total)
    return result


def residual(image: NDArray[np.generic], engine: Engine) -> NDArray[np.float32]:
    """The noise that a model sees in one image, on the [0, 1] scale: `noisy - strength * residual` is free then.

    Parameters
    ----------
    image : (H, W) array; uint8, uint16 or floating
    engine : Engine

    Returns
    -------
    (H, W) float32 array
    """
    unit = to_unit(image)
    return unit - finish(denoise_steps(unit, engine)).astype(np.float32, copy=False)


def finish(steps: Generator[Progress, None, Result]) -> Result:
    """Run a generator to its end and give what it returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def _windows(
    image: NDArray[np.generic], tiles: list[Tile], scale: float, multiple: int
) -> Iterator[tuple[Tile, NDArray[np.float32]]]:
    for tile in tiles:
        window = to_unit(image[tile.rows.window, tile.columns.window], scale)
        missing = [(0, -side % multiple) for side in window.shape]
        yield tile, np.pad(window, missing, mode="symmetric")


def _denoise_window(window: NDArray[np.float32], tile: Tile, engine: Engine, strength: float) -> NDArray[np.float32]:
    """The tile's core; the subtraction is float32 even where the network's body is bf16."""
    inner = (tile.rows.inner, tile.columns.inner)
    output = engine(window[np.newaxis, :, :, np.newaxis])[0, :, :, 0][inner]
    noisy = window[inner]
    if engine.card.predicts == "image":
        output = noisy - output
    return noisy - np.float32(strength) * output


def check_strength(strength: float) -> None:
    """Refuse a strength that is negative or no number."""
    if not (np.isfinite(strength) and strength >= 0):
        raise InputError(f"strength must be a number from 0; received {strength}")
