"""Fields and layout of the Compare form; its behaviour is in `widget`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from napari_dental_denoise.plugin.compare.layer_combo import LayerCombo
from napari_dental_denoise.plugin.compare.profile import ProfilePlot
from napari_dental_denoise.plugin.compare.table import ScoreTable
from napari_dental_denoise.plugin.shared import MINIMUM_WIDTH, make_scrollable, text_label

if TYPE_CHECKING:
    import napari.viewer

SLIDER_STEPS = 1000
SPACING = 6


class CompareFields(QWidget):
    """The visible parts of the Compare form."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._make_choices()
        self._make_buttons()
        self.table = ScoreTable()
        self.scale_note = QLabel()
        self.copy_table = _button("Copy table", "Copy the table as tab-separated text, for a spreadsheet")
        self.copy_table.clicked.connect(self.table.copy)
        self.profile_title = QLabel()
        self.profile_title.setWordWrap(True)
        self.profile_title.setToolTip("Draw a line or a path in the Shapes layer to see the grey values along it")
        self.profile = ProfilePlot(viewer)
        self.status = text_label()
        self.setMinimumWidth(MINIMUM_WIDTH)
        # The plot takes the remaining height; napari would add empty space below the form otherwise.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self._lay_out()

    def _make_choices(self) -> None:
        self.reference = LayerCombo("The clean image, if there is one: PSNR and SSIM are computed against it")
        self.first = LayerCombo("A layer to compare, such as the noisy image; it is never changed")
        self.second = LayerCombo("The layer to compare it with, such as the denoised image; it is never changed")
        self.shapes = LayerCombo("A Shapes layer: its closed shapes are the region, its last line is the line profile")
        self.difference_choice = QComboBox()
        self.difference_choice.setToolTip("Which layer is subtracted from which")
        self.difference_choice.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def _make_buttons(self) -> None:
        self.side_by_side = _button("Side b&y side", "Show the chosen layers in one row; press again to go back")
        self.wipe = _button("W&ipe", "Show A left and B right of an edge that you can drag; press again to go back")
        for button in (self.side_by_side, self.wipe):
            button.setCheckable(True)
        self.edge = QSlider(Qt.Orientation.Horizontal)
        self.edge.setRange(0, SLIDER_STEPS)
        self.edge.setValue(SLIDER_STEPS // 2)
        self.edge.setToolTip("Position of the edge of the wipe")
        self.difference = _button("Diff&erence", "Add the difference as a layer: blue below zero, red above")

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setSpacing(SPACING)
        layout.addLayout(_form(("Clean", self.reference), ("A", self.first), ("B", self.second)))
        layout.addLayout(_row(self.side_by_side, self.wipe))
        layout.addLayout(_form(("Edge", self.edge)))
        layout.addLayout(_row(self.difference_choice, self.difference))
        layout.addWidget(self.status.native)
        layout.addLayout(_form(("Region, line", self.shapes)))
        layout.addWidget(self.table)
        layout.addLayout(_row(self.scale_note, self.copy_table))
        layout.addWidget(self.profile_title)
        layout.addWidget(self.profile, 1)
        make_scrollable(self)


def _button(text: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    return button


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(SPACING)
    for widget in widgets:
        row.addWidget(widget)
    return row


def _form(*rows: tuple[str, QWidget]) -> QFormLayout:
    form = QFormLayout()
    form.setSpacing(SPACING)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    for title, widget in rows:
        label = QLabel(title)
        label.setToolTip(widget.toolTip())
        form.addRow(label, widget)
    return form
