"""Read models that were trained elsewhere: `.keras` and `.h5` files, and packages of the BioImage Model Zoo."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import h5py

from napari_dental_denoise.models import model_stat, read_description, read_weights
from napari_dental_denoise.unet import check_untrusted_h5, keras, load_keras_model, loading

WEIGHTS = ("keras_v3", "keras_hdf5")


def load_foreign_model(path: Path) -> keras.Model:
    """Load a Keras model from an untrusted file of any of these kinds; raise InputError if it cannot be used."""
    model_stat(path)
    if h5py.is_hdf5(path):
        check_untrusted_h5(path)
        return loading(path)
    description = read_description(path)
    return load_keras_model(path) if description is None else _load_package(path, description)


def _load_package(path: Path, description: dict[str, Any]) -> keras.Model:
    kind, data = read_weights(path, description, WEIGHTS)
    with tempfile.TemporaryDirectory() as folder:
        inner = Path(folder, f"{path.stem}{'.keras' if kind == 'keras_v3' else '.h5'}")
        inner.write_bytes(data)
        return load_foreign_model(inner)
