"""Combo box of layers that keeps its choice when layers are added, removed or renamed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QComboBox, QSizePolicy

if TYPE_CHECKING:
    from napari.layers import Layer

MIN_LETTERS = 12
NONE = "none"


class LayerCombo(QComboBox):
    """Choice of one layer or none; `currentIndexChanged` is emitted only if the layer changes."""

    def __init__(self, tooltip: str) -> None:
        super().__init__()
        self._layers: list[Layer | None] = [None]
        self.addItem(NONE)
        self.setToolTip(tooltip)
        # Long names must not widen the dock.
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(MIN_LETTERS)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def layer(self) -> Layer | None:
        """The chosen layer or None."""
        return self._layers[max(self.currentIndex(), 0)]

    @layer.setter
    def layer(self, layer: Layer | None) -> None:
        self.setCurrentIndex(next((index for index, other in enumerate(self._layers) if other is layer), 0))

    def set_layers(self, layers: Sequence[Layer]) -> None:
        """Offer these layers; the choice stays if it is one of them, and becomes none otherwise."""
        chosen = self.layer
        with QSignalBlocker(self):
            self._layers = [None, *layers]
            self.clear()
            self.addItems([NONE, *(layer.name for layer in layers)])
            self.layer = chosen
        if self.layer is not chosen:
            self.currentIndexChanged.emit(self.currentIndex())
