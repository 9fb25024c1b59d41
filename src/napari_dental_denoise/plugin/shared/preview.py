"""The layer that a form shows a preview in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer


class PreviewLayer:
    """At most one layer, which the next preview takes the place of; one that the user deleted is no more.

    Parameters
    ----------
    viewer : napari.Viewer
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._layer: Image | None = None

    def show(self, image: Any, look: dict[str, Any]) -> Image:
        """Add it, in the place of the last one.

        Parameters
        ----------
        image : array
        look : dict
            Further arguments of `Viewer.add_image`.
        """
        self.remove()
        self._layer = self._viewer.add_image(image, **look)
        return self._layer

    def remove(self) -> None:
        """Take the layer away, if it is still there."""
        if self._layer is not None and self._layer in self._viewer.layers:
            self._viewer.layers.remove(self._layer)
        self._layer = None
