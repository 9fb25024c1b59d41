"""Process that runs the command `train` for the Train form, and may outlive napari.

It closes the command's standard input when the form asks it to stop, kills it if it does not end in time, removes the
images of layers, and notes the exit code.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from napari_dental_denoise.config import PACKAGE
from napari_dental_denoise.plugin.train.runs import TrainingRun

PROTOCOL = ("--progress", "jsonl", "--stop-with-stdin")
PAUSE_S = 0.1


def supervise(run: TrainingRun, kill_after_s: float, arguments: Sequence[str]) -> None:
    """Run the command with these arguments until its end."""
    command = [sys.executable, "-m", PACKAGE, "train", *arguments, *PROTOCOL]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        with (
            run.reports.open("wb") as reports,
            run.complaints.open("wb") as complaints,
            subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=reports,
                stderr=complaints,
                env=environment,
                creationflags=flags,
            ) as child,
        ):
            code = _wait(child, run, kill_after_s)
    finally:
        shutil.rmtree(run.images, ignore_errors=True)
    run.end.write_text(str(code), encoding="ascii")


def _wait(child: subprocess.Popen[bytes], run: TrainingRun, kill_after_s: float) -> int:
    while child.poll() is None:
        if run.stop.exists():
            if child.stdin is not None:
                child.stdin.close()
            # A report is a sign of life: only the last step and writing the model take long.
            last_sign = max(path.stat().st_mtime for path in (run.stop, run.reports))
            if time.time() - last_sign > kill_after_s:
                child.kill()
        time.sleep(PAUSE_S)
    return child.returncode


if __name__ == "__main__":
    supervise(TrainingRun(Path(sys.argv[1])), float(sys.argv[2]), sys.argv[3:])
