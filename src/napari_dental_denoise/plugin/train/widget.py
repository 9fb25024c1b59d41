"""The Train form: settings, start, stop and resume, with live curves and a preview."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from magicgui.widgets import Container, ProgressBar, PushButton

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.plugin.denoise import remember_model
from napari_dental_denoise.plugin.shared import (
    Connections,
    beside_all,
    delayed,
    finish_form,
    open_form,
    report_error,
    row,
    show_text,
    text_label,
)
from napari_dental_denoise.plugin.train.curves import TrainingCurves
from napari_dental_denoise.plugin.train.fields import TrainingFields
from napari_dental_denoise.plugin.train.process import STOPPED, TrainingProcess, command_line
from napari_dental_denoise.plugin.train.request import plan_text
from napari_dental_denoise.training import EpochDone, StepDone, TrainingFinished, TrainingReport, TrainingStarted

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

PREVIEW_NAMES = {"clean": "training: noisy, denoised, clean", "noisy": "training: noisier, denoised, noisy target"}
PREVIEW_GAP = 8
PLAN_DELAY_MS = 250


class TrainingWidget(Container):
    """Train a model on a folder of images in a child process."""

    def __init__(self, napari_viewer: Viewer) -> None:
        self._viewer = napari_viewer
        self.process: TrainingProcess | None = None
        self._failure = ""
        self._model: Path | None = None
        self._preview_file = Path()
        self._preview: Image | None = None
        self._preview_name = ""
        self.fields = TrainingFields()
        self._make_controls()
        self.curves = TrainingCurves(napari_viewer)
        super().__init__(
            widgets=[*self.fields.lines, self.plan, self._buttons, self._after, self.progress, self.status]
        )
        self.native.layout().addWidget(self.curves)
        finish_form(self, self._close)
        self._timer = delayed(self.native, PLAN_DELAY_MS, self._show_plan)
        self._connections = Connections()
        self._connections.add(napari_viewer.events.theme, self._follow_theme)
        self._connect()
        self._changed()

    def _make_controls(self) -> None:
        self.plan = text_label("Plan of the training")
        self.start = PushButton(text="Train", tooltip="Train in another process")
        self.resume = PushButton(
            text="Resume",
            tooltip="Continue the stopped training of this model; minutes and epochs count from its start",
        )
        self.stop_button = PushButton(text="Stop", enabled=False, tooltip="Stop and save the best model so far")
        self._buttons = row(self.start, self.stop_button, self.resume)
        self.use = PushButton(text="Use now", enabled=False, tooltip="Open the Denoise form with this model")
        self.copy = PushButton(text="Copy command", tooltip="Copy the command line of this training")
        self._after = row(self.use, self.copy)
        self.progress = ProgressBar(value=0, min=0, max=1000, visible=False)
        self.status = text_label()

    def _connect(self) -> None:
        for field in self.fields.inputs:
            field.changed.connect(self._changed)
        self.start.clicked.connect(lambda: self.train(resume=False))
        self.resume.clicked.connect(lambda: self.train(resume=True))
        self.stop_button.clicked.connect(self.stop)
        self.use.clicked.connect(self.use_now)
        self.copy.clicked.connect(self.copy_command)

    def _changed(self) -> None:
        self.fields.show_what_applies()
        self._timer.start()

    def _show_plan(self) -> None:
        settings = self.fields.request()
        problem = settings.problem()
        running = self.process is not None
        self.start.enabled = not problem and not running
        self.resume.enabled = not self.fields.request(resume=True).problem() and not running
        self.copy.enabled = not problem or self.resume.enabled or running
        if running:
            # The model file of the running training is not a problem.
            return
        if problem:
            show_text(self.plan, problem, problem=not self.resume.enabled)
            return
        try:
            show_text(self.plan, plan_text(settings.plan()))
        except InputError as error:
            self.start.enabled = False
            show_text(self.plan, str(error), problem=True)

    def train(self, *, resume: bool) -> None:
        """Start the child process, or show why the training cannot run."""
        settings = self.fields.request(resume=resume)
        problem = settings.problem()
        if problem:
            show_text(self.plan, problem, problem=True)
            return
        self._failure, self._model = "", settings.model
        folder = Path(tempfile.mkdtemp(prefix="dental-denoise-"))
        self._preview_file = folder / "preview.npy"
        self.process = TrainingProcess(settings.arguments(self._preview_file))
        self.process.ended.connect(lambda _code: shutil.rmtree(folder, ignore_errors=True))
        self.process.reported.connect(self._show_report)
        self.process.complained.connect(self._note)
        self.process.ended.connect(self._end)
        self._set_running(running=True)
        show_text(self.status, "Starting: reading images, loading TensorFlow ...")
        self.process.start()

    def _set_running(self, *, running: bool) -> None:
        self.stop_button.enabled = self.progress.visible = running
        self.start.enabled = self.resume.enabled = not running

    def _note(self, text: str) -> None:
        from napari.utils.notifications import show_warning

        if text.startswith("left out"):
            show_warning(text)
        else:
            self._failure = text

    def _show_report(self, report: TrainingReport) -> None:
        if isinstance(report, TrainingStarted):
            self.curves.clear(report.noisy_psnr)
            self._preview_name = PREVIEW_NAMES[report.reference]
            self.progress.value = 0
        elif isinstance(report, StepDone):
            self.curves.add_loss(report.loss)
            # The file may be written some time after the best epoch.
            self._offer_model()
            self.progress.value = round(1000 * report.fraction)
            text = f"epoch {report.epoch}, loss {report.loss:.4f}, {_duration(report.eta)} left"
            show_text(self.status, text if self.stop_button.enabled else "Stopping and saving the best model ...")
        elif isinstance(report, EpochDone):
            self.curves.add_epoch(report.epoch, report.psnr)
            self._show_preview()
        elif isinstance(report, TrainingFinished):
            best = f"epoch {report.best_epoch}" if report.best_epoch else "the model it started from"
            against = ", against noisy images" if self._preview_name == PREVIEW_NAMES["noisy"] else ""
            show_text(self.status, f"Done: {report.best_psnr:.2f} dB, SSIM {report.best_ssim:.3f} ({best}){against}")

    def _offer_model(self) -> None:
        self.use.enabled = self._model is not None and self._model.is_file()

    def _show_preview(self) -> None:
        try:
            images = np.load(self._preview_file, allow_pickle=False)
        except (OSError, ValueError):
            return
        picture = np.hstack([np.pad(image, ((0, 0), (0, PREVIEW_GAP))) for image in images])
        if self._preview is not None and self._preview in self._viewer.layers:
            self._preview.data, self._preview.name = picture, self._preview_name
            return
        selected = set(self._viewer.layers.selection)
        look = {"name": self._preview_name, "contrast_limits": (0, 1), **beside_all(self._viewer)}
        self._preview = self._viewer.add_image(picture, **look)
        # The active layer stays active.
        if selected:
            self._viewer.layers.selection = selected
        self._viewer.reset_view()

    def stop(self) -> None:
        """Ask the training to save its best model and to end."""
        if self.process is not None:
            self.stop_button.enabled = False
            show_text(self.status, "Stopping and saving the best model ...")
            self.process.stop()

    def _end(self, code: int) -> None:
        stopped = self.process is not None and self.process.stop_asked
        self.process = None
        self._set_running(running=False)
        self._offer_model()
        if self.use.enabled and self._model is not None:
            remember_model(self._model)
        # The exit code of a process that was killed after Stop is not an error.
        if code not in (0, 1, STOPPED) and (self._failure or not stopped):
            report_error(self.status, InputError(self._failure or f"The training ended with code {code}"))
        elif stopped:
            kept = "the best model so far has been saved" if self.use.enabled else "no model was written"
            show_text(self.status, f"Stopped; {kept}")
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
            settings = self.fields.request(resume=self.resume.enabled and not self.start.enabled)
            clipboard.setText(command_line(settings.arguments()))
        show_text(self.status, "Command line copied to the clipboard")

    def _close(self) -> None:
        """Disconnect from the process, which ends after its best model is written."""
        if self.process is not None:
            self.process.reported.disconnect(self._show_report)
            self.process.complained.disconnect(self._note)
            self.process.ended.disconnect(self._end)
            self.process.stop()
        self._timer.stop()
        self._connections.close()

    def _follow_theme(self, _event: object = None) -> None:
        self.curves.restyle(self._viewer)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
