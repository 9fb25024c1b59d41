"""The image field of a form: it follows the layer that the user selects, until another is pinned."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from magicgui.widgets import CheckBox, Container, Label, create_widget
from qtpy.QtWidgets import QSizePolicy

from napari_dental_denoise.plugin.shared.form import Connections, forget_problem, row

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer


class LayerField:
    """A choice of an image layer, and a box that pins it; choosing a layer by hand pins it too."""

    def __init__(self, viewer: Viewer, tooltip: str) -> None:
        self._viewer = viewer
        self._adds_results = False
        self.image = create_widget(annotation="napari.layers.Image", label="Image", options={"tooltip": tooltip})
        self.pin = CheckBox(text="Pin", tooltip="Keep this image when you select another layer")
        self._connections = Connections()
        self._connections.add(viewer.layers.selection.events.active, self.follow)
        self._connections.add(viewer.layers.events.removing, self._on_removing)
        self.pin.changed.connect(self.follow)
        self.image.native.activated.connect(self._chosen)

    @property
    def row(self) -> Container:
        """The two fields in a row."""
        line = row(self.image, self.pin, label="Image")
        self.pin.native.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        return line

    def forget_problems(self, form: Container, label: Label) -> None:
        """Clear a problem in a label when its cause may be gone.

        That is when a field of the form, a drawn shape or a chosen layer changes.
        """
        from napari.layers import Shapes

        def on_layers(event: Any) -> None:
            if event.type == "data":
                layer = self._viewer.layers[event.index]
                if isinstance(layer, Shapes) or layer in self.layers():
                    forget_problem(label)

        form.changed.connect(lambda: forget_problem(label))
        self._connections.add(self._viewer.layers.events, on_layers)

    def layers(self) -> list[Image | None]:
        """Return all selected image layers if the chosen one is among them, in their order; else the chosen one."""
        selected = [layer for layer in self.image.choices if layer in self._viewer.layers.selection]
        return selected if self.image.value in selected and not self.pin.value else [self.image.value]

    def follow(self, _event: object = None) -> None:
        """Take the selected layer, or of several the lowest unless one of them is chosen; keep a pinned one."""
        if self.pin.value or self._adds_results:
            return
        selection = self._viewer.layers.selection
        several = [layer for layer in self.image.choices if layer in selection]
        selected = selection.active or (several[0] if several and self.image.value not in several else None)
        if selected not in self.image.choices:
            # The field may hear of a new layer later than this.
            self.image.reset_choices()
        if selected in self.image.choices:
            self.image.value = selected

    def _on_removing(self, event: Any) -> None:
        # Else the pin would hold the layer that takes its place.
        if self._viewer.layers[event.index] == self.image.value:
            self.pin.value = False

    def _chosen(self, _index: int) -> None:
        if self.image.value != self._viewer.layers.selection.active:
            self.pin.value = True

    @contextmanager
    def results(self) -> Iterator[None]:
        """While layers with results are added, which napari selects, keep the image that they come from."""
        self._adds_results = True
        try:
            yield
        finally:
            self._adds_results = False

    def close(self) -> None:
        """Disconnect."""
        self._connections.close()
