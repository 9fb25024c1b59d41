"""Live plots of a training: the loss, and the PSNR of the validation images."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import QSize
from qtpy.QtWidgets import QGridLayout, QSizePolicy, QWidget

from napari_dental_denoise.plugin.shared import delayed, style_plot, text_label
from napari_dental_denoise.plugin.train.texts import start_name
from napari_dental_denoise.training import TrainingStarted

if TYPE_CHECKING:
    from napari.viewer import Viewer

# Heights in pixels: the form must fit a screen of 768.
MIN_HEIGHT, HEIGHT, MAX_HEIGHT = 100, 130, 180
SMOOTHED_STEPS = 20
# Many steps may be reported at once.
DRAW_AFTER_MS = 100
# Smaller differences are chance, and would look like a trend.
MIN_SPAN_DB = 0.2


class TrainingCurves(QWidget):
    """Two small plots side by side, in the colours of the theme of napari, and what the lines of the second one are."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._loss = _Plot("loss", "step")
        self._psnr = _Plot("PSNR, dB", "epoch")
        self._loss_curve = self._loss.plot()
        self._psnr_curve = self._psnr.plot(symbol="o", symbolSize=4)
        self._start_line = pg.InfiniteLine(angle=0)
        self._psnr.addItem(self._start_line, ignoreBounds=True)
        # Beside the plots, a legend covers no curve.
        self._legend = text_label("Lines of the PSNR plot")
        self._started: TrainingStarted | None = None
        self.losses: list[float] = []
        self.epochs: list[tuple[int, float]] = []
        self._redraw = delayed(self, DRAW_AFTER_MS, self._draw_loss)
        self._arrange()
        self.restyle(viewer)

    def _arrange(self) -> None:
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for column, plot in enumerate((self._loss, self._psnr)):
            layout.addWidget(plot, 0, column)
        layout.addWidget(self._legend.native, 1, 0, 1, 2)
        self._show_start()

    def restyle(self, viewer: Viewer) -> None:
        """Apply the colours of the current theme."""
        style_plot(self._loss, viewer)
        colors = style_plot(self._psnr, viewer)
        loss_color, self._psnr_color, *_ = colors.curves
        self._loss_curve.setPen(pg.mkPen(loss_color, width=2))
        self._psnr_curve.setPen(pg.mkPen(self._psnr_color, width=2))
        self._psnr_curve.setSymbolBrush(self._psnr_color)
        self._psnr_curve.setSymbolPen(self._psnr_color)
        self._start_line.setPen(pg.mkPen(colors.text, style=pg.QtCore.Qt.PenStyle.DashLine))
        self._show_start()

    def begin(self, started: TrainingStarted) -> None:
        """Remove the curves, and draw the PSNR of the first weights as a dashed line."""
        self.losses, self.epochs, self._started = [], [], started
        self._show_start()
        self._draw()

    def _show_start(self) -> None:
        first = math.nan if self._started is None else self._started.first_psnr
        self._start_line.setVisible(math.isfinite(first))
        self._legend.native.setVisible(self._started is not None)
        if self._started is None:
            return
        parts = [f'<span style="color: {self._psnr_color}">●━</span> validation']
        if math.isfinite(first):
            self._start_line.setValue(first)
            parts.append(f"┅ start: {html.escape(start_name(self._started))}, {first:.2f} dB")
        self._legend.value = "&nbsp;&nbsp; ".join([*parts, f"noisy images: {self._started.noisy_psnr:.2f} dB"])

    def add_loss(self, loss: float) -> None:
        """Add the loss of a step."""
        self.losses.append(loss)
        if not self._redraw.isActive():
            self._redraw.start()

    def add_epoch(self, epoch: int, decibels: float) -> None:
        """Add the validation PSNR of an epoch."""
        self.epochs.append((epoch, decibels))
        self._draw()

    def _draw(self) -> None:
        self._draw_loss()
        self._psnr_curve.setData([epoch for epoch, _ in self.epochs], [value for _, value in self.epochs])
        self._scale()

    def _scale(self) -> None:
        """Fit the axis of the PSNR to the curve and the start."""
        first = () if self._started is None else (self._started.first_psnr,)
        values = [value for value in (*first, *(value for _, value in self.epochs)) if math.isfinite(value)]
        if values:
            middle = (min(values) + max(values)) / 2
            half = max(max(values) - min(values), MIN_SPAN_DB) / 2
            self._psnr.setYRange(middle - half, middle + half, padding=0.1)

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
