"""A choice among layers that keeps its choice while layers come, go and change their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QComboBox, QSizePolicy, QWidget

if TYPE_CHECKING:
    from napari.layers import Layer

SHORTEST = 12
NONE = "none"


class LayerCombo(QComboBox):
    """Choose one layer or none; `currentIndexChanged` tells of each other choice.

    Parameters
    ----------
    tooltip : str
    parent : QWidget, optional
    """

    def __init__(self, tooltip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layers: list[Layer | None] = [None]
        self.addItem(NONE)
        self.setToolTip(tooltip)
        # Long names must not widen the dock.
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(SHORTEST)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def layer(self) -> Layer | None:
        """The chosen one."""
        return self._layers[max(self.currentIndex(), 0)]

    @layer.setter
    def layer(self, layer: Layer | None) -> None:
        known = [index for index, other in enumerate(self._layers) if other is layer]
        self.setCurrentIndex(known[0] if known else 0)

    def set_layers(self, layers: Sequence[Layer]) -> None:
        """Offer these; the choice stays if it is among them, else it is none.

        Parameters
        ----------
        layers : sequence of napari layers
        """
        chosen = self.layer
        self.blockSignals(True)  # noqa: FBT003
        self._layers = [None, *layers]
        self.clear()
        self.addItems([NONE, *(layer.name for layer in layers)])
        self.layer = chosen
        self.blockSignals(False)  # noqa: FBT003
        if self.layer is not chosen:
            self.currentIndexChanged.emit(self.currentIndex())
