"""Parts that the forms share: size, scrolling, closing, rows, labels, connections, timers and preferences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from magicgui.widgets import Container, Label, Widget
from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from napari_dental_denoise.config import PROGRAM
from napari_dental_denoise.plugin.shared.elision import elide_choices, elide_words
from napari_dental_denoise.plugin.shared.input_guard import guard_input

# A dock shrinks to 150 pixels otherwise; a wider one leaves too little of a 1280 pixel window to the image.
MINIMUM_WIDTH = 356
# The labels of the Train form, right of the names of its fields, are this narrow at least.
MAX_WORD_WIDTH = 190
# Beside the text of a label, in pixels.
LABEL_MARGIN = 8
# Readable in light and dark themes.
ERROR_STYLE = "color: #e5534b;"


def finish_form(form: Container, closed: Callable[[], None]) -> None:
    """Set the size of a magicgui form, and call `closed` once when its dock or the window closes."""
    form.native.setMinimumWidth(MINIMUM_WIDTH)
    form.native.layout().setAlignment(Qt.AlignmentFlag.AlignTop)
    # Rows of buttons and texts, which have no name, may use the whole width.
    for label in _labels(form.native):
        label.setVisible(bool(label.text()))
    make_scrollable(form.native)

    def end() -> None:
        closed()
        # napari goes on to tell a closed form of new layers.
        for field in _fields(form):
            field.changed.block()

    watcher = CloseWatcher(form.native, end)
    # No function of its own: garbage collection frees that before the form, whose end then crashes.
    form.native.destroyed.connect(watcher.close)


def _fields(form: Container) -> Iterator[Widget]:
    for field in form:
        yield field
        if isinstance(field, Container):
            yield from _fields(field)


def align_labels(form: QWidget) -> None:
    """Give the labels of a form the width of the longest one in the font of the window, which magicgui cannot know."""
    labels = _labels(form)
    for label in labels:
        label.setFixedWidth(max(each.fontMetrics().horizontalAdvance(each.text()) for each in labels) + LABEL_MARGIN)


def _labels(form: QWidget) -> list[QLabel]:
    """Return the labels of the fields of a form: the first of the two parts of a row."""
    rows = [each.layout() for each in form.findChildren(QWidget) if isinstance(each.layout(), QHBoxLayout)]
    first = [layout.itemAt(0).widget() for layout in rows if layout.count() == 2]
    return [each for each in first if isinstance(each, QLabel) and not each.wordWrap()]


def make_scrollable(widget: QWidget) -> None:
    """Move the layout of a form into a scroll area, so that several forms fit a screen, and guard its fields.

    See `guard_input` and `elide_choices`.
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
    guard_input(inner)
    elide_choices(inner)


class CloseWatcher(QObject):
    """Event filter that calls `closed` once when a form closes or napari takes it out of its closed dock."""

    # A class attribute too, as Qt sends events to objects whose attributes Python has already collected.
    _closed: Callable[[], None] | None = None

    def __init__(self, widget: QWidget, closed: Callable[[], None]) -> None:
        super().__init__(widget)
        self._closed = closed
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802 (Qt's name)
        """Observe the events of the form without consuming any."""
        if watched is not None and event is not None:
            removed = event.type() == QEvent.Type.ParentChange and watched.parent() is None
            if removed or event.type() == QEvent.Type.Close:
                self.close()
        return False

    def close(self) -> None:
        """Call the function once."""
        closed, self._closed = self._closed, None
        if closed is not None:
            closed()


class Connections(ExitStack):
    """Connections to napari's event emitters; `close` disconnects all of them."""

    def add(self, emitter: Any, method: Callable[..., Any]) -> None:
        """Call a function at each event of an emitter; napari keeps only a weak reference to a bound method."""
        emitter.connect(method)
        self.callback(emitter.disconnect, method)


def delayed(parent: QObject, delay_ms: int, action: Callable[[], object]) -> QTimer:
    """Return a timer that calls `action` once, `delay_ms` after its last start."""
    timer = QTimer(parent, singleShot=True, interval=delay_ms)
    timer.timeout.connect(action)
    return timer


def row(*widgets: Widget, label: str = "") -> Container:
    """Return fields in a row that is no wider than the form."""
    line = Container(widgets=widgets, layout="horizontal", labels=False, label=label)
    line.native.layout().setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        policy = widget.native.sizePolicy()
        policy.setHorizontalPolicy(QSizePolicy.Policy.Ignored)
        widget.native.setSizePolicy(policy)
    return line


def text_label(tooltip: str = "") -> Label:
    """Return a label whose text wraps and can be selected."""
    label = Label(value="", label="", tooltip=tooltip)
    native: QLabel = label.native
    native.setWhatsThis(tooltip)
    native.setWordWrap(True)
    native.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    return label


def show_text(label: Label, text: str, *, problem: bool = False) -> None:
    """Show a text in a label, a problem in the colour of errors; long names are elided, and whole in the tooltip."""
    native: QLabel = label.native
    native.setStyleSheet(ERROR_STYLE if problem else "")
    label.value = elide_words(text, native, MAX_WORD_WIDTH)
    native.setToolTip(native.whatsThis() if label.value == text else text)


def report_error(label: Label, error: Exception) -> None:
    """Show an error in a label and as a notification."""
    from napari.utils.notifications import show_error

    show_problem(label, error)
    show_error(brief(sentence(error)))


def show_problem(label: Label, error: Exception) -> None:
    """Show an error in a label."""
    show_text(label, sentence(error), problem=True)


def forget_problem(label: Label) -> None:
    """Clear a label that shows a problem."""
    if label.native.styleSheet():
        show_text(label, "")


def sentence(error: Exception) -> str:
    """Return the message of an error with a capital letter, unless it starts with the name of a file or parameter."""
    text = str(error)
    return f"T{text[1:]}" if text.startswith("the ") else text


def brief(text: str) -> str:
    """Return a message without the folder of the file that it starts with: a notification shows 45 characters."""
    head, colon, rest = text.partition(": ")
    return Path(head).name + colon + rest if colon and Path(head).is_absolute() else text


def preference(section: str, name: str, default: Any) -> Any:
    """Return a value of the plugin's page in Preferences; the default if napari has not discovered the plugin."""
    from napari.settings import get_plugin_settings

    try:
        settings = get_plugin_settings(PROGRAM)
    except (KeyError, ValueError):
        return default
    return getattr(getattr(settings, section, None), name, default)


def set_preference(section: str, name: str, value: Any) -> None:
    """Change a value of the plugin's page in Preferences, which napari keeps."""
    from napari.settings import get_plugin_settings

    setattr(getattr(get_plugin_settings(PROGRAM), section), name, value)
