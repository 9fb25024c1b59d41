"""Recognise DICOM files, refuse those that would exhaust the memory, and read DICOMDIR, the contents of a disc."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from napari_dental_denoise.config import LIMITS
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.files import first_bytes, is_name, open_file, reading_errors

SUFFIXES = (".dcm", ".dicom", ".dic")
PREAMBLE, MAGIC = 128, b"DICM"
DICOM_START = PREAMBLE + len(MAGIC)
DEFLATED = "1.2.840.10008.1.2.1.99"
PIECE = 2**16


def is_dicom(path: Path, start: bytes) -> bool:
    """Return whether a file is DICOM, by its first `DICOM_START` bytes or, without a preamble, its suffix."""
    return start[PREAMBLE:] == MAGIC or (path.suffix.lower() in SUFFIXES and len(start) > 0)


def check_dicom_file(path: Path, file: BinaryIO) -> None:
    """Raise ImageReadError unless an open file is, and inflates to, at most `LIMITS.dicom_bytes`; rewind it."""
    if file.seek(0, os.SEEK_END) > LIMITS.dicom_bytes:
        raise ImageReadError(path, f"is larger than {LIMITS.dicom_bytes // 2**20} MiB")
    file.seek(0)
    with reading_errors(path, "is a truncated or damaged DICOM file"):
        if _skip_meta(file) == DEFLATED and _inflates_beyond(file, LIMITS.dicom_bytes):
            raise ImageReadError(path, f"unpacks to more than {LIMITS.dicom_bytes // 2**20} MiB")
    file.seek(0)


def _skip_meta(file: BinaryIO) -> str:
    """Move to where pydicom takes the data set to start, and return the transfer syntax."""
    # Its own functions, private or not: another parser could be led to start inflating elsewhere than pydicom does.
    from pydicom.filereader import _read_command_set_elements, _read_file_meta_info, read_preamble

    read_preamble(file, force=True)
    meta = _read_file_meta_info(file)
    _read_command_set_elements(file)
    return str(meta.get("TransferSyntaxUID"))


def _inflates_beyond(file: BinaryIO, limit: int) -> bool:
    """Return whether the rest of the file inflates to more than `limit` bytes, of which few are held at a time."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    size = 0
    while not inflater.eof and (piece := inflater.unconsumed_tail or file.read(PIECE)):
        size += len(inflater.decompress(piece, PIECE))
        if size > limit:
            return True
    return False


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
