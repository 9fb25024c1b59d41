"""Synthetic radiographs without noise, for sample data, tests and training.

Teeth, bone and fillings are solids in millimetres. Their attenuation adds up along each ray, and a display
curve maps the sum, which is the logarithm of the exposure, to grey values.
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
from napari_dental_denoise.validation import check_count, is_shape_2d

MIN_SIDE = 32
# A ligament of 0.2 mm needs two pixels; coarser images are drawn finer and then averaged.
MIN_PER_MM = 10.0
BITE_MM = 0.8
HOLDER_ATTENUATION = (0.15, 0.5)


def phantom(shape: tuple[int, int] = (488, 748), rng: Rng = None, anatomy: Anatomy | None = None) -> Field:
    """Draw one clean synthetic radiograph.

    Parameters
    ----------
    shape : tuple of int
        Height and width in pixels, at least 32 each; the anatomy scales with them.
    rng : int or numpy.random.Generator, optional
        Seed or generator; the same seed gives the same image.
    anatomy : Anatomy, optional
        Parameters of the image; by default those of `random_anatomy`.

    Returns
    -------
    ndarray of float32, shape (H, W)
        Grey values on [0, 1]; dense parts are bright.

    Examples
    --------
    >>> from napari_dental_denoise import phantom
    >>> image = phantom((64, 96), rng=0)
    >>> image.shape, image.dtype
    ((64, 96), dtype('float32'))
    """
    if not is_shape_2d(shape, MIN_SIDE):
        raise InputError(f"shape must be (height, width) of at least {MIN_SIDE} pixels each; received {shape}")
    rng = generator(rng)
    anatomy = anatomy or random_anatomy(rng)
    finer = int(np.ceil(MIN_PER_MM * anatomy.field_mm / max(shape)))
    fine = (shape[0] * finer, shape[1] * finer)
    attenuation = _attenuation(fine, anatomy, rng)
    image = display(attenuation, _grid(fine, anatomy, upper=False), anatomy, finer, rng)
    return image if finer == 1 else cv2.resize(image, shape[::-1], interpolation=cv2.INTER_AREA)


def phantoms(count: int, shape: tuple[int, int] = (488, 748), rng: int | np.random.Generator = 0) -> list[Field]:
    """Draw several phantoms of different anatomies; see `phantom`.

    Parameters
    ----------
    count : int
    shape : tuple of int
    rng : int or numpy.random.Generator
        Image `i` has the seed (`rng`, `i`), or the `i`-th child of the generator.

    Returns
    -------
    list of ndarray

    Examples
    --------
    >>> from napari_dental_denoise import phantoms
    >>> [image.shape for image in phantoms(2, (64, 96), rng=0)]
    [(64, 96), (64, 96)]
    """
    check_count("count", count, 0)
    if isinstance(rng, np.random.Generator):
        return [phantom(shape, child) for child in rng.spawn(count)]
    check_count("rng", rng, 0)
    return [phantom(shape, np.random.default_rng([rng, index])) for index in range(count)]


def _attenuation(shape: tuple[int, int], anatomy: Anatomy, rng: np.random.Generator) -> Field:
    """Draw the attenuation of the scene: one jaw, or both in a bite-wing, and a film holder."""
    upper = anatomy.jaw == "upper"
    total = jaw_attenuation(_grid(shape, anatomy, upper=upper), anatomy, rng)
    if anatomy.bitewing:
        other = replace(anatomy, jaw="lower" if upper else "upper")
        total += jaw_attenuation(_grid(shape, other, upper=not upper), other, rng)
    if anatomy.holder:
        total += rng.uniform(*HOLDER_ATTENUATION) * _holder(_grid(shape, anatomy, upper=upper), rng)
    return total


def _grid(shape: tuple[int, int], anatomy: Anatomy, *, upper: bool) -> Grid:
    """Return the grid of a jaw: x along the row of teeth, y from the cusps to the roots."""
    height, width = shape
    per_mm = max(shape) / anatomy.field_mm
    occlusal = 0.5 * height + 0.5 * BITE_MM * per_mm if anatomy.bitewing else anatomy.occlusal_mm * per_mm
    angle = np.radians(anatomy.tilt)
    flip = np.diag([-1.0 if anatomy.mirrored else 1.0, -1.0 if upper else 1.0])
    matrix = flip @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / per_mm
    pivot = np.array([0.5 * (width - 1), height - 1 - occlusal if upper else occlusal])
    return Grid(shape, per_mm, matrix, -matrix @ pivot)


def _holder(grid: Grid, rng: np.random.Generator) -> Field:
    """Draw the mask of a bite block over the cusps of a part of the row."""
    x, y = grid.all()
    half, middle, reach = rng.uniform(6, 14), rng.uniform(-10, 10), rng.uniform(0.5, 3)
    return soft_step(half - np.abs(x - middle), 0.1 + grid.edge) * soft_step(reach - y, 0.1 + grid.edge)
