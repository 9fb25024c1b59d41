"""Packages of the BioImage Model Zoo, zips or folders: their description and their weights."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_dental_denoise.config import LIMITS
from napari_dental_denoise.errors import InputError, needed_for
from napari_dental_denoise.models.file import ZIP_ERRORS, read_member

# The description in a package; the second is the name of earlier versions.
DESCRIPTIONS = ("bioimageio.yaml", "rdf.yaml")
# Steps before and after the network that leave the grey values as they are.
WITHOUT_EFFECT = ("ensure_dtype",)
MERGE = "tag:yaml.org,2002:merge"
# More inputs and outputs than any network has: a short file names a long one many times.
MOST_TENSORS = 64


def read_description(path: Path) -> dict[str, Any] | None:
    """Return the description of a package, or None if the file or folder is no package."""
    if not path.is_dir() and not zipfile.is_zipfile(path):
        return None
    texts = ((name, _content(path, name, LIMITS.card_bytes)) for name in DESCRIPTIONS)
    name, text = next(((name, text) for name, text in texts if text is not None), ("", None))
    if text is None:
        return None
    with needed_for("packages of the BioImage Model Zoo", "pyyaml"):
        import yaml

    class Loader(yaml.SafeLoader):
        def flatten_mapping(self, node: Any) -> None:
            """Refuse merges, a few lines of which could fill the memory."""
            if any(key.tag == MERGE for key, _ in node.value):
                raise InputError(f"{path.name}: its {name} uses merges (<<), which are not supported")
            super().flatten_mapping(node)

    try:
        description = yaml.load(text, Loader)  # noqa: S506 (a SafeLoader)
    except InputError:
        raise
    # Impossible dates, numbers and depths are not YAMLErrors.
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise InputError(f"{path.name}: its {name} is not YAML") from error
    if not isinstance(description, dict) or not isinstance(description.get("weights"), dict):
        raise InputError(f"{path.name}: its {name} describes no model")
    return description


def read_weights(path: Path, description: Mapping[str, Any], kinds: Sequence[str]) -> tuple[str, bytes]:
    """Return the first of these kinds of weights that a package has, and the content of their file.

    Raise InputError if there are none, or if grey values do not go into and out of the network as they are.
    """
    weights = description["weights"]
    kind = next((kind for kind in kinds if isinstance(weights.get(kind), dict)), None)
    if kind is None:
        raise InputError(
            f"{path.name}: expected weights in {' or '.join(kinds)}; received {', '.join(map(str, weights))[:100]}"
        )
    for steps in ("preprocessing", "postprocessing"):
        changing = [step for step in _steps(path, description, steps) if step not in WITHOUT_EFFECT]
        if changing:
            raise InputError(f"{path.name}: its {steps} ({', '.join(changing)[:100]}) is not supported")
    source = _text(path, weights[kind].get("source"), "weights")
    data = _content(path, posixpath.normpath(source), LIMITS.model_bytes)
    if data is None:
        raise InputError(f"{path.name}: its weights, {source[:100]}, are not in the package")
    return kind, data


def _content(path: Path, name: str, most: int) -> bytes | None:
    """Return a file of a package, or None if it has none of this name; raise InputError if it is larger than `most`."""
    if path.is_dir():
        file = (path / name).resolve()
        if not (file.is_relative_to(path.resolve()) and file.is_file()):
            return None
        _check_size(path, name, file.stat().st_size, most)
        return file.read_bytes()
    try:
        with zipfile.ZipFile(path) as archive:
            if name not in archive.namelist():
                return None
            _check_size(path, name, archive.getinfo(name).file_size, most)
            return read_member(archive, name)
    except InputError:
        raise
    except ZIP_ERRORS as error:
        raise InputError(f"{path.name}: its {name[:100]} is damaged") from error


def _check_size(path: Path, name: str, size: int, most: int) -> None:
    if size > most:
        raise InputError(f"{path.name}: its {name[:100]} is larger than {most // 2**20} MiB")


def _steps(path: Path, description: Mapping[str, Any], kind: str) -> list[str]:
    """Return the names of the steps of all tensors; version 0.4 of the format calls an id a name."""
    try:
        tensors = [*(description.get("inputs") or []), *(description.get("outputs") or [])]
        if len(tensors) > MOST_TENSORS:
            raise InputError(f"{path.name}: its description has more than {MOST_TENSORS} inputs and outputs")
        steps = [step for tensor in tensors for step in tensor.get(kind) or []]
        names = [step.get("id") or step.get("name") for step in steps]
    except (AttributeError, TypeError) as error:
        raise InputError(f"{path.name}: its description of inputs and outputs is damaged") from error
    return [_text(path, name, "inputs and outputs") for name in names]


def _text(path: Path, value: object, part: str) -> str:
    """Return a text of a description; raise InputError for others, of which a few lines could fill the memory."""
    if not isinstance(value, str):
        raise InputError(f"{path.name}: its description of {part} is damaged")
    return value
