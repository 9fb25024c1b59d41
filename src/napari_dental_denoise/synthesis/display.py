"""From the attenuation of a scene to the radiograph: display, detector blur, and what covers or borders the sensor."""

from __future__ import annotations

import cv2
import numpy as np

from napari_dental_denoise.synthesis.anatomy import Anatomy
from napari_dental_denoise.synthesis.grid import Field, Grid, soft_step

# The display spans these shares of the attenuation in the scene, apart from its own contrast and exposure.
DARK_QUANTILE = 0.04
BRIGHT_QUANTILE = 0.95
DARK_LEVEL = 0.06
BRIGHT_LEVEL = 0.8
SMALLEST_RANGE = 1.7
# More than this cannot come from teeth and bone, and is left out of the range.
MOST_OF_A_TOOTH = 3.4
QUANTILE_STEP = 4
PENUMBRA_MM = 0.25
CORNER_MM = 4.0


def display(attenuation: Field, grid: Grid, anatomy: Anatomy, finer: int, draw: np.random.Generator) -> Field:
    """Show a scene's attenuation, the logarithm of its exposure, on [0, 1] as a sensor's software does.

    Parameters
    ----------
    attenuation : (H, W) float32 array
        Summed along the rays.
    grid : Grid
        Of the same shape.
    anatomy : Anatomy
        Its exposure, contrast, gamma, cone cut, sensor edge and blur.
    finer : int
        Drawn pixels to a side of one of the detector, whose blur is in its own pixels.
    draw : numpy.random.Generator

    Returns
    -------
    (H, W) float32 array on [0, 1]
    """
    sample = attenuation[::QUANTILE_STEP, ::QUANTILE_STEP]
    tissue = sample[sample < MOST_OF_A_TOOTH]
    low, high = np.quantile(tissue if tissue.size else sample, (DARK_QUANTILE, BRIGHT_QUANTILE))
    range_ = float(max(high - low, SMALLEST_RANGE))
    level = DARK_LEVEL + (BRIGHT_LEVEL - DARK_LEVEL) * (attenuation - float(low)) / range_
    level = 0.5 + anatomy.contrast * (level - 0.5) - anatomy.exposure
    image = np.clip(level, 0, 1) ** anatomy.gamma
    if anatomy.cone_cut:
        image = np.maximum(image, _cone_cut(grid, anatomy.cone_cut, draw))
    if anatomy.sensor_edge != "none":
        border = _border(grid, draw)
        image = image * (1 - border) + border * (anatomy.sensor_edge == "bright")
    return np.clip(cv2.GaussianBlur(image.astype(np.float32), (0, 0), finer * anatomy.blur), 0, 1)


def _cone_cut(grid: Grid, share: float, draw: np.random.Generator) -> Field:
    """White outside a round beam that misses a share of the width, from one side."""
    height, width = grid.shape
    radius = draw.uniform(0.6, 1.5) * max(height, width)
    rows = np.arange(height, dtype=np.float32)[:, None] - draw.uniform(0.1, 0.9) * height
    columns = np.arange(width, dtype=np.float32)[None, :]
    if draw.random() < 0.5:
        columns = width - 1 - columns
    outside = np.hypot(rows, columns - share * width - radius) - radius
    return soft_step(outside / grid.per_mm, draw.uniform(0.6, 2.0) * PENUMBRA_MM + grid.edge)


def _border(grid: Grid, draw: np.random.Generator) -> Field:
    """The frame of the sensor along two sides that meet in a rounded corner."""
    height, width = grid.shape
    thickness = draw.uniform(0.2, 0.9)
    rows = np.arange(height, dtype=np.float32)[:, None] / grid.per_mm - thickness
    columns = np.arange(width, dtype=np.float32)[None, :] / grid.per_mm - thickness
    past = np.hypot(np.minimum(rows - CORNER_MM, 0), np.minimum(columns - CORNER_MM, 0)) - CORNER_MM
    border = soft_step(past, grid.edge)
    flips = draw.random(2) < 0.5
    return border[:: -1 if flips[0] else 1, :: -1 if flips[1] else 1]
