"""Fields that change only when the user means to: no accidental wheel, and a comma is never dropped."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QValidator
from qtpy.QtWidgets import QAbstractSlider, QAbstractSpinBox, QComboBox, QDoubleSpinBox, QScrollBar, QWidget

COMMITS = (QEvent.Type.KeyPress, QEvent.Type.FocusOut)


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
            if isinstance(field, QAbstractSpinBox):
                field.lineEdit().setValidator(CommaValidator(field))


class CommaValidator(QValidator):
    """Takes a comma for a decimal point, where Qt takes it for a separator of thousands, and "2,5" for 25.

    In a whole number, which has no point, it is kept until `InputGuard` removes it with what follows.
    """

    def __init__(self, field: QAbstractSpinBox) -> None:
        super().__init__(field)
        self._field = field

    def validate(self, text: str | None, position: int) -> tuple[QValidator.State, str, int]:
        """Return what the field says of the text with a point."""
        text = text or ""
        if "," in text and not isinstance(self._field, QDoubleSpinBox):
            return QValidator.State.Intermediate, text, position
        state, text, position = self._field.validate(text.replace(",", "."), position)
        return state, text, position

    def fixup(self, text: str | None) -> str:
        """Return what the field makes of a text that is no number."""
        return str(self._field.fixup(text))


class InputGuard(QObject):
    """Event filter of fields: the wheel without focus scrolls the form, and a whole number ends before a comma."""

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802 (Qt's name)
        """Ignore the wheel over a field without focus, and take the number before a comma for a text with one."""
        if event is None or not isinstance(watched, QWidget):
            return False
        if event.type() == QEvent.Type.Wheel and not watched.hasFocus():
            event.ignore()
            return True
        if event.type() in COMMITS and isinstance(watched, QAbstractSpinBox):
            _refuse_comma(watched, event)
        return False


def _refuse_comma(field: QAbstractSpinBox, event: QEvent) -> None:
    is_typing = event.type() == QEvent.Type.KeyPress and event.text().isprintable() and event.text() != ""
    if not is_typing and "," in field.lineEdit().text():
        field.lineEdit().setText(str(field.value()))
