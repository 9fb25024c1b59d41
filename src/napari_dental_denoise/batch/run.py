"""Run over many files: each is done once, no result replaces another, and a stopped run can be resumed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from napari_dental_denoise.batch.inputs import Item, state_of
from napari_dental_denoise.batch.output_names import ignores_case, is_file_name, possible_names, true_name
from napari_dental_denoise.batch.process import Destination, Work, failed, is_refused, process_item
from napari_dental_denoise.batch.report import EarlierRuns, Record, Report


@dataclass(frozen=True)
class DoneBefore:
    """A file that an earlier run finished."""

    file: str
    # Path of the file relative to its source, for the user alone.
    source: str


Outcome = Record | DoneBefore
# From files to their outcomes, in any order; outcomes among the files are passed on.
Process = Callable[[Iterator[Item | Outcome]], Iterator[Outcome]]


@dataclass(frozen=True)
class Collision:
    """A file whose result would replace that of another file of the same run."""

    item: Item
    other: str

    def record(self) -> Record:
        """Return the row of the report."""
        item = replace(self.item, state=state_of(self.item))
        other = f"{self.other} of another source" if self.other == item.name else self.other
        return failed(item, f"its result would replace that of {other}: choose another output")


def run_files(
    items: Iterator[Item], destination: Destination, process: Process, report: Report | None
) -> Iterator[Outcome]:
    """Process files with `on_this_process` or `on_cluster`, add each to the report, and yield its outcome."""
    for outcome in process(_noted_in_report(files_to_do(items, destination, report), destination, report)):
        if report is not None and isinstance(outcome, Record):
            report.add(outcome)
        yield outcome
    if report is not None:
        report.close()


def files_to_do(
    items: Iterator[Item], destination: Destination, earlier: EarlierRuns | None
) -> Iterator[Item | Outcome]:
    """Yield the files to process, and the outcomes of those that need no work."""
    if earlier is not None:
        items = earlier.under_aliases(items)
    for item in without_collisions(items, destination):
        if isinstance(item, Collision):
            yield item.record()
        elif earlier is None:
            yield item
        elif earlier.is_done(known := replace(item, state=item.state or state_of(item))):
            yield DoneBefore(item.name, item.source_name)
        else:
            yield replace(known, may_overwrite=earlier.owns(known))


def _noted_in_report(
    items: Iterator[Item | Outcome], destination: Destination, report: Report | None
) -> Iterator[Item | Outcome]:
    """Yield the same, and note each file in the report before it is processed."""
    for item in items:
        # A file of another program must not count as a result of this run in the next one.
        if report is not None and isinstance(item, Item) and not is_refused(item, destination):
            report.begin(item)
        yield item


def without_collisions(items: Iterator[Item], destination: Destination) -> Iterator[Item | Collision]:
    """Yield the files with the names that their results may get, or the collision with another file."""
    folder: Path | None = None
    claims = Claims(destination)
    for item in items:
        if item.in_tree and item.folder != folder:
            folder = item.folder
            claims.end_folder()
        one_name = (destination.output.name,) if is_file_name(destination.output) else None
        named = replace(item, results=one_name or possible_names(item.path, destination.suffix, item.alias))
        other = None if item.alias else claims.claim(named)
        yield named if other is None else Collision(named, other)


class Claims:
    """Records which file has which result name."""

    def __init__(self, destination: Destination) -> None:
        self._suffix = destination.suffix
        self._ignores_case = ignores_case(destination.output)
        # From the name of a result to that of its file, and from the name of a file to itself.
        self._results: dict[str, str] = {}
        self._files: dict[str, Item] = {}

    def end_folder(self) -> None:
        """Forget all names, if other folders cannot have the same results."""
        # Otherwise the folders A and a of the inputs are one folder of results.
        if not self._ignores_case:
            self._results.clear()
            self._files.clear()

    def claim(self, item: Item) -> str | None:
        """Claim the result names of a file; return the file that has claimed them already, or None."""
        other = self._other(item)
        if other is None:
            self._results[self._key(item, item.results[0])] = item.name
            self._files[self._key(item, item.path.name)] = item
        return other

    def _other(self, item: Item) -> str | None:
        expected = self._key(item, item.results[0])
        if expected in self._results:
            return self._results[expected]
        # Of a.png and a.png.tif, the first may be a misnamed TIFF: only then it is opened.
        misnamed = self._files.get(expected.rpartition(".")[0])
        if misnamed is not None and self._true_key(misnamed) == expected:
            return misnamed.name
        for name in item.results[1:]:
            key = self._key(item, name)
            if key in self._results and self._true_key(item) == key:
                return self._results[key]
        return None

    def _true_key(self, item: Item) -> str | None:
        name = true_name(item.path, self._suffix)
        return None if name is None else self._key(item, name)

    def _key(self, item: Item, name: str) -> str:
        place = str(item.folder / name)
        return place.casefold() if self._ignores_case else place


def on_this_process(destination: Destination, work: Work, *, measure: bool) -> Process:
    """Return a function that processes one file after the other in this process; see `process_item`."""

    def outcome(item: Item | Outcome) -> Outcome:
        return process_item(item, destination, work, measure=measure) if isinstance(item, Item) else item

    return lambda items: map(outcome, items)
