"""One row of CSV for each file that was worked on: what came of it, and what need not be done again."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from napari_dental_denoise.core.atomic import replacing
from napari_dental_denoise.core.errors import InputError


@dataclass(frozen=True)
class Record:
    """What came of one file.

    Attributes
    ----------
    file, result : str
        Below the folders of the inputs and of the results; no result where there is an error.
    seconds : float
        For reading, working and writing, without the figures below.
    noise_before, noise_after : float or None
        Estimated sigma on the [0, 1] scale; of a stack, of its first image.
    psnr, ssim : float or None
        Of the result against a clean twin.
    error : str
    settings : str
        What the result was made with, in short.
    """

    file: str
    result: str = ""
    seconds: float = 0.0
    noise_before: float | None = None
    noise_after: float | None = None
    psnr: float | None = None
    ssim: float | None = None
    error: str = ""
    settings: str = ""


BEGUN = "not finished"
NAMES = [item.name for item in fields(Record)]


def report_path(folder: Path) -> Path:
    """Of the results in a folder: beside it, where it is no result among results."""
    place = folder.resolve()
    return place.with_name(f"{place.name}.csv")


def run_settings(work: str, suffix: str | None, *, deidentify: bool) -> str:
    """All that results depend on, as a few characters for the report."""
    return hashlib.sha256(f"{work}, format {suffix}, deidentify {deidentify}".encode()).hexdigest()[:16]


class Report:
    """A CSV file that grows by a row for each file, and is found again by the next run.

    Parameters
    ----------
    path : Path
    settings : str
        Of this run: only rows of the same settings count as done.
    folder : Path
        Of the results: what is no longer there is not done.
    again : bool
        Count nothing as done.

    Raises
    ------
    InputError
        If something else of that name is there, or it cannot be written.
    """

    def __init__(self, path: Path, settings: str, folder: Path, *, again: bool = False) -> None:
        self._path, self._settings, self._folder, self._again = path, settings, folder, again
        # By hash: a million names would take the memory.
        self._done: set[int] = set()
        self._begun: set[int] = set()
        self._rewrite(self._is_good)

    def is_done(self, file: str) -> bool:
        """Whether an earlier run has finished this file with the same settings."""
        return hash(file) in self._done

    def was_begun(self, file: str) -> bool:
        """Whether an earlier run with the same settings was killed while it worked on this file."""
        return hash(file) in self._begun

    def begin(self, file: str) -> None:
        """Note that a result is about to be written: should the run be killed, it is known whose that is."""
        self.add(Record(file, error=BEGUN))

    def add(self, record: Record) -> None:
        """Write one row, at once."""
        try:
            with self._path.open("a", encoding="utf-8", newline="") as file:
                file.write(_line({**asdict(record), "settings": self._settings}))
        except OSError as error:
            raise InputError(f"{self._path}: cannot be written ({error.strerror})") from error

    def close(self) -> None:
        """Leave one row for each file."""
        self._rewrite(lambda row: None not in row.values() and row["error"] != BEGUN)

    def _rewrite(self, keep: Callable[[Mapping[str, str]], bool]) -> None:
        with replacing(self._path, overwrite=True) as path, path.open("w", encoding="utf-8", newline="") as new:
            new.write(_line(dict(zip(NAMES, NAMES, strict=True))))
            new.writelines(_line(row) for row in self._rows() if keep(row))

    def _rows(self) -> Iterator[Mapping[str, str]]:
        if not self._path.exists():
            return
        try:
            with self._path.open(encoding="utf-8", newline="") as file:
                reader = csv.DictReader(file)
                if reader.fieldnames != NAMES:
                    raise InputError(f"{self._path}: is no report of this program: name another one with --report")
                yield from reader
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise InputError(f"{self._path}: is no report that can be read ({error})") from error

    def _is_good(self, row: Mapping[str, str]) -> bool:
        """Whether a row of an earlier run stands for a file that is done; those that were begun are noted."""
        # A row that was cut off by the end of a run lacks values.
        if None in row.values() or self._again or row["settings"] != self._settings:
            return False
        if row["error"] == BEGUN:
            self._begun.add(hash(row["file"]))
        elif not row["error"] and (self._folder / row["result"]).is_file():
            self._done.add(hash(row["file"]))
            return True
        return False


def _line(values: Mapping[str, object]) -> str:
    text = io.StringIO()
    csv.DictWriter(text, NAMES).writerow({name: _shown(values[name]) for name in NAMES})
    return text.getvalue()


def _shown(value: object) -> object:
    return f"{value:.6g}" if isinstance(value, float) else "" if value is None else value
