"""Recognise DICOM files, and refuse those that would exhaust the memory before pydicom reads them."""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import BinaryIO

from napari_dental_denoise.config import LIMITS
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.files import reading_errors

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
