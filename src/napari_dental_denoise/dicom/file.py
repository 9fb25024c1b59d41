"""Whether a file is DICOM, and whether it can be opened without harm."""

from __future__ import annotations

import zlib
from pathlib import Path

from napari_dental_denoise.config import LIMITS
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.files import check_is_file, first_bytes, refusing

SUFFIXES = (".dcm", ".dicom", ".dic")
PREAMBLE, MAGIC = 128, b"DICM"
LIBRARY = "pydicom"
# The file's own header, in which the length of its rest stands first.
META_START = PREAMBLE + len(MAGIC)
LENGTH_ELEMENT = 12
DEFLATED = "1.2.840.10008.1.2.1.99"


def is_dicom(path: Path) -> bool:
    """Whether a file is DICOM, by its first bytes or, where it has no preamble, its suffix."""
    start = first_bytes(path, META_START)
    return start[PREAMBLE:] == MAGIC or (path.suffix.lower() in SUFFIXES and len(start) > 0)


def check_dicom_file(path: Path) -> None:
    """Refuse what is no file, too large, or would unpack to too much."""
    check_is_file(path)
    with refusing(path, "cannot be read", LIBRARY), path.open("rb") as file:
        if path.stat().st_size > LIMITS.dicom_bytes:
            raise ImageReadError(path, f"is larger than {LIMITS.dicom_bytes // 2**20} MiB")
        start = file.read(META_START + LENGTH_ELEMENT)
        if len(start) < META_START + LENGTH_ELEMENT or start[PREAMBLE:META_START] != MAGIC:
            return
        length = int.from_bytes(start[-4:], "little")
        if DEFLATED.encode() not in file.read(min(length, 2**16)):
            return
        file.seek(META_START + LENGTH_ELEMENT + length)
        _check_deflated(path, file.read())


def _check_deflated(path: Path, data: bytes) -> None:
    """A deflated file of a megabyte may unpack to a gigabyte."""
    unpacked = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        unpacked.decompress(data, LIMITS.dicom_bytes)
    except zlib.error as error:
        raise ImageReadError(path, "is a truncated or damaged DICOM file") from error
    if unpacked.unconsumed_tail:
        raise ImageReadError(path, f"unpacks to more than {LIMITS.dicom_bytes // 2**20} MiB")
