"""Names of results, known before a file is opened if the file is what its name says."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files import is_folder
from napari_dental_denoise.images import (
    DICOM,
    DICOM_SUFFIX,
    FLOATING_SUFFIXES,
    JPEG_SUFFIXES,
    PNG_SUFFIX,
    READABLE_SUFFIXES,
    SIXTEEN_BIT_SUFFIXES,
    TIFF_SUFFIXES,
    WRITABLE_SUFFIXES,
    format_of,
    is_dicom_name,
    is_file_folder,
    name_without_suffix,
    probe,
)
from napari_dental_denoise.images.readers import ZARR_SUFFIX, is_zarr
from napari_dental_denoise.pixels import ImageInfo


def is_file_name(output: Path) -> bool:
    """Return whether an output names one file, not a folder."""
    return output.suffix.lower() in (*READABLE_SUFFIXES, ZARR_SUFFIX) and not is_file_folder(output)


def expected_name(path: Path, suffix: str | None, alias: str = "") -> str:
    """Return the name of a file's result, if the file is what its name says; only an unknown suffix makes it open it.

    Without a suffix, that of the file is used, or PNG for JPEG, which would lose quality again. An alias stands for the
    name of the file.
    """
    return (alias or name_without_suffix(path)) + (suffix or _expected_suffix(path))


def _expected_suffix(path: Path) -> str:
    own = path.suffix.lower()
    if is_dicom_name(path):
        return DICOM_SUFFIX
    if own == ZARR_SUFFIX:
        return path.name.removeprefix(name_without_suffix(path))
    if own in WRITABLE_SUFFIXES:
        return PNG_SUFFIX if own in JPEG_SUFFIXES else own
    return DICOM_SUFFIX if format_of(path) is DICOM else PNG_SUFFIX


def possible_names(path: Path, suffix: str | None, alias: str = "") -> tuple[str, ...]:
    """Return all names that the result of a file may get, whatever the file holds; first the expected one."""
    expected = expected_name(path, suffix, alias)
    if suffix is not None:
        return (expected,)
    whole = alias or path.name
    return tuple(dict.fromkeys((expected, f"{whole}{TIFF_SUFFIXES[0]}", f"{whole}{DICOM_SUFFIX}")))


def fitting_name(info: ImageInfo, suffix: str | None, alias: str = "") -> str:
    """Return the name of the result of a file that was read or probed.

    The result of a misnamed file keeps its whole name, so that it cannot replace another result.
    """
    expected = expected_name(info.path, suffix, alias)
    if suffix is not None:
        return expected
    whole = alias or info.path.name
    if is_zarr(info.path):
        return expected
    if info.is_dicom:
        return expected if expected.endswith(DICOM_SUFFIX) else f"{whole}{DICOM_SUFFIX}"
    if info.dtype not in (np.uint8, np.uint16):
        allowed: tuple[str, ...] = FLOATING_SUFFIXES
    else:
        allowed = SIXTEEN_BIT_SUFFIXES if info.dtype == np.uint16 else WRITABLE_SUFFIXES
    return expected if expected.endswith(allowed) else f"{whole}{TIFF_SUFFIXES[0]}"


def true_name(path: Path, suffix: str | None) -> str | None:
    """Return the name of the result of a file by its header, or None if the file cannot be read."""
    try:
        return fitting_name(probe(path), suffix)
    except InputError:
        return None


def ignores_case(folder: Path) -> bool:
    """Return whether the file system of an absolute path ignores case, as far as can be told without writing."""
    existing = next((place for place in (folder, *folder.parents) if is_folder(place)), None)
    if existing is None:
        return False
    try:
        known = next((path for path in existing.iterdir() if path.name.swapcase() != path.name), existing)
        return known.with_name(known.name.swapcase()).samefile(known) if known.name else False
    except OSError:
        return False
