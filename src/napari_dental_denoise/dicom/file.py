"""Recognise DICOM files, and refuse those that would exhaust the memory."""

from __future__ import annotations

import os
import re
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

from napari_dental_denoise.config import LIMITS
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.files import reading_errors

SUFFIXES = (".dcm", ".dicom", ".dic", ".ima")
PREAMBLE, MAGIC = 128, b"DICM"
DICOM_START = PREAMBLE + len(MAGIC)
DEFLATED = "1.2.840.10008.1.2.1.99"
PIECE = 2**16
VERSION = re.compile(r";\d+$")
# Groups of the first elements of a data set, and the bytes of the head of an element.
FIRST_GROUPS = (0x0002, 0x0004, 0x0008)
ELEMENT = 8


def without_version(name: str) -> str:
    """Return the name of a file without a version, such as the ";1" that discs have."""
    return VERSION.sub("", name) or name


def is_dicom(_path: Path, start: bytes) -> bool:
    """Return whether a file is DICOM by its first `DICOM_START` bytes, whatever its name."""
    return start[PREAMBLE:] == MAGIC or any(_starts_data_set(start, order) for order in "<>")


def _starts_data_set(start: bytes, order: str) -> bool:
    """Return whether bytes are the first elements of a data set that has no preamble."""
    if len(start) < 2 * ELEMENT:
        return False
    group, element = struct.unpack(f"{order}2H", start[:4])
    if group not in FIRST_GROUPS:
        return False
    if start[4:6].isalpha() and start[4:6].isupper():
        return True
    # Without the kind of a value, the next element has to be there.
    (length,) = struct.unpack(f"{order}L", start[4:8])
    position = ELEMENT + length
    if length % 2 or position + 4 > len(start):
        return False
    following = struct.unpack(f"{order}2H", start[position : position + 4])
    return (group, element) < following and following[0] <= FIRST_GROUPS[-1] + 8


def check_dicom_file(path: Path, file: BinaryIO) -> str:
    """Return the transfer syntax of an open file, and rewind it.

    Raises ImageReadError unless it is, and inflates to, at most `LIMITS.dicom_bytes`.
    """
    if file.seek(0, os.SEEK_END) > LIMITS.dicom_bytes:
        raise ImageReadError(path, f"is larger than {LIMITS.dicom_bytes // 2**20} MiB")
    file.seek(0)
    with reading_errors(path, "is a truncated or damaged DICOM file"):
        syntax = _skip_meta(file)
        if syntax == DEFLATED and _inflates_beyond(file, LIMITS.dicom_bytes):
            raise ImageReadError(path, f"unpacks to more than {LIMITS.dicom_bytes // 2**20} MiB")
    file.seek(0)
    return syntax


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
