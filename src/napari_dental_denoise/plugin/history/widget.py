"""The History form: how the selected layer was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QApplication, QPushButton, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from napari_dental_denoise.plugin.history.steps import Step, steps_of
from napari_dental_denoise.plugin.shared import MINIMUM_WIDTH, CloseWatcher, Connections, show_text, text_label

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import Viewer


class HistoryWidget(QWidget):
    """List the operations, models, parameters, sources and versions of the selected layer."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._layer: Layer | None = None
        self._of_layer = Connections()
        self.title = text_label()
        self.tree = QTreeWidget()
        self.tree.setHeaderHidden(True)
        self.tree.setColumnCount(2)
        self.copy = QPushButton("Copy")
        self.copy.setToolTip("Copy the history as text")
        self.copy.clicked.connect(self._copy)
        layout = QVBoxLayout(self)
        for widget in (self.title.native, self.tree, self.copy):
            layout.addWidget(widget)
        self.setMinimumWidth(MINIMUM_WIDTH)
        self._connections = Connections()
        self._connections.add(napari_viewer.layers.selection.events.active, self._follow)
        watcher = CloseWatcher(self, self._close)
        self.destroyed.connect(watcher.close)
        self._follow()

    def _follow(self, _event: Any = None) -> None:
        """Show the selected layer, and follow the changes of its name and its data."""
        self._of_layer.close()
        self._layer = self._viewer.layers.selection.active
        if self._layer is not None:
            self._of_layer.add(self._layer.events.name, self.show_steps)
            self._of_layer.add(self._layer.events.data, self.show_steps)
        self.show_steps()

    def show_steps(self, _event: Any = None) -> None:
        """List the steps of the layer, the last one on top."""
        steps = [] if self._layer is None else steps_of(self._layer)
        self.tree.clear()
        for step in reversed(steps):
            self.tree.addTopLevelItem(_item(step))
        self.tree.expandAll()
        self.tree.resizeColumnToContents(0)
        self.copy.setEnabled(bool(steps))
        if self._layer is None:
            show_text(self.title, "Select one layer to see how it was made")
        else:
            show_text(self.title, self._layer.name if steps else f"{self._layer.name}: nothing is known of its origin")

    def _copy(self) -> None:
        if self._layer is not None:
            QApplication.clipboard().setText("\n".join(map(str, steps_of(self._layer))) + "\n")

    def _close(self) -> None:
        self._of_layer.close()
        self._connections.close()


def _item(step: Step) -> QTreeWidgetItem:
    item = QTreeWidgetItem([step.title])
    item.setFirstColumnSpanned(True)
    for name, value in step.facts.items():
        fact = QTreeWidgetItem([name, value])
        fact.setToolTip(1, value)
        item.addChild(fact)
    return item
