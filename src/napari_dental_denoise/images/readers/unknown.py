"""Files of no format that is read: they are refused by what they are."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, NoReturn

from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.images.readers.format import EXPECTED, Format
from napari_dental_denoise.images.readers.raw import HEADER_SUFFIX, RAW_SUFFIX

SAMPLE = 1024
KINDS = {
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "a gzip archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"8BPS": "a Photoshop file",
    b"%!PS": "a PostScript file",
    b"\xd0\xcf\x11\xe0": "an Office document",
    b"\x00\x00\x01\x00": "an icon",
    b"\x89HDF": "an HDF5 file",
    b"SIMPLE  =": "a FITS file",
    b"\x1aE\xdf\xa3": "a video",
}
TEXT = frozenset(range(0x20, 0x100)) | set(b"\t\n\r\f")


def _refuse(path: Path, file: BinaryIO, _wanted: slice | None = None) -> NoReturn:
    if path.suffix.lower() == RAW_SUFFIX:
        side = path.with_suffix(HEADER_SUFFIX).name
        raise ImageReadError(
            path, f"is raw data of unknown size; expected a header {side} beside it: raw-header writes one"
        )
    raise ImageReadError(path, f"is not an image{_kind(file.read(SAMPLE))}; {EXPECTED}")


def _kind(start: bytes) -> str:
    found = next((name for signature, name in KINDS.items() if start.startswith(signature)), None)
    if found is None and start[4:8] == b"ftyp":
        found = "a video, or an image of a camera"
    if found is None and _is_text(start):
        found = "text" if not start.lstrip().startswith(b"<") else "a web page or other markup"
    return f" but {found}" if found else ""


def _is_text(start: bytes) -> bool:
    try:
        start[: SAMPLE - 4].decode()
    except UnicodeDecodeError:
        return False
    return TEXT.issuperset(start)


UNKNOWN = Format(lambda _path, _start: True, _refuse, _refuse)
