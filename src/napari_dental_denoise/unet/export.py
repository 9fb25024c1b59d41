"""Write model files, and convert plain Keras models to them."""

from __future__ import annotations

import platform
import tempfile
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise import __version__
from napari_dental_denoise.config import GREY_LEVELS, MEAN_SIDE, MODEL_SUFFIX, PROGRAM, Predicts, Sees
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files import atomic_write
from napari_dental_denoise.inference import openvino
from napari_dental_denoise.models import CARD, GRAPH, KERAS_WEIGHTS, WEIGHTS, ModelCard, member_names, sha256
from napari_dental_denoise.pixels import next_multiple
from napari_dental_denoise.unet.backend import keras, quiet_stderr
from napari_dental_denoise.unet.network import CROP, NAME, PAD
from napari_dental_denoise.unet.safe_load import check_untrusted

# Candidates for the pixels around a tile; the smallest sufficient one is taken.
FOREIGN_HALOS = (96, 192, 384)
PROBE_CORE, PROBE_RIM = 64, 64
FOREIGN_MULTIPLES = (1, 2, 4, 8, 16, 32, 64)
PROBE_GREY = 0.5
HALF_A_GREY_LEVEL = 0.5 / GREY_LEVELS
SIGNIFICANT_BITS = 11


class ExportError(InputError):
    """OpenVINO's converter failed on a model."""


def save_model(model: keras.Model, card: ModelCard, path: Path, *, overwrite: bool) -> ModelCard:
    """Write a float32 Keras model with its card and OpenVINO export as one `.keras` file; return the completed card.

    The model maps (N, H, W, 1) to (N, H, W, 1), height and width open, and may have an error map as a second output;
    date, versions and hashes of the card are filled in. Weights are rounded to 11 significant bits and every member is
    deflated, which halves the file.

    The file is written whole or not at all, and InputError is raised if it exists or cannot be written. If the export
    fails, the Keras model alone is written before the error is raised, so that no training is lost.
    """
    check_model_name(path)
    try:
        return _write_model(model, card, path, overwrite=overwrite)
    except ExportError as error:
        with atomic_write(path, overwrite=overwrite) as temporary:
            _rounded(model).save(temporary)
        raise InputError(
            f"{path}: the model was written, but {error}: to make it usable, run "
            f"{PROGRAM} convert {path.name} -o converted{MODEL_SUFFIX}"
        ) from error


def _write_model(model: keras.Model, card: ModelCard, path: Path, *, overwrite: bool) -> ModelCard:
    with atomic_write(path, overwrite=overwrite) as temporary:
        rounded = _rounded(model)
        rounded.save(temporary)
        graph, weights = _export(rounded)
        # Keras does not compress its members.
        with zipfile.ZipFile(temporary) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        packages = {name: version(name) for name in ("keras", "tensorflow", "openvino", "numpy")}
        card = replace(
            card,
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            versions={PROGRAM: __version__, "python": platform.python_version(), **packages},
            weights_sha256=sha256(members[KERAS_WEIGHTS]),
            export_sha256=sha256(graph, weights),
        )
        members |= {CARD: card.to_json().encode(), GRAPH: graph, WEIGHTS: weights}
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
    return card


def _rounded(model: keras.Model) -> keras.Model:
    copy = keras.models.clone_model(model)
    copy.set_weights([round_weights(weights) for weights in model.get_weights()])
    return copy


def round_weights(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Round to the 11 significant bits of half precision, half to even, keeping the range of float32."""
    mantissa, exponent = np.frexp(weights)
    return np.ldexp(np.rint(mantissa * 2**SIGNIFICANT_BITS) / 2**SIGNIFICANT_BITS, exponent)


def check_model_name(path: Path) -> None:
    """Raise InputError unless the name ends in .keras, as Keras requires."""
    if path.suffix != MODEL_SUFFIX:
        raise InputError(f"{path}: the name of a model must end in {MODEL_SUFFIX}")


def _export(model: keras.Model) -> tuple[bytes, bytes]:
    openvino()  # before Keras imports it
    from openvino.frontend.tensorflow import utils

    # OpenVINO's own function deletes a local variable by `exec`, a NameError since Python 3.13.
    utils.get_environment_setup = lambda _framework: {"tensorflow": version("tensorflow")}
    with tempfile.TemporaryDirectory() as folder:
        graph = Path(folder) / "openvino.xml"
        try:
            with quiet_stderr():
                model.export(str(graph), format="openvino", verbose=False)
        # Whatever a converter of another version raises.
        except Exception as error:
            raise ExportError(f"its OpenVINO export failed ({type(error).__name__}: {error})") from error
        return graph.read_bytes(), graph.with_suffix(".bin").read_bytes()


def load_keras_model(path: Path) -> keras.Model:
    """Load a Keras model from an untrusted file: safe mode, no custom class."""
    member_names(path)
    check_untrusted(path)
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise InputError(f"{path.name}: Keras refuses to load this model: {reason}") from error


def convert_model(source: Path, target: Path, *, overwrite: bool) -> ModelCard:
    """Convert a Keras model that was trained elsewhere, and return its card; the source is not changed.

    A constant image shows whether it predicts the noise or the image; changed distant pixels show how far its receptive
    field reaches. Raise InputError if the model cannot be loaded or exported, does not map an image to one of its size,
    or cannot work on a part of an image.
    """
    model = _with_open_sides(_without_error_map(load_keras_model(source)), source.name)
    multiple = _find_multiple(model, source.name)
    predicts = _find_prediction(model, multiple, source.name)
    halo = _find_halo(model, multiple, source.name)
    sees: Sees = "differences" if _is_without_biases(model) else "image"
    if sees == "differences":
        halo = next_multiple(halo + MEAN_SIDE // 2, multiple)
    card = ModelCard("foreign", predicts, multiple, halo, sees)
    check_model_name(target)
    return _write_model(model, card, target, overwrite=overwrite)


def _without_error_map(model: keras.Model) -> keras.Model:
    """Return a network without the second output of `with_error_map`, whose calibration is lost with the card."""
    if model.name != NAME or len(model.outputs) == 1:
        return model
    return keras.Model(model.input, model.outputs[0], name=NAME)


def _with_open_sides(model: keras.Model, name: str) -> keras.Model:
    shapes = [tuple(model.input_shape), tuple(model.output_shape)] if len(model.inputs) == 1 else []
    if not shapes or any(len(shape) != 4 or shape[-1] != 1 for shape in shapes):
        raise InputError(f"{name}: expected a network from one grey image to another; received {shapes}")
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
    return type(layer).from_config({**layer.get_config(), "dtype": "float32"})


def _find_multiple(model: keras.Model, name: str) -> int:
    for multiple in FOREIGN_MULTIPLES:
        batch = np.full((1, 3 * multiple, 5 * multiple, 1), PROBE_GREY, np.float32)
        try:
            if np.shape(model(batch)) == batch.shape:
                return multiple
        except Exception:  # noqa: BLE001, S112 (whatever fails, this size does not fit)
            continue
    raise InputError(f"{name}: the output of the network does not have the size of its input")


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
