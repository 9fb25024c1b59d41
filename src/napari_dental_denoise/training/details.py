"""Faint details to put into the patches of a training, so that the network learns not to remove them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.pixels import Unit
from napari_dental_denoise.synthesis import log_uniform, soft_step

# Signal-to-noise ratio of an observer who knows the place and the shape: from what is barely found to what is plain.
RATIOS = (2.5, 10.0)
# Bounds of the contrast on [0, 1]: lower, drawn for each detail, where there is no noise; higher for small details.
FAINTEST = (0.005, 0.03)
HIGHEST = 0.3
# In pixels, drawn evenly by their logarithms, like those of a contrast-detail phantom. Nothing tells smaller ones from
# noise.
RADII = (1.5, 10.0)
LINE_WIDTHS = (1.0, 3.0)
# Relative to the width.
LINE_LENGTHS = (4.0, 16.0)
LINES = 0.35
# Details in a patch of this side, at most; larger patches have more.
SIDE, MOST = 96, 6
# Width of their edge on each side, in pixels: that of a sharp detector.
SOFTNESS = 1.0


def random_details(side: int, noise: float, rng: np.random.Generator) -> Unit:
    """Return an image (side, side) of bright and dark discs, ellipses and lines on 0, faint in noise of this level."""
    count = int(rng.integers(1, max(round(MOST * (side / SIDE) ** 2), 1) + 1))
    total = np.zeros((side, side), np.float32)
    rows, columns = np.indices((side, side), np.float32)
    for _ in range(count):
        row, column = rng.uniform(0, side, 2)
        angle = rng.uniform(0, np.pi)
        along = (columns - column) * np.cos(angle) + (rows - row) * np.sin(angle)
        across = (rows - row) * np.cos(angle) - (columns - column) * np.sin(angle)
        detail = (_line if rng.random() < LINES else _ellipse)(along, across, rng)
        found = log_uniform(rng, RATIOS) * noise / max(float(np.linalg.norm(detail)), 1.0)
        contrast = np.clip(found, rng.uniform(*FAINTEST), HIGHEST)
        total += np.float32(rng.choice((-contrast, contrast))) * detail
    return total


def _ellipse(along: Unit, across: Unit, rng: np.random.Generator) -> NDArray[np.floating]:
    radius = log_uniform(rng, RADII)
    # A disc, or an ellipse down to half as wide.
    ratio = float(rng.choice((1.0, rng.uniform(0.5, 1))))
    return soft_step(radius * ratio - np.hypot(along * ratio, across), SOFTNESS)


def _line(along: Unit, across: Unit, rng: np.random.Generator) -> NDArray[np.floating]:
    width = log_uniform(rng, LINE_WIDTHS)
    length = width * log_uniform(rng, LINE_LENGTHS)
    return soft_step(width / 2 - np.abs(across), SOFTNESS) * soft_step(length / 2 - np.abs(along), SOFTNESS)
