"""Write a model in the format of another program."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import MEAN_SIDE, PROGRAM, ExportFormat
from napari_dental_denoise.errors import InputError, needed_for
from napari_dental_denoise.files import atomic_folder, atomic_write, write_bytes
from napari_dental_denoise.inference import openvino
from napari_dental_denoise.models import ModelCard, converted, read_card
from napari_dental_denoise.pixels import next_multiple
from napari_dental_denoise.unet import keras, load_keras_model, openvino_export, quiet_stderr, tf
from napari_dental_denoise.unet.exchange.names import check_export_name
from napari_dental_denoise.unet.exchange.network import DENOISED, denoiser_network
from napari_dental_denoise.unet.exchange.resizing import with_free_up_sampling
from napari_dental_denoise.unet.exchange.zoo import KERAS, ONNX, write_package

# The first with all operations of the networks; ImageJ's and QuPath's runtimes know it.
OPSET = 17
# What tf2onnx makes of a network depends on the order in which it meets its nodes: rarely, there is an axis too many.
ATTEMPTS = 3


def export_model(source: Path, target: Path, kind: ExportFormat, *, overwrite: bool) -> None:
    """Write a model file in another format: from grey images (N, H, W, 1) on [0, 1] to denoised ones.

    Parameters
    ----------
    source : Path
        A `.keras` model file; it is not changed.
    target : Path
        A file, or for "saved-model" a folder; OpenVINO's weights stand beside it in a file of the suffix .bin.
    kind : {"bioimageio", "onnx", "openvino", "saved-model"}
    overwrite : bool
        Whether to replace `target`.

    Raises
    ------
    InputError
        If the model cannot be loaded, the name has another suffix than the format, exists or cannot be written, or a
        package is missing.
    """
    check_export_name(target, kind, overwrite=overwrite)
    usable = converted(source)
    card = read_card(usable)
    WRITERS[kind](denoiser_network(load_keras_model(usable), card), card, target, overwrite)


def _write_onnx(network: keras.Model, card: ModelCard, target: Path, overwrite: bool) -> None:  # noqa: FBT001 (a writer)
    with atomic_write(target, overwrite=overwrite) as temporary:
        onnx_file(network, card, temporary)


def onnx_file(network: keras.Model, card: ModelCard, path: Path) -> None:
    """Write an ONNX file with free sides, named axes and the card; raise InputError if it does not denoise alike."""
    network = with_free_up_sampling(network)
    side = next_multiple(MEAN_SIDE, card.multiple)
    image = np.random.default_rng(0).random((1, side, side, 1), np.float32)
    # Keras exports a network that was called.
    denoised = np.asarray(network(image))
    for _ in range(ATTEMPTS):
        _convert_to_onnx(network, card, path)
        if gives(path, image, denoised):
            return
    raise InputError(
        f"the conversion of {network.name} to ONNX gives other results than the model: choose another format"
    )


def _convert_to_onnx(network: keras.Model, card: ModelCard, path: Path) -> None:
    with needed_for("export to ONNX", "onnx"):
        import onnx
    with needed_for("export to ONNX", "tf2onnx"), warnings.catch_warnings(action="ignore"):
        import tf2onnx  # noqa: F401 (Keras imports it)
    with quiet_stderr(), warnings.catch_warnings(action="ignore"):
        network.export(str(path), format="onnx", verbose=False, opset_version=OPSET)
    model = onnx.load(str(path))
    _rename_output(model.graph, DENOISED)
    for value in (*model.graph.input, *model.graph.output):
        for axis, name in zip(value.type.tensor_type.shape.dim, ("batch", "height", "width"), strict=False):
            axis.dim_param = name
    model.producer_name = PROGRAM
    onnx.helper.set_model_props(model, {"card": card.to_json()})
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def gives(path: Path, image: NDArray[np.float32], expected: NDArray[np.float32]) -> bool:
    """Return whether an ONNX file makes the expected result of an image, up to rounding."""
    core = openvino().Core()
    network = core.compile_model(core.read_model(path.read_bytes()), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    result = network(image)[0]
    return result.shape == expected.shape and np.allclose(result, expected, 1e-2, 1e-3 * float(np.ptp(expected)))


def _rename_output(graph: Any, name: str) -> None:
    (output,) = graph.output
    for node in graph.node:
        for place, made in enumerate(node.output):
            if made == output.name:
                node.output[place] = name
    output.name = name


def _write_openvino(network: keras.Model, _card: ModelCard, target: Path, overwrite: bool) -> None:  # noqa: FBT001
    graph, weights = openvino_export(network)
    write_bytes(target.with_suffix(".bin"), weights, overwrite=overwrite)
    write_bytes(target, graph, overwrite=overwrite)


def _write_saved_model(network: keras.Model, _card: ModelCard, target: Path, overwrite: bool) -> None:  # noqa: FBT001
    if overwrite and target.exists():
        raise InputError(f"{target} is a folder or a file, which --overwrite does not replace: choose another name")
    with atomic_folder(target, overwrite=False) as temporary, quiet_stderr():
        try:
            with_free_up_sampling(network).export(str(temporary), format="tf_saved_model", verbose=False)
        except tf.errors.OpError as error:
            # TensorFlow writes the files itself; the system's reason comes last.
            reason = error.message.rpartition("; ")[2].partition(" [")[0]
            raise InputError(f"{target}: cannot be written ({reason})") from error


def _write_zoo(network: keras.Model, card: ModelCard, target: Path, overwrite: bool) -> None:  # noqa: FBT001
    with tempfile.TemporaryDirectory() as folder, atomic_write(target, overwrite=overwrite) as temporary:
        onnx_file(network, card, Path(folder, ONNX))
        # Keras's own layer takes images of one size only within `predict`, which other programs call.
        if with_free_up_sampling(network) is network:
            network.save(f"{folder}/{KERAS}")
        write_package(network, card, OPSET, Path(folder), temporary, target.stem)


Writer = Callable[[keras.Model, ModelCard, Path, bool], None]
WRITERS: Mapping[ExportFormat, Writer] = MappingProxyType(
    {
        "bioimageio": _write_zoo,
        "onnx": _write_onnx,
        "openvino": _write_openvino,
        "saved-model": _write_saved_model,
    }
)
