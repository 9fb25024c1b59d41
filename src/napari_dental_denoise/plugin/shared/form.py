"""What the forms share: their width, their labels that wrap, and how they say what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from magicgui.widgets import Container, Label, Widget
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

# A dock shrinks to 150 pixels otherwise; wider ones leave little of a 1280 pixel window to the image.
MINIMUM_WIDTH = 340
PROBLEM = "color: #e5534b;"


def finish_form(form: Container, closed: Callable[[], None]) -> None:
    """Give a form its width, and call `closed` once when its dock or the window closes."""
    form.native.setMinimumWidth(MINIMUM_WIDTH)
    form.native.layout().setAlignment(Qt.AlignmentFlag.AlignTop)
    make_scrollable(form.native)
    watcher = _CloseWatcher(form.native, closed)
    form.native.destroyed.connect(lambda *_: watcher.close())


def make_scrollable(widget: QWidget) -> None:
    """Let a form be lower than its fields: two of them would make the window higher than the screen otherwise.

    Parameters
    ----------
    widget : QWidget
        With its layout.
    """
    inner = QWidget()
    inner.setLayout(widget.layout())
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setWidget(inner)
    outer = QVBoxLayout(widget)
    outer.setContentsMargins(0, 0, 0, 0)
    outer.addWidget(area)


class _CloseWatcher(QObject):
    """A dock that is closed lets go of its form, and sends it no other event than that."""

    # Of the class too: Qt sends events to objects whose attributes Python has already collected.
    _closed: Callable[[], None] | None = None

    def __init__(self, widget: QWidget, closed: Callable[[], None]) -> None:
        super().__init__(widget)
        self._closed = closed
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802 (Qt's name)
        """Look at each event of the form, and keep none."""
        if watched is not None and event is not None and _closes(watched, event):
            self.close()
        return False

    def close(self) -> None:
        """Call what is to be called, once."""
        closed, self._closed = self._closed, None
        if closed is not None:
            closed()


def _closes(widget: QObject, event: QEvent) -> bool:
    let_go = event.type() == QEvent.Type.ParentChange and widget.parent() is None
    return let_go or event.type() == QEvent.Type.Close


def row(*widgets: Widget, label: str = "") -> Container:
    """Fields side by side, no wider than they must be."""
    line = Container(widgets=widgets, layout="horizontal", labels=False, label=label)
    line.native.layout().setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        policy = widget.native.sizePolicy()
        policy.setHorizontalPolicy(QSizePolicy.Policy.Ignored)
        widget.native.setSizePolicy(policy)
    return line


def text_label(tooltip: str = "") -> Label:
    """A line of text that wraps and can be copied."""
    label = Label(value="", label="", tooltip=tooltip)
    native: QLabel = label.native
    native.setWordWrap(True)
    native.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    return label


def say(label: Label, text: str, *, problem: bool = False) -> None:
    """Show a line; a problem in a colour that is seen in light and dark themes."""
    label.native.setStyleSheet(PROBLEM if problem else "")
    label.value = text


def complain(label: Label, error: Exception) -> None:
    """Show an error beside the buttons and as a notification, the message first."""
    from napari.utils.notifications import show_error

    say(label, str(error), problem=True)
    show_error(brief(str(error)))


def brief(text: str) -> str:
    """A message without the folder of the file that it begins with: a notification shows its first 45 characters."""
    head, colon, rest = text.partition(": ")
    return Path(head).name + colon + rest if colon and Path(head).is_absolute() else text
