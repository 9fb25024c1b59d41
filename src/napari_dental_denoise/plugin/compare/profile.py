"""Line profiles of several layers in one plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph
from numpy.typing import NDArray
from qtpy.QtCore import QPointF
from qtpy.QtGui import QPainterPath, QPolygonF
from qtpy.QtWidgets import QGraphicsPathItem, QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_dental_denoise.evaluation import distances, on_one_scale, path_points, profile
from napari_dental_denoise.plugin.compare.error_maps import interval_title
from napari_dental_denoise.plugin.compare.layers import divisors, shown_pixels
from napari_dental_denoise.plugin.shared import LayerImages, last_line, style_plot

if TYPE_CHECKING:
    import napari.viewer
    from napari.layers import Image, Shapes

MIN_HEIGHT = 130
MAX_NAME_LENGTH = 26
# Wider, so that it is visible under a similar curve.
REFERENCE_WIDTH = 2
# Of 255: the curves and the grid stay visible through a band.
BAND_ALPHA = 110
FULL, SHADED = "&#9632;", "&#9618;"


@dataclass(frozen=True)
class DrawnLayer:
    """A layer to plot, with its error map if there is one; see `Curve` for `color`."""

    layer: Image
    color: int | None
    error: Image | None = None


@dataclass(frozen=True)
class Band:
    """Half widths of the intervals around a curve; NaN where they are unknown."""

    title: str
    half_widths: NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """Grey values of a layer; `color` is the number of a curve colour, or None for the colour of the text."""

    name: str
    values: NDArray[np.float64]
    color: int | None
    band: Band | None = None


class ProfilePlot(QWidget):
    """Plot with a legend above it, in the colours of the viewer's theme."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._curves: Sequence[Curve] = ()
        self._positions: NDArray[np.float64] = np.zeros(0)
        self.legend = QLabel()
        self.legend.setWordWrap(True)
        self.legend.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.plot = pyqtgraph.PlotWidget()
        self.plot.setToolTip("Drag to pan, turn the wheel to zoom, press A to see everything")
        self.plot.setMinimumHeight(MIN_HEIGHT)
        # Its preferred size is 640x480.
        self.plot.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.plot.setMenuEnabled(False)
        self.plot.setMouseEnabled(x=True, y=False)
        for side in ("left", "bottom"):
            # A prefix "k" would give the unit "kmm".
            self.plot.getAxis(side).enableAutoSIPrefix(False)  # noqa: FBT003
        self.plot.setLabel("left", "grey value")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.legend)
        layout.addWidget(self.plot, 1)
        self.restyle()

    def show_layers(self, drawn: Sequence[DrawnLayer], shapes: Shapes | None, point: tuple[float, ...]) -> str:
        """Plot layers along the last line of a Shapes layer, else along the middle row; return a title that says which.

        The layers have one size.
        """
        first = drawn[0].layer
        height, width = LayerImages(first).shape[-2:]
        place, corners = "the middle row", np.array([[height // 2, 0], [height // 2, width - 1]], np.float64)
        if shapes is not None and (line := last_line(shapes, first, point)) is not None:
            place, corners = f"the last line in {shapes.name}", line
        points = path_points(corners)
        images = [shown_pixels(each.layer, point) for each in drawn]
        scaled, _ = on_one_scale(images)
        self._curves = [
            Curve(each.layer.name, profile(image, points), each.color, _band(each.error, divisor, points, point))
            for each, image, divisor in zip(drawn, scaled, divisors(images, scaled), strict=True)
        ]
        vertical, horizontal = (abs(float(size)) for size in first.scale[-2:])
        self._positions = distances(points, (vertical, horizontal))
        self.plot.setLabel("bottom", f"distance, {first.units[-1]:~P}")
        self.restyle()
        return f"Line profile of {place}"

    def show_nothing(self) -> None:
        """Clear the plot."""
        self._curves = ()
        self.restyle()

    def restyle(self) -> None:
        """Redraw in the colours of the current theme."""
        colors = style_plot(self.plot, self._viewer)
        self.plot.clear()
        entries = []
        for curve in self._curves:
            color = colors.text if curve.color is None else colors.curves[curve.color]
            if curve.band is not None:
                # Above the noisy curve, which would hide it.
                self.plot.addItem(_band_item(self._positions, curve.values, curve.band.half_widths, color))
            pen = pyqtgraph.mkPen(color, width=REFERENCE_WIDTH if curve.color is None else 1)
            self.plot.plot(self._positions, curve.values, pen=pen, connect="finite")
            entries.append(_entry(color, FULL, _short_html(curve.name)))
            if curve.band is not None:
                # It may break here, as it could be wider than the form.
                title = f"{_short_html(curve.name)}, {_short_html(curve.band.title)}"
                entries.append(_entry(color, SHADED, title))
        self.legend.setText("&nbsp; ".join(entries))


def _band(layer: Image | None, divisor: float, points: NDArray[np.float64], point: tuple[float, ...]) -> Band | None:
    """Return the band of an error map along points; the divisor is that of the denoised image."""
    if layer is None:
        return None
    return Band(interval_title(layer), _known_profile(shown_pixels(layer, point), points) / divisor)


def _known_profile(error: NDArray[np.generic], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the profile of an error map that holds NaN where it is unknown, from the known neighbours of a point."""
    known = np.isfinite(error)
    values = profile(np.where(known, error, 0), points)
    weights = profile(known.astype(np.float32), points)
    # A point belongs to the pixel that has at least half of it.
    return np.divide(values, weights, out=np.full(values.shape, np.nan), where=weights >= 0.5)


def _band_item(
    positions: NDArray[np.float64], values: NDArray[np.float64], half_widths: NDArray[np.float64], color: str
) -> QGraphicsPathItem:
    """Return a band of one polygon for each run of known points."""
    path = QPainterPath()
    lower, upper = values - half_widths, values + half_widths
    known = np.flatnonzero(np.isfinite(upper))
    for run in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1):
        there = zip(positions[run], upper[run], strict=True)
        back = zip(positions[run][::-1], lower[run][::-1], strict=True)
        path.addPolygon(QPolygonF([QPointF(float(x), float(y)) for x, y in (*there, *back)]))
    item = QGraphicsPathItem(path)
    item.setPen(pyqtgraph.mkPen(None))
    fill = pyqtgraph.mkColor(color)
    fill.setAlpha(BAND_ALPHA)
    item.setBrush(pyqtgraph.mkBrush(fill))
    return item


def _entry(color: str, mark: str, title: str) -> str:
    """Return an entry of the legend as HTML."""
    return f'<span style="color:{color}">{mark}</span>&nbsp;{title}'


def _short_html(name: str) -> str:
    """Return a name as HTML, shortened and without line breaks."""
    if len(name) > MAX_NAME_LENGTH:
        half = MAX_NAME_LENGTH // 2 - 1
        name = f"{name[:half]}...{name[-half:]}"
    return escape(name).replace(" ", "&nbsp;")
