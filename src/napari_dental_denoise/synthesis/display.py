"""Display of a scene's attenuation as a radiograph: grey values, cone cut, sensor border, detector blur."""

from __future__ import annotations

import cv2
import numpy as np

from napari_dental_denoise.synthesis.anatomy import Anatomy
from napari_dental_denoise.synthesis.grid import Field, Grid, soft_step

# At neutral contrast and exposure, these quantiles of the attenuation have these grey values.
DARK_QUANTILE = 0.04
BRIGHT_QUANTILE = 0.95
DARK_LEVEL = 0.06
BRIGHT_LEVEL = 0.8
MIN_RANGE = 1.7
# Teeth and bone attenuate less than this; metal is left out of the quantiles.
MAX_TISSUE = 3.4
QUANTILE_STEP = 4
PENUMBRA_MM = 0.25
CORNER_MM = 4.0


def display(attenuation: Field, grid: Grid, anatomy: Anatomy, finer: int, rng: np.random.Generator) -> Field:
    """Display attenuation on [0, 1] as the software of a sensor does; a detector pixel has `finer` x `finer` pixels."""
    sample = attenuation[::QUANTILE_STEP, ::QUANTILE_STEP]
    tissue = sample[sample < MAX_TISSUE]
    low, high = np.quantile(tissue if tissue.size else sample, (DARK_QUANTILE, BRIGHT_QUANTILE))
    range_ = float(max(high - low, MIN_RANGE))
    level = DARK_LEVEL + (BRIGHT_LEVEL - DARK_LEVEL) * (attenuation - float(low)) / range_
    level = 0.5 + anatomy.contrast * (level - 0.5) - anatomy.exposure
    image = np.clip(level, 0, 1) ** anatomy.gamma
    if anatomy.cone_cut:
        image = np.maximum(image, _cone_cut(grid, anatomy.cone_cut, rng))
    if anatomy.sensor_edge != "none":
        border = _border(grid, rng)
        image = image * (1 - border) + border * (anatomy.sensor_edge == "bright")
    return np.clip(cv2.GaussianBlur(image.astype(np.float32), (0, 0), finer * anatomy.blur), 0, 1)


def _cone_cut(grid: Grid, share: float, rng: np.random.Generator) -> Field:
    """Return 1 outside of a round beam that misses a share of the width on one side."""
    height, width = grid.shape
    radius = rng.uniform(0.6, 1.5) * max(height, width)
    rows = np.arange(height, dtype=np.float32)[:, None] - rng.uniform(0.1, 0.9) * height
    columns = np.arange(width, dtype=np.float32)[None, :]
    if rng.random() < 0.5:
        columns = width - 1 - columns
    outside = np.hypot(rows, columns - share * width - radius) - radius
    return soft_step(outside / grid.per_mm, rng.uniform(0.6, 2.0) * PENUMBRA_MM + grid.edge)


def _border(grid: Grid, rng: np.random.Generator) -> Field:
    """Return 1 in the frame of the sensor along two sides that meet in a rounded corner."""
    height, width = grid.shape
    thickness = rng.uniform(0.2, 0.9)
    rows = np.arange(height, dtype=np.float32)[:, None] / grid.per_mm - thickness
    columns = np.arange(width, dtype=np.float32)[None, :] / grid.per_mm - thickness
    past = np.hypot(np.minimum(rows - CORNER_MM, 0), np.minimum(columns - CORNER_MM, 0)) - CORNER_MM
    border = soft_step(past, grid.edge)
    flips = rng.random(2) < 0.5
    return border[:: -1 if flips[0] else 1, :: -1 if flips[1] else 1]
