"""napari reader for files and folders of radiographs."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_dental_denoise.dicom import is_dicomdir
from napari_dental_denoise.errors import ImageReadError, InputError
from napari_dental_denoise.images import (
    DICOM,
    READABLE_SUFFIXES,
    find_files,
    format_of,
    is_file_folder,
    name_without_suffix,
    probe_all,
    summarise_errors,
)
from napari_dental_denoise.pixels import ImageInfo
from napari_dental_denoise.plugin.files.canvas import fit_view, lay_out_files, show_file_names
from napari_dental_denoise.plugin.files.folders import open_files
from napari_dental_denoise.plugin.files.image_layers import (
    Group,
    LayerData,
    file_layer,
    group_images,
    group_layer,
    group_problem,
    is_stack,
    lay_out,
)
from napari_dental_denoise.plugin.files.questions import confirm, layers_to_open, shown_window
from napari_dental_denoise.progress import counted

Reader = Callable[[str | list[str]], list[LayerData]]

MAX_SHOWN_ERRORS = 20
# Folders that are a file to their own readers.
FOLDER_FORMATS = (".n5",)
# To read the headers of more takes seconds to minutes.
MAX_FILES = 10_000
# What a reader returns that has no layer to add; a list without any would be an error to napari.
NO_LAYERS: list[Any] = [(None,)]


def get_reader(path: str | list[str] | None = None) -> Reader | None:
    """Return the reader of a path, judged by its name or, if that is not enough, by the first bytes of the file.

    A list of paths holds the files to open as one stack. Return None unless the path is a PNG, JPEG, TIFF, DICOM or
    other image file, or a folder: whether images are in or below it, reading it tells. Without a path, as napari's
    command palette calls it, ask for files and open them.
    """
    if path is None:
        open_files()
        return None
    try:
        paths = [path] if isinstance(path, str | os.PathLike) else list(path)
        return read if paths and all(entry and _is_ours(entry) for entry in paths) else None
    except (OSError, TypeError, ValueError):
        return None


def _is_ours(path: str | os.PathLike[str]) -> bool:
    if Path(path).is_dir():
        return Path(path).suffix.lower() not in FOLDER_FORMATS
    # DICOM files on discs and in archives are named by numbers or patients, without a suffix.
    return _has_our_suffix(os.fspath(path)) or format_of(Path(path)) is DICOM


def _has_our_suffix(name: str) -> bool:
    return name.lower().endswith(READABLE_SUFFIXES)


def read(path: str | list[str]) -> list[LayerData]:
    """Read a file, a folder, or files to be opened as one stack; raise InputError if nothing can be read.

    One file becomes one layer: a stack for a multi-page TIFF or a multi-frame DICOM file, which is lazy if it is large.
    A folder is read with all its subfolders. A DICOM series whose images agree in size becomes one lazy stack in the
    order of acquisition; a DICOMDIR stands for the images that it lists. The other files of a folder that agree in size
    and type become one lazy stack in natural order. Layers of different sizes lie side by side. Before many layers
    open, the user is asked.

    The headers, ends and checksums of files are read first, so that truncated ones are left out and listed in one
    notification. A file whose pixels turn out to be damaged is displayed as black, with a warning.
    """
    from napari.utils.notifications import show_error

    paths = [Path(path)] if isinstance(path, str | os.PathLike) else [Path(entry) for entry in path]
    first = paths[0].absolute()
    if len(paths) > 1 or is_dicomdir(first):
        return _read_files(dict(find_files([each.absolute() for each in paths])), first.parent)
    if not is_file_folder(first):
        return [_laid_out(file_layer(first, name_without_suffix(first)))]
    try:
        return read_folder(first)
    except InputError as error:
        if shown_window() is None:
            raise
        # napari would show a traceback.
        show_error(str(error))
        return NO_LAYERS


def _laid_out(layer: LayerData) -> LayerData:
    """Return the layer of a file, which will be beside others that are opened together with it."""
    from napari import current_viewer

    viewer = current_viewer()
    if viewer is not None:
        lay_out_files(viewer)
    return layer


def read_folder(folder: Path) -> list[LayerData]:
    """Read the radiographs in and below an absolute folder, or raise InputError if there are none; see `read`."""
    try:
        folders = _walk(folder)
    except InputError as error:
        raise InputError(f"{_nothing_in(folder)} ({error})") from error
    return _read_files(folders, folder) if folders else NO_LAYERS


def _walk(root: Path) -> dict[Path, Path]:
    """Return the files in and below a folder; none if they are very many and the user does not want to wait."""
    found = find_files([root])
    folders = dict(itertools.islice(found, MAX_FILES))
    more = dict(itertools.islice(found, 1))
    question = f"{root.name} holds more than {MAX_FILES} files. Open them all?"
    if more and shown_window() is not None and not confirm("Open", question):
        return {}
    return folders | more | dict(found)


def _nothing_in(folder: Path) -> str:
    return f"{folder.name}: no PNG, JPEG, TIFF, DICOM or other image found in this folder or its subfolders"


def _read_files(folders: Mapping[Path, Path], root: Path) -> list[LayerData]:
    """Return the layers of files, given with their folders relative to `root`, and notify of all that is left out."""
    from napari import current_viewer
    from napari.utils.notifications import show_warning

    found = probe_all(list(folders))
    groups = group_images(found.images, root, folders)
    count = layers_to_open(root.name, len(groups)) if groups else 0
    if groups and not count:
        return NO_LAYERS
    layers, errors = _layers_of(groups[:count])
    errors += found.errors
    if not layers:
        raise InputError(_why_nothing(errors, root, folders))
    lay_out(layers)
    problems = [*filter(None, map(group_problem, groups[:count])), *_problems(errors, found.images, folders)]
    if count < len(groups):
        problems.insert(0, f"First {count} of {len(groups)} layers opened")
    if problems:
        show_warning(". ".join(problems))
    viewer = current_viewer()
    if viewer is not None:
        show_file_names(viewer)
        fit_view(viewer, len(layers))
    return layers


def _layers_of(groups: Iterable[Group]) -> tuple[list[LayerData], list[ImageReadError]]:
    """Return the layers of groups, and the errors of images whose header promised more than the file holds."""
    layers, errors = [], []
    for group in groups:
        try:
            layers.append(group_layer(group))
        except ImageReadError as error:
            errors.append(error)
    return layers, errors


def _why_nothing(errors: Sequence[ImageReadError], root: Path, folders: Mapping[Path, Path]) -> str:
    # A folder among the errors could not be listed.
    if not any(_is_ours(error.path) for error in errors):
        return f"{_nothing_in(root)} ({root}: none of {len(errors)} files is one)"
    return f"None of {len(errors)} files can be read: {_summary(errors, folders)} (in {root.name})"


def _summary(errors: Sequence[ImageReadError], folders: Mapping[Path, Path]) -> str:
    """Return the errors in one line, with the folder of each file."""
    named = [InputError(f"{_shown(error.path, folders)}: {error.reason}") for error in errors]
    return summarise_errors(named, MAX_SHOWN_ERRORS)


def _shown(path: Path, folders: Mapping[Path, Path]) -> str:
    return (folders[path] / path.name).as_posix()


def _problems(errors: Sequence[ImageReadError], images: Iterable[ImageInfo], folders: Mapping[Path, Path]) -> list[str]:
    """Return one sentence of each kind, the most important first: a notification shows about 45 characters."""
    problems = []
    if errors:
        problems.append(f"{len(errors)} of {len(folders)} files left out: {_summary(errors, folders)}")
    cut = [_shown(image.path, folders) for image in images if image.pages > 1 and not is_stack(image)]
    if cut:
        names = ", ".join(cut[:MAX_SHOWN_ERRORS])
        problems.append(
            f"First page only of {counted(len(cut), 'file')}: {names}: open a file alone to see all its pages"
        )
    return problems
