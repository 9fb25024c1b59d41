"""Compile the chosen model before the first image needs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QWidget

from napari_dental_denoise.inference import prepare_engine
from napari_dental_denoise.plugin.denoise.classical import is_classical


class ModelPreparation(QObject):
    """Compiles the chosen model when the mouse comes to the form, since opening a form must not load OpenVINO."""

    # A class attribute too, as Qt sends events to objects whose attributes Python has already collected.
    _chosen: Callable[[], Path | None] | None = None

    def __init__(self, form: QWidget, chosen: Callable[[], Path | None]) -> None:
        super().__init__(form)
        self._chosen, self._prepared = chosen, Path()
        form.installEventFilter(self)

    def eventFilter(self, _watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802 (Qt's name)
        """Observe the events of the form without consuming any."""
        if event is not None and event.type() == QEvent.Type.Enter:
            self.prepare()
        return False

    def prepare(self) -> None:
        """Compile the chosen model in a thread, once."""
        model = self._chosen() if self._chosen is not None else None
        if model is not None and model != self._prepared and not is_classical(model):
            self._prepared = model
            prepare_engine(model)
