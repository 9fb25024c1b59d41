"""Find the files to process, and where below the output folder the result of each belongs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from napari_dental_denoise.files import is_folder
from napari_dental_denoise.images import find_files, real_path, root_of


@dataclass(frozen=True, slots=True)
class Item:
    """One file to process."""

    path: Path
    # Of the result, relative to the output folder.
    folder: Path
    # Position among all files, which seeds its noise.
    number: int
    # All files of its folder come one after the other.
    in_tree: bool = False
    # Names that the result may get, first the expected one.
    results: tuple[str, ...] = ()
    # Location, size and time of modification, to recognise the file in a later run.
    state: str = ""
    # An existing result comes from an earlier run and may be overwritten.
    may_overwrite: bool = False

    @property
    def name(self) -> str:
        """Path of the file relative to its source, as the report names it."""
        return (self.folder / self.path.name).as_posix()


def state_of(item: Item) -> str:
    """Return location (as a digest), size and time of modification of a file, in one word."""
    root = item.path.parents[len(item.folder.parts)]
    try:
        found = item.path.stat()
    except OSError:
        return f"{_digest(root)}--"
    return f"{_digest(root)}-{found.st_size}-{found.st_mtime_ns}"


@lru_cache(maxsize=64)
def _digest(root: Path) -> str:
    return hashlib.sha256(os.fsencode(real_path(root))).hexdigest()[:12]


def find_items(sources: Sequence[str | Path], output: Path, report: Path | None = None) -> Iterator[Item]:
    """Yield the files that `sources` name, all that lie below folders among them; see `images.find_files`.

    The file `report` is left out, and files below the folder `output` where that lies below a source.
    """
    in_tree = len(sources) == 1 and is_folder(Path(sources[0]))
    files = (file for file in find_files(sources, output=output) if report is None or not _is_same(file.path, report))
    for number, file in enumerate(files):
        yield Item(file.path, file.folder, number, in_tree)


def _is_same(path: Path, report: Path) -> bool:
    # By the name first: this is asked for each of a million files.
    return path.name == report.name and real_path(path) == real_path(report)


def source_folders(sources: Sequence[str | Path]) -> tuple[Path, ...]:
    """Return the absolute folders in or below which all inputs lie."""
    return tuple(dict.fromkeys(root_of(Path(source)).absolute() for source in sources))


def may_be_input(path: Path, folders: Sequence[Path], output: Path) -> bool:
    """Return whether a file lies below `folders` (see `source_folders`), but not in a folder `output` there."""
    inputs, results = {_identity(folder) for folder in folders}, _identity(output)
    parent = real_path(path.parent)
    for place in map(_identity, (parent, *parent.parents)):
        if place in inputs:
            return True
        if place == results:
            return False
    return False


def lies_in(folder: Path, others: Iterable[Path]) -> bool:
    """Return whether a folder is one of others, or lies below one."""
    places, path = set(map(_identity, others)), real_path(folder)
    return any(_identity(place) in places for place in (path, *path.parents))


def _identity(folder: Path) -> tuple[int, int] | Path:
    """Return what is equal for all names of a folder, such as those that differ in case."""
    try:
        found = folder.stat()
    except OSError:
        return real_path(folder)
    return found.st_dev, found.st_ino
