"""Write and load model files."""

from __future__ import annotations

import json
import platform
import re
import tempfile
import zipfile
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise import __version__
from napari_dental_denoise.config import MODEL_SUFFIX, PROGRAM
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files import atomic_write
from napari_dental_denoise.inference import openvino
from napari_dental_denoise.models import (
    CARD,
    GRAPH,
    KERAS_WEIGHTS,
    WEIGHTS,
    ZIP_ERRORS,
    ModelCard,
    member_names,
    read_member,
    sha256,
)
from napari_dental_denoise.unet.backend import keras, quiet_stderr
from napari_dental_denoise.unet.exchange import with_free_up_sampling
from napari_dental_denoise.unet.safe_load import check_untrusted

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
        return write_model(model, card, path, overwrite=overwrite)
    except ExportError as error:
        with atomic_write(path, overwrite=overwrite) as temporary:
            _rounded(model).save(temporary)
        raise InputError(
            f"{path}: the model was written, but {error}: to make it usable, run "
            f"{PROGRAM} convert {path.name} -o converted{MODEL_SUFFIX}"
        ) from error


def write_model(model: keras.Model, card: ModelCard, path: Path, *, overwrite: bool) -> ModelCard:
    """Write a model file as `save_model` does; if the export fails, write nothing and raise ExportError."""
    with atomic_write(path, overwrite=overwrite) as temporary:
        rounded = _rounded(model)
        rounded.save(temporary)
        graph, weights = openvino_export(rounded)
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


def openvino_export(model: keras.Model) -> tuple[bytes, bytes]:
    """Return the graph and the weights of the OpenVINO export; raise ExportError if the converter fails."""
    openvino()  # before Keras imports it
    from openvino.frontend.tensorflow import utils

    # OpenVINO's own function deletes a local variable by `exec`, a NameError since Python 3.13.
    utils.get_environment_setup = lambda _framework: {"tensorflow": version("tensorflow")}
    with tempfile.TemporaryDirectory() as folder:
        graph = Path(folder) / "openvino.xml"
        try:
            with quiet_stderr():
                with_free_up_sampling(model).export(str(graph), format="openvino", verbose=False)
        # Whatever a converter of another version raises.
        except Exception as error:
            raise ExportError(
                f"its OpenVINO export failed ({type(error).__name__}: {_one_line(str(error))})"
            ) from error
        return graph.read_bytes(), graph.with_suffix(".bin").read_bytes()


def _one_line(text: str) -> str:
    """Return what an error says, without line breaks and colours of a terminal, and not too long."""
    return " ".join(re.sub("\x1b\\[[0-9;]*m", "", text).split())[:200]


def load_keras_model(path: Path) -> keras.Model:
    """Load a Keras model from an untrusted file: safe mode, no custom class."""
    member_names(path)
    check_untrusted(path)
    return loading(path)


def loading(path: Path) -> keras.Model:
    """Load a Keras model from a file that was checked; raise InputError with Keras's reason if that fails."""
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        # Keras wraps the reason in a message for each object around it.
        reason = _one_line(str(error).rpartition("Exception encountered: ")[2]) or type(error).__name__
        raise InputError(f"{path.name}: Keras refuses to load this model: {reason}{_other_version(path)}") from error


def _other_version(path: Path) -> str:
    """Return a remark if another version of Keras saved the model file."""
    with suppress(*ZIP_ERRORS, LookupError, TypeError), zipfile.ZipFile(path) as archive:
        saved = str(json.loads(read_member(archive, "metadata.json"))["keras_version"])[:20]
        return f" (saved by Keras {saved}; installed: {keras.__version__})" if saved != keras.__version__ else ""
    return ""
