"""Questions to the user, which are asked only where a window is visible."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qtpy.QtWidgets import QMainWindow

# napari renders layers one by one: hundreds of them make the window slow.
MAX_LAYERS = 50


def shown_window() -> QMainWindow | None:
    """Return a visible main window, or None in a script or a thread."""
    from qtpy.QtWidgets import QApplication, QMainWindow

    if QApplication.instance() is None or threading.current_thread() is not threading.main_thread():
        return None
    return next((w for w in QApplication.topLevelWidgets() if isinstance(w, QMainWindow) and w.isVisible()), None)


def confirm(title: str, question: str) -> bool:
    """Return whether the user says yes; without a window, False."""
    from qtpy.QtWidgets import QMessageBox

    window = shown_window()
    return window is not None and QMessageBox.question(window, title, question) == QMessageBox.StandardButton.Yes


def layers_to_open(name: str, total: int) -> int:
    """Return how many of so many layers to open: of many, as many as the user says or, without a window, the first."""
    if total <= MAX_LAYERS:
        return total
    window = shown_window()
    return MAX_LAYERS if window is None else ask_number(window, name, total)


def ask_number(window: QMainWindow, name: str, total: int) -> int:
    """Ask how many of the layers of a folder to open: all, the first, or 0 for none."""
    from qtpy.QtWidgets import QMessageBox

    box = QMessageBox(window)
    box.setWindowTitle("Open")
    box.setText(f"{name} would open as {total} layers, which makes napari slow.")
    first = box.addButton(f"Open the first {MAX_LAYERS}", QMessageBox.ButtonRole.AcceptRole)
    every = box.addButton(f"Open all {total}", QMessageBox.ButtonRole.AcceptRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(first)
    box.exec()
    if box.clickedButton() is every:
        return total
    return MAX_LAYERS if box.clickedButton() is first else 0
