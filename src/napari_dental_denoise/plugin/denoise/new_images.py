"""Denoise every newly opened image, as long as the user wants it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from magicgui.widgets import CheckBox

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.plugin.shared import Connections, check_image, delayed, layer_operation

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

# Files that are opened together arrive one after the other, and are one run, whose results are saved together; reading
# one may take long.
DELAY_MS = 600


class NewImages:
    """Collects the images that are opened while a box is ticked; `denoise` gets them, and returns whether it began."""

    def __init__(self, viewer: Viewer, denoise: Callable[[Sequence[Image]], bool]) -> None:
        self.box = CheckBox(
            text="Denoise each newly opened image",
            tooltip="Denoise images as soon as they are opened, with these settings; stacks slice by slice on demand",
        )
        self._viewer, self._denoise = viewer, denoise
        self._waiting: list[Image] = []
        self._timer = delayed(self.box.native, DELAY_MS, self._start)
        self._connections = Connections()
        self._connections.add(viewer.layers.events.inserted, self._on_inserted)

    def _on_inserted(self, event: Any) -> None:
        if self.box.value and _is_new_image(event.value):
            self._waiting.append(event.value)
            self._timer.start()

    def _start(self) -> None:
        images = [layer for layer in self._waiting if layer in self._viewer.layers]
        if not images or self._denoise(images):
            self._waiting = []
        else:
            self._timer.start()

    def close(self) -> None:
        """Stop."""
        self._timer.stop()
        self._connections.close()


def _is_new_image(layer: Any) -> bool:
    """Return whether a layer is a grey image that no form has made."""
    from napari.layers import Image

    if not isinstance(layer, Image) or layer_operation(layer):
        return False
    try:
        check_image(layer)
    except InputError:
        return False
    return True
