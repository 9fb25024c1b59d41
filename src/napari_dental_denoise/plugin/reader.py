"""Files and folders of radiographs become image layers."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.core.dicom import read_dicom
from napari_dental_denoise.core.dicom_file import SUFFIXES as DICOM_SUFFIXES
from napari_dental_denoise.core.dicom_file import is_dicom
from napari_dental_denoise.core.dicom_header import DicomHeader
from napari_dental_denoise.core.dicomdir import is_dicomdir
from napari_dental_denoise.core.errors import ImageReadError, InputError
from napari_dental_denoise.core.folders import dataset_folders, describe, list_files
from napari_dental_denoise.core.headers import read_header
from napari_dental_denoise.core.images import WRITABLE_SUFFIXES, read_image, read_pages
from napari_dental_denoise.core.pixel_size import read_pixel_size
from napari_dental_denoise.core.spacing import PixelSize
from napari_dental_denoise.core.survey import (
    FoundImage,
    common_limits,
    common_pixel_size,
    grey_limits,
    stored_limits,
    survey,
)
from napari_dental_denoise.plugin.grey import METADATA
from napari_dental_denoise.plugin.lazy_stack import lazy_stack

LayerData = tuple[Any, dict[str, Any], str]
Reader = Callable[[str | list[str]], list[LayerData]]

# napari draws each layer by itself: hundreds of them would make the window slow.
MOST_SEPARATE_LAYERS = 50
SHOWN_ERRORS = 20
# So many files of a folder are opened, at most, to see whether they are DICOM.
MOST_PEEKS = 100
POLARITY_COLORMAP = "gray_r"


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
    return path.is_dir() and any(folder.is_dir() and _is_ours(folder) for folder in dataset_folders(path))


def _has_our_suffix(name: str) -> bool:
    return name.lower().endswith((*WRITABLE_SUFFIXES, *DICOM_SUFFIXES))


def read_subfolders(path: str | list[str]) -> list[LayerData]:
    """Read each subfolder of a folder as a dataset; see `read_datasets`."""
    from napari_dental_denoise.plugin.open_folder import read_datasets

    return read_datasets(Path(path if isinstance(path, str | os.PathLike) else path[0]))


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

    paths = [Path(path)] if isinstance(path, str | os.PathLike) else [Path(entry) for entry in path]
    first = paths[0]
    if len(paths) == 1 and not first.is_dir() and not is_dicomdir(first):
        return [_file_layer(first, first.stem)]
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


def _read_files(paths: Sequence[Path], folder: Path, name: str | None = None) -> Opened:
    found = survey(paths)
    if not found.images:
        reasons = describe(found.errors, SHOWN_ERRORS)
        raise InputError(f"None of {len(paths)} files can be read: {reasons} (in {folder.name})")
    return Opened(_layers(found.images, folder, name), _problems(found.errors, found.images, len(paths)))


def _layers(images: Sequence[FoundImage], folder: Path, name: str | None) -> list[LayerData]:
    series = defaultdict(list)
    for image in images:
        if image.dicom is not None:
            series[image.dicom.series].append(image)
    rasters = [image for image in images if image.dicom is None]
    title = name or folder.name
    layers = _group_layers(rasters, folder, title, name) if rasters else []
    for number, members in enumerate(series.values(), start=1):
        ordered = sorted(members, key=_acquisition)
        numbered = f"{title} series {number}" if len(series) > 1 or rasters else title
        layers += _group_layers(ordered, folder, numbered, name)
    return layers


def _acquisition(image: FoundImage) -> tuple[str, int, int]:
    return image.dicom.order if image.dicom is not None else ("", 0, 0)


def _group_layers(images: Sequence[FoundImage], folder: Path, title: str, name: str | None) -> list[LayerData]:
    """One lazy stack where all agree; else a layer for each image or, of many, a stack for each kind."""
    kinds = defaultdict(list)
    for image in images:
        kinds[image.kind].append(image)
    several_frames = any(image.dicom is not None and image.header.pages > 1 for image in images)
    lone = len(images) == 1 and images[0].dicom is not None
    if len(kinds) == 1 and not several_frames and not lone:
        return [_stack_layer(images, folder, title)]
    if len(images) <= MOST_SEPARATE_LAYERS or several_frames:
        prefix = f"{name}: " if name else ""
        return [_image_layer(image, f"{prefix}{image.path.stem}") for image in images]
    return [
        _stack_layer(group, folder, f"{title} {kind.shape[1]}x{kind.shape[0]} {kind.dtype}")
        for kind, group in kinds.items()
    ]


def _image_layer(image: FoundImage, name: str) -> LayerData:
    """A layer of one of several files; of a TIFF its first page, for the others may be thumbnails."""
    return _file_layer(image.path, name, pages=1 if image.dicom is None else None)


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


def _file_layer(path: Path, name: str, pages: int | None = None) -> LayerData:
    """A layer of one file; of several pages, unless `pages` is 1."""
    if is_dicom(path):
        return _dicom_layer(path, name)
    several = pages != 1 and read_header(path).pages > 1
    image = _read_pages(path) if several else read_image(path)
    settings = _settings(name, image.ndim, grey_limits(image), read_pixel_size(path), {"path": str(path)})
    return image, settings, "image"


def _dicom_layer(path: Path, name: str) -> LayerData:
    dicom, pixels = read_dicom(path)
    limits = dicom.limits or stored_limits(pixels, dicom.storage)
    settings = _settings(name, pixels.ndim, limits, dicom.pixel_size, {"path": str(path)})
    return pixels, {**settings, **_dicom_look(dicom, settings)}, "image"


def _dicom_look(dicom: DicomHeader, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What DICOM says more: polarity, and where the pixel size holds."""
    look: dict[str, Any] = {"metadata": {METADATA: {**settings["metadata"][METADATA], "dicom": dicom.record()}}}
    if dicom.storage.inverted:
        look["colormap"] = POLARITY_COLORMAP
    if dicom.spacing not in (None, "calibrated"):
        *first, _, _ = settings["axis_labels"]
        look["axis_labels"] = (*first, f"y {dicom.spacing}", f"x {dicom.spacing}")
    return look


def _read_pages(path: Path) -> NDArray[np.generic]:
    """All pages, or the first one where they make no stack: thumbnails and pyramids are pages too."""
    from napari.utils.notifications import show_warning

    try:
        return read_pages(path)
    except ImageReadError as error:
        first = read_image(path)
        show_warning(f"First page only: {error}")
        return first


def _stack_layer(images: Sequence[FoundImage], folder: Path, name: str) -> LayerData:
    paths = [image.path for image in images]
    metadata = {"path": str(folder), "files": [path.name for path in paths]}
    size = common_pixel_size(images) if _agree_on_place(images) else None
    settings = _settings(name, 3, common_limits(images), size, metadata)
    first = images[0]
    if first.dicom is not None:
        common = first.dicom if size is not None else replace(first.dicom, pixel_size=None, spacing=None)
        settings |= _dicom_look(common, settings)
    return lazy_stack(paths, first.kind.shape, first.kind.dtype), settings, "image"


def _agree_on_place(images: Sequence[FoundImage]) -> bool:
    """Whether the pixel sizes hold in one place: a size in the patient is none at the detector."""
    return len({image.dicom and image.dicom.spacing for image in images}) == 1


def _settings(
    name: str,
    ndim: int,
    limits: tuple[float, float] | None,
    pixel_size: PixelSize | None,
    metadata: dict[str, Any],
) -> dict[str, Any]:
    settings = {
        "name": name,
        "rgb": False,  # napari would take a narrow image for a colour one
        "axis_labels": ("image", "y", "x")[3 - ndim :],
        "metadata": {METADATA: metadata},
    }
    if limits is not None:
        settings["contrast_limits"] = limits
    if pixel_size is not None:
        settings["scale"] = (1.0, *pixel_size)[3 - ndim :]
        settings["units"] = ("pixel", "mm", "mm")[3 - ndim :]
    return settings
