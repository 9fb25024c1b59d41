"""The forms work without a mouse: accelerators, and an order of the fields from top to bottom."""

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QAbstractButton, QScrollArea, QScrollBar

FORMS = ("Denoise", "Add noise", "Train", "Compare")


def native(form):
    return getattr(form, "native", form)


def accelerators(widget):
    keys = [button.shortcut().toString() for button in widget.findChildren(QAbstractButton)]
    return [key for key in keys if key]


def test_each_accelerator_has_one_meaning(viewer, open_form):
    bar = viewer.window._qt_window.menuBar()
    used = [QKeySequence.mnemonic(action.text()).toString() for action in bar.actions()]
    found = [accelerators(native(open_form(name))) for name in FORMS]
    assert all(len(keys) >= 2 for keys in found)
    used += [key for keys in found for key in set(keys) - {"Alt+C"}]
    # Cancel alone is in several forms, and works in the one that is busy.
    assert len(used) == len(set(used))


@pytest.mark.parametrize("name", FORMS)
def test_tab_goes_from_top_to_bottom(viewer, open_form, qtbot, radiographs, name):
    viewer.add_image(radiographs[0], name="scan")
    form = native(open_form(name))
    qtbot.waitUntil(form.isVisible)
    inner = form.findChild(QScrollArea).widget()
    order, field = [], inner.nextInFocusChain()
    while field is not inner:
        takes_tab = field.focusPolicy() & Qt.FocusPolicy.TabFocus and field.isVisible() and field.isEnabled()
        if inner.isAncestorOf(field) and takes_tab and not isinstance(field, QScrollBar):
            place = field.mapTo(inner, QPoint(field.width() // 2, field.height() // 2))
            order.append((place.y() // 12, place.x()))
        field = field.nextInFocusChain()
    assert len(order) > 3
    assert order == sorted(order)
