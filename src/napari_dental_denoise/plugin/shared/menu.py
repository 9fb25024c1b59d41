"""Entries of the Layers menu, which open the same forms as the Plugins menu."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_dental_denoise.config import PROGRAM

if TYPE_CHECKING:
    import napari.viewer


def open_form(viewer: napari.viewer.Viewer, name: str) -> Any:
    """Open a form by its title in the Plugins menu, or show and raise its dock if it is open already."""
    dock, form = viewer.window.add_plugin_dock_widget(PROGRAM, name)
    dock.show()
    dock.raise_()
    return form


def show_denoise(viewer: napari.viewer.Viewer) -> None:
    """Open the Denoise form on the selected layer."""
    _choose_selected(viewer, open_form(viewer, "Denoise"))


def show_add_noise(viewer: napari.viewer.Viewer) -> None:
    """Open the Add noise form on the selected layer."""
    _choose_selected(viewer, open_form(viewer, "Add noise"))


def show_compare(viewer: napari.viewer.Viewer) -> None:
    """Open the Compare form."""
    open_form(viewer, "Compare")


def _choose_selected(viewer: napari.viewer.Viewer, form: Any) -> None:
    selected = viewer.layers.selection.active
    if selected in form.image.choices:
        form.image.value = selected
