"""Bone of a phantom: crest, cortical plates, trabeculae, maxillary sinus and mandibular canal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_dental_denoise.synthesis.anatomy import Anatomy
from napari_dental_denoise.synthesis.grid import Field, Grid, smooth_field, soft_step

# Linear attenuation per mm at 40 keV, about the mean energy of a dental beam of 60 to 70 kV: mass attenuation of
# J. H. Hubbell and S. M. Seltzer, NISTIR 5632 (1995), doi 10.18434/T4D01F, times density.
SOFT_TISSUE = 0.028
CORTICAL = 0.128
MARROW = 0.025

PLATE_MM = 1.1
CREST_ROUNDING_MM = 1.4
OCTAVES = 4
RIDGE_WIDTH = 0.7
TEXTURE_CONTRAST = 0.35
CANAL_MM = 2.6
# Below the necks of the teeth.
CANAL_DEPTH_MM = (13.0, 19.0)
SINUS_DEPTH_MM = (8.0, 16.0)


@dataclass(frozen=True, slots=True)
class Bone:
    """Bone along each ray: its share of the jaw's thickness, its attenuation per mm, and that of the plates."""

    share: Field
    per_mm: Field
    plates: Field


def draw_bone(grid: Grid, x: Field, y: Field, neck: Field, anatomy: Anatomy, rng: np.random.Generator) -> Bone:
    """Draw the bone around teeth whose necks are at y = `neck`; coordinates in mm."""
    crest = neck + anatomy.crest_mm + rng.uniform(0.1, 0.3) * anatomy.crest_mm * _waves(x, 14.0, rng)
    below = y - crest
    lingual = below + rng.uniform(-1.5, 1.5)
    rounded = _rise(below) + _rise(lingual)
    share: Field = 0.5 * rounded * (0.72 + 0.28 * np.clip(below / 10, 0, 1))
    mineral = anatomy.bone_density * (1 + 0.25 * smooth_field(grid.shape, 4 * grid.per_mm, rng))
    texture = trabeculae(grid.shape, anatomy.trabecular_mm * grid.per_mm, anatomy.trabecular_slope, rng)
    per_mm = MARROW + (CORTICAL - MARROW) * np.clip(mineral * (1 + TEXTURE_CONTRAST * texture), 0, 1)
    crestal = 0.8 * np.exp(-np.square((below - 0.35) / 0.25)) * rng.uniform(0.2, 1)
    plates: Field = CORTICAL * (2 * PLATE_MM * share + crestal)
    if anatomy.landmark:
        hollow = _sinus if anatomy.jaw == "upper" else _canal
        share, plates = hollow(x, y - neck, share, plates, rng)
    return Bone(share.astype(np.float32), per_mm.astype(np.float32), plates.astype(np.float32))


def trabeculae(shape: tuple[int, int], spacing: float, slope: float, rng: np.random.Generator) -> Field:
    """Draw the projection of trabeculae: thin curved ridges in several octaves, of zero mean and unit deviation.

    For periods below `spacing`, in pixels, the power is proportional to 1 / frequency ** slope. Flat bone
    regions of periapical radiographs have a slope of 2.9 to 3.8; plates and rods are 0.6 to 0.9 mm apart [1]_.

    References
    ----------
    .. [1] T. Hildebrand et al., "Direct three-dimensional morphometric analysis of human cancellous bone",
       J. Bone Miner. Res. 14 (1999), doi 10.1359/jbmr.1999.14.7.1167.
    """
    texture = np.zeros(shape, np.float32)
    for octave in range(OCTAVES):
        scale = 1.4 * spacing / 2**octave
        if octave and scale < 2:
            break
        ridges = np.exp(-np.square(smooth_field(shape, scale, rng, stretch=1.4) / RIDGE_WIDTH))
        texture += 2.0 ** (-octave * (slope - 2) / 2) * (ridges - ridges.mean()) / (ridges.std() + 1e-6)
    return (texture / (texture.std() + 1e-6)).astype(np.float32)


def _rise(below: Field) -> Field:
    return np.sqrt(np.clip(below / CREST_ROUNDING_MM, 0, 1))


def _waves(x: Field, length: float, rng: np.random.Generator) -> Field:
    phases = rng.uniform(0, 2 * np.pi, 2).astype(np.float32)
    return np.sin(2 * np.pi / length * x + phases[0]) + 0.5 * np.sin(5.3 * np.pi / length * x + phases[1])


def _sinus(x: Field, depth: Field, share: Field, plates: Field, rng: np.random.Generator) -> tuple[Field, Field]:
    """Add the maxillary sinus: little bone above a scalloped floor, which is a thin bright line."""
    low = rng.uniform(*SINUS_DEPTH_MM)
    middle, reach = rng.uniform(-12, 12), rng.uniform(10, 22)
    floor = low + 0.8 * _waves(x, 17.0, rng) + 9 * np.square((x - middle) / reach)
    inside = depth - floor
    hollow = soft_step(inside, 0.4)
    line = np.exp(-np.square(inside / 0.3)) * CORTICAL * rng.uniform(1.0, 2.2)
    return share * (1 - 0.75 * hollow), plates * (1 - 0.45 * hollow) + line


def _canal(x: Field, depth: Field, share: Field, plates: Field, rng: np.random.Generator) -> tuple[Field, Field]:
    """Add the mandibular canal: a dark tube along the jaw with faint bright borders."""
    axis = rng.uniform(*CANAL_DEPTH_MM) + rng.uniform(-0.25, 0.25) * x + 0.4 * _waves(x, 30.0, rng)
    off = np.abs(depth - axis)
    tube = np.sqrt(np.clip(1 - np.square(off / (0.5 * CANAL_MM)), 0, 1))
    border = np.exp(-np.square((off - 0.5 * CANAL_MM - 0.1) / 0.25)) * CORTICAL * rng.uniform(0.3, 1.0)
    return share * (1 - 0.3 * tube), plates + border
