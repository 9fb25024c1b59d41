"""From many input files to one output file each: a tree that mirrors the input, a report, and a run that can go on."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from napari_dental_denoise.cli.console import exit_code, progress_bar, report_left_out, say
from napari_dental_denoise.core.batch import Destination, Work, expected_suffix, is_file_name, process_item
from napari_dental_denoise.core.dicom_derived import Derivation
from napari_dental_denoise.core.errors import InputError
from napari_dental_denoise.core.model_file import sha256
from napari_dental_denoise.core.report import Record, Report
from napari_dental_denoise.core.sources import Item, find_items


@dataclass
class Counts:
    """What became of the files of a run."""

    done: int = 0
    before: int = 0
    errors: int = 0

    def add(self, record: Record) -> None:
        """Count one file."""
        if record.error:
            self.errors += 1
        else:
            self.done += 1


def process_files(options: argparse.Namespace, work: Work, derivation: Derivation, settings: str) -> int:
    """Work on each file that the options name; report and give the exit code.

    Parameters
    ----------
    options : argparse.Namespace
        As `options.add_outputs` makes them.
    work : callable
        From an image or a stack, white high, and its number to the result.
    derivation : Derivation
        What is done, for the report and for DICOM results.
    settings : str
        All that the pixels of a result depend on: what was done with the same is not done again.
    """
    suffix = f".{options.format}" if options.format else None
    destination = Destination(
        options.output.absolute(), suffix, derivation, options.overwrite, getattr(options, "clean", None)
    )
    total = sum(1 for _ in find_items(options.sources, options.output))
    if is_file_name(options.output):
        _check_file_name(total, options.output, suffix)
    items = _without_collisions(find_items(options.sources, options.output), destination)
    if options.dry_run:
        return _tell(items, destination)
    report = _open_report(options, f"{settings}, format {options.format}, deidentify {options.deidentify}")
    counts = Counts()
    with progress_bar(total, "image") as bar:
        todo = _not_done(items, report, counts, bar)
        for record in _records(options, todo, destination, work, bar):
            _note(record, report, counts, bar)
    where = (
        f" in {options.output if not is_file_name(options.output) else options.output.parent}" if counts.done else ""
    )
    before = f", {counts.before} done before" if counts.before else ""
    left_out = f", {counts.errors} left out" if counts.errors else ""
    say(f"{counts.done} images {derivation.verb}{where}{before}{left_out}")
    return exit_code(counts.done + counts.before, counts.errors)


def _check_file_name(inputs: int, output: Path, suffix: str | None) -> None:
    if inputs > 1:
        raise InputError(f"{output}: a file name for {inputs} inputs; expected a folder")
    if suffix is not None and suffix != output.suffix.lower():
        raise InputError(f"{output}: the name and --format {suffix[1:]} differ: leave out --format")


def _open_report(options: argparse.Namespace, settings: str) -> Report | None:
    """Beside the output folder, where it is no result among results; none for one file."""
    path: Path | None = options.report
    if path is None and is_file_name(options.output):
        return None
    if path is None:
        folder = options.output.resolve()
        path = folder.with_name(f"{folder.name}.csv")
    results = options.output.parent if is_file_name(options.output) else options.output
    return Report(path, sha256(settings.encode())[:16], results, again=options.overwrite)


@dataclass(frozen=True)
class _Collision:
    """A file whose result would replace that of another one of the same run."""

    item: Item
    other: str


def _without_collisions(items: Iterator[Item], destination: Destination) -> Iterator[Item | _Collision]:
    """The files of one folder come one after the other, so that no more names are held than one has."""
    folder: Path | None = None
    taken: dict[str, str] = {}
    for item in items:
        if item.folder != folder:
            folder, taken = item.folder, {}
        name = f"{item.path.stem}{destination.suffix or expected_suffix(item.path)}".casefold()
        if name in taken:
            yield _Collision(item, taken[name])
        else:
            taken[name] = item.name
            yield item


def _not_done(items: Iterator[Item | _Collision], report: Report | None, counts: Counts, bar: tqdm) -> Iterator[Item]:
    for item in items:
        if isinstance(item, _Collision):
            reason = f"its result would replace that of {item.other}: choose another output"
            _note(Record(item.item.name, error=reason), report, counts, bar)
        elif report is not None and report.is_done(item.name):
            counts.before += 1
            bar.update()
        else:
            own = report is not None and report.was_begun(item.name)
            if report is not None:
                report.begin(item.name)
            yield replace(item, begun=own)


def _records(
    options: argparse.Namespace,
    items: Iterator[Item],
    destination: Destination,
    work: Work,
    bar: tqdm,
) -> Iterator[Record]:
    measure = not is_file_name(options.output) or options.report is not None
    if options.scheduler is None and options.workers is None:
        for item in items:
            yield process_item(item, destination, work, measure=measure)
        return
    from napari_dental_denoise.core.cluster import local_cluster, process_on, running_cluster

    with ExitStack() as stack:
        cluster = running_cluster(options.scheduler) if options.scheduler else local_cluster(options.workers)
        client = stack.enter_context(cluster)
        with bar.external_write_mode():
            say(f"dashboard: {client.dashboard_link}")
        absolute = (replace(item, path=item.path.absolute()) for item in items)
        yield from process_on(client, absolute, destination, work, measure=measure)


def _note(record: Record, report: Report | None, counts: Counts, bar: tqdm) -> None:
    counts.add(record)
    if report is not None:
        report.add(record)
    if record.error:
        with bar.external_write_mode(file=sys.stderr):
            report_left_out([InputError(f"{record.file}: {record.error}")])
    bar.update()


def _tell(items: Iterator[Item | _Collision], destination: Destination) -> int:
    """What would be done; no file is opened."""
    count = errors = 0
    for item in items:
        if isinstance(item, _Collision):
            errors += 1
            say(f"{item.item.name}: left out: its result would replace that of {item.other}")
            continue
        count += 1
        output = destination.output
        name = f"{item.path.stem}{destination.suffix or expected_suffix(item.path)}"
        say(f"{item.name} -> {output if is_file_name(output) else output / item.folder / name}")
    say(f"{count} images, nothing written{f', {errors} to be left out' if errors else ''}")
    return exit_code(count, errors)
