"""The task of a form: it runs in a thread, with progress, Cancel and disabled buttons."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from magicgui.widgets import Label, ProgressBar, PushButton

from napari_dental_denoise.plugin.shared.form import report_error, show_text
from napari_dental_denoise.plugin.shared.workers import Eta, abandon, start_worker
from napari_dental_denoise.progress import Progress

if TYPE_CHECKING:
    from napari.qt.threading import GeneratorWorker

Result = TypeVar("Result")


def _nothing() -> None:
    """Do nothing."""


class FormWork:
    """Runner of one task at a time, with progress bar, Cancel button and status; disables the buttons that start it."""

    def __init__(self, starters: Sequence[PushButton], status: Label) -> None:
        self.cancel = PushButton(text="&Cancel", enabled=False, tooltip="Stop within a tile or an image")
        self.progress = ProgressBar(value=0, min=0, max=1, visible=False)
        self._can_start, self._status = dict.fromkeys(starters, True), status
        self._worker: GeneratorWorker | None = None
        self._if_cancelled = ""
        self._interrupt: Callable[[], object] = _nothing
        self.cancel.clicked.connect(self.stop)

    def allow(self, button: PushButton, *, allowed: bool = True) -> None:
        """Enable a button that starts a task while none runs, or disable it until it is allowed again."""
        self._can_start[button] = allowed
        button.enabled = allowed and self._worker is None

    def begin(
        self,
        steps: Callable[[], Generator[Progress, None, Result]],
        returned: Callable[[Result], Any],
        *,
        text: str,
        unit: str,
        if_cancelled: str = "Cancelled; no image was changed",
        interrupt: Callable[[], object] = _nothing,
    ) -> None:
        """Start a task in a thread, where `steps` makes the generator; `returned` gets the result, in the main thread.

        The status is `text` until the first report, and `if_cancelled` after Cancel; `unit` is what the reports count,
        in the plural. `interrupt` ends a step that takes long.
        """
        self._if_cancelled, self._interrupt = if_cancelled, interrupt
        self._set_busy(busy=True)
        self.progress.value = 0
        show_text(self._status, text)
        eta = Eta()
        self._worker = start_worker(
            steps,
            progressed=lambda progress: self._show_progress(progress, eta.line(progress, unit)),
            returned=returned,
            failed=self._fail,
            finished=self._finish,
        )

    def stop(self) -> None:
        """Stop at the next report, without a result."""
        if self._worker is not None:
            self.cancel.enabled = False
            show_text(self._status, "Cancelling ...")
            self._worker.quit()
            self._interrupt()

    def close(self) -> None:
        """Stop without any further callback, as the form is being deleted."""
        if self._worker is not None:
            abandon(self._worker)
            self._interrupt()

    def _fail(self, error: Exception) -> None:
        # A step that was interrupted has no result.
        if self._worker is None or not self._worker.abort_requested:
            report_error(self._status, error)

    def _set_busy(self, *, busy: bool) -> None:
        for button, allowed in self._can_start.items():
            button.enabled = allowed and not busy
        self.cancel.enabled = self.progress.visible = busy

    def _show_progress(self, progress: Progress, line: str) -> None:
        self.progress.max, self.progress.value = progress.total, progress.done
        if self.cancel.enabled:
            show_text(self._status, line)

    def _finish(self) -> None:
        stopped = self._worker is not None and self._worker.abort_requested
        self._worker = None
        self._set_busy(busy=False)
        if stopped:
            show_text(self._status, self._if_cancelled)
