"""Names that are too long for a form, such as DICOM UIDs: both ends are shown, and the whole name as tooltip."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QFontMetrics, QHelpEvent
from qtpy.QtWidgets import (
    QComboBox,
    QLabel,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolTip,
    QWidget,
)

MIDDLE = Qt.TextElideMode.ElideMiddle


def elide_choices(form: QWidget) -> None:
    """Elide the choices of all combo boxes of a form, which Qt cuts off at the end, where names often differ."""
    elision = ChoiceElision(form)
    for combo in form.findChildren(QComboBox):
        combo.installEventFilter(elision)
        combo.view().setTextElideMode(MIDDLE)


class ChoiceElision(QObject):
    """Event filter of combo boxes that paints them with an elided text, and shows the whole one as tooltip."""

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802 (Qt's name)
        """Paint the combo box, or show its tooltip."""
        if not isinstance(watched, QComboBox) or event is None:
            return False
        if event.type() == QEvent.Type.Paint:
            _paint(watched)
            return True
        if isinstance(event, QHelpEvent) and shown_choice(watched) != watched.currentText():
            QToolTip.showText(event.globalPos(), f"{watched.currentText()}\n{watched.toolTip()}".strip(), watched)
            return True
        return False


def shown_choice(combo: QComboBox) -> str:
    """Return the choice of a combo box as it is painted."""
    option = QStyleOptionComboBox()
    combo.initStyleOption(option)
    return _fitting(option, combo)


def _fitting(option: QStyleOptionComboBox, combo: QComboBox) -> str:
    part = QStyle.SubControl.SC_ComboBoxEditField
    room = combo.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, combo).width()
    return option.fontMetrics.elidedText(combo.currentText(), MIDDLE, room)


def _paint(combo: QComboBox) -> None:
    option = QStyleOptionComboBox()
    combo.initStyleOption(option)
    option.currentText = _fitting(option, combo)
    painter = QStylePainter(combo)
    painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
    painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
    painter.end()


def elide_words(text: str, label: QLabel, width: int) -> str:
    """Return a text whose words are no wider than so many pixels in a label, which breaks lines between words only."""
    metrics = QFontMetrics(label.font())
    return " ".join(metrics.elidedText(word, MIDDLE, width) for word in text.split(" "))
