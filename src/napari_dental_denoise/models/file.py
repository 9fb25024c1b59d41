"""What a model file holds, and how it is read and checked without Keras.

A model is one `.keras` file: the zip that Keras writes, with three more members that Keras ignores.
Nothing in the file is run while it is checked.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from napari_dental_denoise.config import LIMITS, MODEL_SUFFIX, PROGRAM, Predicts
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files import look_at
from napari_dental_denoise.models.json_text import to_json

CARD = "card.json"
GRAPH = "openvino.xml"
WEIGHTS = "openvino.bin"
KERAS_WEIGHTS = "model.weights.h5"
KERAS_CONFIG = "config.json"

PURPOSE = "For research and teaching only; never for diagnosis."
NORMALISATION = "grey values divided by full scale: 255 for 8 bit, the fewest bits that hold the image for 16"
# What zipfile raises for a damaged, encrypted or unknown member.
DAMAGED = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError)
LARGEST_MULTIPLE = 256
LARGEST_HALO = 4096


@dataclass(frozen=True)
class ModelCard:
    """What a model was trained on and for.

    Attributes
    ----------
    preset : str
        Design of the network, or "foreign" for one that was made elsewhere.
    predicts : {"residual", "image"}
        Whether the output is the noise to subtract or the denoised image itself.
    multiple, halo : int
        For tiles, in pixels: what sides are multiples of, and how far a result reaches.
    noise : mapping
        Kind and ranges of the noise of its training.
    data : mapping
        Counts and types of the images of its training; never a name of a file.
    training : mapping
        Settings and course of its training.
    metrics : mapping
        Validation PSNR in dB and SSIM, of the noisy and of the denoised images.
    versions : mapping
        Of the software that made it.
    date : str
        ISO 8601, UTC.
    weights_sha256 : str
        Of the member `model.weights.h5`.
    export_sha256 : str
        Of the members `openvino.xml` and `openvino.bin`, one after the other.
    """

    preset: str
    predicts: Predicts
    multiple: int
    halo: int
    noise: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    date: str = ""
    weights_sha256: str = ""
    export_sha256: str = ""
    normalisation: str = NORMALISATION
    purpose: str = PURPOSE

    def to_json(self) -> str:
        """The card as the text that stands in the model file."""
        return to_json(asdict(self), indent=2)


@dataclass(frozen=True)
class ModelFile:
    """A model file that was read and checked."""

    path: Path
    card: ModelCard
    graph: bytes
    weights: bytes


def read_model_file(path: str | Path) -> ModelFile:
    """Read and check a model file that carries a card and an OpenVINO export.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    ModelFile

    Raises
    ------
    InputError
        If the file is missing, damaged, too large, not such a model, or not what its card says.
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
        raise InputError(f"{path.name}: the weights are not those of the model's card: the file was changed")
    if sha256(members[GRAPH], members[WEIGHTS]) != card.export_sha256:
        raise InputError(f"{path.name}: the OpenVINO export is not that of the model's card: the file was changed")
    return ModelFile(path, card, members[GRAPH], members[WEIGHTS])


def read_card(path: str | Path) -> ModelCard:
    """Only the card of a model file, quickly; a Keras model without one gets a card that says so.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    InputError
        If the file is missing, damaged or no model.
    """
    path = Path(path)
    members = _read_members(path, (CARD,))
    if CARD not in members:
        return ModelCard("a Keras model without a card, to be converted first", "image", 1, 0)
    return parse_card(members[CARD], path.name)


def is_converted(path: str | Path) -> bool:
    """Whether a Keras model file carries a card and an OpenVINO export."""
    return {CARD, GRAPH, WEIGHTS} <= set(member_names(Path(path)))


def member_names(path: Path) -> list[str]:
    """The members of a model file, after the checks that need no unpacking."""
    with _open(path) as archive:
        return archive.namelist()


def parse_card(data: bytes, name: str) -> ModelCard:
    """A card from the text in a model file.

    Parameters
    ----------
    data : bytes
        JSON in UTF-8.
    name : str
        Of the model file, for the error.

    Returns
    -------
    ModelCard

    Raises
    ------
    InputError
        If it is not a card, or a number of it could not be one of a U-Net.
    """
    try:
        values = json.loads(data)
        known = {item.name for item in fields(ModelCard)}
        card = ModelCard(**{key: value for key, value in values.items() if key in known})
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{name}: its {CARD} is not a model card ({error})") from error
    if not _is_usable(card):
        raise InputError(f"{name}: its {CARD} holds values that no model of this program has")
    return card


def _is_usable(card: ModelCard) -> bool:
    """Whether everything in it is of its type, which JSON does not tell; True would pass for 1."""
    return (
        card.predicts in ("residual", "image")
        and (type(card.multiple), type(card.halo)) == (int, int)
        and 1 <= card.multiple <= LARGEST_MULTIPLE
        and 0 <= card.halo <= LARGEST_HALO
        and all(isinstance(part, Mapping) for part in (card.noise, card.data, card.training, card.metrics))
        and isinstance(card.versions, Mapping)
        and all(isinstance(text, str) for text in (card.preset, card.date, card.weights_sha256, card.export_sha256))
        and all(isinstance(text, str) for text in (card.normalisation, card.purpose))
    )


def sha256(*parts: bytes) -> str:
    """SHA-256 of `parts`, one after the other, as hexadecimal text."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _read_members(path: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    with _open(path) as archive:
        present = set(archive.namelist())
        try:
            return {name: read_member(archive, name) for name in names if name in present}
        except DAMAGED as error:
            raise InputError(f"{path.name}: the model file is damaged ({error})") from error


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """A member of a zip whose directory was checked, and not a byte more than the directory says.

    Parameters
    ----------
    archive : ZipFile
    name : str

    Raises
    ------
    BadZipFile
        If the member is not what the directory says.
    """
    size = archive.getinfo(name).file_size
    with archive.open(name) as member:
        data = member.read(size + 1)
    if len(data) != size:
        raise zipfile.BadZipFile(f"{name} is not as long as it says")
    return data


def model_stat(path: Path) -> os.stat_result:
    """Size and time of a model file; refuses what is none.

    Parameters
    ----------
    path : Path

    Raises
    ------
    InputError
        If there is no such file, or it may not be looked at.
    """
    found = look_at(path)
    if found is None or not stat.S_ISREG(found.st_mode):
        raise InputError(f"{path}: no such model file")
    return found


def _open(path: Path) -> zipfile.ZipFile:
    """Open the zip after checking, from its directory alone, that it is a Keras model of a sane size."""
    model_stat(path)
    try:
        archive = zipfile.ZipFile(path)
    except PermissionError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise InputError(
            f"{path.name}: expected a {MODEL_SUFFIX} model file, which is a zip; this one is not"
        ) from error
    try:
        _check_directory(path, archive.infolist())
    except InputError:
        archive.close()
        raise
    return archive


def _check_directory(path: Path, members: list[zipfile.ZipInfo]) -> None:
    names = [member.filename for member in members]
    if len(names) > LIMITS.members or len(set(names)) != len(names):
        raise InputError(f"{path.name}: {len(names)} members, some perhaps twice; a model file has fewer")
    if any(name.startswith(("/", "\\")) or ".." in name or ":" in name for name in names):
        raise InputError(f"{path.name}: a member of it would be unpacked outside its folder: it was not made by Keras")
    if sum(member.file_size for member in members) > LIMITS.model_bytes:
        raise InputError(f"{path.name}: unpacks to more than {LIMITS.model_bytes // 2**20} MiB")
    for member in members:
        # The others unpack whole before anything is counted.
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(f"{path.name}: its {member.filename} is compressed in a way that Keras does not use")
        if member.filename in (CARD, GRAPH, KERAS_CONFIG) and member.file_size > LIMITS.card_bytes:
            raise InputError(f"{path.name}: its {member.filename} is larger than {LIMITS.card_bytes // 2**20} MiB")
    if KERAS_CONFIG not in names:
        raise InputError(f"{path.name}: a zip, but not a Keras model: it has no {KERAS_CONFIG}")
