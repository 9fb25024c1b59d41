"""What the forms share: their width, their labels that wrap, and how they say what is wrong."""

from __future__ import annotations

from magicgui.widgets import Container, Label
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QSizePolicy

# A dock shrinks to 150 pixels otherwise; wider ones leave little of a 1280 pixel window to the image.
MINIMUM_WIDTH = 300
PROBLEM = "color: #e5534b;"


def finish_form(form: Container) -> None:
    """Give a form its width and let nothing in it be cut off."""
    form.native.setMinimumWidth(MINIMUM_WIDTH)
    form.native.layout().setAlignment(Qt.AlignmentFlag.AlignTop)
    for label in form.native.findChildren(QLabel):
        label.setToolTip(label.toolTip() or "")


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
    show_error(str(error))
