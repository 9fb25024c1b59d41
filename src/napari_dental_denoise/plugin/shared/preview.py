"""Preview layer of a form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer


class PreviewLayer:
    """At most one preview layer, which the next preview replaces."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._layer: Image | None = None

    def show(self, image: Any, settings: dict[str, Any]) -> Image:
        """Add a layer with these arguments of `Viewer.add_image`, in place of the previous one."""
        self.remove()
        self._layer = self._viewer.add_image(image, **settings)
        return self._layer

    def remove(self) -> None:
        """Remove the layer, unless the user has deleted it."""
        if self._layer is not None and self._layer in self._viewer.layers:
            self._viewer.layers.remove(self._layer)
        self._layer = None
