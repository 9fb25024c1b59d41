"""The end of a Train form while its training runs: the question, and the training that goes on without the form."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QMainWindow, QMessageBox, QWidget

from napari_dental_denoise.plugin.models import remember_model
from napari_dental_denoise.plugin.train.offer import offer_model
from napari_dental_denoise.plugin.train.process import LEFT_OUT, TrainingProcess

if TYPE_CHECKING:
    from napari.viewer import Viewer


class Closing(Enum):
    """Answer to the question of what becomes of a running training."""

    STOP = "Stop and keep the best model"
    BACKGROUND = "Go on in the background"
    CANCEL = "Cancel"


def ask_how_to_close(form: QWidget, model: str) -> Closing:
    """Ask what becomes of the training that a form runs."""
    box = QMessageBox(form.window())
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Train")
    box.setText(f"The training of {model} is running.")
    box.setInformativeText("In the background it goes on, even when napari is closed; the Train form shows it again.")
    roles = QMessageBox.ButtonRole.AcceptRole, QMessageBox.ButtonRole.AcceptRole, QMessageBox.ButtonRole.RejectRole
    buttons = [(box.addButton(answer.value, role), answer) for answer, role in zip(Closing, roles, strict=True)]
    box.setEscapeButton(buttons[-1][0])
    box.exec()
    # A box that the window manager closes has no clicked button.
    return next((answer for button, answer in buttons if button == box.clickedButton()), Closing.CANCEL)


def guard_closing(form: QWidget, may_close: Callable[[], bool]) -> None:
    """Call `may_close` before a user closes the dock of a form or the window.

    napari's close button calls this method of its dock and has no way to refuse; without it, the form closes unasked.
    """
    dock: Any = form.parent()
    close = getattr(dock, "destroyOnClose", None)
    if close is None or "destroyOnClose" in vars(dock):
        return
    dock.destroyOnClose = lambda: close() if may_close() else None
    _WindowGuard(form, dock.parent(), may_close)


class _WindowGuard(QObject):
    """Event filter that calls `may_close` before a user closes the window, for as long as a form lives."""

    # A class attribute too, as Qt sends events to objects whose attributes Python has already collected.
    _may_close: Callable[[], bool] | None = None

    def __init__(self, form: QWidget, window: QMainWindow, may_close: Callable[[], bool]) -> None:
        super().__init__(form)
        self._may_close = may_close
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802 (Qt's name)
        """Refuse a close event if the user cancels it."""
        if event is None or event.type() != QEvent.Type.Close or self._may_close is None:
            return False
        if not isinstance(watched, QMainWindow) or not _shows_canvas(watched) or self._may_close():
            return False
        event.ignore()
        return True


def _shows_canvas(window: QMainWindow) -> bool:
    """Return whether a user closes the window: a program that closes the viewer has closed its canvas before."""
    center = window.centralWidget()
    return center is not None and any(child.isVisible() for child in center.findChildren(QWidget))


def go_on_in_background(process: TrainingProcess, viewer: Viewer, model: Path) -> None:
    """Tell of the end of a training that no form shows any more, and offer its model, also in a later session."""
    process.in_background = True
    # The file may be written later.
    remember_model(model)
    complaints: list[str] = []
    process.complained.connect(complaints.append)
    process.ended.connect(lambda _code: _tell_end(viewer, model, complaints, stopped=process.stop_asked))


def _tell_end(viewer: Viewer, model: Path, complaints: list[str], *, stopped: bool) -> None:
    from napari.utils.notifications import show_info, show_warning

    offered = offer_model(viewer, model)
    failures = [complaint for complaint in complaints if not complaint.startswith(LEFT_OUT)]
    if failures or not offered:
        show_warning(f"{model.name}: {failures[-1] if failures else 'no model was written'}")
    else:
        end = "was stopped, its best state is saved" if stopped else "is trained"
        show_info(f"{model.name} {end}: choose it in Denoise")
