"""The wheel over a form scrolls it, "2,5" is 2.5, and a number is taken as it is typed or not at all."""

import pytest
from qtpy.QtCore import QLocale, QPoint, QPointF, Qt, QTimer
from qtpy.QtGui import QContextMenuEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDoubleSpinBox,
    QScrollBar,
    QStyle,
    QStyleOptionSpinBox,
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


@pytest.fixture
def patch_size(open_form, qtbot):
    """The field of a whole number in [16, 512], whose 64 is selected."""
    spin = open_form("Train").fields.config_fields["patch_size"].native
    spin.setValue(64)
    spin.activateWindow()
    spin.setFocus()
    qtbot.waitUntil(spin.hasFocus)
    spin.selectAll()
    return spin


def test_a_whole_number_is_edited_as_any_text(patch_size, qtbot):
    text = patch_size.lineEdit().text
    qtbot.keyClicks(patch_size, "13")
    qtbot.keyClick(patch_size, Qt.Key.Key_Backspace)
    # Some keyboards write digits with Shift.
    qtbot.keyClick(patch_size, Qt.Key.Key_Shift)
    assert text() == "1"
    qtbot.keyClicks(patch_size, "28")
    assert patch_size.value() == 128
    qtbot.keyClick(patch_size, Qt.Key.Key_Home)
    qtbot.keyClick(patch_size, Qt.Key.Key_Delete)
    assert patch_size.value() == 28
    for key in (Qt.Key.Key_End, Qt.Key.Key_Left, Qt.Key.Key_Left):
        qtbot.keyClick(patch_size, key)
    qtbot.keyClicks(patch_size, "3")
    assert patch_size.value() == 328
    for key in (Qt.Key.Key_A, Qt.Key.Key_C):
        # The modifier is a key of its own.
        qtbot.keyClick(patch_size, Qt.Key.Key_Control)
        qtbot.keyClick(patch_size, key, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text() == "328"
    qtbot.keyClick(patch_size, Qt.Key.Key_Backspace)
    assert text() == ""
    qtbot.keyClick(patch_size, Qt.Key.Key_Return)
    assert text() == "328"


def key_end(name):
    return lambda spin: QTest.keyClick(spin, getattr(Qt.Key, f"Key_{name}"))


def press_arrow(spin):
    """Press the upper arrow of a field."""
    option = QStyleOptionSpinBox()
    spin.initStyleOption(option)
    box, arrow = QStyle.ComplexControl.CC_SpinBox, QStyle.SubControl.SC_SpinBoxUp
    QTest.mouseClick(
        spin, Qt.MouseButton.LeftButton, pos=spin.style().subControlRect(box, option, arrow, spin).center()
    )


def open_menu(spin):
    """Open the context menu of a field, which takes its focus, and close it."""
    QTimer.singleShot(0, lambda: QApplication.activePopupWidget().close())
    middle = spin.rect().center()
    QApplication.sendEvent(spin, QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, middle, spin.mapToGlobal(middle)))


def test_an_unfinished_number_is_refused_however_typing_ends(patch_size, qtbot):
    keys = {"Return": 0, "Enter": 0, "Tab": 0, "Up": 1, "Down": -1, "PageUp": 10, "PageDown": -10}
    ends = {name: (key_end(name), steps) for name, steps in keys.items()} | {
        "wheel": (wheel, -1),
        "arrow": (press_arrow, 1),
        "menu": (open_menu, 0),
        "focus": (QWidget.clearFocus, 0),
    }
    patch_size.setSingleStep(1)
    for name, (end, steps) in ends.items():
        for text, taken in (("1", 64), ("40,", 40), ("40,5", 40)):
            patch_size.setValue(64)
            patch_size.setFocus()
            patch_size.selectAll()
            qtbot.keyClicks(patch_size, text)
            end(patch_size)
            assert patch_size.value() == taken + steps, (name, text)
            assert patch_size.lineEdit().text() == str(taken + steps), (name, text)
