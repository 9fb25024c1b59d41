"""Line profiles of several layers in one plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pyqtgraph
from numpy.typing import NDArray
from qtpy.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from napari_dental_denoise.evaluation import distances, on_one_scale, path_points, profile
from napari_dental_denoise.plugin.compare.layers import shown_pixels
from napari_dental_denoise.plugin.compare.shapes import last_line
from napari_dental_denoise.plugin.shared import style_plot

if TYPE_CHECKING:
    import napari.viewer
    from napari.layers import Image, Shapes

MIN_HEIGHT = 130
MAX_NAME_LENGTH = 26
# Wider, so that it is visible under a similar curve.
REFERENCE_WIDTH = 2


@dataclass(frozen=True)
class Curve:
    """Grey values of a layer; `color` is the number of a curve colour, or None for the colour of the text."""

    name: str
    values: NDArray[np.float64]
    color: int | None


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

    def show_layers(
        self, layers: Sequence[tuple[Image, int | None]], shapes: Shapes | None, point: tuple[float, ...]
    ) -> str:
        """Plot layers along the last line of a Shapes layer, else along the middle row; return a title that says which.

        The layers have one size and come with the numbers of their colours; see `Curve`.
        """
        first = layers[0][0]
        height, width = first.data.shape[-2:]
        place, corners = "the middle row", np.array([[height // 2, 0], [height // 2, width - 1]], np.float64)
        if shapes is not None and (line := last_line(shapes, first, point)) is not None:
            place, corners = f"the last line in {shapes.name}", line
        points = path_points(corners)
        images, _ = on_one_scale([shown_pixels(layer, point) for layer, _ in layers])
        self._curves = [
            Curve(layer.name, profile(image, points), color)
            for (layer, color), image in zip(layers, images, strict=True)
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
            pen = pyqtgraph.mkPen(color, width=REFERENCE_WIDTH if curve.color is None else 1)
            self.plot.plot(self._positions, curve.values, pen=pen, connect="finite")
            entries.append(f'<span style="color:{color}">&#9632;</span>&nbsp;{_short_html(curve.name)}')
        self.legend.setText("&nbsp; ".join(entries))


def _short_html(name: str) -> str:
    """Return a name as HTML, shortened and without line breaks."""
    if len(name) > MAX_NAME_LENGTH:
        half = MAX_NAME_LENGTH // 2 - 1
        name = f"{name[:half]}...{name[-half:]}"
    return escape(name).replace(" ", "&nbsp;")
