"""A synthetic periapical radiograph whose clean image is known: sample data, tests, training.

Teeth are solids of revolution about a bent axis, so that their projected density falls off towards
their edges as it does in a radiograph; bone carries a trabecular texture; everything is seeded.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.core.errors import InputError
from napari_dental_denoise.core.noise import Rng

Field = NDArray[np.floating]

SMALLEST_SIDE = 32
DETECTOR_BLUR = 0.6


def phantom(shape: tuple[int, int] = (488, 748), rng: Rng = None) -> Field:
    """Draw one clean synthetic radiograph.

    Parameters
    ----------
    shape : (height, width)
        In pixels, 32 and more each.
    rng : int or numpy.random.Generator, optional
        The same seed draws the same mouth.

    Returns
    -------
    (H, W) float32 array on [0, 1]; bright is dense

    Raises
    ------
    InputError
        If a side is shorter than 32 pixels.
    """
    if min(shape) < SMALLEST_SIDE:
        raise InputError(f"shape must have sides of {SMALLEST_SIDE} pixels and more; received {shape}")
    draw = np.random.default_rng(rng)
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    image = _soft_tissue(shape, draw)
    crest = _bone_crest(columns, shape, draw)
    bone = _soft_step(rows - crest, 0.01 * shape[0])
    image += bone * (0.16 + 0.1 * _trabeculae(shape, draw))
    width = shape[1] / draw.uniform(2.6, 5.0)
    centre = draw.uniform(-0.3, 0.5) * width
    while centre < shape[1] + 0.4 * width:
        image = _add_tooth(image, rows, columns, centre, width * draw.uniform(0.8, 1.0), crest, draw)
        centre += width * draw.uniform(0.98, 1.1)
    if draw.random() < 0.5:
        image = image[::-1]
    return np.clip(cv2.GaussianBlur(image.astype(np.float32), (0, 0), DETECTOR_BLUR), 0, 1)


def phantoms(count: int, shape: tuple[int, int] = (488, 748), seed: int = 0) -> list[Field]:
    """Draw `count` phantoms, each of its own seed; see `phantom`."""
    return [phantom(shape, np.random.default_rng([seed, index])) for index in range(count)]


def _soft_tissue(shape: tuple[int, int], draw: np.random.Generator) -> Field:
    level = draw.uniform(0.08, 0.25)
    return (level + 0.06 * _smooth_field(shape, 0.25 * max(shape), draw)).astype(np.float32)


def _smooth_field(shape: tuple[int, int], scale: float, draw: np.random.Generator) -> Field:
    """Gaussian field of unit deviation whose details are about `scale` pixels."""
    step = max(scale / 4, 1.0)
    coarse = tuple(int(np.ceil(side / step)) + 12 for side in shape)
    field = cv2.GaussianBlur(draw.standard_normal(coarse, dtype=np.float32), (0, 0), scale / step / 2)
    field = (field - field.mean()) / (field.std() + 1e-6)
    size = (int(np.ceil(coarse[1] * step)), int(np.ceil(coarse[0] * step)))
    return cv2.resize(field, size, interpolation=cv2.INTER_CUBIC)[: shape[0], : shape[1]]


def _bone_crest(columns: Field, shape: tuple[int, int], draw: np.random.Generator) -> Field:
    """Row below which there is bone, for each column."""
    phase, waves = draw.uniform(0, 2 * np.pi), draw.uniform(1, 4)
    wave = np.sin(2 * np.pi * waves * columns / shape[1] + phase)
    return (shape[0] * (draw.uniform(0.32, 0.5) + 0.03 * wave)).astype(np.float32)


def _trabeculae(shape: tuple[int, int], draw: np.random.Generator) -> Field:
    """Bone texture: ridges over several octaves, finer ones fainter."""
    texture = np.zeros(shape, np.float32)
    for scale, weight in ((24, 0.8), (12, 0.7), (6, 0.5), (3, 0.25)):
        texture += weight * (1 - np.abs(_smooth_field(shape, scale, draw)))
    return texture


def _soft_step(distance: Field, softness: float) -> Field:
    """0 to 1 across `distance` 0, over about `softness` pixels on each side."""
    return 1 / (1 + np.exp(-np.clip(distance / softness, -30, 30)))


def _add_tooth(
    image: Field,
    rows: Field,
    columns: Field,
    centre: float,
    width: float,
    crest: Field,
    draw: np.random.Generator,
) -> Field:
    height = rows.shape[0]
    tilt, bend = draw.uniform(-0.12, 0.12), draw.uniform(-0.12, 0.12) * width
    top = height * draw.uniform(-0.05, 0.12)
    length = max(width * draw.uniform(2.2, 2.9), 0.7 * height)
    along = (rows - top) / length
    axis = centre + tilt * (rows - top) + bend * np.clip(along, 0, 1) ** 2
    across = columns - axis
    half = _half_width(along, width)
    solid = np.sqrt(np.clip(1 - (across / np.maximum(half, 1e-3)) ** 2, 0, 1)) * (half > 0)
    inside = _soft_step(half - np.abs(across), 0.7) * (half > 0)
    density = inside * (0.3 + 0.22 * solid)
    density += 0.3 * _enamel(along, across, half, width)
    density -= _pulp(along, across, width, draw)
    ligament = _soft_step(half + 0.03 * width - np.abs(across), 0.7) * (half > 0) * (rows > crest)
    image = image * (1 - 0.35 * (ligament - ligament * inside)) * (1 - 0.55 * inside) + density
    if draw.random() < 0.35:
        image = _restore(image, along, across, width, inside, draw)
    return image


def _half_width(along: Field, width: float) -> Field:
    """Of the tooth at each row: a round crown, a neck, a tapering root."""
    crown = np.sqrt(np.clip(1 - ((along - 0.17) / 0.18) ** 2, 0, 1))
    root = 0.82 * np.sqrt(np.clip(1 - np.clip((along - 0.15) / 0.85, 0, 1) ** 1.7, 0, 1)) * (along > 0.17)
    return (0.5 * width * np.maximum(crown, root)).astype(np.float32)


def _enamel(along: Field, across: Field, half: Field, width: float) -> Field:
    """A cap of the crown, thickest on top, ending at the neck."""
    thickness = 0.13 * width * np.clip(1 - along / 0.33, 0, 1)
    side = _soft_step(np.abs(across) - (half - thickness), 1.0) * _soft_step(half - np.abs(across), 0.7)
    cap = _soft_step((0.07 - along) * 3 * width, 1.0) * _soft_step(half - np.abs(across), 0.7)
    return np.maximum(side, cap) * (along < 0.33) * (half > 0)


def _pulp(along: Field, across: Field, width: float, draw: np.random.Generator) -> Field:
    """Chamber and canals, to be taken away."""
    chamber = draw.uniform(0.08, 0.14) * width
    taper = np.clip((0.93 - along) / 0.7, 0, 1) * (along > 0.2)
    offsets = (0.0,) if draw.random() < 0.5 else (-0.16 * width, 0.16 * width)
    depth = draw.uniform(0.1, 0.18)
    canals = [
        _soft_step(np.maximum(chamber * taper, 0.4) - np.abs(across - offset * (along > 0.3)), 0.8)
        for offset in offsets
    ]
    return depth * np.maximum.reduce(canals) * (along > 0.2) * (along < 0.93)


def _restore(
    image: Field, along: Field, across: Field, width: float, inside: Field, draw: np.random.Generator
) -> Field:
    """A metal filling: bright, flat, with a sharp edge."""
    middle = draw.uniform(-0.2, 0.2) * width
    radius = draw.uniform(0.12, 0.25)
    shape = ((across - middle) / (radius * width)) ** 2 + ((along - 0.06) / (0.5 * radius)) ** 2
    filling = _soft_step((1 - shape) * radius * width, 0.7) * inside
    return image * (1 - filling) + draw.uniform(0.92, 0.99) * filling
