"""What a training begins with: the weights of a model file, put into a wider network where the preset has one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import PRESETS
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.models import ModelCard, can_initialise, read_model_file
from napari_dental_denoise.unet.backend import keras
from napari_dental_denoise.unet.export import load_keras_model
from napari_dental_denoise.unet.network import unet_model

Kernel = NDArray[np.float32]


def start_from_file(path: Path, network: keras.Model, preset: str) -> ModelCard:
    """Give a network of this preset what the model of a file has learned.

    Parameters
    ----------
    path : Path
        A model file, of this preset or the same with fewer channels.
    network : keras.Model
        Of `unet_model`; changed.
    preset : str

    Returns
    -------
    ModelCard
        Of the file.

    Raises
    ------
    InputError
        If the file is no model, or one that a training of this preset cannot begin with.
    """
    card = read_model_file(path).card
    first = card.preset
    if first not in PRESETS:
        raise InputError(f"{path.name}: was made elsewhere: a training cannot begin with it")
    if not can_initialise(preset, first):
        raise InputError(f"{path.name}: its preset is {first}, not {preset}: start from it with --preset {first}")
    narrow = load_keras_model(path)
    expected = [weight.shape for weight in unet_model(PRESETS[first]).weights]
    if [weight.shape for weight in narrow.weights] != expected:
        raise InputError(f"{path.name}: its weights are not those of the preset {first}: train it again")
    widen(narrow, network)
    return card


def widen(narrow: keras.Model, wide: keras.Model) -> None:
    """Make a wide network compute what a narrow one does; its further channels keep the weights that they have.

    Nothing listens to the further channels at first: what leads from them to those of the narrow
    network is zero, until it is learned. After T. Chen, I. Goodfellow and J. Shlens, "Net2Net:
    Accelerating learning via knowledge transfer", arXiv 1511.05641, which repeats channels instead.

    Parameters
    ----------
    narrow, wide : keras.Model
        Of `unet_model`, of presets of which the second `Preset.extends` the first; `wide` is changed.
    """
    for layer in wide.layers:
        if not layer.weights:
            continue
        old_kernel, old_bias = narrow.get_layer(layer.name).get_weights()
        kernel, bias = layer.get_weights()
        if isinstance(layer, keras.layers.Conv2DTranspose):
            # Keras keeps its output channels before those of the input.
            _embed(old_kernel.swapaxes(2, 3), kernel.swapaxes(2, 3), joined=1)
        else:
            after_skip = layer.name.startswith("up") and layer.name.endswith("_0")
            _embed(old_kernel, kernel, joined=2 if after_skip else 1)
        bias[: len(old_bias)] = old_bias
        layer.set_weights([kernel, bias])


def _embed(old: Kernel, kernel: Kernel, joined: int) -> None:
    """Put a kernel (height, width, inputs, outputs) into a larger one; its inputs are so many images, joined."""
    outputs = old.shape[3]
    kernel[..., :outputs] = 0
    old_parts, parts = (np.split(whole[..., :outputs], joined, axis=2) for whole in (old, kernel))
    for old_part, part in zip(old_parts, parts, strict=True):
        part[:, :, : old_part.shape[2]] = old_part
