"""The names of results: known before a file is opened, if it is what its name says."""

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
    name_without_suffix,
    probe,
)


def is_file_name(output: Path) -> bool:
    """Whether an output is one file and no folder."""
    return output.suffix.lower() in READABLE_SUFFIXES and not output.is_dir()


def expected_name(path: Path, suffix: str | None) -> str:
    """The name of a file's result, if the file is what its name says.

    Parameters
    ----------
    path : Path
        It is opened only where its name tells nothing.
    suffix : str, optional
        That is asked for; by default that of the file, or PNG for JPEG, which would lose again.
    """
    return name_without_suffix(path) + (suffix or _expected_suffix(path))


def _expected_suffix(path: Path) -> str:
    own = path.suffix.lower()
    if is_dicom_name(path):
        return DICOM_SUFFIX
    if own in WRITABLE_SUFFIXES:
        return PNG_SUFFIX if own in JPEG_SUFFIXES else own
    return DICOM_SUFFIX if format_of(path) is DICOM else PNG_SUFFIX


def possible_names(path: Path, suffix: str | None) -> tuple[str, ...]:
    """All names that the result of a file may get, whatever the file holds; first the expected one."""
    expected = expected_name(path, suffix)
    if suffix is not None:
        return (expected,)
    return tuple(dict.fromkeys((expected, f"{path.name}{TIFF_SUFFIXES[0]}", f"{path.name}{DICOM_SUFFIX}")))


def fitting_name(path: Path, suffix: str | None, dtype: np.dtype[np.generic], *, dicom: bool) -> str:
    """The name of the result of a file that holds pixels of some type.

    A misnamed file keeps its whole name, so that its result takes the place of no other.
    """
    expected = expected_name(path, suffix)
    if suffix is not None:
        return expected
    if dicom:
        return expected if expected.endswith(DICOM_SUFFIX) else f"{path.name}{DICOM_SUFFIX}"
    if np.issubdtype(dtype, np.floating):
        allowed: tuple[str, ...] = FLOATING_SUFFIXES
    else:
        allowed = SIXTEEN_BIT_SUFFIXES if dtype == np.uint16 else WRITABLE_SUFFIXES
    return expected if expected.endswith(allowed) else f"{path.name}{TIFF_SUFFIXES[0]}"


def true_name(path: Path, suffix: str | None) -> str | None:
    """The name of the result of a file, by its header; None of a file that cannot be read."""
    try:
        info = probe(path)
    except InputError:
        return None
    return fitting_name(path, suffix, info.dtype, dicom=info.is_dicom)


def ignores_case(folder: Path) -> bool:
    """Whether a disk takes large and small letters for the same, as far as can be told without writing.

    Parameters
    ----------
    folder : Path
        Absolute; it need not be there yet.
    """
    there = next((place for place in (folder, *folder.parents) if is_folder(place)), None)
    if there is None:
        return False
    try:
        known = next((path for path in there.iterdir() if path.name.swapcase() != path.name), there)
        return known.with_name(known.name.swapcase()).samefile(known) if known.name else False
    except OSError:
        return False
