"""Run the network of a model file with OpenVINO on the processor."""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import INFERENCE, PRECISIONS, Precision
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.inference.bfloat16 import split_grey, take_in_both_parts
from napari_dental_denoise.inference.runtime import openvino
from napari_dental_denoise.models import (
    ModelCard,
    ModelFile,
    converted,
    find_model,
    is_converted,
    model_stat,
    read_model_file,
)
from napari_dental_denoise.pixels import doubled
from napari_dental_denoise.validation import check_count


class Engine(Protocol):
    """Interface of objects that run a network.

    Examples
    --------
    >>> import numpy as np
    >>> engine: Engine = load_engine("starter-fast")
    >>> engine(np.zeros((1, 32, 32, 1), np.float32)).shape
    (1, 32, 32, 1)
    """

    @property
    def card(self) -> ModelCard:
        """Card of the model."""

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the output for a (N, H, W, 1) float32 batch on [0, 1]; sides are multiples of the card's."""

    def with_error(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the output and the expected squared error of each pixel, of a model whose card has a calibration."""


def check_precision(precision: str) -> None:
    """Raise InputError unless `precision` is "auto", "f32" or "bf16"."""
    if precision not in PRECISIONS:
        raise InputError(f"precision must be one of {', '.join(PRECISIONS)}; received {precision!r}")


def body_precision(precision: Precision, card: ModelCard) -> Precision:
    """Return the precision for the body of a model; "auto" lets the processor decide."""
    check_precision(precision)
    # bf16 has 8 significant bits: enough for noise to subtract, not for the grey values of an image.
    return "f32" if precision == "auto" and card.predicts == "image" else precision


class OpenVinoEngine:
    """Runs the OpenVINO export of a model file on the processor; raises InputError if it cannot be used.

    Parameters
    ----------
    model : ModelFile
    precision : {"auto", "f32", "bf16"}
        Precision of the network's body; "auto" is bf16, which halves the time, where the processor supports
        it and the model predicts the noise.
    threads : int, optional
        Number of processor threads; by default all.

    Examples
    --------
    >>> engine = load_engine("starter-fast", threads=1)
    >>> type(engine).__name__, engine.card.predicts
    ('OpenVinoEngine', 'residual')
    """

    def __init__(
        self, model: ModelFile, precision: Precision = INFERENCE.precision, threads: int | None = None
    ) -> None:
        self.card = model.card
        hint = body_precision(precision, model.card)
        self._options: dict[str, str | int] = {} if hint == "auto" else {"INFERENCE_PRECISION_HINT": hint}
        if threads is not None:
            check_count("threads", threads)
            self._options["INFERENCE_NUM_THREADS"] = threads
        self._model = model
        self._compiled = self._compile(outputs=1)

    @cached_property
    def _compiled_with_error(self) -> Any:
        return self._compile(outputs=2)

    def _compile(self, outputs: int) -> Any:
        """Return the network with its first outputs, without the layers that only others need."""
        runtime, model = openvino(), self._model
        core = runtime.Core()
        try:
            network = core.read_model(model.graph, runtime.Tensor(np.frombuffer(model.weights, np.uint8).copy()))
            _check_network(network, outputs)
            for result in network.get_results()[outputs:]:
                network.remove_result(result)
            core.set_property("CPU", self._options)
            if core.get_property("CPU", "INFERENCE_PRECISION_HINT") == runtime.Type.bf16:
                take_in_both_parts(network)
            return core.compile_model(network, "CPU")
        except RuntimeError as error:
            raise InputError(f"{model.path.name}: OpenVINO cannot use its export: train or convert it again") from error

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the network's output for a (N, H, W, 1) float32 batch; see `Engine`."""
        return self._run(self._compiled, batch)[0]

    def with_error(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the output and the expected squared errors; see `Engine`."""
        output, squared = self._run(self._compiled_with_error, batch)
        return output, doubled(squared)

    def _run(self, compiled: Any, batch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        try:
            # A new request for each call: a request serves one thread at a time, and its output, which nothing else
            # uses, needs no copy.
            request = compiled.create_infer_request()
            inputs = split_grey(batch) if len(compiled.inputs) == 2 else batch
            results = request.infer(inputs, share_inputs=True, share_outputs=True)
            outputs = [results[number] for number in range(len(compiled.outputs))]
        except RuntimeError as error:
            raise InputError(f"OpenVINO cannot run this model: {str(error).splitlines()[-1]}") from error
        if outputs[0].shape != batch.shape:
            raise InputError(
                f"the model turned an input of shape {batch.shape} into an output of shape {outputs[0].shape}"
            )
        for output in outputs:
            # The sum of an array is finite only if its values are, and takes a hundredth of the network's time.
            if not np.isfinite(output.sum()):
                raise InputError("the model's output contains NaN or infinity; its weights are probably corrupt")
        return outputs


def _check_network(network: Any, outputs: int) -> None:
    inputs = network.inputs
    if len(inputs) != 1 or len(network.outputs) < outputs or inputs[0].partial_shape.rank.get_length() != 4:
        raise RuntimeError("expected one input image and as many output images")


def load_engine(
    path: str | Path, precision: Precision = INFERENCE.precision, threads: int | None = None
) -> OpenVinoEngine:
    """Load a model file for OpenVINO; a Keras model without an export is converted once.

    Parameters
    ----------
    path : str or Path
        A `.keras` file; or "starter" or "starter-fast", the models of the package.
    precision, threads
        See `OpenVinoEngine`.

    Returns
    -------
    OpenVinoEngine

    Raises
    ------
    InputError
        If the file is missing, damaged, not a model, or does not match its card.

    Examples
    --------
    >>> load_engine("starter-fast").card.preset
    'fast'
    """
    return OpenVinoEngine(read_model_file(converted(find_model(path))), precision, threads)


def cached_engine(path: Path, precision: Precision = INFERENCE.precision, threads: int | None = None) -> OpenVinoEngine:
    """Return the engine of `load_engine`, compiled once for the last few files, and again when a file changes."""
    # First: the error of a path that cannot be resolved is not an InputError.
    modified = model_stat(path).st_mtime_ns
    return _cached(path.resolve(), modified, precision, threads).engine()


def prepare_engine(path: Path) -> None:
    """Make the engine of `cached_engine` in a thread, so that the first image need not wait for it.

    A file that needs a conversion or cannot be used is left to `cached_engine`.
    """
    threading.Thread(target=_prepare, args=(path,), name="prepare engine").start()


def _prepare(path: Path) -> None:
    with suppress(InputError):
        if is_converted(path):
            cached_engine(path)


class _Compiled:
    """An engine that is compiled once, however many threads ask for it meanwhile."""

    def __init__(self, path: Path, precision: Precision, threads: int | None) -> None:
        self._load = partial(load_engine, path, precision, threads)
        self._engine: OpenVinoEngine | None = None
        self._lock = threading.Lock()

    def engine(self) -> OpenVinoEngine:
        with self._lock:
            if self._engine is None:
                self._engine = self._load()
            return self._engine


@lru_cache(maxsize=4)
def _cached(path: Path, _modified_ns: int, precision: Precision, threads: int | None) -> _Compiled:
    return _Compiled(path, precision, threads)
