"""The wheel over a form scrolls it, "2,5" is 2.5, and a number is taken as it is typed or not at all."""

import pytest
from qtpy.QtCore import QLocale, QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import (
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDoubleSpinBox,
    QScrollBar,
    QVBoxLayout,
    QWidget,
)

from napari_dental_denoise.plugin.shared.form import make_scrollable


def wheel(widget):
    """Turn the wheel by one step over a widget, as the window system sends it."""
    middle = QPointF(widget.rect().center())
    event = QWheelEvent(
        middle,
        QPointF(widget.mapToGlobal(widget.rect().center())),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def fields(form):
    found = [
        field
        for kind in (QAbstractSpinBox, QComboBox, QAbstractSlider)
        for field in getattr(form, "native", form).findChildren(kind)
    ]
    return [field for field in found if not isinstance(field, QScrollBar) and field.isVisible() and field.isEnabled()]


def state(field):
    return field.currentIndex() if isinstance(field, QComboBox) else field.value()


@pytest.mark.parametrize("name", ["Denoise", "Add noise", "Train", "Compare"])
def test_the_wheel_over_a_field_without_focus_changes_nothing(viewer, open_form, radiographs, name):
    viewer.add_image(radiographs[0])
    form = open_form(name)
    viewer.window._qt_viewer.setFocus()
    before = [state(field) for field in fields(form)]
    for field in fields(form):
        wheel(field)
    assert [state(field) for field in fields(form)] == before


def test_only_a_field_with_focus_follows_the_wheel(qtbot):
    spins = [QDoubleSpinBox() for _ in range(30)]
    form = QWidget()
    layout = QVBoxLayout(form)
    for spin in spins:
        spin.setValue(4)
        layout.addWidget(spin)
    make_scrollable(form)
    qtbot.addWidget(form)
    form.resize(200, 200)
    with qtbot.waitExposed(form):
        form.show()
    form.activateWindow()
    spins[1].setFocus()
    qtbot.waitUntil(spins[1].hasFocus)
    wheel(spins[0])
    assert spins[0].value() == 4
    wheel(spins[1])
    assert spins[1].value() == 3


@pytest.fixture(params=["en_US", "de_DE"])
def locale(request, viewer):
    """The language of the window; some write a decimal comma."""
    window = viewer.window._qt_window
    window.setLocale(QLocale(request.param))
    yield
    window.unsetLocale()


def type_into(qtbot, spin, text):
    """Replace the text of a field, and leave it."""
    spin.setFocus()
    spin.selectAll()
    qtbot.keyClicks(spin, text)
    qtbot.keyClick(spin, Qt.Key.Key_Return)


@pytest.mark.parametrize("typed", [True, False])
def test_a_decimal_comma_is_a_point(locale, open_form, qtbot, typed):
    spin = open_form("Denoise").radius.native
    if typed:
        type_into(qtbot, spin, "2,5")
    else:
        spin.selectAll()
        QApplication.clipboard().setText("2,5")
        spin.lineEdit().paste()
        qtbot.keyClick(spin, Qt.Key.Key_Return)
    assert spin.value() == 2.5
    type_into(qtbot, spin, "3.5")
    assert spin.value() == 3.5


def test_a_number_beyond_the_limits_changes_nothing(open_form, qtbot):
    form = open_form("Denoise")
    (spin,) = form.strength.native.findChildren(QDoubleSpinBox)
    type_into(qtbot, spin, "2.5")
    assert form.strength.value == 1
    assert spin.value() == 1
    type_into(qtbot, spin, "0,5")
    assert form.strength.value == 0.5


def test_a_whole_number_ends_before_a_point(open_form, qtbot):
    spin = open_form("Train").fields.config_fields["batch_size"].native
    for text in ("2,5", "2.5"):
        type_into(qtbot, spin, "7")
        type_into(qtbot, spin, text)
        assert spin.value() == 2
        assert spin.lineEdit().text() == "2"
    type_into(qtbot, spin, "25")
    assert spin.value() == 25


def test_a_whole_number_is_taken_when_it_is_complete(open_form, qtbot):
    field = open_form("Train").fields.config_fields["patch_size"]
    before = field.value
    type_into(qtbot, field.native, "12")
    assert field.native.lineEdit().text() == str(before)
    assert field.value == before
    field.native.selectAll()
    qtbot.keyClicks(field.native, "128")
    assert field.value == 128
    qtbot.keyClicks(field.native, "0,")
    qtbot.keyClick(field.native, Qt.Key.Key_Up)
    assert field.value == 128 + field.native.singleStep()
