"""Table of PSNR and SSIM of two layers, for the whole image and inside a region, and of their told errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QHeaderView, QSizePolicy, QTableWidget, QTableWidgetItem

from napari_dental_denoise.config import PERCENT
from napari_dental_denoise.plugin.compare.scoring import RowScore

COLUMNS = ("PSNR,\ndB\nimage", "SSIM\nimage", "PSNR,\ndB\nregion", "SSIM\nregion", "error\ntold", "within\n%")
TIPS = (
    "Peak signal-to-noise ratio of the whole image: higher is closer to the clean image",
    "Structural similarity of the whole image: 1 for equal images",
    "Peak signal-to-noise ratio of the pixels inside the closed shapes",
    "Structural similarity in the bounding box of the closed shapes, which needs at least 11 pixels a side",
    "Mean of the error map of a denoised layer, in grey values: inside the closed shapes, or of the whole image",
    "Share of the same pixels whose clean value is within the denoised one plus or minus the error map",
)
EMPTY = "-"


class ScoreTable(QTableWidget):
    """Table with the rows A and B and the columns of COLUMNS."""

    def __init__(self) -> None:
        super().__init__(2, len(COLUMNS))
        for column, (title, tip) in enumerate(zip(COLUMNS, TIPS, strict=True)):
            header = QTableWidgetItem(title)
            header.setToolTip(tip)
            self.setHorizontalHeaderItem(column, header)
        self._rows = [QTableWidgetItem(title) for title in ("A", "B")]
        for row, header in enumerate(self._rows):
            self.setVerticalHeaderItem(row, header)
        # A number of four decimals fits beside a scroll bar of the form.
        self.setTextElideMode(Qt.TextElideMode.ElideNone)
        self.setStyleSheet("QTableWidget::item { padding: 0px; }")
        self.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        columns: Any = self.horizontalHeader()
        rows: Any = self.verticalHeader()
        columns.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        rows.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        rows.setDefaultAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.clear_scores()

    def clear_scores(self) -> None:
        """Empty all cells."""
        for row in range(self.rowCount()):
            for column in range(self.columnCount()):
                self._set(row, column, EMPTY)
        self._fit_height()

    def name_rows(self, names: Sequence[str]) -> None:
        """Set the names of the layers as tooltips of the rows."""
        for header, name in zip(self._rows, names, strict=True):
            header.setToolTip(name)

    def show_scores(self, scores: Sequence[RowScore]) -> None:
        """Fill the rows of these scores and empty the others."""
        self.clear_scores()
        for score in scores:
            for first, part in ((0, score.whole), (2, score.region)):
                if part is not None:
                    self._set(score.row, first, _text(part.psnr, 2))
                    self._set(score.row, first + 1, _text(part.ssim, 4))
            if score.interval is not None:
                self._set(score.row, 4, _text(score.interval.told, 4 if score.data_range <= 1 else 2))
                self._set(score.row, 5, _text(PERCENT * score.interval.within, 1))

    def copy(self) -> None:
        """Copy the table to the clipboard as tab-separated text."""
        lines = [["layer", *(title.replace("\n", " ") for title in COLUMNS)]]
        for row, header in enumerate(self._rows):
            cells = [self.item(row, column).text() for column in range(self.columnCount())]
            lines.append([header.toolTip() or header.text(), *cells])
        clipboard: Any = QApplication.clipboard()
        clipboard.setText("\n".join("\t".join(line) for line in lines))

    def _set(self, row: int, column: int, text: str) -> None:
        item = QTableWidgetItem(text)
        item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setItem(row, column, item)

    def _fit_height(self) -> None:
        rows = sum(self.rowHeight(row) for row in range(self.rowCount()))
        columns: Any = self.horizontalHeader()
        self.setFixedHeight(columns.sizeHint().height() + rows + 2 * self.frameWidth())


def _text(value: float, digits: int) -> str:
    return EMPTY if np.isnan(value) else f"{value:.{digits}f}"
