"""Suffixes of the formats that are read and written."""

from __future__ import annotations

from pathlib import Path

from napari_dental_denoise.dicom import SUFFIXES as DICOM_SUFFIXES
from napari_dental_denoise.dicom import without_version
from napari_dental_denoise.images.readers import HEADER_SUFFIX, RAW_SUFFIX, ZARR_SUFFIX

PNG_SUFFIX = ".png"
BMP_SUFFIX = ".bmp"
PGM_SUFFIX = ".pgm"
JPEG_SUFFIXES: tuple[str, ...] = (".jpg", ".jpeg")
TIFF_SUFFIXES: tuple[str, ...] = (".tif", ".tiff")
DICOM_SUFFIX = DICOM_SUFFIXES[0]
WRITABLE_SUFFIXES = (PNG_SUFFIX, *TIFF_SUFFIXES, BMP_SUFFIX, PGM_SUFFIX, *JPEG_SUFFIXES)
SIXTEEN_BIT_SUFFIXES = (PNG_SUFFIX, *TIFF_SUFFIXES, PGM_SUFFIX)
FLOATING_SUFFIXES = TIFF_SUFFIXES
OME_ZARR_SUFFIX = f".ome{ZARR_SUFFIX}"
# Of formats that are read only.
OTHER_SUFFIXES = (
    *(".pbm", ".ppm", ".pnm", ".pfm", ".gif", ".webp", ".avif", ".jp2", ".j2k", ".jpf", ".jpx", ".j2c", ".jxl"),
    *(".jls", ".jpe", ".jfif", ".dib", ".pcx", ".tga", ".npy", RAW_SUFFIX, HEADER_SUFFIX),
)
READABLE_SUFFIXES = (*WRITABLE_SUFFIXES, *OTHER_SUFFIXES, *DICOM_SUFFIXES)


def is_dicom_name(path: Path) -> bool:
    """Return whether a file name has a suffix of DICOM."""
    return path.suffix.lower() in DICOM_SUFFIXES


def name_without_suffix(path: Path) -> str:
    """Return the file name without a suffix of a known format."""
    # Files on discs may have a version, and those in archives are named by numbers: 1.2.840.113 has no suffix.
    plain = path.with_name(without_version(path.name))
    if plain.name.lower().endswith(OME_ZARR_SUFFIX):
        return plain.with_suffix("").stem
    return plain.stem if plain.suffix.lower() in READABLE_SUFFIXES else plain.name
