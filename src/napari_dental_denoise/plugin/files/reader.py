"""napari reader for files and folders of radiographs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from napari_dental_denoise.dicom import is_dicomdir
from napari_dental_denoise.errors import ImageReadError, InputError
from napari_dental_denoise.images import (
    DICOM,
    READABLE_SUFFIXES,
    dataset_folders,
    format_of,
    list_files,
    probe_all,
    summarise_errors,
)
from napari_dental_denoise.pixels import ImageInfo
from napari_dental_denoise.plugin.files.image_layers import LayerData, file_layer, image_layers

Reader = Callable[[str | list[str]], list[LayerData]]

MAX_SHOWN_ERRORS = 20
# The number of files of a folder that are opened to see whether they are DICOM.
MAX_PROBED_FILES = 100


class Opened(NamedTuple):
    """Layers of some files, and a message about files that were left out, or ""."""

    layers: list[LayerData]
    problems: str


def get_reader(path: str | list[str]) -> Reader | None:
    """Return the reader of a path, judged by its name or, if that is not enough, by the first bytes of the file.

    A list of paths holds the files to open as one stack. Return None unless the path is a PNG, JPEG, TIFF, BMP, PGM or
    DICOM file, or a folder that contains such a file or a folder with one.
    """
    try:
        paths = [path] if isinstance(path, str | os.PathLike) else list(path)
        if paths and all(_is_ours(entry) for entry in paths):
            return read
        return read_subfolders if len(paths) == 1 and _holds_datasets(Path(paths[0])) else None
    except (OSError, TypeError, ValueError):
        return None


def _is_ours(path: str | os.PathLike[str]) -> bool:
    if not Path(path).is_dir():
        # DICOM files on discs and in archives are named by numbers or patients, without a suffix.
        return _has_our_suffix(os.fspath(path)) or format_of(Path(path)) is DICOM
    probed = 0
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir():
                continue
            if _has_our_suffix(entry.name):
                return True
            if probed < MAX_PROBED_FILES:
                probed += 1
                if format_of(Path(entry.path)) is DICOM:
                    return True
    return False


def _holds_datasets(path: Path) -> bool:
    return path.is_dir() and any(_is_ours(folder) for folder in dataset_folders(path) if folder != path)


def _has_our_suffix(name: str) -> bool:
    return name.lower().endswith(READABLE_SUFFIXES)


def _paths(path: str | list[str]) -> list[Path]:
    return [Path(path)] if isinstance(path, str | os.PathLike) else [Path(entry) for entry in path]


def read_subfolders(path: str | list[str]) -> list[LayerData]:
    """Read each subfolder of a folder as a dataset; see `read_datasets`."""
    return read_datasets(_paths(path)[0])


def read(path: str | list[str]) -> list[LayerData]:
    """Read a file, a folder, or files to be opened as one stack; raise InputError if nothing can be read.

    One file becomes one layer: a stack for a multi-page TIFF or a multi-frame DICOM file. A DICOM series whose images
    agree in size becomes one lazy stack in the order of acquisition; a DICOMDIR stands for the images that it lists.
    Other files that agree in size and type become one lazy stack in natural order. Files that differ become one layer
    each, or, if they are more than 50, one stack for each size.

    Up to 500 files are decoded first, so that damaged ones are left out and listed in one notification. Of more files
    only the headers are read; a damaged one is displayed as black, with a warning.
    """
    from napari.utils.notifications import show_warning

    paths = _paths(path)
    first = paths[0]
    if len(paths) == 1 and not first.is_dir() and not is_dicomdir(first):
        return [file_layer(first, first.stem)]
    opened = (
        read_folder(first)
        if first.is_dir() and len(paths) == 1
        else _read_files(list_files(paths), first.absolute().parent)
    )
    if opened.problems:
        show_warning(opened.problems)
    return opened.layers


def read_folder(folder: Path, name: str | None = None) -> Opened:
    """Read the radiographs of one folder, or raise InputError if there are none; see `read` and `image_layers`."""
    return _read_files(list_files([folder]), folder.absolute(), name)


def read_datasets(root: Path) -> list[LayerData]:
    """Read each subfolder of a folder as a dataset, or the folder itself if it has none.

    A dataset becomes a lazy stack, or one layer per image if sizes differ. One notification lists the folders and files
    that cannot be read; InputError is raised if no folder can.
    """
    from napari.utils.notifications import show_warning

    folders = dataset_folders(root)
    layers: list[LayerData] = []
    errors: list[InputError] = []
    problems: list[str] = []
    for folder in folders:
        name = folder.absolute().name
        try:
            opened = read_folder(folder, name)
        except InputError as error:
            errors.append(error)
            continue
        layers.extend(opened.layers)
        if opened.problems:
            problems.append(f"{name}: {opened.problems}")
    if not layers:
        raise InputError(f"None of {len(folders)} folders can be read: {summarise_errors(errors)}")
    if errors:
        problems.insert(0, f"{len(errors)} of {len(folders)} folders left out: {summarise_errors(errors)}")
    if problems:
        show_warning(". ".join(problems))
    return layers


def _read_files(paths: Sequence[Path], folder: Path, name: str | None = None) -> Opened:
    found = probe_all(paths)
    if not found.images:
        reasons = summarise_errors(found.errors, MAX_SHOWN_ERRORS)
        raise InputError(f"None of {len(paths)} files can be read: {reasons} (in {folder.name})")
    return Opened(image_layers(found.images, folder, name), _problems(found.errors, found.images, len(paths)))


def _problems(errors: Sequence[ImageReadError], images: Iterable[ImageInfo], total: int) -> str:
    """Return one message for all files, the most important first: a notification shows about 45 characters."""
    parts = []
    if errors:
        parts.append(f"{len(errors)} of {total} files left out: {summarise_errors(errors, MAX_SHOWN_ERRORS)}")
    cut = [image.path.name for image in images if image.pages > 1 and not image.is_dicom]
    if cut:
        names = ", ".join(cut[:MAX_SHOWN_ERRORS])
        parts.append(f"First page only of {len(cut)} files: {names}: open a file alone to see all its pages")
    return ". ".join(parts)
