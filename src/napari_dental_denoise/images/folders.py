"""Find and read the radiographs of files, folders and glob patterns."""

from __future__ import annotations

import glob
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from natsort import natsorted, ns
from numpy.typing import NDArray

from napari_dental_denoise.dicom import is_dicomdir, listed_images
from napari_dental_denoise.errors import ImageReadError, InputError
from napari_dental_denoise.files import is_file, is_folder, is_name, look_at, reason
from napari_dental_denoise.images.raster import read_pages
from napari_dental_denoise.validation import are_sides

Images = NDArray[np.generic] | list[NDArray[np.generic]]

# Left behind in folders by desktops; nobody means them as images.
DESKTOP_FILES = {"thumbs.db", "desktop.ini", "icon\r"}


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What came of one page of a file: an image, or the reason why there is none."""

    path: Path
    image: NDArray[np.generic] | None
    error: ImageReadError | None
    page: int = 0


def list_files(sources: Iterable[str | Path]) -> list[Path]:
    """The files that `sources` name, in natural order, each once.

    Parameters
    ----------
    sources : iterable of str or Path
        Files, folders (their own files, hidden ones left out) and glob patterns (`**` descends). A
        DICOMDIR stands for the images that it names.

    Returns
    -------
    list of Path

    Raises
    ------
    InputError
        If a source names nothing.
    """
    found: list[Path] = []
    for source in sources:
        for path in _expand(Path(source)):
            found.extend(listed_images(path) if is_dicomdir(path) else [path])
    return list(dict.fromkeys(found))


def _expand(source: Path) -> list[Path]:
    # Of a file that cannot be read, its reading says why.
    if is_folder(source):
        return _folder_files(source)
    if is_name(source):
        return [source]
    look_at(source)
    matches = [Path(match) for match in glob.glob(str(source), recursive=True)]  # noqa: PTH207 (Path.glob takes no absolute pattern)
    files = _natural(match for match in matches if is_file(match) and not is_hidden(match))
    if not files:
        raise InputError(f"{source}: no such file or folder, and no file matches it as a pattern")
    return files


def _folder_files(folder: Path) -> list[Path]:
    entries = _entries(folder)
    files = _natural(entry for entry in entries if not is_folder(entry) and not is_hidden(entry))
    if not files:
        subfolders = sum(is_folder(entry) for entry in entries)
        hint = f"; it has {subfolders} subfolders: name one of them, or use {folder}/**" if subfolders else ""
        raise InputError(f"{folder}: the folder holds no files{hint}")
    return files


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: the folder cannot be read ({reason(error)})") from error


def _check_folder(folder: Path) -> None:
    look_at(folder)
    if not is_folder(folder):
        raise InputError(f"{folder}: expected a folder")


def is_hidden(path: Path) -> bool:
    """Whether a file is hidden, or left behind by a desktop: nobody means it as an image."""
    return path.name.startswith(".") or path.name.lower() in DESKTOP_FILES


def _natural(paths: Iterable[Path]) -> list[Path]:
    return natsorted(paths, key=str, alg=ns.PATH | ns.IGNORECASE)


def read_each(paths: Iterable[Path]) -> Iterator[ReadResult]:
    """Read files one by one, each of their pages or frames; a bad one yields its error and the rest goes on.

    Parameters
    ----------
    paths : iterable of Path

    Yields
    ------
    ReadResult
    """
    for path in paths:
        try:
            pages = read_pages(path)
        except ImageReadError as error:
            yield ReadResult(path, None, error)
            continue
        for page, image in enumerate(pages):
            yield ReadResult(path, image, None, page)


def read_dental(folder: str | Path, size: tuple[int, int] | None = None) -> Images:
    """Read every radiograph of a folder as grayscale, in natural order.

    Parameters
    ----------
    folder : str or Path
        Its own files are read, each page of them, not those of its subfolders.
    size : (height, width), optional
        Resize every image to this size, in pixels.

    Returns
    -------
    (N, H, W) array, or list of (H, W) arrays
        One array where all sizes and types agree, a list otherwise; uint8, uint16 or float32.

    Raises
    ------
    InputError
        If there is no such folder, or nothing in it can be read.

    Warns
    -----
    UserWarning
        Names each file that could not be read, with the reason.
    """
    folder = Path(folder)
    _check_folder(folder)
    files = list_files([folder])
    results = list(read_each(files))
    errors = [result.error for result in results if result.error is not None]
    images = [result.image for result in results if result.image is not None]
    if not images:
        raise InputError(f"{folder}: none of its {len(errors)} files can be read: {describe(errors)}")
    if errors:
        warnings.warn(f"{folder}: {len(errors)} of {len(files)} files were left out: {describe(errors)}", stacklevel=2)
    if size is not None:
        images = [resize(image, size) for image in images]
    return as_stack(images)


def dataset_folders(root: Path) -> list[Path]:
    """The folders under a root that `read_all_datasets` takes for datasets: all but hidden ones, or the root itself.

    Raises
    ------
    InputError
        If there is no such folder, or it cannot be read.
    """
    folders = [entry for entry in _entries(root) if is_folder(entry) and not is_hidden(entry)]
    return _natural(folders) or [root]


def read_all_datasets(root: str | Path, size: tuple[int, int] | None = None) -> dict[str, Images]:
    """Read each dataset folder under a root, or the root itself where it has no subfolders.

    Parameters
    ----------
    root : str or Path
    size : (height, width), optional
        Resize every image to this size, in pixels.

    Returns
    -------
    dict
        Name of the folder to its images, as `read_dental` gives them, in natural order.

    Raises
    ------
    InputError
        If there is no such folder, or nothing in it can be read.

    Warns
    -----
    UserWarning
        Names each file and each folder that could not be read, with the reason.
    """
    root = Path(root)
    _check_folder(root)
    folders = dataset_folders(root)
    if folders == [root]:
        return {root.resolve().name: read_dental(root, size)}
    datasets: dict[str, Images] = {}
    for folder in folders:
        try:
            datasets[folder.name] = read_dental(folder, size)
        except InputError as error:
            warnings.warn(f"left out: {error}", stacklevel=2)
    if not datasets:
        raise InputError(f"{root}: none of its {len(folders)} folders holds an image that can be read")
    return datasets


def resize(image: NDArray[np.generic], size: tuple[int, int]) -> NDArray[np.generic]:
    """Resize one image by pixel area, or bilinearly where it grows.

    Parameters
    ----------
    image : (H, W) array; uint8, uint16 or floating
    size : (height, width) in pixels

    Returns
    -------
    array of shape `size`, of the same type
    """
    if not are_sides(size):
        raise InputError(f"size must be two positive whole numbers of pixels, height and width; received {size}")
    height, width = size
    shrinks = height <= image.shape[0] and width <= image.shape[1]
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def as_stack(images: Sequence[NDArray[np.generic]]) -> Images:
    """One (N, H, W) array where all shapes and types agree, else a list."""
    if len({(image.shape, image.dtype) for image in images}) == 1:
        return np.stack(images)
    return list(images)


def describe(errors: Sequence[InputError], shown: int = 20) -> str:
    """The first errors, one after the other, and how many more there are."""
    text = "; ".join(str(error) for error in errors[:shown])
    return text if len(errors) <= shown else f"{text}; and {len(errors) - shown} more"
