"""A new model in the lists of the open forms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_dental_denoise.plugin.denoise import DenoiseWidget
from napari_dental_denoise.plugin.models import remember_model

if TYPE_CHECKING:
    from napari.viewer import Viewer


def offer_model(viewer: Viewer, model: Path) -> bool:
    """Offer a trained model in the Denoise form, also in one that is open; return whether its file exists."""
    if not model.is_file():
        return False
    remember_model(model)
    for form in list(viewer.window.dock_widgets.values()):
        if isinstance(form, DenoiseWidget):
            form.reset_choices()
    return True
