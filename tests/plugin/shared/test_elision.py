"""Names as long as DICOM UIDs fit the forms: both ends are shown, and the whole name as tooltip."""

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPoint
from qtpy.QtGui import QHelpEvent
from qtpy.QtWidgets import QApplication, QComboBox, QLabel, QScrollArea, QToolTip, QWidget

from napari_dental_denoise.plugin.shared.elision import shown_choice
from napari_dental_denoise.plugin.shared.form import show_text, text_label

FORMS = ("Denoise", "Add noise", "Train", "Compare")
UID = "1.2.826.0.1.3680043.8.498.4578784190547891983245127012458678431"


def combos_of(form, text):
    native = getattr(form, "native", form)
    return [combo for combo in native.findChildren(QComboBox) if combo.currentText() == text]


def cut_off(form):
    """Return the widgets of a form that reach beyond its visible part, or have less room than they need."""
    area = getattr(form, "native", form).findChild(QScrollArea)
    parts = [part for part in area.widget().findChildren(QWidget) if part.isVisible()]
    width = area.viewport().width()
    return [
        part for part in parts if part.mapTo(area.widget(), QPoint()).x() + part.width() > width or part.width() <= 0
    ]


@pytest.mark.parametrize("names", [("a", "b"), (f"{UID[:35]}8", f"{UID[:35]}9"), (f"{UID}8", f"{UID}9")])
def test_nothing_is_cut_off(viewer, open_form, qtbot, radiographs, names):
    viewer.window._qt_window.resize(1280, 800)
    for name in names:
        viewer.add_image(radiographs[0], name=name)
    forms = [open_form(name) for name in FORMS]
    # Docks on top of each other have scroll bars.
    for form in forms:
        qtbot.waitUntil(lambda form=form: getattr(form, "native", form).width() > 300)
        assert cut_off(form) == []


def test_names_that_differ_at_the_end_can_be_told_apart(viewer, open_form, radiographs):
    names = [f"{UID}8", f"{UID}9"]
    layers = [viewer.add_image(radiographs[0], name=name) for name in names]
    form = open_form("Denoise")
    shown, pictures = [], []
    for layer, name in zip(layers, names, strict=True):
        viewer.layers.selection.active = layer
        (combo,) = combos_of(form, name)
        shown.append(shown_choice(combo))
        pictures.append(combo.grab().toImage())
    assert [text[0] + text[-1] for text in shown] == ["18", "19"]
    assert pictures[0] != pictures[1]


@pytest.mark.parametrize("name", ["Denoise", "Compare"])
def test_the_tooltip_has_the_whole_name(viewer, open_form, qtbot, radiographs, name):
    for end in "89":
        viewer.add_image(radiographs[0], name=f"{UID}{end}")
    (combo,) = combos_of(open_form(name), f"{UID}9")
    qtbot.waitUntil(lambda: shown_choice(combo) != combo.currentText())
    place = combo.rect().center()
    QApplication.sendEvent(combo, QHelpEvent(QEvent.Type.ToolTip, place, combo.mapToGlobal(place)))
    assert QToolTip.text() == f"{UID}9\n{combo.toolTip()}"


def test_a_name_in_a_message_keeps_both_ends(qtbot):
    label = text_label("what happened")
    native: QLabel = label.native
    qtbot.addWidget(native)
    text = f"Done: {UID}8 denoised"
    show_text(label, text)
    first, name, last = label.value.split()
    assert (first, last) == ("Done:", "denoised")
    assert name.startswith("1.2.8")
    assert name.endswith("4318")
    assert len(name) < 40
    assert native.toolTip() == text
    show_text(label, "Done: a denoised")
    assert label.value == "Done: a denoised"
    assert native.toolTip() == "what happened"


def test_the_status_of_a_run_fits(viewer, denoise_form, qtbot, radiographs):
    viewer.add_image(np.asarray(radiographs[0]), name=f"{UID}8")
    denoise_form.start.native.click()
    qtbot.waitUntil(lambda: len(viewer.layers) == 2 and denoise_form.start.enabled)
    native = denoise_form.status.native
    assert native.fontMetrics().horizontalAdvance(max(denoise_form.status.value.split(), key=len)) < native.width()
    assert native.toolTip() == f"Done: {UID}8 denoised (model, 100 %)"
