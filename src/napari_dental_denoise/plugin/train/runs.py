"""Folders of trainings, one each: what a training tells and is told, for any form, also of a later session."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from platformdirs import user_state_path

from napari_dental_denoise.config import PROGRAM

# In place of the exit code: the supervisor died, or another window has told the end and removed the folder.
CRASHED, GONE = -1000, -1001
# A folder in which nothing happens for so long, and which has no process, never gets one.
ABANDONED_S = 600


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """Files of a training in its folder."""

    folder: Path

    @property
    def request(self) -> Path:
        """The settings of the Train form."""
        return self.folder / "request.json"

    @property
    def reports(self) -> Path:
        """Standard output of the command `train`: JSON lines."""
        return self.folder / "reports.jsonl"

    @property
    def complaints(self) -> Path:
        """Standard error of the command `train`."""
        return self.folder / "complaints.txt"

    @property
    def preview(self) -> Path:
        """The images of the preview."""
        return self.folder / "preview.npy"

    @property
    def images(self) -> Path:
        """The folder of the images of layers, which is removed at the end."""
        return self.folder / "images"

    @property
    def process(self) -> Path:
        """The number of the process that supervises the training."""
        return self.folder / "process"

    @property
    def stop(self) -> Path:
        """A file that asks the training to stop."""
        return self.folder / "stop"

    @property
    def end(self) -> Path:
        """The exit code."""
        return self.folder / "exit"

    def exit_code(self) -> int | None:
        """Return the exit code; None while the training runs."""
        code = self._noted_code()
        if code is None and not self._is_alive():
            # The end may have been noted meanwhile.
            code = self._noted_code()
            return CRASHED if code is None else code
        return code

    def _noted_code(self) -> int | None:
        if not self.folder.is_dir():
            return GONE
        try:
            return int(self.end.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def _is_alive(self) -> bool:
        """Return whether the supervisor runs; the number may be that of another process by now."""
        try:
            process = psutil.Process(int(self.process.read_text(encoding="ascii")))
            return process.status() != psutil.STATUS_ZOMBIE and str(self.folder) in process.cmdline()
        except (OSError, ValueError, psutil.Error):
            return False

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def new_run() -> TrainingRun:
    """Make the folder of a training, which only its owner can read."""
    parent = _parent()
    parent.mkdir(parents=True, exist_ok=True)
    return TrainingRun(Path(tempfile.mkdtemp(dir=parent)))


def runs_to_show() -> Iterator[TrainingRun]:
    """Yield the trainings that run or whose end nobody has been told, the last one first; remove what is left over."""
    folders = [path for path in _parent().glob("*") if path.is_dir()]
    for folder in sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True):
        run = TrainingRun(folder)
        if not run.process.is_file():
            if time.time() - max(path.stat().st_mtime for path in (folder, *folder.iterdir())) > ABANDONED_S:
                run.remove()
        elif not run.stop.exists():
            yield run
        elif run.exit_code() is not None:
            run.remove()


def _parent() -> Path:
    return user_state_path(PROGRAM) / "trainings"
