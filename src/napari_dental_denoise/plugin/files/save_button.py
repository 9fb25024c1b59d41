"""The button of a form that saves the results of its last run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from magicgui.widgets import Label, PushButton

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.plugin.files.saving import Saved, jobs_for, save_steps, source_of
from napari_dental_denoise.plugin.files.writer import is_derivable
from napari_dental_denoise.plugin.shared import FormWork, layer_record, report_error, show_text

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

CTRL_S = "Save result keeps pixel size and DICOM attributes; Ctrl+S only with the file type Dental Denoise"


class SaveButton:
    """Saves all results of the last run of a form, each beside the file of its source."""

    def __init__(self, viewer: Viewer, work: FormWork, status: Label) -> None:
        self._viewer, self._work, self._status = viewer, work, status
        self._results: list[tuple[Image, Path | None]] = []
        self.button = PushButton(
            text="Save result",
            enabled=False,
            tooltip="Save the results of the last run and their maps beside their sources, under new names: bits and "
            "pixel size are kept, and a result of a DICOM file becomes a derived image of the same study",
        )

    def offer(self, results: Iterable[tuple[Image, Image]]) -> str:
        """Save these layers from now on, given as input and result; return what to know about saving, if anything."""
        self._results = [(result, source_of(layer)) for layer, result in results]
        if not self.button.enabled:
            # After the form has connected its own slots, which forget the problems of before at each press.
            self.button.clicked.disconnect(self.save, missing_ok=True)
            self.button.clicked.connect(self.save)
        self._work.allow(self.button)
        return CTRL_S if any(_has_more_than_pixels(result) for result, _ in self._results) else ""

    def save(self) -> None:
        """Start saving the results that were not deleted."""
        results = [each for each in self._results if each[0] in self._viewer.layers]
        if not results:
            report_error(self._status, InputError("The result was deleted: make a new one"))
            return
        try:
            jobs = jobs_for(results)
        except InputError as error:
            report_error(self._status, error)
            return
        if jobs:
            text = f"Saving {jobs[0].path.name} ..." if len(jobs) == 1 else f"Saving {len(jobs)} files ..."
            self._work.begin(
                lambda: save_steps(jobs), self._show, text=text, unit="files", if_cancelled="Cancelled; no file is cut"
            )

    def _show(self, saved: Saved) -> None:
        show_text(self._status, str(saved) if saved.paths else "")
        for error in saved.errors:
            report_error(self._status, error)


def _has_more_than_pixels(layer: Image) -> bool:
    """Return whether a layer has a pixel size or a DICOM file, which napari's own writer drops."""
    return str(layer.units[-1]) != "pixel" or is_derivable(layer_record(layer))
