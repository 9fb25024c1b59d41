"""Live curves of a training: the loss, and the PSNR of the validation images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import QSize
from qtpy.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from napari_dental_denoise.plugin.shared import style_plot

if TYPE_CHECKING:
    from napari.viewer import Viewer

# In pixels. The form must fit a screen of 768 of them.
LOWEST, USUAL, HIGHEST = 100, 130, 180
SMOOTHED_STEPS = 20
LOSS_COLOUR = "#e8a33d"
PSNR_COLOUR = "#4aa3df"


class TrainingCurves(QWidget):
    """Two small plots, side by side, in the colours of napari's theme.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose theme they follow.
    """

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
        """Take the colours of the theme as it is now."""
        for plot in (self._loss, self._psnr):
            style_plot(plot, viewer)

    def clear(self, noisy_psnr: float) -> None:
        """Start anew; the dashed line is the PSNR of the noisy validation images."""
        self.losses, self.epochs = [], []
        self._noisy_line.setValue(noisy_psnr)
        self._noisy_line.setVisible(True)
        self._draw()

    def add_loss(self, loss: float) -> None:
        """Of one step."""
        self.losses.append(loss)
        if len(self.losses) < SMOOTHED_STEPS or len(self.losses) % 5 == 0:
            self._draw_loss()

    def add_epoch(self, epoch: int, decibels: float) -> None:
        """Validation PSNR of one epoch."""
        self.epochs.append((epoch, decibels))
        self._draw()

    def _draw(self) -> None:
        self._draw_loss()
        self._psnr_curve.setData([epoch for epoch, _ in self.epochs], [value for _, value in self.epochs])

    def _draw_loss(self) -> None:
        """A running mean: single patches of different noise levels scatter."""
        values = np.asarray(self.losses)
        if len(values) > SMOOTHED_STEPS:
            values = np.convolve(values, np.full(SMOOTHED_STEPS, 1 / SMOOTHED_STEPS), "valid")
        self._loss_curve.setData(np.arange(len(self.losses) - len(values), len(self.losses)) + 1, values)


class _WholeNumbers(pg.AxisItem):
    """An axis of counts: there is no half epoch."""

    def tickSpacing(self, lowest: float, highest: float, size: float) -> list[tuple[float, float]]:  # noqa: N802 (pyqtgraph's name)
        """Of major and minor ticks, with their offsets."""
        return [level for level in super().tickSpacing(lowest, highest, size) if level[0] >= 1] or [(1, 0)]


class _Plot(pg.PlotWidget):
    """A plot that takes the height which the form has left.

    Parameters
    ----------
    left, bottom : str
        Names of the axes.
    """

    def __init__(self, left: str, bottom: str) -> None:
        super().__init__(axisItems={"bottom": _WholeNumbers("bottom")})
        self.setMinimumHeight(LOWEST)
        self.setMaximumHeight(HIGHEST)
        # Its own wish is 640 pixels, which would take half the window from the image.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self.getAxis("left").enableAutoSIPrefix(enable=False)
        self.setLabel("left", left)
        self.setLabel("bottom", bottom)
        self.setMouseEnabled(x=False, y=False)
        self.hideButtons()
        self.setMenuEnabled(False)

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's name)
        """A height that shows a curve; the width is the form's."""
        return QSize(0, USUAL)
