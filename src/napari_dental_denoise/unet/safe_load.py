"""Check an untrusted Keras model file before Keras loads it: no code, no links to other files, no huge weights."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from napari_dental_denoise.config import LIMITS
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.models import KERAS_CONFIG, KERAS_WEIGHTS, ZIP_ERRORS, read_member

# Of Keras's own layers and their parts; "builtins" names plain functions and types.
MODULES = ("keras", "builtins")
MAX_SIDE = 4096
# Settings that determine the size of a layer or of its output.
SIDES = {
    *("padding", "cropping", "output_padding", "size", "filters", "units", "kernel_size", "pool_size", "strides"),
    *("dilation_rate", "depth_multiplier"),
}
# Layers that run code of the file, or load other files.
CODE_LAYERS = {"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"}


def check_untrusted(path: Path) -> None:
    """Raise InputError if a Keras model file, a checked zip, names code or other files, or is huge.

    Keras's safe mode refuses much of this too, but has accepted different things in each version.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(read_member(archive, KERAS_CONFIG))
            weights = read_member(archive, KERAS_WEIGHTS) if KERAS_WEIGHTS in archive.namelist() else b""
    except (*ZIP_ERRORS, RecursionError) as error:
        raise InputError(f"{path.name}: the model file is damaged") from error
    _check_config(path.name, config)
    if weights:
        _check_weights(path.name, weights)


def _check_config(name: str, config: Any) -> None:
    try:
        foreign, huge = next(_foreign(config), None), next(_huge(config), None)
    except RecursionError as error:
        raise InputError(f"{name}: the model file is damaged") from error
    if foreign is not None:
        raise InputError(f"{name}: Keras refuses to load this model: it holds {foreign[:80]}, which could run code")
    if huge is not None:
        raise InputError(f"{name}: one of its layers has {huge}; at most {MAX_SIDE} is accepted")


def check_untrusted_h5(path: Path) -> None:
    """Raise InputError if a model in a HDF5 file, as earlier versions of Keras wrote it, names code or is huge."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            config = json.loads(file.attrs["model_config"])
    # h5py raises a dozen different exceptions for damaged files.
    except Exception as error:
        raise InputError(f"{path.name}: expected a Keras model with its network, as model.save() writes it") from error
    _check_config(path.name, config)
    _check_weights(path.name, path.read_bytes())


def _foreign(part: Any) -> Iterator[str]:
    """Yield the classes and functions that are not Keras's own or that run code."""
    if isinstance(part, dict):
        module, name = part.get("module"), part.get("class_name")
        if not (isinstance(module, str | None) and isinstance(name, str | None)):
            yield "a class without a name"
        elif name in CODE_LAYERS or (module is not None and module.split(".")[0] not in MODULES):
            yield f"{module}.{name}"
        if part.get("registered_name") not in (None, "", name, "Functional") and ">" in str(part["registered_name"]):
            yield str(part["registered_name"])
        part = list(part.values())
    if isinstance(part, list):
        for item in part:
            yield from _foreign(item)


def _huge(part: Any, name: str = "") -> Iterator[str]:
    """Yield unreasonable sizes: a padding of 200000 pixels would exhaust the memory at the first image."""
    if isinstance(part, dict):
        for key, value in part.items():
            yield from _huge(value, key)
    elif isinstance(part, list):
        for item in part:
            yield from _huge(item, name)
    elif name in SIDES and isinstance(part, int | float) and not abs(part) <= MAX_SIDE:
        yield f"a {name} of {part}"


def _check_weights(name: str, data: bytes) -> None:
    import h5py

    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            size = sum(_sizes(name, file, set()))
    except InputError:
        raise
    # h5py raises a dozen different exceptions for damaged files.
    except Exception as error:
        raise InputError(f"{name}: the weights of the model are damaged") from error
    if size > LIMITS.model_bytes:
        raise InputError(f"{name}: its weights unpack to more than {LIMITS.model_bytes // 2**20} MiB")


def _sizes(name: str, group: Any, seen: set[int]) -> Iterator[int]:
    """Yield the bytes of each dataset, once however many links lead to it; refuse links to other files."""
    import h5py

    for key in group:
        if not isinstance(group.get(key, getlink=True), h5py.HardLink):
            raise InputError(f"{name}: its weights refer to another file")
        item = group[key]
        address = h5py.h5o.get_info(item.id).addr
        if address in seen:
            continue
        seen.add(address)
        if isinstance(item, h5py.Group):
            yield from _sizes(name, item, seen)
        elif item.external or item.is_virtual:
            raise InputError(f"{name}: its weights refer to another file")
        else:
            yield int(item.nbytes)
