"""Training in a process beside napari, the command line; TensorFlow never enters the process of the window."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import QObject, QProcess, QTimer, Signal
from qtpy.QtWidgets import QApplication

from napari_dental_denoise.config import PROGRAM
from napari_dental_denoise.plugin.train import supervisor
from napari_dental_denoise.plugin.train.runs import GONE, TrainingRun, runs_to_show
from napari_dental_denoise.training import from_line

KILL_AFTER_MS = 30_000
POLL_MS = 100
# The reports of a whole night are read in parts, so that the window stays responsive.
PART_BYTES = 2**18
STOPPED = 130
# Complaints that begin so are no failure of the training.
LEFT_OUT = "left out: "


class TrainingProcess(QObject):
    """Follower of a training, which the form that started it, its window and napari may leave behind."""

    reported = Signal(object)
    complained = Signal(str)
    ended = Signal(int)

    def __init__(self, run: TrainingRun) -> None:
        super().__init__(QApplication.instance())
        self.run = run
        # The training goes on when its form or napari closes.
        self.goes_on = False
        # No form shows it.
        self.in_background = False
        self._reports, self._complaints = _Tail(run.reports), _Tail(run.complaints)
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._poll)
        QApplication.instance().aboutToQuit.connect(self.stop_unless_it_goes_on)

    def start(self, arguments: Sequence[str]) -> None:
        """Start the training with these arguments of the command, and follow it."""
        if self.stop_asked:
            self._finish(STOPPED)
            return
        words = [str(self.run.folder), str(KILL_AFTER_MS / 1000), *arguments]
        started, number = QProcess.startDetached(sys.executable, ["-m", supervisor.__name__, *words])
        if not started:
            self.fail(f"The training process could not be started: {sys.executable}")
            return
        self.run.process.write_text(str(number), encoding="ascii")
        self.follow()

    def fail(self, complaint: str) -> None:
        """End a training that could not be started."""
        self.complained.emit(complaint)
        self._finish(GONE)

    def follow(self) -> None:
        """Send all reports from the first one on."""
        self._timer.start()

    @property
    def stop_asked(self) -> bool:
        """Return whether the training has been asked to stop."""
        return self.run.stop.exists()

    def stop(self) -> None:
        """Ask the training to write its best model and to end; it is killed if it does not end in time."""
        if self.run.folder.is_dir():
            self.run.stop.touch()

    def stop_unless_it_goes_on(self) -> None:
        """Stop a training that nobody wants in the background, as its form or napari closes."""
        if not self.goes_on:
            self.stop()

    def abandon(self) -> None:
        """Follow no longer, as another follower does."""
        self._timer.stop()
        QApplication.instance().aboutToQuit.disconnect(self.stop_unless_it_goes_on)
        self.deleteLater()

    def _poll(self) -> None:
        # Asked first: what was written before the end is read below.
        code = self.run.exit_code()
        lines = self._reports.lines()
        for line in lines:
            try:
                report = from_line(line)
            except (ValueError, TypeError):
                continue  # a line that a library printed
            self.reported.emit(report)
        for line in self._complaints.lines():
            if line.startswith(f"{PROGRAM}: "):
                self.complained.emit(line.removeprefix(f"{PROGRAM}: "))
        if code is not None and not lines:
            self._finish(code)

    def _finish(self, code: int) -> None:
        self.abandon()
        if code < 0 and code != GONE and not self.stop_asked:
            self.complained.emit("The training process crashed; a model that it saved before is kept")
        self.ended.emit(code)
        self.run.remove()


class _Tail:
    """Reader of the lines that have been added to a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._place, self._rest = 0, b""

    def lines(self) -> list[str]:
        """Return the next whole lines, of one part of the file."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._place)
                part = file.read(PART_BYTES)
        except OSError:
            return []
        self._place += len(part)
        *lines, self._rest = (self._rest + part).split(b"\n")
        return [line.decode(errors="replace") for line in lines]


def find_again() -> TrainingProcess | None:
    """Return a follower of the last training that no form shows; None if there is none."""
    followers = {each.run: each for each in QApplication.instance().findChildren(TrainingProcess)}
    for run in runs_to_show():
        follower = followers.get(run)
        if follower is None or follower.in_background:
            if follower is not None:
                follower.abandon()
            found = TrainingProcess(run)
            found.goes_on = True
            return found
    return None
