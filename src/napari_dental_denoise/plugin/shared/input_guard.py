"""Fields that change only when the user means to: no accidental wheel, and what is typed is taken whole or refused."""

from __future__ import annotations

import re

from qtpy.QtCore import QEvent, QLocale, QObject, Qt
from qtpy.QtGui import QKeyEvent, QValidator
from qtpy.QtWidgets import QAbstractSlider, QAbstractSpinBox, QComboBox, QDoubleSpinBox, QScrollBar, QWidget

ENDS = (QEvent.Type.FocusOut, QEvent.Type.MouseButtonPress, QEvent.Type.Wheel)
END_KEYS = (
    Qt.Key.Key_Return,
    Qt.Key.Key_Enter,
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
)
# As far as it is typed; in a whole number, what follows the point is refused with it.
NUMBER = re.compile(r"-?\d*([.,]\d*)*")


def guard_input(form: QWidget) -> None:
    """Guard the numbers, choices and sliders of a form."""
    guard = InputGuard(form)
    for kind in (QAbstractSpinBox, QComboBox, QAbstractSlider):
        for field in form.findChildren(kind):
            if isinstance(field, QScrollBar):
                continue
            # Else the wheel itself would give the focus.
            field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            field.installEventFilter(guard)
            if isinstance(field, QDoubleSpinBox):
                # Where the comma is the decimal point, the point would separate thousands.
                field.setLocale(QLocale.c())
                field.lineEdit().setValidator(DecimalValidator(field))
            elif isinstance(field, QAbstractSpinBox):
                field.lineEdit().setValidator(WholeValidator(field))


class DecimalValidator(QValidator):
    """Takes a comma for a decimal point, and lets a number beyond the limits be typed, which then is refused.

    Qt takes the comma for a separator of thousands and "2,5" for 25, and leaves out the digits that do not fit: "2.5"
    would become 0.5 in a field up to 1.5.
    """

    def __init__(self, field: QDoubleSpinBox) -> None:
        super().__init__(field)
        self._field = field

    def validate(self, text: str | None, position: int) -> tuple[QValidator.State, str, int]:
        """Return what the field says of the text with a point."""
        state, text, position = self._field.validate((text or "").replace(",", "."), position)
        if state == QValidator.State.Invalid and self._is_beyond(text):
            state = QValidator.State.Intermediate
        return state, text, position

    def _is_beyond(self, text: str) -> bool:
        try:
            return not self._field.minimum() <= float(text) <= self._field.maximum()
        except ValueError:
            return text == "-"

    def fixup(self, text: str | None) -> str:
        """Return what the field makes of a text that is no number."""
        return str(self._field.fixup(text))


class WholeValidator(QValidator):
    """Makes a text the value of its field as soon as it is a number within the limits; `InputGuard` refuses others.

    The field itself would take the limit for a number that is not yet complete, and "128" for 512.
    """

    def __init__(self, field: QAbstractSpinBox) -> None:
        super().__init__(field)
        self._field = field
        field.setKeyboardTracking(False)
        field.lineEdit().textEdited.connect(self._take)

    def validate(self, text: str | None, position: int) -> tuple[QValidator.State, str, int]:
        """Return whether the text is a number or may become one."""
        text = text or ""
        if not NUMBER.fullmatch(text):
            return QValidator.State.Invalid, text, position
        state = QValidator.State.Acceptable if self._fits(text) else QValidator.State.Intermediate
        return state, text, position

    def _fits(self, text: str) -> bool:
        try:
            return bool(self._field.minimum() <= int(text) <= self._field.maximum())
        except ValueError:
            return False

    def _take(self, text: str) -> None:
        if self._fits(text):
            self._field.setValue(int(text))

    def fixup(self, text: str | None) -> str:
        """Return the number that the field has."""
        return text if text and self._fits(text) else str(self._field.value())


class InputGuard(QObject):
    """Event filter of fields: the wheel without focus scrolls the form, and a text that is no number is refused."""

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802 (Qt's name)
        """Ignore the wheel over a field without focus, and give a whole number its value back when typing ends."""
        if event is None or not isinstance(watched, QWidget):
            return False
        if event.type() == QEvent.Type.Wheel and not watched.hasFocus():
            event.ignore()
            return True
        if isinstance(watched, QAbstractSpinBox) and _ends_typing(event):
            _refuse(watched)
        return False


def _ends_typing(event: QEvent) -> bool:
    """Return whether the field then takes its text or steps from it."""
    if isinstance(event, QKeyEvent):
        return event.type() == QEvent.Type.KeyPress and event.key() in END_KEYS
    return event.type() in ENDS


def _refuse(field: QAbstractSpinBox) -> None:
    edit = field.lineEdit()
    if not isinstance(edit.validator(), WholeValidator):
        return
    text = edit.validator().fixup(edit.text())
    # A text that is set loses its selection, its cursor and its history.
    if text != edit.text():
        edit.setText(text)
