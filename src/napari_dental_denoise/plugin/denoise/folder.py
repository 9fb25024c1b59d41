"""Denoise a folder into another one, with the report that the command line writes."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from magicgui.widgets import PushButton

from napari_dental_denoise.batch import (
    DenoiseWork,
    Destination,
    DoneBefore,
    Run,
    check_output,
    find_items,
    on_this_process,
    open_report,
    report_path,
    run_files,
    run_settings,
    source_folders,
)
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.plugin.files import open_path
from napari_dental_denoise.progress import Progress, counted

if TYPE_CHECKING:
    from napari.viewer import Viewer


@dataclass(frozen=True)
class FolderOutcome:
    """Counts of the files done and failed."""

    output: Path
    done: int
    before: int
    errors: list[InputError]

    @property
    def failed(self) -> bool:
        """Return whether no file has a result."""
        return bool(self.errors) and not self.done and not self.before

    def text(self) -> str:
        """Return the outcome in one line."""
        parts = [f"{counted(self.done, 'image')} denoised in {self.output.name}"]
        parts += [f"{self.before} already done"] * (self.before > 0)
        parts += [f"{len(self.errors)} failed, see {report_path(self.output).name} beside it"] * bool(self.errors)
        return ", ".join(parts)


class OpenResults:
    """The button that opens the results of the last run over a folder."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._folder = Path()
        self.button = PushButton(text="Open results", visible=False, tooltip="Open the output folder of the last run")
        self.button.clicked.connect(lambda: open_path(self._viewer, self._folder))

    def offer(self, outcome: FolderOutcome) -> None:
        """Show the button if there is a result."""
        self._folder = outcome.output
        self.button.visible = outcome.done + outcome.before > 0


def folder_steps(source: Path, output: Path, work: DenoiseWork) -> Generator[Progress, None, FolderOutcome]:
    """Denoise all files of a folder and its subfolders, one per step; to stop, close the generator."""
    check_output(output, [source])
    place = report_path(output)
    total = sum(1 for _ in find_items([source], place))
    inputs = source_folders([source])
    destination = Destination(output.absolute(), None, work.derivation(deidentify=False), inputs=inputs)
    settings = run_settings(work.settings(), None, deidentify=False)
    items = find_items([source], place)
    process = on_this_process(destination, work, measure=True)
    done = before = 0
    errors: list[InputError] = []
    with open_report(place, Run(settings, destination.output)) as report:
        for outcome in run_files(items, destination, process, report):
            if isinstance(outcome, DoneBefore):
                before += 1
            elif outcome.error:
                errors.append(InputError(f"{outcome.file}: {outcome.error}"))
            else:
                done += 1
            yield Progress(done + before + len(errors), total)
    return FolderOutcome(output, done, before, errors)
