"""The detail map of a layer: its task, and the layer that shows it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_dental_denoise.config import PERCENT
from napari_dental_denoise.detail import DetailMap, denoiser_steps, detail_map_steps
from napari_dental_denoise.plugin.denoise.layer import Task
from napari_dental_denoise.plugin.shared import DETAIL_MAP, fit_encoding, matching_layer_kwargs, place_window
from napari_dental_denoise.progress import Progress

if TYPE_CHECKING:
    from napari.layers import Image

OPACITY = 0.85
# Where nothing is kept, where half is, and where all is: colourless, so that the image below is seen as it is.
COLORS = ((0.84, 0.1, 0.11, 1.0), (0.99, 0.68, 0.25, 0.6), (1.0, 1.0, 0.75, 0.0))


@dataclass(frozen=True)
class Spot:
    """The spot to map: its radius in pixels, and its contrast in standard deviations of the noise."""

    radius: float
    contrast_to_noise: float


def kept_steps(task: Task, spot: Spot) -> Generator[Progress, None, DetailMap]:
    """Map the image on view, one tile per step; meant for a thread."""
    denoise = denoiser_steps(task.engine(), task.strength)
    encoding = fit_encoding(task.encoding, task.images, task.shown)
    unit = encoding.to_unit(task.images[task.shown])
    steps = detail_map_steps(unit, denoise, radius=spot.radius, contrast_to_noise=spot.contrast_to_noise)
    return (yield from steps)


def kept_layer(task: Task, detail_map: DetailMap) -> Image:
    """Return the layer of a map over its image: percentages, with a colour bar as the legend."""
    from napari.layers import Image
    from napari.utils import Colormap

    data = np.clip(detail_map.share, 0, 1) * np.float32(PERCENT)
    record = {
        "operation": DETAIL_MAP,
        "model": task.model.name,
        "strength": task.strength,
        "self_ensemble": task.self_ensemble,
        "radius": detail_map.radius,
        "contrast": detail_map.contrast,
        "sigma": detail_map.sigma,
    }
    settings = {
        **matching_layer_kwargs(task.layer, "contrast kept (%)", record),
        **place_window(task.layer, *(slice(0, side) for side in data.shape)),
        "colormap": Colormap(list(COLORS), name="contrast kept"),
        "contrast_limits": (0, PERCENT),
        "gamma": 1.0,
        "opacity": OPACITY,
        "blending": "translucent",
    }
    layer = Image(data, **settings)
    layer.colorbar.visible = True
    return layer
