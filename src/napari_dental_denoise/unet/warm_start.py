"""Initialise a network with the weights of a model file, of the same preset or one with fewer channels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import PRESETS
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.models import ModelCard, can_initialise, read_model_file
from napari_dental_denoise.unet.backend import keras
from napari_dental_denoise.unet.export import load_keras_model
from napari_dental_denoise.unet.network import ERROR, unet_model

Kernel = NDArray[np.float32]


def start_from_file(path: Path, network: keras.Model, preset: str) -> ModelCard:
    """Initialise a network of this preset with a model file of the same or a narrower preset; return its card."""
    card = read_model_file(path).card
    first = card.preset
    if first not in PRESETS:
        raise InputError(f"{path.name}: was made elsewhere: a training cannot begin with it")
    if not can_initialise(preset, first):
        raise InputError(f"{path.name}: its preset is {first}, not {preset}: start from it with --preset {first}")
    narrow = load_keras_model(path)
    if _kernel_shapes(narrow) != _kernel_shapes(unet_model(PRESETS[first])):
        raise InputError(f"{path.name}: its weights do not fit the preset {first}: train it again")
    widen(narrow, network)
    return card


def _kernel_shapes(model: keras.Model) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the kernels but for those of the error map, which models of earlier versions lack."""
    kernels = {layer.name: layer.get_weights()[0].shape for layer in model.layers if layer.weights}
    return {name: shape for name, shape in kernels.items() if not name.startswith(ERROR)}


def widen(narrow: keras.Model, wide: keras.Model) -> None:
    """Make a wide network compute the same as a narrow one; its additional channels keep their weights.

    Of a network of an earlier version, with biases that the wide one lacks, it takes the kernels; layers that only the
    wide one has keep their weights.

    Connections from additional channels to those of the narrow network start at zero. After T. Chen, I. Goodfellow and
    J. Shlens, "Net2Net: Accelerating learning via knowledge transfer", arXiv 1511.05641, which repeats channels
    instead.
    """
    known = {layer.name for layer in narrow.layers}
    for layer in wide.layers:
        if not layer.weights or layer.name not in known:
            continue
        (old_kernel, *old_biases), (kernel, *biases) = (
            same.get_weights() for same in (narrow.get_layer(layer.name), layer)
        )
        if isinstance(layer, keras.layers.Conv2DTranspose):
            # In Keras, its output channels precede the input channels.
            _embed(old_kernel.swapaxes(2, 3), kernel.swapaxes(2, 3), joined=1)
        else:
            reads_two = layer.name.startswith(("up", ERROR)) and layer.name.endswith("_0")
            _embed(old_kernel, kernel, joined=2 if reads_two else 1)
        # Networks of earlier versions have biases that those of today lack.
        for old_bias, bias in zip(old_biases, biases, strict=False):
            bias[: len(old_bias)] = old_bias
        layer.set_weights([kernel, *biases])


def _embed(old: Kernel, kernel: Kernel, joined: int) -> None:
    """Copy a kernel (height, width, inputs, outputs) into a larger one with `joined` concatenated images as inputs."""
    outputs = old.shape[3]
    kernel[..., :outputs] = 0
    old_parts, parts = (np.split(whole[..., :outputs], joined, axis=2) for whole in (old, kernel))
    for old_part, part in zip(old_parts, parts, strict=True):
        part[:, :, : old_part.shape[2]] = old_part
