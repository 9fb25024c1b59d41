"""DICOMDIR, the contents of a disc: the images that it names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from napari_dental_denoise.dicom.file import DICOM_START, SUFFIXES, check_dicom_file, is_dicom, without_version
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files import first_bytes, is_name, open_file, reading_errors

# So many files of a disc are looked into for an image whose name has changed.
MAX_SEARCHED = 10_000


class Listed(NamedTuple):
    """An image in a DICOMDIR: the parts of its path, and its identity."""

    parts: list[str]
    uid: str


def is_dicomdir(path: Path) -> bool:
    """Return whether a path is a DICOMDIR, which names files and holds no image, by its name and first bytes."""
    return _plain(path.name) == "dicomdir" and is_dicom(path, first_bytes(path, DICOM_START))


def listed_images(path: Path) -> list[Path]:
    """Return the image files that a DICOMDIR names, in its order, below its folder; they may be missing.

    Images that lie under other names are found by their identity.
    """
    import pydicom

    with reading_errors(path, "is a truncated or damaged DICOMDIR"), open_file(path) as file:
        check_dicom_file(path, file)
        table = pydicom.dcmread(file, force=True, specific_tags=["DirectoryRecordSequence"])
        listed = list(_listed(table.DirectoryRecordSequence))
    found = [_existing(path.parent, image.parts) for image in listed]
    if all(map(is_name, found)):
        return found
    renamed = _by_identity(path)
    return [
        place if is_name(place) else renamed.get(image.uid, place) for place, image in zip(found, listed, strict=True)
    ]


def _listed(records: Any) -> Iterator[Listed]:
    for record in records:
        if record.get("DirectoryRecordType") != "IMAGE" or not record.get("ReferencedFileID"):
            continue
        names = record.ReferencedFileID
        parts = [names] if isinstance(names, str) else list(names)
        # A name must not lead out of the folder.
        if all(part not in ("", ".", "..") and not {"/", "\\", ":", "\0"} & set(part) for part in parts):
            yield Listed(parts, str(record.get("ReferencedSOPInstanceUIDInFile") or ""))


def _existing(folder: Path, names: list[str]) -> Path:
    """Return the path as named, or as copies of discs spell it: in small letters, with a version or a suffix."""
    named = folder.joinpath(*names)
    if is_name(named):
        return named
    place = folder
    for name in names:
        alike = (entry for entry in _entries(place) if _plain(entry.name) == _plain(name))
        place = next(alike, place / name)
    return place if is_name(place) else named


def _plain(name: str) -> str:
    """Return a name in small letters, without version, suffix of DICOM and closing point."""
    plain = without_version(name).lower().removesuffix(".")
    return next((plain.removesuffix(suffix) for suffix in SUFFIXES if plain.endswith(suffix)), plain)


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _by_identity(table: Path) -> dict[str, Path]:
    """Return the DICOM files below the folder of a DICOMDIR by the identity of their images."""
    found: dict[str, Path] = {}
    files = (Path(place) / name for place, _, names in os.walk(table.parent) for name in sorted(names))
    for path in islice(files, MAX_SEARCHED):
        # Also a file that cannot be read is none of them.
        with suppress(InputError):
            if path != table and is_dicom(path, first_bytes(path, DICOM_START)):
                found.setdefault(_identity(path), path)
    return found


def _identity(path: Path) -> str:
    import pydicom

    with reading_errors(path, "is a truncated or damaged DICOM file"), open_file(path) as file:
        check_dicom_file(path, file)
        name = "SOPInstanceUID"
        return str(pydicom.dcmread(file, force=True, stop_before_pixels=True, specific_tags=[name]).get(name) or path)
