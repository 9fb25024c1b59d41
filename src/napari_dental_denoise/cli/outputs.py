"""Process many files into one result each: options, progress and the last line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from napari_dental_denoise.batch import (
    NO_MAPS,
    NO_TWIN,
    TEXT_FOUND,
    Destination,
    DoneBefore,
    EarlierRuns,
    Item,
    MapFolders,
    Process,
    Record,
    Run,
    TextRule,
    Work,
    check_output,
    files_to_do,
    find_items,
    is_file_name,
    on_this_process,
    open_report,
    refusal,
    report_path,
    run_files,
    run_settings,
    source_folders,
)
from napari_dental_denoise.cli.console import (
    echo,
    exit_code,
    is_verbose,
    printable,
    progress_bar,
    report_left_out,
    tell,
)
from napari_dental_denoise.dicom import Derivation
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.progress import counted

NAMES = {True: "names are numbers, which --dry-run explains", False: "file names are kept"}


def process_files(
    options: argparse.Namespace, work: Work, derivation: Derivation, settings: str, maps: MapFolders = NO_MAPS
) -> int:
    """Process each file that the options of `add_output_folder` name, report the results and return the exit code.

    Files that an earlier run has done with the same `settings`, all that the pixels of a result depend on, are
    skipped, unless their `maps` are missing.
    """
    check_output(options.output, options.sources)
    suffix = f".{options.format}" if options.format else None
    clean: Path | None = getattr(options, "clean", None)
    output, absolute_clean = options.output.absolute(), clean and clean.absolute()
    inputs = source_folders(options.sources)
    text: TextRule = "cover" if options.cover_text else "tell" if options.deidentify else "ignore"
    destination = Destination(output, suffix, derivation, options.overwrite, absolute_clean, inputs, text)
    if clean and not clean.is_dir():
        raise InputError(f"--clean {clean}: no such folder")
    place = _report_place(options)
    if clean and place is None:
        raise InputError("--clean needs a report for its scores: name one with --report")
    total = sum(1 for _ in find_items(options.sources, place))
    if is_file_name(options.output):
        _check_file_name(total, options.output, suffix)
    items = find_items(options.sources, place)
    aliases = options.deidentify and not options.keep_names and place is not None
    short = run_settings(settings, options.format, deidentify=options.deidentify, text=text)
    scored = clean is not None
    this_run = Run(short, _folder(options.output), options.overwrite, scored, maps, aliases)
    if options.dry_run:
        return _list(items, destination, EarlierRuns(place, this_run) if place else None)
    with ExitStack() as stack:
        # A report is begun once the processes are there.
        process = _process(stack, options, destination, work, total, measure=place is not None)
        report = stack.enter_context(open_report(place, this_run)) if place else None
        tally = _follow(run_files(items, destination, process, report), total)
    if place is None and tally.text_note:
        tell(tally.text_note)
    if options.deidentify:
        tell(f"kept of DICOM files: listed attributes; of other files: the pixels and their size; {NAMES[aliases]}")
    where = f" in {_folder(options.output)}" if tally.done else ""
    tally.echo(f"{counted(tally.done, 'image')} {derivation.verb}{where}")
    return tally.exit_code


@dataclass
class _Tally:
    """Numbers of files: done, done before, left out, and done without a clean image."""

    done: int = 0
    before: int = 0
    errors: int = 0
    twinless: int = 0
    texts: int = 0
    # Of the last file with text.
    text_note: str = ""

    @property
    def exit_code(self) -> int:
        return exit_code(self.done + self.before, self.errors)

    def add_text(self, note: str) -> None:
        """Count a file if its note tells of text, which is the first thing that a note tells."""
        if TEXT_FOUND in note:
            self.texts += 1
            self.text_note = note

    def echo(self, work: str, left_out: str = "left out") -> None:
        """Print the last line of a run, which begins with its work."""
        counts = (
            (self.before, "done before"),
            (self.errors, left_out),
            (self.twinless, f"with {NO_TWIN}"),
            (self.texts, f"with {self.text_note.partition(' at ')[0]}"),
        )
        tell(", ".join([work, *(f"{count} {what}" for count, what in counts if count)]))


def _follow(outcomes: Iterator[Record | DoneBefore], total: int) -> _Tally:
    """Show the progress and count the outcomes."""
    tally = _Tally()
    with progress_bar(total, "image") as bar:
        for outcome in outcomes:
            if isinstance(outcome, DoneBefore):
                tally.before += 1
            elif outcome.error:
                tally.errors += 1
                with bar.external_write_mode(file=sys.stderr):
                    report_left_out([InputError(f"{outcome.file}: {outcome.error}")])
            else:
                tally.done += 1
                tally.twinless += outcome.note.endswith(NO_TWIN)
                tally.add_text(outcome.note)
                if is_verbose():
                    with bar.external_write_mode(file=sys.stdout):
                        tell(printable(f"{outcome.file}: {outcome.result}, {outcome.seconds:.2f} s"))
            bar.update()
    return tally


def _process(
    stack: ExitStack, options: argparse.Namespace, destination: Destination, work: Work, total: int, *, measure: bool
) -> Process:
    """Return the process to work in, closed with the stack: this one, others of this machine, or a cluster.

    Of this machine, no more than there are files are started, `total`.
    """
    if options.scheduler is None and options.workers is None:
        return on_this_process(destination, work, measure=measure)
    from napari_dental_denoise.batch import local_cluster, on_cluster, running_cluster

    cluster = running_cluster(options.scheduler) if options.scheduler else local_cluster(min(options.workers, total))
    client = stack.enter_context(cluster)
    tell(f"dashboard: {client.dashboard_link}")
    return on_cluster(client, destination, work, measure=measure)


def _check_file_name(inputs: int, output: Path, suffix: str | None) -> None:
    if inputs > 1:
        raise InputError(f"{output}: expected a folder for {inputs} inputs; received a file name")
    if suffix is not None and not output.name.lower().endswith(suffix):
        raise InputError(f"{output}: the name and --format {suffix[1:]} differ: leave out --format")


def _folder(output: Path) -> Path:
    return output.parent if is_file_name(output) else output


def _report_place(options: argparse.Namespace) -> Path | None:
    """Return the path of the report: beside the output folder, where it is no result; None for one file."""
    place: Path | None = options.report
    return place or (None if is_file_name(options.output) else report_path(options.output))


def _list(items: Iterator[Item], destination: Destination, earlier: EarlierRuns | None) -> int:
    """List what would be done."""
    tally = _Tally()
    output = destination.output
    for item in files_to_do(items, destination, earlier):
        if isinstance(item, DoneBefore):
            tally.before += 1
            if item.file != item.source:
                echo(printable(f"{item.source} -> {item.file}, done before"))
        elif isinstance(item, Record):
            tally.errors += 1
            echo(printable(f"{item.file}: left out: {item.error}"))
        elif reason := refusal(item, destination):
            tally.errors += 1
            echo(printable(f"{item.name}: left out: {reason}"))
        else:
            tally.done += 1
            target = output if is_file_name(output) else output / item.result_folder / item.results[0]
            # Tells the user, and nobody else, which number stands for which file.
            echo(printable(f"{item.source_name} -> {target}"))
    tally.echo(f"{counted(tally.done, 'image')}, nothing written", "to be left out")
    return tally.exit_code
