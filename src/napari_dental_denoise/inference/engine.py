"""Run the network of a model file: OpenVINO on the processor."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import INFERENCE, PRECISIONS, Precision
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.inference.bfloat16 import split_grey, take_in_both_parts
from napari_dental_denoise.inference.runtime import openvino
from napari_dental_denoise.models import ModelCard, ModelFile, converted, find_model, read_model_file


class Engine(Protocol):
    """Something that runs a network."""

    @property
    def card(self) -> ModelCard:
        """The card of its model."""

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Network output for a (N, H, W, 1) float32 batch on [0, 1]; sides are multiples of the card's."""


def check_precision(precision: str) -> None:
    """Refuse what is no precision.

    Raises
    ------
    InputError
        If it is none of "auto", "f32" and "bf16".
    """
    if precision not in PRECISIONS:
        raise InputError(f"precision must be one of {', '.join(PRECISIONS)}; received {precision!r}")


def body_precision(precision: Precision, card: ModelCard) -> Precision:
    """What the body of that model is run in; "auto" where the processor decides."""
    check_precision(precision)
    # A number in bf16 holds 8 bits: enough for noise to subtract, not for the grey values of an image.
    return "f32" if precision == "auto" and card.predicts == "image" else precision


class OpenVinoEngine:
    """Runs the OpenVINO export of a model file on the processor.

    Parameters
    ----------
    model : ModelFile
    precision : {"auto", "f32", "bf16"}
        Of the network's body; "auto" takes bf16 where the processor has it, at about half the time,
        but for models that give the image itself.
    threads : int, optional
        Of the processor to use; by default all.

    Raises
    ------
    InputError
        If OpenVINO cannot read the export, or it is no network from one image to one of its size.
    """

    def __init__(
        self, model: ModelFile, precision: Precision = INFERENCE.precision, threads: int | None = None
    ) -> None:
        self.card = model.card
        runtime = openvino()
        core = runtime.Core()
        hint = body_precision(precision, model.card)
        options: dict[str, str | int] = {} if hint == "auto" else {"INFERENCE_PRECISION_HINT": hint}
        if threads is not None and threads < 1:
            raise InputError(f"threads must be a positive number; received {threads}")
        if threads is not None:
            options["INFERENCE_NUM_THREADS"] = threads
        try:
            network = core.read_model(model.graph, runtime.Tensor(np.frombuffer(model.weights, np.uint8).copy()))
            _check_network(network)
            core.set_property("CPU", options)
            if core.get_property("CPU", "INFERENCE_PRECISION_HINT") == runtime.Type.bf16:
                take_in_both_parts(network)
            self._compiled = core.compile_model(network, "CPU")
        except RuntimeError as error:
            raise InputError(f"{model.path.name}: OpenVINO cannot use its export: train or convert it again") from error

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Network output for a (N, H, W, 1) float32 batch; see `Engine`."""
        try:
            # A request of its own for each call: one request serves one thread at a time, and nothing
            # else uses its output, which needs no copy then.
            request = self._compiled.create_infer_request()
            inputs = split_grey(batch) if len(self._compiled.inputs) == 2 else batch
            output = request.infer(inputs, share_inputs=True, share_outputs=True)[0]
        except RuntimeError as error:
            raise InputError(f"OpenVINO cannot run this model: {str(error).splitlines()[-1]}") from error
        if output.shape != batch.shape:
            raise InputError(f"the model made an output of shape {output.shape} of an input of shape {batch.shape}")
        # A sum is not finite where a value is not, and takes a hundredth of the network's time.
        if not np.isfinite(output.sum()):
            raise InputError("the model made NaN or infinity of finite grey values: its weights are damaged")
        return output


def _check_network(network: object) -> None:
    inputs, outputs = network.inputs, network.outputs  # type: ignore[attr-defined]  # openvino has no stubs
    if len(inputs) != 1 or len(outputs) != 1 or inputs[0].partial_shape.rank.get_length() != 4:
        raise RuntimeError("expected one image in and one out")


def load_engine(
    path: str | Path, precision: Precision = INFERENCE.precision, threads: int | None = None
) -> OpenVinoEngine:
    """Load a model file for OpenVINO; a Keras model without an export is converted first, once.

    Parameters
    ----------
    path : str or Path
        A `.keras` file; or "starter" or "starter-fast", the models of the package.
    precision, threads
        See `OpenVinoEngine`.

    Raises
    ------
    InputError
        If the file is missing, damaged, foreign or not what its card says.
    """
    return OpenVinoEngine(read_model_file(converted(find_model(path))), precision, threads)


@lru_cache(maxsize=4)
def cached_engine(path: Path, _modified_ns: int, precision: Precision, threads: int | None = None) -> OpenVinoEngine:
    """`load_engine`, kept for the next image; its time of change makes a changed file a new one."""
    return load_engine(path, precision, threads)
