"""The Train form: settings, start, stop and resume, with live curves and a preview."""

from __future__ import annotations

import math
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui.widgets import Container, ProgressBar, PushButton
from qtpy.QtWidgets import QScrollArea

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.plugin.shared import (
    Connections,
    clear_problem,
    delayed,
    finish_form,
    open_form,
    report_error,
    row,
    show_text,
    text_label,
)
from napari_dental_denoise.plugin.train.closing import Closing, ask_how_to_close, go_on_in_background, guard_dock
from napari_dental_denoise.plugin.train.curves import TrainingCurves
from napari_dental_denoise.plugin.train.fields import TrainingFields
from napari_dental_denoise.plugin.train.images import counted
from napari_dental_denoise.plugin.train.offer import offer_model
from napari_dental_denoise.plugin.train.preview import TrainingPreview
from napari_dental_denoise.plugin.train.process import LEFT_OUT, STOPPED, TrainingProcess, command_line
from napari_dental_denoise.plugin.train.request import TrainingRequest, length_text
from napari_dental_denoise.plugin.train.texts import finished_text, step_text, stopped_text
from napari_dental_denoise.training import EpochDone, StepDone, TrainingFinished, TrainingReport, TrainingStarted

if TYPE_CHECKING:
    from napari.viewer import Viewer

PLAN_DELAY_MS = 250
# Files and folders change outside of the form: what it complains of is checked again.
RECHECK_MS = 1000
# The layout of the form follows its texts only after some events.
SCROLL_DELAY_MS = 100
PLAN_TOOLTIP = "Plan of the training"
STOPPING = "Stopping and saving the best model ..."


class TrainingWidget(Container):
    """Train a model on a folder of images in a child process."""

    def __init__(self, napari_viewer: Viewer) -> None:
        self._viewer = napari_viewer
        self.process: TrainingProcess | None = None
        self._failure = ""
        self._left_out: list[str] = []
        self._model: Path | None = None
        self._started: TrainingStarted | None = None
        self._best_psnr = math.nan
        self._preview_file = Path()
        self._preview = TrainingPreview(napari_viewer)
        self.fields = TrainingFields()
        self._make_controls()
        self.curves = TrainingCurves(napari_viewer)
        super().__init__(
            widgets=[*self.fields.lines, self.plan, self._buttons, self.more, self._after, self.progress, self.status]
        )
        self.native.layout().addWidget(self.curves)
        finish_form(self, self._close)
        self._timer = delayed(self.native, PLAN_DELAY_MS, self._show_plan)
        self._recheck = delayed(self.native, RECHECK_MS, self._show_plan)
        self._scroll = delayed(self.native, SCROLL_DELAY_MS, self._show_curves)
        self._connections = Connections()
        self._connections.add(napari_viewer.events.theme, self._follow_theme)
        self._connect()
        self._changed()

    def _make_controls(self) -> None:
        self.plan = text_label(PLAN_TOOLTIP)
        self.start = PushButton(text="&Train", tooltip="Train in another process")
        self.resume = PushButton(
            text="Res&ume",
            tooltip="Continue the stopped training of this model; minutes and epochs count from its start",
        )
        self.stop_button = PushButton(text="&Stop", enabled=False, tooltip="Stop and save the best model so far")
        self._buttons = row(self.start, self.stop_button, self.resume)
        self.more = PushButton(visible=False, tooltip="Continue the training of this model for the length above")
        self.use = PushButton(text="Use &now", enabled=False, tooltip="Open the Denoise form with this model")
        self.copy = PushButton(text="C&opy command", tooltip="Copy the command line of this training")
        self._after = row(self.use, self.copy)
        # Equal halves cut off the longer text.
        for place, stretch in enumerate((2, 3)):
            self._after.native.layout().setStretch(place, stretch)
        self.progress = ProgressBar(value=0, min=0, max=1000, visible=False)
        self.status = text_label()

    def _connect(self) -> None:
        for field in self.fields.inputs:
            field.changed.connect(self._changed)
        self.start.clicked.connect(lambda: self.train(self.fields.request()))
        self.resume.clicked.connect(lambda: self.train(self.fields.request(resume=True)))
        self.more.clicked.connect(lambda: self.train(self.fields.request().longer()))
        self.stop_button.clicked.connect(self.stop)
        self.use.clicked.connect(self.use_now)
        self.copy.clicked.connect(self.copy_command)

    def _changed(self) -> None:
        self.fields.show_what_applies()
        # A problem is one of the settings before.
        clear_problem(self.status)
        self._timer.start()

    def _show_plan(self) -> None:
        settings = self.fields.request()
        problem = settings.problem()
        running = self.process is not None
        self.start.enabled = not problem and not running
        self.resume.enabled = not self.fields.request(resume=True).problem() and not running
        self._show_more(settings)
        self.copy.enabled = not problem or self.resume.enabled or self.more.visible or running
        if running:
            # The model file of the running training is not a problem.
            return
        if problem:
            can_continue = self.resume.enabled or self.more.visible
            show_text(self.plan, problem, problem=not (can_continue or settings.is_incomplete))
            self._recheck.start()
            return
        try:
            show_text(self.plan, settings.plan())
        except InputError as error:
            self.start.enabled = False
            show_text(self.plan, str(error), problem=True)

    def _show_more(self, settings: TrainingRequest) -> None:
        self.more.text = f"Train {length_text(settings.config, 'more')}"
        try:
            can_go_on = settings.model is not None and settings.model.is_file() and not settings.longer().problem()
        except InputError:
            can_go_on = False
        self.more.visible = can_go_on and self.process is None

    def train(self, settings: TrainingRequest) -> None:
        """Start the child process, or show why the training cannot run."""
        problem = settings.problem()
        if problem:
            show_text(self.plan, problem, problem=True)
            return
        if settings.model != self._model or not settings.resume:
            self._started, self._best_psnr = None, math.nan
        self._failure, self._left_out, self._model = "", [], settings.model
        self.plan.tooltip = PLAN_TOOLTIP
        folder = Path(tempfile.mkdtemp(prefix="dental-denoise-"))
        self._preview_file = folder / "preview.npy"
        self.process = TrainingProcess(settings.arguments(self._preview_file))
        self.process.ended.connect(lambda _code: shutil.rmtree(folder, ignore_errors=True))
        self.process.reported.connect(self._show_report)
        self.process.complained.connect(self._note)
        self.process.ended.connect(self._end)
        guard_dock(self.native, self._may_close)
        self._set_running(running=True)
        show_text(self.status, "Starting: reading images, loading TensorFlow ...")
        self.process.start()

    def _set_running(self, *, running: bool) -> None:
        self.stop_button.enabled = self.progress.visible = running
        self.start.enabled = self.resume.enabled = not running
        if running:
            self.more.visible = False

    def _note(self, text: str) -> None:
        if not text.startswith(LEFT_OUT):
            self._failure = text
            return
        self._left_out.append(text.removeprefix(LEFT_OUT))
        files = counted(len(self._left_out), "image")
        show_text(self.plan, f"{files} left out: {self._left_out[0]}{' ...' if self._left_out[1:] else ''}")
        self.plan.tooltip = "\n".join(self._left_out)

    def _show_report(self, report: TrainingReport) -> None:
        if isinstance(report, TrainingStarted):
            self._begin(report)
        elif isinstance(report, StepDone):
            self.curves.add_loss(report.loss)
            # The file may be written some time after the best epoch.
            self._show_use()
            self.progress.value = round(1000 * report.fraction)
            show_text(self.status, step_text(report) if self.stop_button.enabled else STOPPING)
        elif isinstance(report, EpochDone):
            self._best_psnr = report.best_psnr
            self.curves.add_epoch(report.epoch, report.psnr)
            if self._started is not None:
                self._preview.show(self._preview_file, self._started.reference)
        elif isinstance(report, TrainingFinished):
            show_text(self.status, finished_text(report, self._started))

    def _begin(self, report: TrainingStarted) -> None:
        if self._started is not None and math.isnan(report.first_psnr):
            # A resumed training does not measure the first weights again.
            report = replace(report, first_psnr=self._started.first_psnr)
        self._started = report
        self.curves.begin(report)
        self.progress.value = 0
        self._scroll.start()

    def _show_curves(self) -> None:
        """Scroll to the end of the form, which small screens do not show."""
        bar = self.native.findChild(QScrollArea).verticalScrollBar()
        bar.setValue(bar.maximum())

    def _show_use(self) -> None:
        self.use.enabled = self._model is not None and self._model.is_file()

    def stop(self) -> None:
        """Ask the training to save its best model and to end."""
        if self.process is not None:
            self.stop_button.enabled = False
            show_text(self.status, STOPPING)
            self.process.stop()

    def _end(self, code: int) -> None:
        stopped = self.process is not None and self.process.stop_asked
        self.process = None
        self._set_running(running=False)
        self._show_use()
        if self._model is not None and offer_model(self._viewer, self._model):
            self.fields.start_from.reset_choices()
        # The exit code of a process that was killed after Stop is not an error.
        if code not in (0, 1, STOPPED) and (self._failure or not stopped):
            report_error(self.status, InputError(self._failure or f"The training ended with code {code}"))
        elif stopped:
            text = stopped_text(has_model=self.use.enabled, started=self._started, best_psnr=self._best_psnr)
            show_text(self.status, text)
        self._show_plan()

    def use_now(self) -> Any:
        """Open the Denoise form with the trained model."""
        form = open_form(self._viewer, "Denoise")
        if self._model is not None:
            form.use_model(self._model)
        return form

    def copy_command(self) -> None:
        """Copy the command line of the training to the clipboard."""
        from qtpy.QtWidgets import QApplication

        clipboard = QApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(command_line(self._next().arguments()))
        show_text(self.status, "Command line copied to the clipboard")

    def _next(self) -> TrainingRequest:
        """Return the training that a press of a button would start now."""
        settings = self.fields.request()
        if self.start.enabled or not (self.resume.enabled or self.more.visible):
            return settings
        return self.fields.request(resume=True) if self.resume.enabled else settings.longer()

    def _may_close(self) -> bool:
        """Return whether the dock may be closed, and leave a training that should go on to itself."""
        if self.process is None or self._model is None:
            return True
        answer = ask_how_to_close(self.native, self._model.name)
        # The training may have ended meanwhile.
        if answer is Closing.BACKGROUND and self.process is not None:
            go_on_in_background(self._disconnected(self.process), self._viewer, self._model)
            self.process = None
        return answer is not Closing.CANCEL

    def _disconnected(self, process: TrainingProcess) -> TrainingProcess:
        process.reported.disconnect(self._show_report)
        process.complained.disconnect(self._note)
        process.ended.disconnect(self._end)
        return process

    def _close(self) -> None:
        """Remove the preview, and stop the process, which ends after its best model is written."""
        if self.process is not None:
            self._disconnected(self.process).stop()
        self._preview.remove()
        for timer in (self._timer, self._recheck, self._scroll):
            timer.stop()
        self._connections.close()

    def _follow_theme(self, _event: object = None) -> None:
        self.curves.restyle(self._viewer)
