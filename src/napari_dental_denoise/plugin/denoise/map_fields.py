"""The fields of the Denoise form for maps, and the layers that show these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magicgui.widgets import CheckBox, ComboBox, Widget
from magicgui.widgets.bases import ValueWidget

from napari_dental_denoise.config import PERCENT, SHARES, USUAL_SHARE
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.plugin.denoise.layer import Task
from napari_dental_denoise.plugin.denoise.maps import Maps, map_layers
from napari_dental_denoise.plugin.shared import ERROR_MAP, REMOVED_MAP, PreviewLayer, preference, row

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer


class MapFields:
    """Choice of the maps that a run makes; those of a preview replace those of the one before."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._previews = {name: PreviewLayer(viewer) for name in (ERROR_MAP, REMOVED_MAP)}
        self.error = CheckBox(
            text="Error map",
            value=preference("denoise", "error_map", default=False),
            tooltip="Add a layer that tells how far the truth may be from each denoised pixel",
        )
        self.share = ComboBox(
            value=USUAL_SHARE,
            choices=[(f"{PERCENT * share:g} %", share) for share in SHARES],
            tooltip="Share of the pixels whose true grey value lies within the denoised one plus or minus the error",
        )
        self.removed = CheckBox(
            text="Removed structure",
            value=preference("denoise", "removed", default=False),
            tooltip="Add a layer that shows where what was removed is not noise alone: red for a bright detail, blue "
            "for a dark one",
        )

    @property
    def widgets(self) -> list[Widget]:
        """The rows of the form."""
        return [row(self.error, self.share), self.removed]

    @property
    def error_fields(self) -> list[Widget]:
        """The fields that only models with an error map have."""
        return [self.error, self.share]

    @property
    def settings(self) -> dict[str, ValueWidget]:
        """The fields that are remembered."""
        return {"error_map": self.error, "share": self.share, "removed": self.removed}

    def error_share(self, strength: float) -> float | None:
        """Return the share of the pixels that an error map is wanted for, or None for no map."""
        if not (self.error.value and self.error.enabled):
            return None
        if strength != 1:
            raise InputError(f"The error map holds for a strength of 1; it is {strength:g}")
        share: float = self.share.value
        return share

    def show(self, task: Task, maps: Maps, record: dict[str, Any]) -> list[Image]:
        """Add and return a layer for each map over the input of a run; `record` is the provenance of its result."""
        layers = []
        settled = {**record, "strength": task.strength, "share": task.error_share, "image": task.shown}
        for operation, pixels, settings in map_layers(task.layer, maps, settled, task.window):
            if task.window:
                layer = self._previews[operation].show(pixels, settings)
            else:
                layer = self._viewer.add_image(pixels, **settings)
            layer.colorbar.visible = True
            layers.append(layer)
        return layers
