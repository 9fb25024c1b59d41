"""Files and folders of radiographs become image layers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from napari_dental_denoise.dicom import SUFFIXES as DICOM_SUFFIXES
from napari_dental_denoise.dicom import is_dicom, is_dicomdir
from napari_dental_denoise.errors import ImageReadError, InputError
from napari_dental_denoise.images import WRITABLE_SUFFIXES, FoundImage, dataset_folders, describe, list_files, survey
from napari_dental_denoise.plugin.files.image_layers import LayerData, file_layer, image_layers

Reader = Callable[[str | list[str]], list[LayerData]]

SHOWN_ERRORS = 20
# So many files of a folder are opened, at most, to see whether they are DICOM.
MOST_PEEKS = 100


class Opened(NamedTuple):
    """The layers of some files, and a message on those that were left out, or an empty one."""

    layers: list[LayerData]
    problems: str


def get_reader(path: str | list[str]) -> Reader | None:
    """Say whether this plugin reads a path; opens no file, or the first bytes of one whose name does not tell.

    Parameters
    ----------
    path : str or list of str
        A file, a folder, or the files to open as one stack.

    Returns
    -------
    callable or None
        None for anything but PNG, JPEG, TIFF, BMP, PGM and DICOM files, by their suffixes (DICOM also
        by its first bytes), and folders that hold at least one such file, or a folder that does.
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
        # Discs and archives name DICOM files by numbers, and some programs by the patient.
        return _has_our_suffix(os.fspath(path)) or is_dicom(Path(path))
    peeks = 0
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir():
                continue
            if _has_our_suffix(entry.name):
                return True
            if peeks < MOST_PEEKS:
                peeks += 1
                if is_dicom(Path(entry.path)):
                    return True
    return False


def _holds_datasets(path: Path) -> bool:
    return path.is_dir() and any(_is_ours(folder) for folder in dataset_folders(path) if folder != path)


def _has_our_suffix(name: str) -> bool:
    return name.lower().endswith((*WRITABLE_SUFFIXES, *DICOM_SUFFIXES))


def _paths(path: str | list[str]) -> list[Path]:
    return [Path(path)] if isinstance(path, str | os.PathLike) else [Path(entry) for entry in path]


def read_subfolders(path: str | list[str]) -> list[LayerData]:
    """Read each subfolder of a folder as a dataset; see `read_datasets`."""
    return read_datasets(_paths(path)[0])


def read(path: str | list[str]) -> list[LayerData]:
    """Read a file, a folder, or files to be opened as one stack.

    One file becomes one layer, a multi-page TIFF or multi-frame DICOM a stack. Of DICOM, each series whose
    images agree in size becomes one lazy stack, in the order of acquisition, and other images a layer each;
    a DICOMDIR stands for the images that it names. The other files of a folder or a list that agree
    in size and type become one lazy stack, in natural order: a file is read when it is scrolled to.
    Others become a layer each, or, above 50 files, a stack for each size.

    Up to 500 files are looked at whole before they are shown, so that each bad one is left out and
    named, in one notification. Of more files only the headers are read; one that turns out bad when
    it is scrolled to is shown as a black frame, with a warning.

    Parameters
    ----------
    path : str or list of str

    Returns
    -------
    list of (data, settings, "image")

    Raises
    ------
    InputError
        If nothing can be read.
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
    """Read the radiographs of one folder; see `read`.

    Parameters
    ----------
    folder : Path
    name : str, optional
        Of the layer, instead of the name of the folder.

    Returns
    -------
    Opened
        The layers, and what is to be said of files that were left out.

    Raises
    ------
    InputError
        If nothing in it can be read.
    """
    return _read_files(list_files([folder]), folder.absolute(), name)


def read_datasets(root: Path) -> list[LayerData]:
    """Read each subfolder of a folder as a dataset, or the folder itself where it has none.

    Parameters
    ----------
    root : Path

    Returns
    -------
    list of (data, settings, "image")

    Raises
    ------
    InputError
        If there is no image in any of them.
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
        raise InputError(f"None of {len(folders)} folders can be read: {describe(errors)}")
    if errors:
        problems.insert(0, f"{len(errors)} of {len(folders)} folders left out: {describe(errors)}")
    if problems:
        show_warning(". ".join(problems))
    return layers


def _read_files(paths: Sequence[Path], folder: Path, name: str | None = None) -> Opened:
    found = survey(paths)
    if not found.images:
        reasons = describe(found.errors, SHOWN_ERRORS)
        raise InputError(f"None of {len(paths)} files can be read: {reasons} (in {folder.name})")
    return Opened(image_layers(found.images, folder, name), _problems(found.errors, found.images, len(paths)))


def _problems(errors: Sequence[ImageReadError], images: Iterable[FoundImage], total: int) -> str:
    """One message for all files; a toast shows its first 45 characters."""
    parts = []
    if errors:
        parts.append(f"{len(errors)} of {total} files left out: {describe(errors, SHOWN_ERRORS)}")
    cut = [image.path.name for image in images if image.header.pages > 1 and image.dicom is None]
    if cut:
        names = ", ".join(cut[:SHOWN_ERRORS])
        parts.append(f"First page only of {len(cut)} files: {names}: open such a file by itself to see all its pages")
    return ". ".join(parts)
