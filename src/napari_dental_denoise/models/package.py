"""Packages of the BioImage Model Zoo: their description and their weights."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_dental_denoise.config import LIMITS
from napari_dental_denoise.errors import InputError, needed_for
from napari_dental_denoise.models.file import ZIP_ERRORS, read_member

# The description in a package; the second is the name of earlier versions.
DESCRIPTIONS = ("bioimageio.yaml", "rdf.yaml")
# Preprocessing that leaves the grey values as they are.
WITHOUT_EFFECT = ("ensure_dtype",)


def read_description(path: Path) -> dict[str, Any] | None:
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


def read_weights(path: Path, description: Mapping[str, Any], kinds: Sequence[str]) -> tuple[str, bytes]:
    """Return the first of these kinds of weights that a package has, and the content of their file.

    Raise InputError if there are none, or if grey values do not go into the network as they are.
    """
    weights = description["weights"]
    kind = next((kind for kind in kinds if isinstance(weights.get(kind), dict)), None)
    if kind is None:
        raise InputError(f"{path.name}: expected weights in {' or '.join(kinds)}; received {', '.join(weights)}")
    changed = [step for step in _preprocessing(description) if step not in WITHOUT_EFFECT]
    if changed:
        raise InputError(f"{path.name}: its preprocessing ({', '.join(changed)}) is not supported")
    member = str(weights[kind].get("source"))
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(member).file_size > LIMITS.model_bytes:
                raise InputError(f"{path.name}: its {member} is larger than {LIMITS.model_bytes // 2**20} MiB")
            return kind, read_member(archive, member)
    except KeyError as error:
        raise InputError(f"{path.name}: its weights, {member}, are not in the package") from error


def _preprocessing(description: Mapping[str, Any]) -> list[str]:
    """Return the names of the steps before the network; version 0.4 of the format calls an id a name."""
    inputs = description.get("inputs")
    steps = [step for entry in inputs or [] for step in entry.get("preprocessing") or []]
    return [str(step.get("id") or step.get("name")) for step in steps]
