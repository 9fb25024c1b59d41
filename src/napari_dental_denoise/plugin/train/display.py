"""Display of a training in the Train form: status, progress, curves and a preview."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from magicgui.widgets import Label, ProgressBar

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.plugin.shared import brief, report_error, show_text, text_label
from napari_dental_denoise.plugin.train.curves import TrainingCurves
from napari_dental_denoise.plugin.train.preview import TrainingPreview
from napari_dental_denoise.plugin.train.process import LEFT_OUT, STOPPED
from napari_dental_denoise.plugin.train.runs import GONE
from napari_dental_denoise.plugin.train.texts import finished_text, step_text, stopped_text
from napari_dental_denoise.progress import counted
from napari_dental_denoise.training import EpochDone, StepDone, TrainingFinished, TrainingReport, TrainingStarted

if TYPE_CHECKING:
    from napari.viewer import Viewer

PLAN_TOOLTIP = "Plan of the training"
STARTING = "Starting: reading images, loading TensorFlow ..."
STOPPING = "Stopping and saving the best model ..."
TOLD_ELSEWHERE = "Ended; another window has shown the result"


class TrainingDisplay:
    """Shows the reports of one training after the other."""

    def __init__(self, viewer: Viewer, plan: Label) -> None:
        # Images that are left out stand in place of the plan.
        self.plan = plan
        self.progress = ProgressBar(value=0, min=0, max=1000, visible=False)
        self.status = text_label()
        self.curves = TrainingCurves(viewer)
        self.preview = TrainingPreview(viewer)
        self._preview_file = Path()
        self._started: TrainingStarted | None = None
        self._best_psnr = math.nan
        self._failure = ""
        self._left_out: list[str] = []
        self.stopping = False

    def start(self, preview: Path, *, forget: bool) -> None:
        """Wait for the reports of a training and its preview; with `forget`, it does not go on with the one before."""
        if forget:
            self._started, self._best_psnr = None, math.nan
        self._preview_file, self._failure, self._left_out, self.stopping = preview, "", [], False
        self.plan.tooltip = PLAN_TOOLTIP
        self.progress.visible = True
        show_text(self.status, STARTING)

    def stop(self) -> None:
        """Show that the training has been asked to stop."""
        self.stopping = True
        show_text(self.status, STOPPING)

    def show(self, report: TrainingReport) -> None:
        """Show a report."""
        if isinstance(report, TrainingStarted):
            self._begin(report)
        elif isinstance(report, StepDone):
            self.curves.add_loss(report.loss)
            self.progress.value = round(1000 * report.fraction)
            show_text(self.status, STOPPING if self.stopping else step_text(report))
        elif isinstance(report, EpochDone):
            self._best_psnr = report.best_psnr
            self.curves.add_epoch(report.epoch, report.psnr)
            if self._started is not None:
                self.preview.show(self._preview_file, self._started.reference)
        elif isinstance(report, TrainingFinished):
            show_text(self.status, finished_text(report, self._started))

    def _begin(self, report: TrainingStarted) -> None:
        if self._started is not None and math.isnan(report.first_psnr):
            # A resumed training does not measure the first weights again.
            report = replace(report, first_psnr=self._started.first_psnr)
        self._started = report
        self.curves.begin(report)
        self.progress.value = 0

    def note(self, complaint: str) -> None:
        """Show an image that was left out, or keep the reason of a failure."""
        if not complaint.startswith(LEFT_OUT):
            self._failure = complaint
            return
        self._left_out.append(complaint.removeprefix(LEFT_OUT))
        files = counted(len(self._left_out), "image")
        show_text(self.plan, f"{files} left out: {brief(self._left_out[0])}{' ...' if self._left_out[1:] else ''}")
        self.plan.tooltip = "\n".join(self._left_out)

    def end(self, code: int, *, has_model: bool) -> None:
        """Show the end of the training, whose exit code is given."""
        self.progress.visible = False
        if code == GONE and not self._failure:
            show_text(self.status, TOLD_ELSEWHERE)
        # The exit code of a process that was killed after Stop is not an error.
        elif code not in (0, 1, STOPPED) and (self._failure or not self.stopping):
            report_error(self.status, InputError(self._failure or f"The training ended with code {code}"))
        elif code == STOPPED or self.stopping:
            show_text(self.status, stopped_text(has_model=has_model, started=self._started, best_psnr=self._best_psnr))

    def close(self) -> None:
        """Remove the preview."""
        self.preview.remove()
