"""Commands of the Layers menu and the command palette, which open the same forms as the Plugins menu."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from npe2 import PluginManager

from napari_dental_denoise.config import PROGRAM

if TYPE_CHECKING:
    import napari.viewer

DISPLAY_NAME = "Dental Denoise"


def open_form(viewer: napari.viewer.Viewer, name: str) -> Any:
    """Open a form by its title in the Plugins menu, or show and raise the one that is open, whatever opened it.

    The dock has the name that the Plugins menu gives it, so that the menu finds it too.
    """
    window = viewer.window
    titles = [f"{name} ({DISPLAY_NAME})", f"{name} ({PROGRAM})"]
    for title in titles:
        if title in window.dock_widgets:
            form = window.dock_widgets[title]
            dock = getattr(form, "native", form).parent()
            dock.show()
            dock.raise_()
            return form
    form = _form_class(name)(viewer)
    window.add_dock_widget(form, name=titles[0])
    return form


def _form_class(name: str) -> Any:
    manager = PluginManager.instance()
    return next(
        form.get_callable()
        for form in manager.iter_widgets()
        if (form.plugin_name, form.display_name) == (PROGRAM, name)
    )


def show_denoise(viewer: napari.viewer.Viewer) -> None:
    """Open the Denoise form on the selected layer."""
    _choose_selected(viewer, open_form(viewer, "Denoise"))


def show_add_noise(viewer: napari.viewer.Viewer) -> None:
    """Open the Add noise form on the selected layer."""
    _choose_selected(viewer, open_form(viewer, "Add noise"))


def show_compare(viewer: napari.viewer.Viewer) -> None:
    """Open the Compare form."""
    open_form(viewer, "Compare")


def show_train(viewer: napari.viewer.Viewer) -> None:
    """Open the Train form."""
    open_form(viewer, "Train")


def denoise_selected(viewer: napari.viewer.Viewer) -> None:
    """Denoise the selected layers with the settings of the Denoise form, which is opened."""
    form = open_form(viewer, "Denoise")
    _choose_selected(viewer, form)
    if form.start.enabled:
        form.denoise()


def toggle_wipe(viewer: napari.viewer.Viewer) -> None:
    """Start or end the wipe of the Compare form, which is opened."""
    open_form(viewer, "Compare").wipe.toggle()


def _choose_selected(viewer: napari.viewer.Viewer, form: Any) -> None:
    form.field.follow()
    selected = viewer.layers.selection.active
    if selected in form.image.choices:
        form.image.value = selected
