"""Find the files that folders, glob patterns and DICOMDIR files name."""

from __future__ import annotations

import glob
import itertools
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from natsort import natsorted, ns

from napari_dental_denoise.dicom import is_dicomdir, listed_images
from napari_dental_denoise.errors import ImageReadError, InputError
from napari_dental_denoise.files import is_file, is_folder, is_name, reason, stat_or_none
from napari_dental_denoise.images.readers import HEADER_SUFFIX, RAW_SUFFIX, is_zarr

# Left behind in folders by desktops; nobody means them as images.
DESKTOP_FILES = {"thumbs.db", "desktop.ini", "icon\r"}
WILDCARDS = frozenset("*?[")
NATURAL = ns.PATH | ns.IGNORECASE


class FoundFile(NamedTuple):
    """A file, and its folder relative to that of its source."""

    path: Path
    folder: Path


def list_files(sources: Iterable[str | Path]) -> list[Path]:
    """Return the files that `sources` name, without those in subfolders; see `find_files`."""
    return [found.path for found in find_files(list(sources), depth=1)]


def find_files(sources: Sequence[str | Path], depth: float = math.inf) -> Iterator[FoundFile]:
    """Yield the files that `sources` name, each once, in natural order; raise InputError if one names no file.

    Sources are files, folders and glob patterns (`**` descends); a DICOMDIR stands for the images that it names.
    Folders are listed one at a time, so that archives of any size can be walked. Hidden files and folders
    are left out, and links to folders are not followed. A subfolder that cannot be read is yielded like a file.
    `depth` is the number of levels of folders to list: 1 leaves out all subfolders.
    """
    # A tree names no file twice, and the names of an archive would fill the memory.
    is_tree = len(sources) == 1 and depth > 1 and is_file_folder(Path(sources[0]))
    seen: set[Path] = set()
    real = lru_cache(maxsize=64)(real_path)
    for source in map(Path, sources):
        root = root_of(source)
        path = None
        for path in _expand(source, depth):
            # Only links to folders are resolved: a link to a file is a second name that somebody wants.
            place = path if is_tree else real(path.parent) / path.name
            if place not in seen:
                yield FoundFile(path, path.parent.relative_to(root))
            if not is_tree:
                seen.add(place)
        if path is None:
            raise InputError(f"{source}: {_why_nothing(source, depth)}")


def is_file_folder(path: Path) -> bool:
    """Return whether a path is a folder of files, not one that is an image itself."""
    return is_folder(path) and not is_zarr(path)


def root_of(source: Path) -> Path:
    """Return the folder in or below which all files of a source lie."""
    if is_file_folder(source):
        return source
    if is_name(source):
        return source.parent
    return Path(*itertools.takewhile(lambda part: not WILDCARDS & set(part), source.parts[:-1]))


def dataset_folders(root: Path) -> list[Path]:
    """Return the subfolders of `root` in natural order, hidden ones left out, or `root` itself where it has none."""
    folders = [entry for entry in _entries(root) if is_file_folder(entry) and not _is_hidden(entry.name)]
    return _natural(folders) or [root]


def real_path(path: Path) -> Path:
    """Return the path without links; `Path.resolve` raises for links that lead to themselves."""
    return Path(os.path.realpath(path))


def _expand(source: Path, depth: float) -> Iterator[Path]:
    walks = is_file_folder(source)
    if walks:
        paths = _walk(source, depth)
    elif is_name(source):
        paths = iter([_pixels_of(source)])
    else:
        stat_or_none(source)
        paths = _matches(source)
    for path in paths:
        if not is_dicomdir(path):
            yield path
        # The walk itself comes to the images that a DICOMDIR names.
        elif not (walks and depth > 1):
            yield from _images_of_dicomdir(path, source)


def _images_of_dicomdir(path: Path, source: Path) -> list[Path]:
    try:
        return listed_images(path)
    except ImageReadError:
        # One bad file among others must not end a run: reading it says what is wrong.
        if path == source:
            raise
        return [path]


def _walk(root: Path, depth: float) -> Iterator[Path]:
    locked: list[Path] = []
    for place, folders, files in os.walk(root, onerror=lambda error: locked.append(Path(error.filename))):
        folder = Path(place)
        images = [name for name in folders if is_zarr(folder / name)]
        folders[:] = [name for name in folders if name not in images]
        if len(folder.relative_to(root).parts) + 1 < depth:
            folders[:] = natsorted((name for name in folders if not _is_hidden(name)), alg=NATURAL)
        else:
            folders.clear()
        found = (folder / name for name in natsorted([*files, *images], alg=NATURAL))
        yield from (path for path in found if not _is_left_out(path))
    yield from (folder for folder in locked if folder != root)


def _matches(pattern: Path) -> Iterator[Path]:
    names = glob.glob(str(pattern), recursive=True)  # noqa: PTH207 (Path.glob takes no absolute pattern)
    for path in _natural(map(Path, names)):
        if (is_file(path) or is_zarr(path)) and not _is_left_out(path):
            yield path


def _natural(paths: Iterable[Path]) -> list[Path]:
    return natsorted(paths, key=str, alg=NATURAL)


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in DESKTOP_FILES


def _is_left_out(path: Path) -> bool:
    """Return whether a file is hidden, or the header of raw pixels beside it."""
    return _pixels_of(path) != path or _is_hidden(path.name)


def _pixels_of(path: Path) -> Path:
    """Return the file of raw pixels that a header describes; other files as they are."""
    pixels = path.with_suffix(RAW_SUFFIX)
    return pixels if path.suffix.lower() == HEADER_SUFFIX and is_file(pixels) else path


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: the folder cannot be read ({reason(error)})") from error


def _why_nothing(source: Path, depth: float) -> str:
    if not is_file_folder(source):
        return "no such file or folder, and no file matches it as a pattern"
    subfolders = sum(map(is_file_folder, _entries(source)))
    can_descend = depth == 1 and subfolders > 0
    hint = f"; it has {subfolders} subfolders: name one of them, or use {source}/**" if can_descend else ""
    return f"the folder holds no files{hint}"
