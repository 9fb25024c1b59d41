"""The Train form: settings, start, stop and resume, with live curves and a preview."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui.widgets import Container, PushButton
from qtpy.QtWidgets import QScrollArea

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.plugin.shared import (
    Connections,
    Memory,
    align_labels,
    command_line,
    delayed,
    finish_form,
    forget_problem,
    open_form,
    row,
    show_text,
    text_label,
)
from napari_dental_denoise.plugin.train.closing import (
    Closing,
    ask_how_to_close,
    go_on_in_background,
    guard_closing,
)
from napari_dental_denoise.plugin.train.display import PLAN_TOOLTIP, TrainingDisplay
from napari_dental_denoise.plugin.train.fields import TrainingFields
from napari_dental_denoise.plugin.train.layers import start_with_layers
from napari_dental_denoise.plugin.train.offer import offer_model
from napari_dental_denoise.plugin.train.process import TrainingProcess, find_again
from napari_dental_denoise.plugin.train.request import TrainingRequest, length_text, request_from
from napari_dental_denoise.plugin.train.runs import new_run
from napari_dental_denoise.training import TrainingReport, TrainingStarted

if TYPE_CHECKING:
    from napari.viewer import Viewer

PLAN_DELAY_MS = 250
# Files and folders change outside of the form: what it complains of is checked again.
RECHECK_MS = 1000
# The layout of the form follows its texts only after some events.
SCROLL_DELAY_MS = 100


class TrainingWidget(Container):
    """Train a model on a folder of images in a child process."""

    def __init__(self, napari_viewer: Viewer) -> None:
        self._viewer = napari_viewer
        self.process: TrainingProcess | None = None
        self._model: Path | None = None
        self.fields = TrainingFields(napari_viewer)
        self._make_controls()
        self.display = TrainingDisplay(napari_viewer, self.plan)
        self.status, self.curves = self.display.status, self.display.curves
        super().__init__(
            widgets=[
                *self.fields.lines,
                self.plan,
                self._buttons,
                self.more,
                self._after,
                self.display.progress,
                self.status,
            ]
        )
        self.native.layout().addWidget(self.curves)
        finish_form(self, self._close)
        self._timer = delayed(self.native, PLAN_DELAY_MS, self._show_plan)
        self._recheck = delayed(self.native, RECHECK_MS, self._show_plan)
        self._scroll = delayed(self.native, SCROLL_DELAY_MS, self._show_curves)
        self._connections = Connections()
        self._connections.add(napari_viewer.events.theme, self._follow_theme)
        self._connections.add(napari_viewer.layers.selection.events.changed, self._follow_selection)
        self._connect()
        self._changed()
        # By then, the form has a dock.
        self._opened = delayed(self.native, 0, self._docked)
        self._opened.start()
        self._memory = Memory("train", self.native, self.fields.settings)

    def _docked(self) -> None:
        align_labels(self.native)
        self._find_again()

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
        forget_problem(self.status)
        self._timer.start()

    def _show_plan(self) -> None:
        settings = self.fields.request()
        problem = settings.problem()
        running = self.process is not None
        self.start.enabled = not problem and not running
        self.resume.enabled = not self.fields.request(resume=True).problem() and not running
        self._show_more(settings)
        can_run = not problem or self.resume.enabled or self.more.visible or running
        # Layers have no command line.
        self.copy.enabled = can_run and settings.layers is None
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
        run = new_run()
        run.request.write_text(settings.record(), encoding="utf-8")
        process = TrainingProcess(run)
        if settings.resume:
            # That the model exists is no problem of this training.
            show_text(self.plan, "")
        self._follow(process, settings)
        if settings.layers is None:
            process.start(settings.arguments(run.preview))
        else:
            read, folders = settings.written_to(run.images)
            start_with_layers(process, folders, read.arguments(run.preview))

    def _find_again(self) -> None:
        """Show a training that was left in the background, also by an earlier session, or its result."""
        process = find_again()
        if process is None:
            return
        try:
            settings = request_from(process.run.request.read_text(encoding="utf-8"))
        except (OSError, InputError):
            # It is of another version: nothing of it can be shown.
            process.abandon()
            return
        self.fields.show(settings)
        self._follow(process, settings)
        process.follow()

    def _follow(self, process: TrainingProcess, settings: TrainingRequest) -> None:
        self.display.start(process.run.preview, forget=settings.model != self._model or not settings.resume)
        self.process, self._model = process, settings.model
        process.reported.connect(self._show_report)
        process.complained.connect(self.display.note)
        process.ended.connect(self._end)
        guard_closing(self.native, self._may_close)
        self._set_running(running=True)

    def _set_running(self, *, running: bool) -> None:
        self.stop_button.enabled = running
        self.start.enabled = self.resume.enabled = not running
        if running:
            self.more.visible = False

    def _show_report(self, report: TrainingReport) -> None:
        self.display.show(report)
        if isinstance(report, TrainingStarted):
            self._scroll.start()
        # The file may be written some time after the best epoch.
        self._show_use()

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
            self.display.stop()
            self.process.stop()

    def _end(self, code: int) -> None:
        self.process = None
        self._set_running(running=False)
        self._show_use()
        if self._model is not None and offer_model(self._viewer, self._model):
            self.fields.start_from.reset_choices()
        self.display.end(code, has_model=self.use.enabled)
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
            clipboard.setText(command_line(["train", *self._next().arguments()]))
        show_text(self.status, "Command line copied to the clipboard")

    def _next(self) -> TrainingRequest:
        """Return the training that a press of a button would start now."""
        settings = self.fields.request()
        if self.start.enabled or not (self.resume.enabled or self.more.visible):
            return settings
        return self.fields.request(resume=True) if self.resume.enabled else settings.longer()

    def _may_close(self) -> bool:
        """Return whether the dock or the window may be closed, and note what then becomes of the training."""
        if self.process is None or self._model is None or self.display.stopping:
            return True
        answer = ask_how_to_close(self.native, self._model.name)
        # The training may have ended meanwhile.
        if self.process is not None and answer is not Closing.CANCEL:
            self.process.goes_on = answer is Closing.BACKGROUND
        return answer is not Closing.CANCEL

    def _leave(self, process: TrainingProcess) -> None:
        """Leave a training to the background, or stop it; it ends after its best model is written."""
        process.reported.disconnect(self._show_report)
        process.complained.disconnect(self.display.note)
        process.ended.disconnect(self._end)
        process.stop_unless_it_goes_on()
        if self._model is not None:
            go_on_in_background(process, self._viewer, self._model)

    def _close(self) -> None:
        if self.process is not None:
            self._leave(self.process)
        self.display.close()
        for timer in (self._timer, self._recheck, self._scroll, self._opened):
            timer.stop()
        self._memory.close()
        self._connections.close()

    def _follow_selection(self, _event: object = None) -> None:
        self._timer.start()

    def _follow_theme(self, _event: object = None) -> None:
        self.curves.restyle(self._viewer)
