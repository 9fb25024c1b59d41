"""Entries of the Layers menu: they open the same forms as the Plugins menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_dental_denoise.plugin.preferences import PLUGIN

if TYPE_CHECKING:
    import napari.viewer


def show_denoise(viewer: napari.viewer.Viewer) -> None:
    """Open the Denoise form."""
    viewer.window.add_plugin_dock_widget(PLUGIN, "Denoise")


def show_add_noise(viewer: napari.viewer.Viewer) -> None:
    """Open the Add noise form."""
    viewer.window.add_plugin_dock_widget(PLUGIN, "Add noise")


def show_compare(viewer: napari.viewer.Viewer) -> None:
    """Open the Compare form."""
    viewer.window.add_plugin_dock_widget(PLUGIN, "Compare")
