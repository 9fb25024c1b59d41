"""Classical method in a process of its own, which Cancel can end within an image."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO
from threading import Event
from typing import BinaryIO

import numpy as np

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.evaluation import BASELINES
from napari_dental_denoise.pixels import Unit


class InterruptibleMethod:
    """A method of `BASELINES` that `stop` ends; it then raises InputError until `allow` is called."""

    def __init__(self, name: str) -> None:
        self._name, self._stopped = name, Event()
        self._child: subprocess.Popen[bytes] | None = None

    def __call__(self, noisy: Unit, sigma: float) -> Unit:
        """Return the denoised image."""
        command = [sys.executable, "-m", __name__, self._name, str(sigma)]
        flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
        with (
            BytesIO() as given,
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, creationflags=flags
            ) as child,
        ):
            self._child = child
            # Before it was known.
            if self._stopped.is_set():
                child.kill()
            np.save(given, noisy)
            denoised, complaint = child.communicate(given.getvalue())
        self._child = None
        if child.returncode:
            lines = complaint.decode(errors="replace").splitlines() or ["it was stopped"]
            raise InputError(f"{self._name} failed: {lines[-1]}")
        image: Unit = np.load(BytesIO(denoised))
        return image

    def allow(self) -> None:
        """Let the method run again."""
        self._stopped.clear()

    def stop(self) -> None:
        """End the method within an image."""
        self._stopped.set()
        if self._child is not None:
            self._child.kill()


def denoise(name: str, sigma: float, given: BinaryIO, denoised: BinaryIO) -> None:
    """Denoise the image of one stream into another one."""
    np.save(denoised, BASELINES[name](np.load(BytesIO(given.read())), sigma))


if __name__ == "__main__":
    denoise(sys.argv[1], float(sys.argv[2]), sys.stdin.buffer, sys.stdout.buffer)
