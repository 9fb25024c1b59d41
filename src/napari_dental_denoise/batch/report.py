"""The report of a run: one CSV row for each file, from which a later run knows what is done."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
from array import array
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal, TextIO

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.batch.inputs import Item, is_alias, numbered
from napari_dental_denoise.batch.maps import NO_MAPS, MapFolders, map_name
from napari_dental_denoise.batch.text import TextRule
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files import atomic_write, is_file, locked
from napari_dental_denoise.images.readers import is_zarr


@dataclass(frozen=True)
class Record:
    """The outcome of one file."""

    # Relative to the folders of the inputs and of the results; no result if there is an error.
    file: str
    result: str = ""
    # For reading, processing and writing, without the figures below.
    seconds: float = 0.0
    # Estimated sigma on the [0, 1] scale; of a stack, of its first image.
    noise_before: float | None = None
    noise_after: float | None = None
    # Of the result against a clean twin.
    psnr: float | None = None
    ssim: float | None = None
    # Mean of the error map on the [0, 1] scale, and the number of places where structure was removed.
    error_map_mean: float | None = None
    removed_structures: int | None = None
    error: str = ""
    # Why a good result was not measured, or that a result may exist in spite of the error.
    note: str = ""
    # State of the file; see `state_of`.
    input: str = ""
    # Digest of what the result depends on.
    settings: str = ""


BEGUN = "not finished"
BUSY = "another run is writing this report: wait until it ends, or choose another one with --report"
# The note of a file whose result may have been written before the worker died.
UNFINISHED = "unfinished"
# The error of a row without a file: rows before it do not count for a run that overwrites all.
ALL_AGAIN = "all is done again"
NAMES = [item.name for item in fields(Record)]


def report_path(folder: Path) -> Path:
    """Return the default path of a report: beside the folder of the results."""
    place = folder.resolve()
    if not place.name:
        raise InputError(f"{folder}: a root folder has no place beside it for the report: name one with --report")
    return place.with_name(f"{place.name}.csv")


def run_settings(work: str, suffix: str | None, *, deidentify: bool, text: TextRule = "ignore") -> str:
    """Return a digest of all that results depend on."""
    covered = ", text covered" if text == "cover" else ""
    return hashlib.sha256(f"{work}, format {suffix}, deidentify {deidentify}{covered}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Run:
    """Settings of a run that decide which files count as done."""

    # Only rows with the same settings count as done.
    settings: str
    # Of the results; a row whose result is missing does not count as done.
    folder: Path
    # Do all files again; only those count as done that an interrupted run of this kind has done.
    overwrite: bool = False
    # Count as done only files that were compared with their clean twin, or have none.
    require_scores: bool = False
    # A row whose maps are missing there does not count as done.
    maps: MapFolders = NO_MAPS
    # The files have aliases, and no row may name one in another way; see `numbered`.
    numbered: bool = False


@contextlib.contextmanager
def open_report(path: Path, run: Run) -> Iterator[Report]:
    """Open the report of a run, and lock it against other runs."""
    with locked(path, BUSY):
        yield Report(path, run)


class EarlierRuns:
    """Tells from a report what earlier runs have done; raises InputError if the file is not a report."""

    def __init__(self, path: Path, run: Run) -> None:
        self._path, self._run = path, run
        # By hash: a million names would fill the memory.
        self._done: dict[int, int | None] = {}
        self._begun: set[int] = set()
        self._counts = not run.overwrite
        # By state, if the files have aliases.
        self._aliases: dict[str, str] = {}
        self._take_in(self._known_rows())

    def under_aliases(self, items: Iterator[Item]) -> Iterator[Item]:
        """Yield the files under aliases, those of earlier runs under the same as then, if the run is numbered."""
        return numbered(items, self._aliases) if self._run.numbered else items

    def is_done(self, item: Item) -> bool:
        """Return whether an earlier run with the same settings has finished this file as it is now."""
        return any(self._done.get(place) == hash(item.state) for place in self._places(item))

    def owns(self, item: Item) -> bool:
        """Return whether an existing result comes from an earlier run with the same settings.

        That run was killed during this file, or the input has changed since.
        """
        return _place(item.name, item.state) in self._begun or any(place in self._done for place in self._places(item))

    def _places(self, item: Item) -> Iterator[int]:
        return (_place(item.name, item.state, (item.result_folder / name).as_posix()) for name in item.results)

    def _take_in(self, rows: Iterator[Mapping[str, str]]) -> None:
        deque(rows, maxlen=0)

    def _known_rows(self) -> Iterator[Mapping[str, str]]:
        """Yield the rows of earlier runs after taking note of each."""
        for row in self._rows():
            if self._run.numbered and row["file"]:
                self._note_alias(row)
            self._note(row)
            yield row

    def _note_alias(self, row: Mapping[str, str]) -> None:
        if not is_alias(row["file"]):
            raise InputError(f"{self._path}: names the files of an earlier run: choose another output or --report")
        self._aliases[row["input"]] = row["file"]

    def _note(self, row: Mapping[str, str]) -> None:
        is_own, is_good = row["settings"] == self._run.settings, not row["error"]
        file = _place(row["file"], row["input"])
        if is_own and row["error"] == ALL_AGAIN:
            self._counts = True
        elif is_own and row["error"] == BEGUN:
            self._begun.add(file)
        elif is_good or (is_own and row["note"] != UNFINISHED):
            self._begun.discard(file)
        if is_good:
            self._note_result(row, is_own=is_own)

    def _note_result(self, row: Mapping[str, str], *, is_own: bool) -> None:
        place = _place(row["file"], row["input"], row["result"])
        result = self._run.folder / row["result"]
        if is_own and self._counts and (is_file(result) or is_zarr(result)):
            is_enough = not self._run.require_scores or bool(row["psnr"] or row["ssim"] or row["note"])
            is_enough = is_enough and self._has_maps(row)
            # Without the required scores or maps it comes from an earlier run, but is not done.
            self._done[place] = hash(row["input"]) if is_enough else None
        else:
            self._done.pop(place, None)

    def _has_maps(self, row: Mapping[str, str]) -> bool:
        """Return whether all maps that were made of a file are still there; some images have no error map."""
        name, maps = map_name(Path(row["file"]).parent, Path(row["result"]).name), self._run.maps
        made = ((maps.error, row["error_map_mean"]), (maps.removed, row["removed_structures"]))
        return all(is_file(folder / name) for folder, figure in made if folder is not None and figure)

    def _rows(self) -> Iterator[Mapping[str, str]]:
        """Yield all complete rows; one that was cut off when a run was killed lacks values."""
        if not self._path.exists():
            return
        try:
            with _open(self._path, "r") as file:
                head = file.readline()
                if next(csv.reader([head]), NAMES) == NAMES:
                    yield from (row for row in csv.DictReader(file, NAMES) if None not in row.values())
                elif not HEAD.startswith(head):
                    raise InputError(f"{self._path}: is not a report of this program: choose another one with --report")
        except (OSError, csv.Error) as error:
            raise InputError(f"{self._path}: cannot be read as a report ({error})") from error


class Report(EarlierRuns):
    """A CSV file that grows by a row for each file."""

    def __init__(self, path: Path, run: Run) -> None:
        super().__init__(path, run)
        if not self._counts:
            self._counts = True
            self.add(Record("", error=ALL_AGAIN))

    def _take_in(self, rows: Iterator[Mapping[str, str]]) -> None:
        self._write(rows)

    def begin(self, item: Item) -> None:
        """Note that a result is about to be written, so that the next run recognises it if this one is killed."""
        self.add(Record(item.name, error=BEGUN, input=item.state))

    def add(self, record: Record) -> None:
        """Append one row immediately."""
        try:
            with _open(self._path, "a") as file:
                file.write(_line({**asdict(record), "settings": self._run.settings}))
        except OSError as error:
            raise InputError(f"{self._path}: cannot be written ({error.strerror})") from error

    def close(self) -> None:
        """Remove the rows that later ones have replaced."""
        files, results, runs, owners = array("q"), array("q"), array("q"), array("q")
        for number, row in enumerate(self._rows()):
            file, is_good = _place(row["file"], row["input"]), not row["error"]
            files.append(file)
            # A row without a result is not replaced by a result.
            results.append(hash(row["result"]) if is_good else number)
            # A begun file is ended by a row with the same settings, or by a result with others.
            ends = row["note"] != UNFINISHED
            runs.append(_place(row["file"], row["input"], row["settings"]) if ends else number)
            owners.append(file if is_good or row["error"] == BEGUN else number)
        last_of_file, last_of_result = _is_last(files), _is_last(results)
        unfinished = _is_last(runs) & _is_last(owners)

        def stays(number: int, row: Mapping[str, str]) -> bool:
            if row["error"] in (ALL_AGAIN, BEGUN):
                return row["error"] == BEGUN and bool(unfinished[number])
            if row["error"]:
                return row["settings"] == self._run.settings and bool(last_of_file[number])
            return bool(last_of_result[number])

        self._write(row for number, row in enumerate(self._rows()) if stays(number, row))

    def _write(self, rows: Iterator[Mapping[str, str]]) -> None:
        with atomic_write(self._path, overwrite=True) as path, _open(path, "w") as new:
            new.write(HEAD)
            new.writelines(_line(row) for row in rows)


def _open(path: Path, mode: Literal["r", "w", "a"]) -> TextIO:
    # File names need not be valid UTF-8, and a report may be cut off within a character.
    return path.open(mode, encoding="utf-8", errors="surrogateescape", newline="")


def _place(file: str, state: str, result: str = "") -> int:
    """Return a key for a file, whatever its time of modification, or for one of its results."""
    return hash((file, state.partition("-")[0], result))


def _is_last(keys: Sequence[int]) -> NDArray[np.bool_]:
    """Return for each key whether it does not occur again."""
    values = np.array(keys, np.int64)
    _, back = np.unique(values[::-1], return_index=True)
    last = np.zeros(values.size, np.bool_)
    last[values.size - 1 - back] = True
    return last


def _line(values: Mapping[str, object]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([_shown(values[name]) for name in NAMES])
    return text.getvalue()


def _shown(value: object) -> object:
    return f"{value:.6g}" if isinstance(value, float) else "" if value is None else value


HEAD = _line({name: name for name in NAMES})
