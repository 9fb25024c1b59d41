"""The layer that shows a validation image while a model is trained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_dental_denoise.plugin.shared import METADATA, TRAINING_PREVIEW, beside_all

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

NAMES = {"clean": "training: noisy, denoised, clean", "noisy": "training: noisier, denoised, noisy target"}
GAP = 8


class TrainingPreview:
    """At most one layer, right of all others, whose pixels each epoch replaces."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._layer: Image | None = None
        self._shown: tuple[Path, int] | None = None

    def show(self, file: Path, reference: str) -> None:
        """Show the images of a file, if it has been written, without moving the camera or the selection."""
        try:
            version = file, file.stat().st_mtime_ns
            if version == self._shown:
                return
            images = np.load(file, allow_pickle=False)
        except (OSError, ValueError):
            return
        self._shown = version
        picture = np.hstack([np.pad(image, ((0, 0), (0, GAP))) for image in images])
        if self._layer is not None and self._layer in self._viewer.layers:
            self._layer.data, self._layer.name = picture, NAMES[reference]
            return
        selected = set(self._viewer.layers.selection)
        record = {METADATA: {"operation": TRAINING_PREVIEW}}
        look = {"name": NAMES[reference], "contrast_limits": (0, 1), "metadata": record, **beside_all(self._viewer)}
        self._layer = self._viewer.add_image(picture, **look)
        # The active layer stays active.
        if selected:
            self._viewer.layers.selection = selected

    def remove(self) -> None:
        """Remove the layer, unless the user has deleted it."""
        layer, self._layer = self._layer, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)
