"""Files of no format that is read: they are refused by what they are."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, NoReturn

from PIL import Image as PillowImage

from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.files import unseen
from napari_dental_denoise.images.readers.format import EXPECTED, PILLOW_ERRORS, Format
from napari_dental_denoise.images.readers.raw import HEADER_SUFFIX, RAW_SUFFIX

SAMPLE = 1024
KINDS = {
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "a gzip archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"\xd0\xcf\x11\xe0": "an Office document",
    b"\x89HDF": "an HDF5 file",
    b"\x1aE\xdf\xa3": "a video",
    b"\x00\x00\x01\xb3": "a video",
}
# Formats that Pillow takes any file for whose first bytes could be sizes.
WITHOUT_SIGNATURE = ("TGA", "PCX", "SPIDER")
TEXT = frozenset(range(0x20, 0x100)) | set(b"\t\n\r\f")


def _refuse(path: Path, file: BinaryIO, _wanted: slice | None = None) -> NoReturn:
    if path.suffix.lower() == RAW_SUFFIX:
        side = path.with_suffix(HEADER_SUFFIX).name
        raise ImageReadError(
            path, f"is raw data of unknown size; expected a header {side} beside it: raw-header writes one"
        )
    if path.suffix.lower() == HEADER_SUFFIX:
        raise ImageReadError(path, f"is the header of raw data; expected {path.with_suffix(RAW_SUFFIX).name} beside it")
    start = file.read(SAMPLE)
    if kind := _kind(start):
        raise ImageReadError(path, f"is not an image but {kind}; {EXPECTED}")
    if name := _name_by_pillow(file):
        raise ImageReadError(path, f"is in a format that is not read ({name}): export it as PNG or TIFF")
    if _is_text(start):
        raise ImageReadError(path, f"is not an image but text; {EXPECTED}")
    raise ImageReadError(path, f"is not an image in a format that is read; {EXPECTED}")


def _kind(start: bytes) -> str | None:
    if start[4:8] == b"ftyp":
        return "a video, or an image of a camera"
    if _is_text(start) and start.lstrip().startswith(b"<"):
        return "a web page or other markup"
    return next((name for signature, name in KINDS.items() if start.startswith(signature)), None)


def _name_by_pillow(file: BinaryIO) -> str | None:
    """Return the name of the format, of those that Pillow knows by their first bytes."""
    file.seek(0)
    with unseen():
        try:
            with PillowImage.open(file) as image:
                return None if image.format in WITHOUT_SIGNATURE else image.format_description
        except (PillowImage.DecompressionBombError, *PILLOW_ERRORS):
            return None


def _is_text(start: bytes) -> bool:
    try:
        start[: SAMPLE - 4].decode()
    except UnicodeDecodeError:
        return False
    return TEXT.issuperset(start)


UNKNOWN = Format(lambda _path, _start: True, _refuse, _refuse)
