"""Make models that were trained elsewhere usable: open sides, a card that is measured, an OpenVINO export."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_dental_denoise.config import GREY_LEVELS, MEAN_SIDE, Predicts, Sees
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.models import ModelCard
from napari_dental_denoise.pixels import next_multiple
from napari_dental_denoise.unet import CROP, NAME, PAD, ExportError, check_model_name, keras, write_model
from napari_dental_denoise.unet.exchange.foreign import load_foreign_model

# Candidates for the pixels around a tile; the smallest sufficient one is taken.
FOREIGN_HALOS = (96, 192, 384)
PROBE_CORE, PROBE_RIM = 64, 64
FOREIGN_MULTIPLES = (1, 2, 4, 8, 16, 32, 64)
PROBE_GREY = 0.5
HALF_A_GREY_LEVEL = 0.5 / GREY_LEVELS


def convert_model(source: Path, target: Path, *, overwrite: bool) -> ModelCard:
    """Convert a Keras model that was trained elsewhere, and return its card; the source is not changed.

    Raise InputError if the model cannot be loaded or exported, or is none that `measured` takes.
    """
    model, card = measured(load_foreign_model(source), source.name)
    check_model_name(target)
    try:
        return write_model(model, card, target, overwrite=overwrite)
    except ExportError as error:
        raise InputError(f"{source.name}: {error}") from error


def measured(model: keras.Model, name: str) -> tuple[keras.Model, ModelCard]:
    """Return a Keras model that was made elsewhere with open sides in float32, and its card.

    A constant image shows whether it predicts the noise or the image; changed distant pixels show how far its receptive
    field reaches. Raise InputError if the model does not map an image to one of its size, or cannot work on a part of
    an image.
    """
    model = _with_open_sides(_without_error_map(model), name)
    multiple = _find_multiple(model, name)
    predicts = _find_prediction(model, multiple, name)
    halo = _find_halo(model, multiple, name)
    sees: Sees = "differences" if _is_without_biases(model) else "image"
    if sees == "differences":
        halo = next_multiple(halo + MEAN_SIDE // 2, multiple)
    return model, ModelCard("foreign", predicts, multiple, halo, sees)


def _without_error_map(model: keras.Model) -> keras.Model:
    """Return a network without the second output of `with_error_map`, whose calibration is lost with the card."""
    if model.name != NAME or len(model.outputs) == 1:
        return model
    return keras.Model(model.input, model.outputs[0], name=NAME)


def _with_open_sides(model: keras.Model, name: str) -> keras.Model:
    if not model.built:
        raise InputError(f"{name}: the network has no weights: call it on an image, and train it, before it is saved")
    shapes = [tuple(tensor.shape) for tensor in (*model.inputs, *model.outputs)]
    if len(shapes) != 2 or any(len(shape) != 4 or shape[-1] != 1 for shape in shapes):
        counts = f"{len(model.inputs)} input(s) and {len(model.outputs)} output(s)"
        raise InputError(f"{name}: expected a network from one grey image to another; received {counts}, {shapes}")
    # Whatever holds them: a list, a dictionary.
    model = keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    try:
        # Rebuilt in float32 with open sides: a mixed precision network cannot be exported.
        rebuilt = keras.models.clone_model(
            model,
            input_tensors=keras.Input((None, None, 1), name="noisy"),
            clone_function=_without_sides if _has_own_sides(model) else _in_float32,
        )
        rebuilt.set_weights(model.get_weights())
    except (ValueError, TypeError) as error:
        raise InputError(f"{name}: the network accepts only one image size ({error})") from error
    return rebuilt


def _has_own_sides(model: keras.Model) -> bool:
    """Return whether `unet_model` gave it fixed sides: the padding is cropped again."""
    layers = {layer.name: layer for layer in model.layers}
    pad, crop = layers.get(PAD), layers.get(CROP)
    if not (isinstance(pad, keras.layers.ZeroPadding2D) and isinstance(crop, keras.layers.Cropping2D)):
        return False
    same = [tuple(map(tuple, amounts)) for amounts in (pad.padding, crop.cropping)]
    return model.name == NAME and same[0] == same[1] and None not in model.input_shape[1:]


def _is_without_biases(model: keras.Model) -> bool:
    """Return whether `unet_model` made the network, to see differences from the local mean."""
    return model.name == NAME and not any(getattr(layer, "use_bias", False) for layer in model.layers)


def _without_sides(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Replace padding and cropping, which open sides do not need."""
    return keras.layers.Identity(name=layer.name) if layer.name in (PAD, CROP) else _in_float32(layer)


def _in_float32(layer: keras.layers.Layer) -> keras.layers.Layer:
    if not isinstance(layer, keras.layers.Layer):
        return layer  # an operation without weights, as keras.ops makes them
    return type(layer).from_config({**layer.get_config(), "dtype": "float32"})


def _find_multiple(model: keras.Model, name: str) -> int:
    for multiple in FOREIGN_MULTIPLES:
        batch = np.full((1, 3 * multiple, 5 * multiple, 1), PROBE_GREY, np.float32)
        try:
            if np.shape(model(batch)) == batch.shape:
                return multiple
        except Exception:  # noqa: BLE001, S112 (whatever fails, this size does not fit)
            continue
    raise InputError(f"{name}: the output of the network does not have the size of its input, or only at one size")


def _find_prediction(model: keras.Model, multiple: int, name: str) -> Predicts:
    side = next_multiple(2 * FOREIGN_HALOS[0], multiple)
    output = np.asarray(model(np.full((1, side, side, 1), PROBE_GREY, np.float32)))
    if not np.isfinite(output).all():
        raise InputError(f"{name}: the model's output contains NaN or infinity; its weights are probably corrupt")
    return "image" if float(np.median(output)) > PROBE_GREY / 2 else "residual"


def _find_halo(model: keras.Model, multiple: int, name: str) -> int:
    for wanted in FOREIGN_HALOS:
        halo, rim, core = (next_multiple(length, multiple) for length in (wanted, PROBE_RIM, PROBE_CORE))
        image = np.random.default_rng(0).random((1, *[core + 2 * (halo + rim)] * 2, 1), np.float32)
        changed = np.zeros_like(image)
        window, middle = (slice(length, -length) for length in (rim, rim + halo))
        changed[:, window, window] = image[:, window, window]
        results = [np.asarray(model(batch))[:, middle, middle] for batch in (image, changed)]
        if np.abs(results[0] - results[1]).max() <= HALF_A_GREY_LEVEL:
            return halo
    raise InputError(
        f"{name}: its receptive field reaches more than {FOREIGN_HALOS[-1]} pixels: the network cannot denoise large "
        "images in tiles"
    )
