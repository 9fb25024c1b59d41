"""Networks of other programs to compare with: ONNX files, and packages of the BioImage Model Zoo with ONNX weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_dental_denoise.config import LIMITS
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.inference import openvino
from napari_dental_denoise.models import model_stat, read_description, read_weights
from napari_dental_denoise.pixels import Unit, up_to_multiples

# Sides that networks with up to five halvings take; a file does not say what it needs.
MULTIPLE = 32
# Batch and channel, height and width; or the channel last.
LAYOUTS = ("bcyx", "byxc")
EXPECTED = "expected a network from one grey image to another"


class Peer:
    """A network as a denoiser of grey values on [0, 1], in 32-bit floating point; raises InputError if it is none.

    The image is padded by its mirror image to sides that networks take, and goes through in one piece.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        data, layout = _read(path)
        runtime = openvino()
        try:
            network = runtime.Core().read_model(data)
        except RuntimeError as error:
            raise InputError(
                f"{path.name}: is no ONNX file, or is damaged; expected one, or a package with it"
            ) from error
        inputs, outputs = len(network.inputs), len(network.outputs)
        if (inputs, outputs) != (1, 1):
            raise InputError(f"{path.name}: {EXPECTED}; received {inputs} inputs and {outputs} outputs")
        self._is_channel_last = _layout(path, network, layout) == LAYOUTS[1]
        free = [1, -1, -1, 1] if self._is_channel_last else [1, 1, -1, -1]
        try:
            # Files made for one size take others as far as their layers do.
            network.reshape(free)
            self._compiled = runtime.Core().compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        except RuntimeError as error:
            raise InputError(f"{path.name}: takes one size of images only, or has unknown layers") from error

    def __call__(self, noisy: Unit, _sigma: float = 0.0) -> Unit:
        """Return the denoised image (H, W) or stack (..., H, W); the noise level is ignored."""
        images = noisy.reshape(-1, *noisy.shape[-2:])
        return np.stack([self._denoise(image) for image in images]).reshape(noisy.shape)

    def _denoise(self, image: Unit) -> Unit:
        padded = up_to_multiples(image.astype(np.float32, copy=False), MULTIPLE)
        channel = -1 if self._is_channel_last else 0
        try:
            output = np.asarray(self._compiled(np.expand_dims(padded, channel)[np.newaxis])[0], np.float32)
        except RuntimeError as error:
            raise InputError(f"{self._path.name}: cannot denoise an image of {padded.shape}") from error
        if output.size != padded.size:
            raise InputError(f"{self._path.name}: {EXPECTED}; its output has the shape {output.shape}")
        height, width = image.shape
        denoised = output.reshape(padded.shape)[:height, :width]
        if not np.isfinite(denoised).all():
            raise InputError(f"{self._path.name}: its output contains NaN or infinity")
        return denoised


def _read(path: Path) -> tuple[bytes, str | None]:
    """Return the ONNX file, and the layout of its input where a package tells it."""
    if not path.is_dir() and model_stat(path).st_size > LIMITS.model_bytes:
        raise InputError(f"{path.name}: is larger than {LIMITS.model_bytes // 2**20} MiB")
    description = read_description(path)
    if description is None and path.is_dir():
        raise InputError(f"{path.name}: a folder that is no package of the BioImage Model Zoo")
    if description is None:
        return path.read_bytes(), None
    _, data = read_weights(path, description, ("onnx",))
    try:
        return data, _letters(description["inputs"][0]["axes"])
    except (AttributeError, LookupError, TypeError) as error:
        raise InputError(f"{path.name}: its description names no axes of its input") from error


def _letters(axes: str | Sequence[dict[str, Any]]) -> str:
    """Return a letter for each axis; version 0.4 of the format has them so."""
    if isinstance(axes, str):
        return axes
    return "".join((axis.get("id") or axis["type"])[0] for axis in axes)


def _layout(path: Path, network: Any, told: str | None) -> str:
    """Return where the channel is: as told, or where one channel is declared."""
    shape = network.inputs[0].partial_shape
    if shape.rank.is_dynamic or shape.rank.get_length() != 4:
        raise InputError(f"{path.name}: {EXPECTED}, of 4 axes; received the shape {shape}")
    places = {layout: shape[layout.index("c")] for layout in LAYOUTS if told in (None, layout)}
    found = next((layout for layout, side in places.items() if side == 1), None)
    if found is None:
        raise InputError(f"{path.name}: {EXPECTED}, of one channel; received the axes {str(told or shape)[:100]}")
    return found
