"""Read, check and convert model files; this process never imports Keras.

A model is one `.keras` file: the zip that Keras writes, with three more members that Keras ignores.
Nothing in the file is executed. Plain Keras models are converted once each, in a child process.
"""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from napari_dental_denoise.config import LIMITS, MODEL_SUFFIX, PACKAGE, PROGRAM
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files import stat_or_none
from napari_dental_denoise.models.card import CARD, ModelCard, parse_card

GRAPH = "openvino.xml"
WEIGHTS = "openvino.bin"
KERAS_WEIGHTS = "model.weights.h5"
KERAS_CONFIG = "config.json"
CONVERSION_TIMEOUT_S = 600
# Of models that `convert` reads besides.
CONVERTIBLE_SUFFIXES = (".h5", ".hdf5", ".zip")
# What zipfile raises for a damaged, encrypted or unknown member.
ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError)


@dataclass(frozen=True)
class ModelFile:
    """The content of a model file that was checked."""

    path: Path
    card: ModelCard
    graph: bytes
    weights: bytes


def read_model_file(path: str | Path) -> ModelFile:
    """Read and check a model file with a card and an OpenVINO export.

    Raises InputError if the file is missing, damaged, too large, not such a model, or does not match its card.
    """
    path = Path(path)
    members = _read_members(path, (CARD, GRAPH, WEIGHTS, KERAS_WEIGHTS))
    missing = [name for name in (CARD, GRAPH, WEIGHTS) if name not in members]
    if missing:
        raise InputError(
            f"{path.name}: a Keras model without {' and '.join(missing)}: "
            f"make it usable with: {PROGRAM} convert {path.name} -o converted{MODEL_SUFFIX}"
        )
    card = parse_card(members[CARD], path.name)
    if KERAS_WEIGHTS in members and sha256(members[KERAS_WEIGHTS]) != card.weights_sha256:
        raise InputError(f"{path.name}: the weights do not match the model's card: the file was changed")
    if sha256(members[GRAPH], members[WEIGHTS]) != card.export_sha256:
        raise InputError(f"{path.name}: the OpenVINO export does not match the model's card: the file was changed")
    return ModelFile(path, card, members[GRAPH], members[WEIGHTS])


def read_card(path: str | Path) -> ModelCard:
    """Read only the card of a model file; of a Keras model without one, return a card that says so."""
    path = Path(path)
    members = _read_members(path, (CARD,))
    if CARD not in members:
        return ModelCard("a Keras model without a card, to be converted first", "image", 1, 0)
    return parse_card(members[CARD], path.name)


def member_names(path: Path) -> list[str]:
    """Return the members of a model file, after the checks that need no unpacking."""
    with _open(path) as archive:
        return archive.namelist()


def sha256(*parts: bytes) -> str:
    """Return the SHA-256 of concatenated parts in hexadecimal."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def is_converted(path: Path) -> bool:
    """Return whether a model file has a card and an OpenVINO export."""
    return {CARD, GRAPH, WEIGHTS} <= set(member_names(path))


def converted(path: Path) -> Path:
    """Return a model file with a card and an OpenVINO export: `path`, or its converted copy in the cache folder."""
    if is_converted(path):
        return path
    copy = user_cache_path(PROGRAM) / f"{sha256(path.read_bytes())[:32]}{MODEL_SUFFIX}"
    if not copy.exists():
        _convert_in_child(path, copy)
    return copy


def _convert_in_child(path: Path, copy: Path) -> None:
    command = [sys.executable, "-m", PACKAGE, "convert", str(path), "-o", str(copy), "--overwrite"]
    try:
        child = subprocess.run(command, capture_output=True, text=True, timeout=CONVERSION_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise InputError(f"{path.name}: the model was not converted within {CONVERSION_TIMEOUT_S} s") from error
    if child.returncode != 0:
        reason = (child.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise InputError(reason.removeprefix(f"{PROGRAM}: "))


def _read_members(path: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    with _open(path) as archive:
        present = set(archive.namelist())
        try:
            return {name: read_member(archive, name) for name in names if name in present}
        except ZIP_ERRORS as error:
            raise InputError(f"{path.name}: the model file is damaged ({error})") from error


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Read a member of a zip; raise BadZipFile unless it is as long as its checked directory declares."""
    size = archive.getinfo(name).file_size
    with archive.open(name) as member:
        data = member.read(size + 1)
    if len(data) != size:
        raise zipfile.BadZipFile(f"{name} is not as long as declared")
    return data


def model_stat(path: Path) -> os.stat_result:
    """Return the stat result of a model file, or raise InputError unless it is accessible and regular."""
    found = stat_or_none(path)
    if found is None:
        raise InputError(f"{path}: no such model file")
    if not stat.S_ISREG(found.st_mode):
        raise InputError(f"{path}: expected a model file; received a folder or a device")
    return found


def _open(path: Path) -> zipfile.ZipFile:
    """Open the zip if its directory alone says that it is a Keras model of a reasonable size."""
    model_stat(path)
    try:
        archive = zipfile.ZipFile(path)
    except PermissionError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise InputError(
            f"{path.name}: expected a {MODEL_SUFFIX} model file, which is a zip; this one is not{_advice(path)}"
        ) from error
    try:
        _check_directory(path, archive.infolist())
    except InputError:
        archive.close()
        raise
    return archive


def _advice(path: Path) -> str:
    """Return what to do with a model in another kind of file."""
    if path.suffix.lower() not in CONVERTIBLE_SUFFIXES:
        return ""
    return f"; make one of it with: {PROGRAM} convert {path.name} -o converted{MODEL_SUFFIX}"


def _check_directory(path: Path, members: list[zipfile.ZipInfo]) -> None:
    names = [member.filename for member in members]
    if len(names) > LIMITS.members or len(set(names)) != len(names):
        raise InputError(f"{path.name}: too many or repeated members ({len(names)}) for a model file")
    if any(name.startswith(("/", "\\")) or ".." in name or ":" in name for name in names):
        raise InputError(f"{path.name}: a member would be unpacked outside its folder: the file was not made by Keras")
    if sum(member.file_size for member in members) > LIMITS.model_bytes:
        raise InputError(f"{path.name}: unpacks to more than {LIMITS.model_bytes // 2**20} MiB")
    for member in members:
        # Python unpacks members of other compressions whole before their size can be checked.
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(f"{path.name}: its {member.filename} is compressed in a way that Keras does not use")
        if member.filename in (CARD, GRAPH, KERAS_CONFIG) and member.file_size > LIMITS.card_bytes:
            raise InputError(f"{path.name}: its {member.filename} is larger than {LIMITS.card_bytes // 2**20} MiB")
    if KERAS_CONFIG not in names:
        raise InputError(f"{path.name}: a zip, but not a Keras model: it has no {KERAS_CONFIG}{_advice(path)}")
