"""The files to work on, one after the other, and where below the output folder the result of each belongs."""

from __future__ import annotations

import glob
import hashlib
import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from natsort import natsorted, ns

from napari_dental_denoise.dicom import NAME as DICOMDIR
from napari_dental_denoise.dicom import is_dicomdir, listed_images
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files import is_file
from napari_dental_denoise.images import is_hidden

WILDCARDS = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Item:
    """One file to work on.

    Attributes
    ----------
    path : Path
    folder : Path
        Of its result, below the output folder.
    number : int
        Its place among all, which seeds its noise.
    in_tree : bool
        Whether all files of its folder come one after the other.
    results : tuple of str
        Names that its result may get, first the expected one.
    state : str
        Where it is found, its size and when it was changed, to know it again by.
    ours : bool
        Whether its result of an earlier run may be there, which may be replaced then.
    """

    path: Path
    folder: Path
    number: int
    in_tree: bool = False
    results: tuple[str, ...] = ()
    state: str = ""
    ours: bool = False

    @property
    def name(self) -> str:
        """The file below the folder that it was found in, as it stands in the report."""
        return (self.folder / self.path.name).as_posix()


def state_of(item: Item) -> str:
    """Where a file is found, its size and when it was changed, in one word; of the place, only a digest."""
    root = item.path.parents[len(item.folder.parts)]
    try:
        found = item.path.stat()
    except OSError:
        return f"{_digest(root)}--"
    return f"{_digest(root)}-{found.st_size}-{found.st_mtime_ns}"


@lru_cache(maxsize=64)
def _digest(root: Path) -> str:
    return hashlib.sha256(os.fsencode(_real(root))).hexdigest()[:12]


def find_items(sources: Sequence[str | Path], output: Path, report: Path | None = None) -> Iterator[Item]:
    """The files that sources name, as a tree below the output folder.

    Folders are walked to their ends, each in natural order and none held in memory longer than it
    takes; links to folders are not followed. Hidden files, DICOMDIR (in a folder, what it names is
    there besides), the output folder and the report are left out.

    Parameters
    ----------
    sources : sequence of str or Path
        Files, folders, patterns (`**` descends) and DICOMDIR files.
    output : Path
    report : Path, optional

    Yields
    ------
    Item

    Raises
    ------
    InputError
        If a source names nothing.
    """
    seen: set[str] = set()
    number = 0
    no_input = None if report is None else _real(report)
    in_tree = len(sources) == 1 and Path(sources[0]).is_dir()
    for source in sources:
        found = False
        for path, folder in _expand(Path(source), _real(output)):
            found = True
            if report is not None and path.name == report.name and _real(path) == no_input:
                continue
            # One folder cannot name a file twice; several sources can.
            if not in_tree:
                place = _real(path)
                if place in seen:
                    continue
                seen.add(place)
            yield Item(path, folder, number, in_tree)
            number += 1
        if not found:
            raise InputError(f"{source}: {_nothing(Path(source))}")


def _expand(source: Path, output: str) -> Iterator[tuple[Path, Path]]:
    if source.is_dir():
        yield from _walk(source, output)
    elif is_dicomdir(source):
        for path in listed_images(source):
            yield path, path.parent.relative_to(source.parent)
    elif source.exists() or source.is_symlink():
        yield source, Path()
    else:
        yield from _matches(source, output)


def _walk(root: Path, output: str) -> Iterator[tuple[Path, Path]]:
    closed: list[Path] = []
    for place, folders, files in os.walk(root, onerror=lambda error: closed.append(Path(error.filename))):
        folders[:] = natsorted(
            (name for name in folders if not name.startswith(".") and _real(Path(place, name)) != output),
            alg=ns.IGNORECASE,
        )
        folder = Path(place).relative_to(root)
        for name in natsorted(files, alg=ns.IGNORECASE):
            path = Path(place, name)
            if not is_hidden(path) and name.upper() != DICOMDIR:
                yield path, folder
    # Not passed over in silence: each becomes a row that says that it cannot be read.
    for path in closed:
        if path != root:
            yield path, path.parent.relative_to(root)


def _matches(pattern: Path, output: str) -> Iterator[tuple[Path, Path]]:
    root = _fixed(pattern)
    # As of a folder that is walked, the output folder within it is left out.
    results = Path(output) if Path(_real(root)) in Path(output).parents else None
    names = glob.glob(str(pattern), recursive=True)  # noqa: PTH207 (Path.glob takes no absolute pattern)
    for path in natsorted(map(Path, names), key=str, alg=ns.PATH | ns.IGNORECASE):
        if is_file(path) and not is_hidden(path) and results not in Path(_real(path.parent), path.name).parents:
            yield path, path.parent.relative_to(root)


def _fixed(pattern: Path) -> Path:
    """The folder below which all that matches lies."""
    return Path(*itertools.takewhile(lambda part: not WILDCARDS & set(part), pattern.parts[:-1]))


def source_folders(sources: Sequence[str | Path]) -> tuple[Path, ...]:
    """The folders, absolute, that all inputs lie in or below."""
    return tuple(dict.fromkeys(_folder_of(Path(source)).absolute() for source in sources))


def _folder_of(source: Path) -> Path:
    if source.is_dir():
        return source
    return source.parent if source.exists() or source.is_symlink() else _fixed(source)


def may_be_input(path: Path, folders: Sequence[Path], output: Path) -> bool:
    """Whether a file that is there may be an input: it lies below their folders, and not in an output folder within.

    Parameters
    ----------
    path : Path
    folders : sequence of Path
        See `source_folders`.
    output : Path
        The folder of all results.
    """
    inputs, results = {_identity(folder) for folder in folders}, _identity(output)
    parent = Path(_real(path.parent))
    for place in map(_identity, (parent, *parent.parents)):
        if place in inputs:
            return True
        if place == results:
            return False
    return False


def _identity(folder: Path) -> tuple[int, int] | str:
    """The same for all names of a folder, large and small letters among them."""
    try:
        found = folder.stat()
    except OSError:
        return _real(folder)
    return found.st_dev, found.st_ino


def _real(path: Path) -> str:
    """Where a path leads, also for links that lead round in a circle."""
    return os.path.realpath(path)  # Path.resolve raises for those


def _nothing(source: Path) -> str:
    if not source.is_dir():
        return "no such file or folder, and no file matches it as a pattern"
    try:
        next(source.iterdir(), None)
    except OSError as error:
        return f"the folder cannot be read ({error.strerror})"
    return "the folder holds no files"
