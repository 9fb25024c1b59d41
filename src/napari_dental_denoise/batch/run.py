"""All files of a run: each is done once, none takes the place of another, and a run that stopped goes on."""

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
    """A file that an earlier run has finished."""

    file: str


Outcome = Record | DoneBefore
# From files to what came of each, in any order; outcomes among them, which need no work, are passed on.
Process = Callable[[Iterator[Item | Outcome]], Iterator[Outcome]]


@dataclass(frozen=True)
class Collision:
    """A file whose result would replace that of another one of the same run."""

    item: Item
    other: str

    def record(self) -> Record:
        """As a row of the report."""
        item = replace(self.item, state=state_of(self.item))
        other = f"{self.other} of another source" if self.other == item.name else self.other
        return failed(item, f"its result would replace that of {other}: choose another output")


def run_files(
    items: Iterator[Item], destination: Destination, process: Process, report: Report | None
) -> Iterator[Outcome]:
    """Work on files and note each in the report.

    Parameters
    ----------
    items : iterator of Item
    destination : Destination
    process : callable
        What does the work, here or elsewhere: `on_this_process`, or a cluster.
    report : Report, optional

    Yields
    ------
    Record or DoneBefore
        For each file.
    """
    for outcome in process(_begun(files_to_do(items, destination, report), destination, report)):
        if report is not None and isinstance(outcome, Record):
            report.add(outcome)
        yield outcome
    if report is not None:
        report.close()


def files_to_do(
    items: Iterator[Item], destination: Destination, earlier: EarlierRuns | None
) -> Iterator[Item | Outcome]:
    """The files to work on, and what is known of the others without any work.

    Parameters
    ----------
    items : iterator of Item
    destination : Destination
    earlier : EarlierRuns, optional
        What need not be done again.

    Yields
    ------
    Item, Record or DoneBefore
    """
    for item in without_collisions(items, destination):
        if isinstance(item, Collision):
            yield item.record()
        elif earlier is None:
            yield item
        elif earlier.is_done(known := replace(item, state=state_of(item))):
            yield DoneBefore(item.name)
        else:
            yield replace(known, ours=earlier.owns(known))


def _begun(
    items: Iterator[Item | Outcome], destination: Destination, report: Report | None
) -> Iterator[Item | Outcome]:
    """The same, with each file noted in the report before its work."""
    for item in items:
        # What somebody else has put there does not become ours by being tried.
        if report is not None and isinstance(item, Item) and not is_refused(item, destination):
            report.begin(item)
        yield item


def without_collisions(items: Iterator[Item], destination: Destination) -> Iterator[Item | Collision]:
    """The files, with the names that their results may get, but those whose result would replace another."""
    folder: Path | None = None
    claims = Claims(destination)
    for item in items:
        if item.in_tree and item.folder != folder:
            folder = item.folder
            claims.end_folder()
        named = replace(item, results=_names(item, destination))
        other = claims.claim(named)
        yield named if other is None else Collision(named, other)


def _names(item: Item, destination: Destination) -> tuple[str, ...]:
    if is_file_name(destination.output):
        return (destination.output.name,)
    return possible_names(item.path, destination.suffix)


class Claims:
    """Which file has which name for its result."""

    def __init__(self, destination: Destination) -> None:
        self._suffix = destination.suffix
        self._ignores_case = ignores_case(destination.output)
        # From the name of a result to that of its file, and from the name of a file to itself.
        self._results: dict[str, str] = {}
        self._files: dict[str, Item] = {}

    def end_folder(self) -> None:
        """Forget all of them, where no other folder has the same results."""
        # Where it is no matter, A and a are two folders of inputs and one of results.
        if not self._ignores_case:
            self._results.clear()
            self._files.clear()

    def claim(self, item: Item) -> str | None:
        """Note the names of a file's result, or give the name of the file that has it already."""
        other = self._other(item)
        if other is None:
            self._results[self._key(item, item.results[0])] = item.name
            self._files[self._key(item, item.path.name)] = item
        return other

    def _other(self, item: Item) -> str | None:
        expected = self._key(item, item.results[0])
        if expected in self._results:
            return self._results[expected]
        # Rarer: of two files as a.png and a.png.tif, the one may be misnamed. Only then it is looked into.
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
    """Work on one file after the other, here.

    Parameters
    ----------
    destination : Destination
    work : callable
        See `process_item`.
    measure : bool
    """

    def outcome(item: Item | Outcome) -> Outcome:
        return process_item(item, destination, work, measure=measure) if isinstance(item, Item) else item

    return lambda items: map(outcome, items)
