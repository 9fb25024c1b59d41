"""Label with the estimated noise of the displayed image."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

from magicgui.widgets import Label, Widget

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.noise import NoiseEstimate, estimate_noise
from napari_dental_denoise.plugin.shared.form import Connections, delayed, show_text, text_label
from napari_dental_denoise.plugin.shared.layer_images import LayerImages
from napari_dental_denoise.plugin.shared.layers import check_image, current_image
from napari_dental_denoise.plugin.shared.metadata import fit_encoding, layer_encoding
from napari_dental_denoise.plugin.shared.workers import abandon, start_worker
from napari_dental_denoise.progress import Progress

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.qt.threading import GeneratorWorker
    from napari.viewer import Viewer

# Delay after the last change, so that scrolling through a stack does not estimate each image.
DELAY_MS = 150


class NoiseLabel:
    """Label that estimates the noise of the displayed image of a layer field in a thread, whenever it changes."""

    def __init__(self, viewer: Viewer, image: Widget) -> None:
        self.label: Label = text_label("Noise of the displayed image, estimated from its flat patches")
        self._viewer, self._image = viewer, image
        self._worker: GeneratorWorker | None = None
        self._timer = delayed(self.label.native, DELAY_MS, self._estimate)
        self._connections, self._layer_connections = Connections(), Connections()
        self._connections.add(viewer.dims.events.current_step, self._changed)
        image.changed.connect(self._listen)
        self._listen()

    def _listen(self, *_: object) -> None:
        """Connect to the selected layer, whose pixels may change."""
        self._layer_connections.close()
        if self._image.value is not None:
            self._layer_connections.add(self._image.value.events.data, self._changed)
        self._changed()

    def _changed(self, *_: object) -> None:
        self._timer.start()

    def _estimate(self) -> None:
        self._leave_worker()
        try:
            layer = check_image(self._image.value)
        except InputError:
            # The form reports the error when it is started.
            show_text(self.label, "")
            return
        self._worker = start_worker(
            _work(layer, current_image(layer, self._viewer.dims.point)),
            returned=lambda estimate: show_text(self.label, f"Noise: {estimate.text()}"),
            failed=lambda error: show_text(self.label, f"Noise: {error}"),
            finished=self._ready,
        )

    def _ready(self) -> None:
        self._worker = None

    def _leave_worker(self) -> None:
        if self._worker is not None:
            abandon(self._worker)
        self._worker = None

    def close(self) -> None:
        """Disconnect and stop."""
        self._timer.stop()
        self._connections.close()
        self._layer_connections.close()
        self._leave_worker()


def _work(layer: Image, index: int) -> Callable[[], Generator[Progress, None, NoiseEstimate]]:
    images = LayerImages(layer)
    encoding = layer_encoding(layer)

    def steps() -> Generator[Progress, None, NoiseEstimate]:
        yield Progress(0, 1)
        return estimate_noise(fit_encoding(encoding, images, index).to_unit(images[index]))

    return steps
