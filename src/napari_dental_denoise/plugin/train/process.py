"""Training in a child process, the command line; TensorFlow never enters the process of the window."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from qtpy.QtCore import QObject, QProcess, QProcessEnvironment, Signal
from qtpy.QtWidgets import QApplication

from napari_dental_denoise.config import PACKAGE, PROGRAM
from napari_dental_denoise.plugin.shared import delayed
from napari_dental_denoise.training import from_line

PROTOCOL = ("--progress", "jsonl", "--stop-with-stdin")
KILL_AFTER_MS = 30_000
STOPPED = 130
# Complaints that begin so are no failure of the training.
LEFT_OUT = "left out: "


class TrainingProcess(QObject):
    """Command `train` with some arguments; it may outlive the form that started it until its best model is written."""

    reported = Signal(object)
    complained = Signal(str)
    ended = Signal(int)

    def __init__(self, arguments: Sequence[str]) -> None:
        super().__init__(QApplication.instance())
        self.stop_asked = False
        self._rest = ""
        self._errors = ""
        self._process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("PYTHONUNBUFFERED", "1")
        environment.insert("PYTHONUTF8", "1")
        self._process.setProcessEnvironment(environment)
        self._process.setProgram(sys.executable)
        self._process.setArguments(["-m", PACKAGE, "train", *arguments, *PROTOCOL])
        self._kill_timer = delayed(self, KILL_AFTER_MS, self._process.kill)
        self._process.readyReadStandardOutput.connect(self._read_reports)
        self._process.readyReadStandardError.connect(self._read_errors)
        self._process.finished.connect(self._finish)
        self._process.errorOccurred.connect(self._fail)
        QApplication.instance().aboutToQuit.connect(self.stop_and_wait)

    def start(self) -> None:
        """Start the process."""
        self._process.start()

    @property
    def running(self) -> bool:
        """Return whether the process runs."""
        return self._process.state() != QProcess.ProcessState.NotRunning

    def stop(self) -> None:
        """Ask the process to write its best model and to end; kill it if it does not end in time."""
        if not self.running or self.stop_asked:
            return
        self.stop_asked = True
        self._process.closeWriteChannel()
        self._kill_timer.start()

    def stop_and_wait(self) -> None:
        """Stop the process and wait for its end, before napari ends."""
        self.stop()
        if self.running and not self._process.waitForFinished(KILL_AFTER_MS):
            self._process.kill()
            self._process.waitForFinished()

    def _read_reports(self) -> None:
        text = self._rest + bytes(self._process.readAllStandardOutput().data()).decode(errors="replace")
        *lines, self._rest = text.split("\n")
        if lines and self._kill_timer.isActive():
            # A sign of life: only the last step and writing the model take long.
            self._kill_timer.start()
        for line in lines:
            try:
                report = from_line(line)
            except (ValueError, TypeError):
                continue  # a line that a library printed
            self.reported.emit(report)

    def _read_errors(self) -> None:
        self._errors += bytes(self._process.readAllStandardError().data()).decode(errors="replace")
        *lines, self._errors = self._errors.split("\n")
        for line in lines:
            if line.startswith(f"{PROGRAM}: "):
                self.complained.emit(line.removeprefix(f"{PROGRAM}: "))

    def _finish(self, code: int, status: QProcess.ExitStatus) -> None:
        self._read_reports()
        self._read_errors()
        if status == QProcess.ExitStatus.CrashExit and not self.stop_asked:
            self.complained.emit("The training process crashed; the best model so far has been saved")
        self.ended.emit(code)
        self.deleteLater()

    def _fail(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self.complained.emit(f"The training process could not be started: {sys.executable}")
            self.ended.emit(-1)
            self.deleteLater()


def command_line(arguments: Sequence[str]) -> str:
    """Return the command line of a training, quoted for the shell."""
    words = [PROGRAM, "train", *arguments]
    if sys.platform == "win32":
        return subprocess.list2cmdline(words)
    import shlex

    return shlex.join(words)
