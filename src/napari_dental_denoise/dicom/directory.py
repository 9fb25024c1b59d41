"""DICOMDIR, the contents of a disc: the images that it names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from napari_dental_denoise.dicom.file import DICOM_START, check_dicom_file, is_dicom
from napari_dental_denoise.files import first_bytes, is_name, open_file, reading_errors


def is_dicomdir(path: Path) -> bool:
    """Return whether a path is a DICOMDIR, which names files and holds no image, by its name and first bytes."""
    return path.name.upper() == "DICOMDIR" and is_dicom(path, first_bytes(path, DICOM_START))


def listed_images(path: Path) -> list[Path]:
    """Return the image files that a DICOMDIR names, in its order, below its folder; they may be missing."""
    import pydicom

    with reading_errors(path, "is a truncated or damaged DICOMDIR"), open_file(path) as file:
        check_dicom_file(path, file)
        table = pydicom.dcmread(file, force=True, specific_tags=["DirectoryRecordSequence"])
        parts = list(_file_ids(table.DirectoryRecordSequence))
    return [_existing(path.parent, names) for names in parts]


def _file_ids(records: Any) -> Iterator[list[str]]:
    for record in records:
        if record.get("DirectoryRecordType") != "IMAGE" or not record.get("ReferencedFileID"):
            continue
        names = record.ReferencedFileID
        parts = [names] if isinstance(names, str) else list(names)
        # A name must not lead out of the folder.
        if all(part not in ("", ".", "..") and not {"/", "\\", ":", "\0"} & set(part) for part in parts):
            yield parts


def _existing(folder: Path, names: list[str]) -> Path:
    """Return the path as named, or in small letters, as some systems copy discs."""
    named = folder.joinpath(*names)
    small = folder.joinpath(*(name.lower() for name in names))
    return small if is_name(small) and not is_name(named) else named
