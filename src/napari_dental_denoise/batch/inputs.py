"""Find the files to process, and where below the output folder the result of each belongs."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from napari_dental_denoise.batch.output_names import is_file_name
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files import is_name
from napari_dental_denoise.images import find_files, is_file_folder, list_files, name_without_suffix, real_path, root_of

ALIAS = "image_"


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
    # Stands for the names of the file and its folders, which may tell the patient; empty to keep them.
    alias: str = ""

    @property
    def source_name(self) -> str:
        """Path of the file relative to its source."""
        return (self.folder / self.path.name).as_posix()

    @property
    def name(self) -> str:
        """Alias or path of the file, as the report names it."""
        return self.alias or self.source_name

    @property
    def result_folder(self) -> Path:
        """Folder of the result, relative to the output folder."""
        return Path() if self.alias else self.folder

    def without_names(self, text: str) -> str:
        """Return a text with the alias, if there is one, instead of names of the file."""
        if not self.alias:
            return text
        # A file beside it, such as a header or a clean twin, has its name with another suffix.
        stem = f"{name_without_suffix(self.path)}."
        names = {str(self.path): self.alias, self.path.name: self.alias, stem: f"{self.alias}."}
        pattern = "|".join(map(re.escape, names))
        return re.sub(rf"(?<!\w)({pattern})", lambda found: names[found[0]], text)


def is_alias(name: str) -> bool:
    """Return whether a report could name a file of `numbered` so."""
    return re.fullmatch(rf"{ALIAS}\d{{4,}}", name) is not None


def numbered(items: Iterable[Item], known: Mapping[str, str]) -> Iterator[Item]:
    """Yield the files with their states under aliases: image_0001, image_0002 and so on, in their order.

    A file whose state is `known` keeps its alias, and no other file gets it.
    """
    free = max((int(alias.removeprefix(ALIAS)) for alias in known.values()), default=0)
    for item in items:
        state = _secret_state_of(item)
        alias = known.get(state)
        if alias is None:
            free += 1
            alias = f"{ALIAS}{free:04}"
        yield replace(item, alias=alias, state=state)


def state_of(item: Item) -> str:
    """Return location (as a digest), size and time of modification of a file, in one word."""
    return f"{_digest(_root(item))}-{_size_and_time(item)}"


def _secret_state_of(item: Item) -> str:
    """Return the same with the name of the file, all as digests: the time may be that of the exposure."""
    return f"{_digest(_root(item))}-{_digest(item.path / _size_and_time(item))}"


def _root(item: Item) -> Path:
    return item.path.parents[len(item.folder.parts)]


def _size_and_time(item: Item) -> str:
    try:
        # Of an image that is a folder, the sums of all that is in it.
        found = [path.stat() for path in (item.path, *item.path.rglob("*"))]
    except OSError:
        return "-"
    return f"{sum(each.st_size for each in found)}-{sum(each.st_mtime_ns for each in found)}"


@lru_cache(maxsize=64)
def _digest(root: Path) -> str:
    return hashlib.sha256(os.fsencode(real_path(root))).hexdigest()[:12]


def find_items(sources: Sequence[str | Path], report: Path | None = None) -> Iterator[Item]:
    """Yield the files that `sources` name, all that lie below folders among them; see `images.find_files`.

    The file `report` is left out.
    """
    in_tree = len(sources) == 1 and is_file_folder(Path(sources[0]))
    files = (file for file in find_files(sources) if report is None or not _is_same(file.path, report))
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


def check_output(output: Path, sources: Sequence[str | Path]) -> None:
    """Raise InputError if a later run over the same sources could take the results for inputs.

    `output` is a folder, or the name of an image beside a single input; see `is_file_name`.
    """
    if is_file_name(output):
        check_output_file(output, sources)
        return
    for source in map(Path, sources):
        _check_outside(output, output, source)


def check_output_file(path: Path, sources: Sequence[str | Path]) -> None:
    """Raise InputError if a file to write lies where a later run over the same sources could take it for an input."""
    for source in map(Path, sources):
        # Beside an input that is named as a file, nothing else is read.
        if is_file_folder(source) or not is_name(source):
            _check_outside(path, path.parent, source)


def check_output_files(paths: Iterable[Path], sources: Sequence[str | Path]) -> None:
    """Raise InputError if a file to write is an input or another one, or could be an input; see `check_output_file`."""
    taken = set(map(_identity, list_files(sources)))
    for path in paths:
        if _identity(path) in taken:
            raise InputError(f"{path}: is an input or another output: choose another name")
        taken.add(_identity(path))
        check_output_file(path, sources)


def _check_outside(output: Path, folder: Path, source: Path) -> None:
    root = root_of(source)
    # A pattern descends with ** only; results of other patterns lie deeper than their files.
    walks = is_file_folder(source) or (not is_name(source) and "**" in source.parts)
    if _identity(folder) == _identity(root) or (walks and lies_in(folder, [root])):
        raise InputError(
            f"{output}: lies in the input folder {root}, where a later run would take it for an input: choose a place "
            "outside"
        )


def lies_in(folder: Path, others: Iterable[Path]) -> bool:
    """Return whether a folder is one of others, or lies below one."""
    places, path = set(map(_identity, others)), real_path(folder)
    return any(_identity(place) in places for place in (path, *path.parents))


def _identity(path: Path) -> tuple[int, int] | Path:
    """Return what is equal for all names of a file or folder, such as those that differ in case."""
    try:
        found = path.stat()
    except OSError:
        return real_path(path)
    return found.st_dev, found.st_ino
