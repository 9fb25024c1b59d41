"""All files of a run: each is done once, none takes the place of another, and a run that stopped goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from napari_dental_denoise.core.batch import Destination, Work, failed, is_there, process_item
from napari_dental_denoise.core.report import Record, Report
from napari_dental_denoise.core.result_names import ignores_case, is_file_name, possible_names, true_name
from napari_dental_denoise.core.sources import Item, state_of

# From files to what came of each, in any order.
Process = Callable[[Iterator[Item]], Iterator[Record]]


@dataclass(frozen=True)
class DoneBefore:
    """A file that an earlier run has finished."""

    file: str


@dataclass(frozen=True)
class Collision:
    """A file whose result would replace that of another one of the same run."""

    item: Item
    other: str

    def record(self) -> Record:
        """As a row of the report."""
        item = replace(self.item, state=state_of(self.item))
        return failed(item, f"its result would replace that of {self.other}: choose another output")


def run_files(
    items: Iterator[Item], destination: Destination, process: Process, report: Report | None
) -> Iterator[Record | DoneBefore]:
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
    # What needs no work is told as soon as the work comes to it.
    told: list[Record | DoneBefore] = []
    for record in process(_to_do(items, destination, report, told)):
        yield from _noted(told, report)
        yield from _noted([record], report)
    yield from _noted(told, report)
    if report is not None:
        report.close()


def _noted(outcomes: list[Record | DoneBefore], report: Report | None) -> Iterator[Record | DoneBefore]:
    while outcomes:
        outcome = outcomes.pop(0)
        if report is not None and isinstance(outcome, Record):
            report.add(outcome)
        yield outcome


def _to_do(
    items: Iterator[Item], destination: Destination, report: Report | None, told: list[Record | DoneBefore]
) -> Iterator[Item]:
    for item in without_collisions(items, destination):
        if isinstance(item, Collision):
            told.append(item.record())
        elif report is None:
            yield item
        elif report.is_done(known := replace(item, state=state_of(item))):
            told.append(DoneBefore(item.name))
        else:
            begun = replace(known, ours=report.owns(known))
            # What somebody else has put there does not become ours by being tried.
            if begun.ours or destination.overwrite or not is_there(begun, destination):
                report.begin(begun)
            yield begun


def without_collisions(items: Iterator[Item], destination: Destination) -> Iterator[Item | Collision]:
    """The files, with the names that their results may get, but those whose result would replace another."""
    folder: Path | None = None
    claims = Claims(destination)
    for item in items:
        # Where folders come one after the other, no more names are held than one of them has.
        if item.in_tree and item.folder != folder:
            folder = item.folder
            claims.clear()
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
        self._fold = str.casefold if ignores_case(destination.output) else str
        # From the name of a result to that of its file, and from the name of a file to its path.
        self._results: dict[str, str] = {}
        self._paths: dict[str, str] = {}

    def clear(self) -> None:
        """Forget all of them."""
        self._results.clear()
        self._paths.clear()

    def claim(self, item: Item) -> str | None:
        """Note the names of a file's result, or give the name of the file that has it already."""
        other = self._other(item)
        if other is None:
            self._results[self._key(item, item.results[0])] = item.name
            self._paths[self._key(item, item.path.name)] = str(item.path)
        elif other == item.name:
            return self._paths[self._key(item, item.path.name)]
        return other

    def _other(self, item: Item) -> str | None:
        expected = self._key(item, item.results[0])
        if expected in self._results:
            return self._results[expected]
        # Rarer: of two files as a.png and a.png.tif, the one may be misnamed. Only then it is looked into.
        misnamed = self._paths.get(expected.rpartition(".")[0])
        if misnamed is not None and true_name(Path(misnamed), self._suffix) == item.results[0]:
            return misnamed
        for name in item.results[1:]:
            taken = self._results.get(self._key(item, name))
            if taken is not None and true_name(item.path, self._suffix) == name:
                return taken
        return None

    def _key(self, item: Item, name: str) -> str:
        return self._fold(str(item.folder / name))


def on_this_process(destination: Destination, work: Work, *, measure: bool) -> Process:
    """Work on one file after the other, here.

    Parameters
    ----------
    destination : Destination
    work : callable
        See `process_item`.
    measure : bool
    """
    return lambda items: (process_item(item, destination, work, measure=measure) for item in items)
