"""Grey values along a line, of several layers in one plot."""

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

LOWEST_HEIGHT = 130
LONGEST_NAME = 26
# So that it is seen under a curve that is near to it.
REFERENCE_WIDTH = 2


@dataclass(frozen=True)
class Curve:
    """One layer's grey values.

    Attributes
    ----------
    name : str
    values : (S,) array
    color : int or None
        Which of the theme's curve colours; None for that of the text.
    """

    name: str
    values: NDArray[np.float64]
    color: int | None


class ProfilePlot(QWidget):
    """A plot with its legend above it, in the colours of the viewer's theme.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._curves: Sequence[Curve] = ()
        self._positions: NDArray[np.float64] = np.zeros(0)
        self.legend = QLabel()
        self.legend.setWordWrap(True)
        self.legend.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.plot = pyqtgraph.PlotWidget()
        self.plot.setToolTip("Drag to move along, turn the wheel to zoom, A brings all back")
        self.plot.setMinimumHeight(LOWEST_HEIGHT)
        # By itself it asks for 640x480.
        self.plot.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.plot.setMenuEnabled(False)
        self.plot.setMouseEnabled(x=True, y=False)
        for side in ("left", "bottom"):
            # "k" in front of a unit would read as kilo: kmm.
            self.plot.getAxis(side).enableAutoSIPrefix(False)  # noqa: FBT003
        self.plot.setLabel("left", "grey value")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.legend)
        layout.addWidget(self.plot, 1)
        self.restyle()

    def show_layers(
        self,
        layers: Sequence[tuple[Image, int | None]],
        shapes: Shapes | None,
        point: tuple[float, ...],
    ) -> str:
        """Draw the grey values of layers along the last line that is drawn, else along the middle row.

        Parameters
        ----------
        layers : sequence of (napari.layers.Image, int or None)
            Of one size; for the colour see `Curve`.
        shapes : napari.layers.Shapes or None
        point : tuple of float
            Where the viewer's sliders stand.

        Returns
        -------
        str
            Where the line is, in words.
        """
        first, place = layers[0][0], "the middle row"
        corners = None if shapes is None else last_line(shapes, first, point)
        if corners is None:
            height, width = first.data.shape[-2:]
            corners = np.array([[height // 2, 0], [height // 2, width - 1]], np.float64)
        elif shapes is not None:
            place = f"the last line in {shapes.name}"
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
        """Empty the plot."""
        self._curves = ()
        self.restyle()

    def restyle(self) -> None:
        """Draw again in the colours of the theme as it is now."""
        colors = style_plot(self.plot, self._viewer)
        self.plot.clear()
        words = []
        for curve in self._curves:
            color = colors.text if curve.color is None else colors.curves[curve.color]
            pen = pyqtgraph.mkPen(color, width=REFERENCE_WIDTH if curve.color is None else 1)
            self.plot.plot(self._positions, curve.values, pen=pen, connect="finite")
            words.append(f'<span style="color:{color}">&#9632;</span>&nbsp;{_words(curve.name)}')
        self.legend.setText("&nbsp; ".join(words))


def _words(name: str) -> str:
    """A name that is neither long nor broken into lines."""
    if len(name) > LONGEST_NAME:
        half = LONGEST_NAME // 2 - 1
        name = f"{name[:half]}...{name[-half:]}"
    return escape(name).replace(" ", "&nbsp;")
