"""Messages of the forms are short, and plots are readable in both themes."""

import pytest
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QWidget

from napari_dental_denoise.plugin.shared.form import CloseWatcher, brief, preference
from napari_dental_denoise.plugin.shared.theme import plot_colors


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("/home/ada/scans/a.png: is empty", "a.png: is empty"),
        ("/home/ada/a.png: holds uint8: expected floats", "a.png: holds uint8: expected floats"),
        ("scans/a.png: is empty", "scans/a.png: is empty"),
        ("Choose two layers", "Choose two layers"),
    ],
)
def test_a_notification_begins_with_the_name_of_the_file(message, expected):
    assert brief(message) == expected


def test_a_form_that_is_closed_twice_ends_once(qtbot):
    widget, ended = QWidget(), []
    qtbot.addWidget(widget)
    CloseWatcher(widget, lambda: ended.append(1))
    widget.show()
    widget.close()
    widget.show()
    widget.close()
    assert ended == [1]


def luminance(color):
    """Relative luminance of WCAG 2.1."""
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in QColor(color).getRgbF()]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_curves_stand_out_from_the_background(theme):
    colors = plot_colors(theme)
    for curve in (*colors.curves, colors.text):
        low, high = sorted((luminance(curve), luminance(colors.background)))
        assert (high + 0.05) / (low + 0.05) >= 3, "WCAG 2.1, 1.4.11: contrast of graphics"


def test_a_preference_that_is_not_there_is_the_default():
    assert preference("denoise", "nothing", 5) == 5
    assert preference("nothing", "strength", 6) == 6
