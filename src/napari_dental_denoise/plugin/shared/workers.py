"""Long work beside the window: a thread that reports, stops and swallows nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, TypeVar

from napari_dental_denoise.inference import Progress

if TYPE_CHECKING:
    from napari.qt.threading import GeneratorWorker

Result = TypeVar("Result")


class WorkError(Exception):
    """What went wrong in a thread. A generator's own RuntimeError would be lost on its way."""


def start_worker(
    steps: Callable[[], Generator[Progress, None, Result]],
    *,
    progressed: Callable[[Progress], Any],
    returned: Callable[[Result], Any],
    failed: Callable[[Exception], Any],
    finished: Callable[[], Any],
) -> GeneratorWorker:
    """Run a generator in a thread; every callback comes in the window's own thread.

    Parameters
    ----------
    steps : callable
        Makes the generator, in the thread.
    progressed, returned, failed, finished : callables
        For each report, the result, an error, and the end in any case. After `quit()` there is no
        result.
    """
    from napari.qt.threading import GeneratorWorker

    def guarded() -> Generator[Progress, None, Result]:
        try:
            return (yield from steps())
        except GeneratorExit:
            raise
        except Exception as error:
            raise WorkError(str(error)) from error

    worker = GeneratorWorker(guarded)
    worker.yielded.connect(progressed)
    worker.returned.connect(returned)
    worker.errored.connect(failed)
    worker.finished.connect(finished)
    worker.start()
    return worker


def abandon(worker: GeneratorWorker) -> None:
    """Stop a worker whose form is gone: it must call nobody any more."""
    for signal in (worker.yielded, worker.returned, worker.errored, worker.finished):
        signal.disconnect()
    worker.quit()


class Eta:
    """Guesses the time that is left from the time that is gone."""

    def __init__(self) -> None:
        self.started = time.monotonic()

    def seconds(self, done: int, total: int) -> float:
        """Seconds to go."""
        return (time.monotonic() - self.started) * (total - done) / max(done, 1)

    def text(self, done: int, total: int) -> str:
        """The same in words."""
        left = self.seconds(done, total)
        return f"{left:.0f} s to go" if left < 100 else f"{left / 60:.0f} min to go"

    def line(self, progress: Progress, unit: str) -> str:
        """How far the work is, and how long it will take."""
        return f"{progress.done} of {progress.total} {unit}, {self.text(progress.done, progress.total)}"
