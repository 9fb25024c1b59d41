"""Memory of the forms between sessions: the values of their fields, never anything of an image."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from magicgui.types import FileDialogMode
from magicgui.widgets import ComboBox, FileEdit
from magicgui.widgets.bases import ValueWidget
from platformdirs import user_state_path
from qtpy.QtCore import QObject

from napari_dental_denoise.config import PROGRAM
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files import write_text
from napari_dental_denoise.plugin.shared.form import delayed, preference

WRITE_DELAY_MS = 300


def read_state(name: str) -> Any:
    """Return what `write_state` has kept under a name; None if there is nothing, or the file is damaged."""
    try:
        return json.loads(_file(name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def write_state(name: str, value: Any) -> None:
    """Keep a value of JSON types for later sessions; failures are ignored, because no work depends on it."""
    try:
        write_text(_file(name), json.dumps(value), overwrite=True)
    except InputError:
        return


def _file(name: str) -> Path:
    return user_state_path(PROGRAM) / f"{name}.json"


class Memory:
    """Gives the fields of a form the values that they had last, and remembers every change.

    A value is remembered together with the default that the field had then. If that is another one now, because the
    user has changed it in Preferences, the default holds.
    """

    def __init__(self, form: str, owner: QObject, fields: Mapping[str, ValueWidget]) -> None:
        self._name, self._fields = f"form_{form}", fields
        self._defaults = {name: _plain(field.value) for name, field in fields.items()}
        self._timer = delayed(owner, WRITE_DELAY_MS, self._write)
        if not preference("general", "remember", default=True):
            return
        self._restore()
        for field in fields.values():
            field.changed.connect(self._changed)

    def close(self) -> None:
        """Write what is not written yet, as the form is being deleted."""
        if self._timer.isActive():
            self._timer.stop()
            self._write()

    def _restore(self) -> None:
        kept = read_state(self._name)
        for name, field in self._fields.items():
            try:
                value, default = kept[name]
                if default == self._defaults[name]:
                    _give(field, value)
            # The file is missing, damaged or of another version, or the field no longer takes such a value.
            except (KeyError, IndexError, TypeError, ValueError):
                continue

    def _changed(self, _value: object) -> None:
        self._timer.start()

    def _write(self) -> None:
        write_state(
            self._name, {name: [_plain(field.value), self._defaults[name]] for name, field in self._fields.items()}
        )


def _plain(value: Any) -> Any:
    """Return a value as JSON can hold it."""
    return str(value) if isinstance(value, Path) else value


def _give(field: ValueWidget, plain: Any) -> None:
    """Set a field to a value of `_plain`; raise ValueError if it cannot have it."""
    if isinstance(field, ComboBox):
        field.value = next((choice for choice in field.choices if _plain(choice) == plain), field.value)
    elif isinstance(field, FileEdit) and plain is not None and not _is_there(field, Path(plain)):
        raise ValueError(f"no folder any more: {plain}")
    elif isinstance(field.value, int | float) and type(plain) is not type(field.value):
        raise ValueError(f"expected {type(field.value)}; received {plain!r}")
    else:
        field.value = plain


def _is_there(field: FileEdit, path: Path) -> bool:
    """Return whether a folder to read is there, or that of a file to write."""
    return (path if field.mode is FileDialogMode.EXISTING_DIRECTORY else path.parent).is_dir()
