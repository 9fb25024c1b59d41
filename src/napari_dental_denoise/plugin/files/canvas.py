"""The canvas of a viewer after files were opened: all of them in view, and the name of the displayed file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_dental_denoise.plugin.shared import METADATA, current_image

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import Viewer

OVERLAY = "file_name"


def fit_view(viewer: Viewer, count: int) -> None:
    """Fit an empty viewer to so many layers once they are added; napari fits it to the first one."""
    if len(viewer.layers):
        return

    def fit() -> None:
        if len(viewer.layers) == count:
            viewer.layers.events.inserted.disconnect(fit)
            viewer.reset_view()

    # Last, as napari's own callbacks count the axes of the new layer.
    viewer.layers.events.inserted.connect(fit, position="last")


def show_file_names(viewer: Viewer) -> None:
    """Show from now on which file a stack displays: that of the selected layer, else the topmost visible one."""
    from napari.components.overlays import TextOverlay

    # A text of our own leaves that of the user alone, and tells that this viewer has one already.
    if OVERLAY in viewer.canvas.overlays:
        return
    text = TextOverlay(visible=True, position="top_left", box=True)
    viewer.canvas.overlays[OVERLAY] = text

    def update() -> None:
        text.text = displayed_file(viewer)

    viewer.dims.events.current_step.connect(update)
    viewer.layers.selection.events.active.connect(update)
    # Those of the layers too, such as their visibility.
    viewer.layers.events.connect(update)


def displayed_file(viewer: Viewer) -> str:
    """Return the file that a stack displays, relative to the folder of the stack, or "" where no stack has files."""
    active = viewer.layers.selection.active
    candidates = [active] if active is not None else []
    for layer in (*candidates, *reversed(viewer.layers)):
        files = _files(layer)
        if files and layer.visible:
            return str(files[current_image(layer, viewer.dims.point)])
    return ""


def _files(layer: Layer) -> list[str]:
    record = layer.metadata.get(METADATA)
    files = record.get("files", []) if isinstance(record, dict) else []
    # The data of a layer can be replaced.
    return files if layer.ndim == 3 and len(files) == len(layer.data) else []
