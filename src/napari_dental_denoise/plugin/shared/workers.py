"""Background threads for long work, with progress, cancelling and errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, TypeVar

from napari_dental_denoise.progress import Progress

if TYPE_CHECKING:
    from napari.qt.threading import GeneratorWorker

Result = TypeVar("Result")


class WorkError(Exception):
    """Error in a thread. It replaces the original one, because a RuntimeError of a generator would be lost."""


def start_worker(
    steps: Callable[[], Generator[Progress, None, Result]],
    *,
    returned: Callable[[Result], Any],
    failed: Callable[[Exception], Any],
    progressed: Callable[[Progress], Any] = lambda _: None,
    finished: Callable[[], Any] = lambda: None,
) -> GeneratorWorker:
    """Run a generator in a thread, in which `steps` makes it.

    The other callables get the result, an error, each report, and the end in any case, all in the main thread. After
    `quit()` there is no result.
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
    """Stop a worker without any further callback, as its form is being deleted."""
    for signal in (worker.yielded, worker.returned, worker.errored, worker.finished):
        signal.disconnect()
    worker.quit()


class Eta:
    """Estimate of the remaining time from the time since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def line(self, progress: Progress, unit: str) -> str:
        """Return the progress and, once it can be told, the remaining time as text; `unit` is a plural noun."""
        done = f"{progress.done} of {progress.total} {unit}"
        if not progress.done:
            return done
        left = (time.monotonic() - self._started) * (progress.total - progress.done) / progress.done
        text = f"{left:.0f} s" if left < 100 else f"{left / 60:.0f} min"
        return f"{done}, {text} to go"
