"""Read models that were trained elsewhere: `.keras` and `.h5` files, and packages of the BioImage Model Zoo."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import h5py

from napari_dental_denoise.config import MODEL_SUFFIX
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.models import model_stat, read_description, read_weights
from napari_dental_denoise.unet import check_untrusted_h5, keras, load_keras_model, loading

# Kinds of weights, and the suffix that Keras knows them by.
SUFFIXES = {"keras_v3": MODEL_SUFFIX, "keras_hdf5": ".h5"}
EXPECTED = "expected a .keras or .h5 file, or a package of the BioImage Model Zoo"


def load_foreign_model(path: Path) -> keras.Model:
    """Load a Keras model from an untrusted file of any of these kinds; raise InputError if it cannot be used."""
    if not path.is_dir():
        model_stat(path)
    description = read_description(path)
    return _load_file(path) if description is None else _load_package(path, description)


def _load_file(path: Path) -> keras.Model:
    if path.is_file() and h5py.is_hdf5(path):
        check_untrusted_h5(path)
        return loading(path)
    if path.suffix != MODEL_SUFFIX or path.is_dir():
        raise InputError(f"{path.name}: {EXPECTED}; this is none of them")
    return load_keras_model(path)


def _load_package(path: Path, description: dict[str, Any]) -> keras.Model:
    kind, data = read_weights(path, description, tuple(SUFFIXES))
    with tempfile.TemporaryDirectory() as folder:
        # Messages name the package.
        inner = Path(folder, f"{path.stem}{SUFFIXES[kind]}")
        inner.write_bytes(data)
        return _load_file(inner)
