"""All files of a run: each is done once, none takes the place of another, and a run that stopped goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from napari_dental_denoise.core.batch import Destination, Work, expected_suffix, process_item
from napari_dental_denoise.core.report import Record, Report
from napari_dental_denoise.core.sources import Item

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
        return Record(self.item.name, error=f"its result would replace that of {self.other}: choose another output")


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
        elif report.is_done(item.name):
            told.append(DoneBefore(item.name))
        else:
            begun = report.was_begun(item.name)
            report.begin(item.name)
            yield replace(item, begun=begun)


def without_collisions(items: Iterator[Item], destination: Destination) -> Iterator[Item | Collision]:
    """The files of one folder come one after the other, so that no more names are held than one has."""
    folder: Path | None = None
    taken: dict[str, str] = {}
    for item in items:
        if item.folder != folder:
            folder, taken = item.folder, {}
        name = result_name(item, destination).casefold()
        if name in taken:
            yield Collision(item, taken[name])
        else:
            taken[name] = item.name
            yield item


def result_name(item: Item, destination: Destination) -> str:
    """The name that the result will get, as far as can be told without opening the file."""
    return f"{item.path.stem}{destination.suffix or expected_suffix(item.path)}"


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
