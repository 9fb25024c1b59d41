"""Read models that were trained elsewhere: `.keras` and `.h5` files, and packages of the BioImage Model Zoo."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import Any

import h5py

from napari_dental_denoise.config import LIMITS
from napari_dental_denoise.errors import InputError, needed_for
from napari_dental_denoise.models import ZIP_ERRORS, model_stat, read_member
from napari_dental_denoise.unet import check_untrusted_h5, keras, load_keras_model, loading

# The description in a package; the second is the name of earlier versions.
DESCRIPTIONS = ("bioimageio.yaml", "rdf.yaml")
WEIGHTS = ("keras_v3", "keras_hdf5")
# Preprocessing that leaves the grey values as they are.
WITHOUT_EFFECT = ("ensure_dtype",)


def load_foreign_model(path: Path) -> keras.Model:
    """Load a Keras model from an untrusted file of any of these kinds; raise InputError if it cannot be used."""
    model_stat(path)
    if h5py.is_hdf5(path):
        check_untrusted_h5(path)
        return loading(path)
    description = _description(path)
    return load_keras_model(path) if description is None else _load_package(path, description)


def _description(path: Path) -> dict[str, Any] | None:
    """Return the description of a package, or None if the file is no package."""
    try:
        with zipfile.ZipFile(path) as archive:
            name = next((name for name in DESCRIPTIONS if name in archive.namelist()), None)
            if name is None:
                return None
            if archive.getinfo(name).file_size > LIMITS.card_bytes:
                raise InputError(f"{path.name}: its {name} is larger than {LIMITS.card_bytes // 2**20} MiB")
            text = read_member(archive, name)
    except ZIP_ERRORS as error:
        if isinstance(error, InputError):
            raise
        return None
    with needed_for("packages of the BioImage Model Zoo", "pyyaml"):
        import yaml
    try:
        description = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"{path.name}: its {name} is not YAML") from error
    if not isinstance(description, dict) or not isinstance(description.get("weights"), dict):
        raise InputError(f"{path.name}: its {name} describes no model")
    return description


def _load_package(path: Path, description: dict[str, Any]) -> keras.Model:
    weights = description["weights"]
    kind = next((kind for kind in WEIGHTS if isinstance(weights.get(kind), dict)), None)
    if kind is None:
        raise InputError(f"{path.name}: expected weights in {' or '.join(WEIGHTS)}; received {', '.join(weights)}")
    changed = [step for step in _preprocessing(description) if step not in WITHOUT_EFFECT]
    if changed:
        raise InputError(f"{path.name}: its preprocessing ({', '.join(changed)}) is not supported")
    member = str(weights[kind].get("source"))
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
            if archive.getinfo(member).file_size > LIMITS.model_bytes:
                raise InputError(f"{path.name}: its {member} is larger than {LIMITS.model_bytes // 2**20} MiB")
            inner = Path(folder, f"{path.stem}{'.keras' if kind == 'keras_v3' else '.h5'}")
            inner.write_bytes(read_member(archive, member))
            return load_foreign_model(inner)
    except KeyError as error:
        raise InputError(f"{path.name}: its weights, {member}, are not in the package") from error


def _preprocessing(description: dict[str, Any]) -> list[str]:
    """Return the names of the steps before the network; version 0.4 of the format calls an id a name."""
    inputs = description.get("inputs")
    steps = [step for entry in inputs or [] for step in entry.get("preprocessing") or []]
    return [str(step.get("id") or step.get("name")) for step in steps]
