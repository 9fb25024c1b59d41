"""Suffixes of image files."""

from __future__ import annotations

from pathlib import Path

from napari_dental_denoise.dicom import SUFFIXES as DICOM_SUFFIXES
from napari_dental_denoise.images.raster import WRITABLE_SUFFIXES


def name_without_suffix(path: Path) -> str:
    """The name that a file shares with its twins of other formats."""
    # Files on discs and in archives are named by numbers: 1.2.840.113 has no suffix.
    return path.stem if path.suffix.lower() in (*WRITABLE_SUFFIXES, *DICOM_SUFFIXES) else path.name
