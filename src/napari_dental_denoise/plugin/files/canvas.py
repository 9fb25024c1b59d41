"""The canvas of a viewer after files were opened: side by side, all in view, and the name of the displayed file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_dental_denoise.plugin.files.image_layers import Places
from napari_dental_denoise.plugin.files.questions import shown_window
from napari_dental_denoise.plugin.shared import current_image, layer_record

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import Viewer

OVERLAY = "file_name"
TOGETHER = "files opened together"
# From one of them to the next, whose drawing may take long.
TOGETHER_MS = 2000


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


def lay_out_files(viewer: Viewer) -> None:
    """Place the layers of files that are opened together, which come one by one, as those of a folder."""
    from qtpy.QtCore import QTimer

    window = shown_window()
    running = None if window is None else window.findChild(QTimer, TOGETHER)
    if running is not None:
        running.start()
    if window is None or running is not None:
        return
    was_empty, places = not len(viewer.layers), Places()

    def place(event: Any) -> None:
        layer = event.value
        record = layer_record(layer)
        # Results have an operation, and volumes lie in the patient.
        if "path" in record and "operation" not in record and not layer.translate.any():
            layer.translate = places.next(layer.data.shape, layer.scale)
            timer.start()
            if was_empty:
                viewer.reset_view()

    def end() -> None:
        viewer.layers.events.inserted.disconnect(place)
        timer.setParent(None)

    # Last, as napari's own callbacks count the axes of the new layer.
    viewer.layers.events.inserted.connect(place, position="last")
    timer = QTimer(window, objectName=TOGETHER, singleShot=True, interval=TOGETHER_MS)
    timer.timeout.connect(end)
    timer.start()


def show_file_names(viewer: Viewer) -> None:
    """Show from now on which file a stack displays: that of the selected layer, else the topmost visible one."""
    from napari.components.overlays import TextOverlay

    # A text of our own leaves that of the user alone, and tells that this viewer has one already.
    if OVERLAY in viewer.canvas.overlays:
        return
    text = TextOverlay(visible=True, position="top_left")
    viewer.canvas.overlays[OVERLAY] = text

    def update() -> None:
        text.text = displayed_file(viewer)
        # An empty box is drawn too, and crashes if it is drawn while napari adds a layer.
        text.box = bool(text.text)

    viewer.dims.events.current_step.connect(update)
    viewer.layers.selection.events.active.connect(update)
    # Those of the layers too, such as their visibility.
    viewer.layers.events.connect(update)


def displayed_file(viewer: Viewer) -> str:
    """Return the file that a stack displays, relative to the folder of the stack, or "" where no stack has files.

    A single image that is selected is no image of the stacks behind it.
    """
    from napari.layers import Image

    active = viewer.layers.selection.active
    if isinstance(active, Image) and active.ndim == 2:
        return ""
    candidates = [active] if active is not None else []
    for layer in (*candidates, *reversed(viewer.layers)):
        files = _files(layer)
        if files and layer.visible:
            return str(files[current_image(layer, viewer.dims.point)])
    return ""


def _files(layer: Layer) -> list[str]:
    files = layer_record(layer).get("files", [])
    # The data of a layer can be replaced.
    return files if files and layer.ndim == 3 and len(files) == layer.data.shape[0] else []
