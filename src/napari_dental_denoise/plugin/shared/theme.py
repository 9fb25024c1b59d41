"""Plots in the colours of napari's theme."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import napari.viewer

GRID_OPACITY = 0.15
# In pixels: what pyqtgraph cuts off of the name of the lower axis.
DESCENDERS = 6
# Okabe and Ito's colours, told apart by colour-blind eyes too; darker where the background is bright.
DARK_THEME_CURVES = ("#e69f00", "#56b4e9", "#009e73")
LIGHT_THEME_CURVES = ("#b35900", "#0072b2", "#00664b")


@dataclass(frozen=True, slots=True)
class PlotColors:
    """Of one theme, as hexadecimal names.

    Attributes
    ----------
    background, text, frame : str
    curves : tuple of str
        For data; `text` suits a curve that the others are compared with.
    """

    background: str
    text: str
    frame: str
    curves: tuple[str, ...]


def plot_colors(viewer_or_theme_id: napari.viewer.Viewer | str) -> PlotColors:
    """The colours for a plot.

    Parameters
    ----------
    viewer_or_theme_id : napari.viewer.Viewer or str

    Returns
    -------
    PlotColors
    """
    from napari.utils.theme import get_theme

    name = viewer_or_theme_id if isinstance(viewer_or_theme_id, str) else viewer_or_theme_id.theme
    theme = get_theme(name)
    return PlotColors(
        background=theme.background.as_hex(format="long"),
        text=theme.text.as_hex(format="long"),
        frame=theme.secondary.as_hex(format="long"),
        curves=DARK_THEME_CURVES if theme.type == "dark" else LIGHT_THEME_CURVES,
    )


def style_plot(plot_widget: Any, viewer_or_theme_id: napari.viewer.Viewer | str) -> PlotColors:
    """Give a plot the background, the axes and the grid of a theme; its curves stay as they are.

    Parameters
    ----------
    plot_widget : pyqtgraph.PlotWidget
    viewer_or_theme_id : napari.viewer.Viewer or str

    Returns
    -------
    PlotColors
        For the curves.
    """
    colors = plot_colors(viewer_or_theme_id)
    plot_widget.setBackground(colors.background)
    plot_widget.getPlotItem().layout.setContentsMargins(0, 0, 0, DESCENDERS)
    for side in ("left", "bottom"):
        axis = plot_widget.getAxis(side)
        axis.setPen(colors.frame)
        axis.setTextPen(colors.text)
    plot_widget.showGrid(x=True, y=True, alpha=GRID_OPACITY)
    return colors
