"""A synthetic periapical radiograph whose clean image is known: sample data, tests, training.

Teeth, bone and fillings are solids in millimetres; attenuation adds along the ray, and the image shows
that sum, the logarithm of the exposure, by a display curve. There is no noise; everything is seeded.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.noise import Rng, generator
from napari_dental_denoise.synthesis.anatomy import Anatomy, random_anatomy
from napari_dental_denoise.synthesis.display import display
from napari_dental_denoise.synthesis.grid import Field, Grid, soft_step
from napari_dental_denoise.synthesis.jaw import jaw_attenuation
from napari_dental_denoise.validation import are_sides

SMALLEST_SIDE = 32
# A ligament of 0.2 mm has two pixels of the drawing; coarser images are drawn finer, then averaged.
FEWEST_PER_MM = 10.0
BITE_MM = 0.8
HOLDER_ATTENUATION = (0.15, 0.5)


def phantom(shape: tuple[int, int] = (488, 748), rng: Rng = None, anatomy: Anatomy | None = None) -> Field:
    """Draw one clean synthetic radiograph.

    Parameters
    ----------
    shape : (height, width)
        In pixels, 32 and more each; the anatomy scales with it.
    rng : int or numpy.random.Generator, optional
        The same seed draws the same mouth.
    anatomy : Anatomy, optional
        What to show; drawn at random if None.

    Returns
    -------
    (H, W) float32 array on [0, 1]; bright is dense

    Raises
    ------
    InputError
        If a side is shorter than 32 pixels.
    """
    if not are_sides(shape, SMALLEST_SIDE):
        raise InputError(f"shape must have two sides of {SMALLEST_SIDE} pixels and more; received {shape}")
    draw = generator(rng)
    anatomy = anatomy or random_anatomy(draw)
    finer = int(np.ceil(FEWEST_PER_MM * anatomy.field_mm / max(shape)))
    fine = (shape[0] * finer, shape[1] * finer)
    attenuation = _attenuation(fine, anatomy, draw)
    image = display(attenuation, _grid(fine, anatomy, upper=False), anatomy, finer, draw)
    return image if finer == 1 else cv2.resize(image, shape[::-1], interpolation=cv2.INTER_AREA)


def phantoms(count: int, shape: tuple[int, int] = (488, 748), seed: int = 0) -> list[Field]:
    """Draw `count` phantoms, each of its own seed and anatomy; see `phantom`."""
    return [phantom(shape, np.random.default_rng([seed, index])) for index in range(count)]


def _attenuation(shape: tuple[int, int], anatomy: Anatomy, draw: np.random.Generator) -> Field:
    """Of the whole scene: one jaw, or both in a bite-wing, and a film holder."""
    upper = anatomy.jaw == "upper"
    total = jaw_attenuation(_grid(shape, anatomy, upper=upper), anatomy, draw)
    if anatomy.bitewing:
        other = replace(anatomy, jaw="lower" if upper else "upper")
        total += jaw_attenuation(_grid(shape, other, upper=not upper), other, draw)
    if anatomy.holder:
        total += draw.uniform(*HOLDER_ATTENUATION) * _holder(_grid(shape, anatomy, upper=upper), draw)
    return total


def _grid(shape: tuple[int, int], anatomy: Anatomy, *, upper: bool) -> Grid:
    """Pixels of a jaw in mm: x along the row of teeth, y from the cusps to the roots."""
    height, width = shape
    per_mm = max(shape) / anatomy.field_mm
    occlusal = 0.5 * height + 0.5 * BITE_MM * per_mm if anatomy.bitewing else anatomy.occlusal_mm * per_mm
    angle = np.radians(anatomy.tilt)
    flip = np.diag([-1.0 if anatomy.mirrored else 1.0, -1.0 if upper else 1.0])
    matrix = flip @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / per_mm
    pivot = np.array([0.5 * (width - 1), height - 1 - occlusal if upper else occlusal])
    return Grid(shape, per_mm, matrix, -matrix @ pivot)


def _holder(grid: Grid, draw: np.random.Generator) -> Field:
    """A bite block that covers the cusps of a part of the row."""
    x, y = grid.all()
    half, middle, reach = draw.uniform(6, 14), draw.uniform(-10, 10), draw.uniform(0.5, 3)
    return soft_step(half - np.abs(x - middle), 0.1 + grid.edge) * soft_step(reach - y, 0.1 + grid.edge)
