"""Live plots of a training: the loss, and the PSNR of the validation images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import QSize
from qtpy.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from napari_dental_denoise.plugin.shared import style_plot

if TYPE_CHECKING:
    from napari.viewer import Viewer

# Heights in pixels: the form must fit a screen of 768.
MIN_HEIGHT, HEIGHT, MAX_HEIGHT = 100, 130, 180
SMOOTHED_STEPS = 20
LOSS_COLOUR = "#e8a33d"
PSNR_COLOUR = "#4aa3df"


class TrainingCurves(QWidget):
    """Two small plots side by side, in the colours of the theme of napari."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._loss = _Plot("loss", "step")
        self._psnr = _Plot("PSNR, dB", "epoch")
        self._loss_curve = self._loss.plot(pen=pg.mkPen(LOSS_COLOUR, width=2))
        self._psnr_curve = self._psnr.plot(pen=pg.mkPen(PSNR_COLOUR, width=2), symbol="o", symbolSize=4)
        self._noisy_line = pg.InfiniteLine(angle=0, pen=pg.mkPen("#888888", style=pg.QtCore.Qt.PenStyle.DashLine))
        self._noisy_line.setVisible(False)
        self._psnr.addItem(self._noisy_line)
        self.losses: list[float] = []
        self.epochs: list[tuple[int, float]] = []
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for plot in (self._loss, self._psnr):
            layout.addWidget(plot)
        self.restyle(viewer)

    def restyle(self, viewer: Viewer) -> None:
        """Apply the colours of the current theme."""
        for plot in (self._loss, self._psnr):
            style_plot(plot, viewer)

    def clear(self, noisy_psnr: float) -> None:
        """Remove the curves and draw the PSNR of the noisy validation images as a dashed line."""
        self.losses, self.epochs = [], []
        self._noisy_line.setValue(noisy_psnr)
        self._noisy_line.setVisible(True)
        self._draw()

    def add_loss(self, loss: float) -> None:
        """Add the loss of a step."""
        self.losses.append(loss)
        if len(self.losses) < SMOOTHED_STEPS or len(self.losses) % 5 == 0:
            self._draw_loss()

    def add_epoch(self, epoch: int, decibels: float) -> None:
        """Add the validation PSNR of an epoch."""
        self.epochs.append((epoch, decibels))
        self._draw()

    def _draw(self) -> None:
        self._draw_loss()
        self._psnr_curve.setData([epoch for epoch, _ in self.epochs], [value for _, value in self.epochs])

    def _draw_loss(self) -> None:
        """Draw a running mean: the loss of a step depends on the noise levels that it drew."""
        values = np.asarray(self.losses)
        if len(values) > SMOOTHED_STEPS:
            values = np.convolve(values, np.full(SMOOTHED_STEPS, 1 / SMOOTHED_STEPS), "valid")
        self._loss_curve.setData(np.arange(len(self.losses) - len(values), len(self.losses)) + 1, values)


class _WholeNumbers(pg.AxisItem):
    """Axis with ticks at whole numbers only."""

    def tickSpacing(self, lowest: float, highest: float, size: float) -> list[tuple[float, float]]:  # noqa: N802 (pyqtgraph's name)
        """Return spacing and offset of major and minor ticks."""
        return [level for level in super().tickSpacing(lowest, highest, size) if level[0] >= 1] or [(1, 0)]


class _Plot(pg.PlotWidget):
    """Plot with labelled axes that fills the height that is left in the form."""

    def __init__(self, left: str, bottom: str) -> None:
        super().__init__(axisItems={"bottom": _WholeNumbers("bottom")})
        self.setMinimumHeight(MIN_HEIGHT)
        self.setMaximumHeight(MAX_HEIGHT)
        # Its default width of 640 pixels would take half the window.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self.getAxis("left").enableAutoSIPrefix(enable=False)
        self.setLabel("left", left)
        self.setLabel("bottom", bottom)
        self.setMouseEnabled(x=False, y=False)
        self.hideButtons()
        self.setMenuEnabled(False)

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        """Return the preferred size; the width is that of the form."""
        return QSize(0, HEIGHT)
