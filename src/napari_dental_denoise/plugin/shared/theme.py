"""Plots in the colours of napari's theme."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import napari.viewer

GRID_OPACITY = 0.15
# Pixels that pyqtgraph cuts off the title of the lower axis.
DESCENDERS = 6
# The colours of Okabe and Ito, which colour-blind people can distinguish; darker ones for a bright background.
DARK_THEME_CURVES = ("#e69f00", "#56b4e9", "#009e73")
LIGHT_THEME_CURVES = ("#b35900", "#0072b2", "#00664b")


@dataclass(frozen=True, slots=True)
class PlotColors:
    """Colours of a plot as hexadecimal strings; `text` also suits a reference curve."""

    background: str
    text: str
    frame: str
    curves: tuple[str, ...]


def plot_colors(theme_id: str) -> PlotColors:
    """Return the colours of a plot in a theme of napari."""
    from napari.utils.theme import get_theme

    theme = get_theme(theme_id)
    return PlotColors(
        background=theme.background.as_hex(format="long"),
        text=theme.text.as_hex(format="long"),
        frame=theme.secondary.as_hex(format="long"),
        curves=DARK_THEME_CURVES if theme.type == "dark" else LIGHT_THEME_CURVES,
    )


def style_plot(plot_widget: Any, viewer: napari.viewer.Viewer) -> PlotColors:
    """Apply the viewer's theme to a pyqtgraph plot, and return the colours for its curves."""
    colors = plot_colors(viewer.theme)
    plot_widget.setBackground(colors.background)
    plot_widget.getPlotItem().layout.setContentsMargins(0, 0, 0, DESCENDERS)
    for side in ("left", "bottom"):
        axis = plot_widget.getAxis(side)
        axis.setPen(colors.frame)
        axis.setTextPen(colors.text)
    plot_widget.showGrid(x=True, y=True, alpha=GRID_OPACITY)
    return colors
