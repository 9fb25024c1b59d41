"""Attenuation of fillings, crowns, root-canal fillings, posts, implants and cavities of a phantom's teeth."""

from __future__ import annotations

import numpy as np

from napari_dental_denoise.synthesis.anatomy import Anatomy
from napari_dental_denoise.synthesis.grid import Field, chord, soft_step
from napari_dental_denoise.synthesis.tooth import Tooth, canal_axes, crest_line, crown_half

# Attenuation that is white on any display.
OPAQUE = 8.0
# Attenuation per mm as in `bone`: fillings of glass and barium, gutta-percha with zinc oxide, titanium.
COMPOSITE = 0.3
GUTTA_PERCHA = 0.8
TITANIUM = 1.0

IMPLANT_MM = (1.7, 2.4)
THREAD_MM = 0.8
POST_SHARE = 0.35
METAL_SHARE = 0.7


def restore(
    attenuation: Field,
    outline: Field,
    tooth: Tooth,
    u: Field,
    v: Field,
    edge: float,
    anatomy: Anatomy,
    rng: np.random.Generator,
) -> Field:
    """Return the attenuation of a tooth after caries and treatment, drawn with the probabilities of the anatomy.

    `outline` is the path through the tooth, `u` and `v` are coordinates in its frame, and `edge` is the softness of
    sharp edges, all in mm.
    """
    carious, filled, restored = rng.random(3) < (anatomy.carious, anatomy.root_filled, anatomy.restored)
    if carious:
        attenuation = attenuation * (1 - _cavity(tooth, u, v, rng))
    if filled:
        attenuation = attenuation + _root_filling(tooth, u, v, edge, rng)
    if restored or (filled and rng.random() < 0.7):
        kind = rng.choice(("amalgam", "composite", "crown"), p=(0.3, 0.3, 0.4) if filled else (0.55, 0.35, 0.1))
        if kind == "crown":
            return attenuation + _crown(tooth, u, v, edge, rng)
        mask = _box(tooth, u, v, edge, rng) * soft_step(outline - 0.3, 0.3)
        return attenuation + OPAQUE * mask if kind == "amalgam" else _composite(attenuation, mask, tooth, rng)
    return attenuation


def implant(tooth: Tooth, u: Field, v: Field, edge: float, rng: np.random.Generator) -> Field:
    """Draw the attenuation of a screw in the bone with a crown on it, in the place of a tooth."""
    radius, length = rng.uniform(*IMPLANT_MM), rng.uniform(9, 13)
    start = rng.uniform(0.5, 2.0)
    depth = v - start
    thread = np.abs(np.mod(depth + 0.08 * u, THREAD_MM) / THREAD_MM - 0.5)
    half = radius * (1 - 0.25 * np.clip(depth / length, 0, 1) ** 3) - 0.5 * thread * (depth > 1)
    end = np.clip(1 - np.clip(depth / length, 0, 1) ** 20, 0, 1)
    screw = TITANIUM * 2 * radius * chord(u, half * end) * soft_step(depth, edge) * soft_step(length - depth, edge)
    neck = soft_step(0.75 * radius - np.abs(u), edge) * soft_step(start + 0.2 - v, edge) * soft_step(v + 4, edge)
    crown = _crown_mask(tooth, u, v, edge, -0.2) * soft_step(radius + 0.2 - 1.4 * v - np.abs(u), edge)
    return np.maximum(np.maximum(screw, 3.5 * neck), rng.uniform(1.8, 4.0) * crown)


def _composite(attenuation: Field, mask: Field, tooth: Tooth, rng: np.random.Generator) -> Field:
    """Fill a mask with resin or glass, from a little darker than dentine to brighter than enamel."""
    path = rng.uniform(0.4, 0.75) * tooth.depth
    return attenuation * (1 - 0.55 * mask) + COMPOSITE * rng.uniform(0.5, 1.5) * path * mask


def _crown(tooth: Tooth, u: Field, v: Field, edge: float, rng: np.random.Generator) -> Field:
    """Draw an artificial crown of metal or of ceramic, which attenuates less."""
    margin = rng.uniform(-0.25, -0.02) * tooth.height
    shade = OPAQUE if rng.random() < METAL_SHARE else rng.uniform(1.5, 3.0)
    return shade * _crown_mask(tooth, u, v, edge, margin)


def _crown_mask(tooth: Tooth, u: Field, v: Field, edge: float, margin: float) -> Field:
    sides = soft_step(crown_half(tooth, v) - np.abs(u) + 0.15, edge)
    bottom = margin + 0.5 * np.square(u / (0.5 * tooth.width))
    return sides * soft_step(v - crest_line(tooth, u), edge) * soft_step(bottom - v, edge)


def _box(tooth: Tooth, u: Field, v: Field, edge: float, rng: np.random.Generator) -> Field:
    """Draw the mask of a ragged cavity in the chewing surface or in one side of the crown."""
    occlusal = tooth.posterior and rng.random() < 0.6
    half = tooth.width * (rng.uniform(0.18, 0.38) if occlusal else rng.uniform(0.12, 0.22))
    side = rng.choice((-1.0, 1.0))
    middle = rng.uniform(-0.1, 0.1) * tooth.width if occlusal else float(side) * 0.5 * tooth.width
    floor = -tooth.height * (rng.uniform(0.52, 0.7) if occlusal else rng.uniform(0.25, 0.5))
    roof = crest_line(tooth, u) + rng.uniform(0.0, 0.8)
    if not tooth.posterior:
        roof = roof + rng.uniform(1.0, 3.0)
    phases = rng.uniform(0, 2 * np.pi, 4)
    ragged = 0.22 * np.sin(1.9 * u + float(phases[0])) + 0.12 * np.sin(4.3 * u + float(phases[1]))
    ragged_side = 0.2 * np.sin(2.1 * v + float(phases[2])) + 0.1 * np.sin(5.1 * v + float(phases[3]))
    sides = half + ragged_side - 0.15 * (v - floor) - np.abs(u - middle)
    corner = np.minimum(np.minimum(sides, floor + ragged - v), v - roof)
    return soft_step(corner, edge)


def _cavity(tooth: Tooth, u: Field, v: Field, rng: np.random.Generator) -> Field:
    """Draw the share of lost mineral: a blurred hollow at a contact point, at the neck or under the fossa."""
    side = float(rng.choice((-1.0, 1.0, 0.0)))
    level = -tooth.height * rng.uniform(0.1, 0.6)
    radius = rng.uniform(0.5, 1.0) if rng.random() < 0.7 else rng.uniform(1.0, 2.2)
    middle = side * 0.5 * tooth.width
    away = np.hypot((u - middle) / 1.2, v - level) / radius
    away = away + 0.12 * np.sin(3.1 * u + 2.3 * v)
    return rng.uniform(0.25, 0.6) * soft_step(1 - away, 0.35)


def _root_filling(tooth: Tooth, u: Field, v: Field, edge: float, rng: np.random.Generator) -> Field:
    """Draw gutta-percha that ends before the apex, and in some single roots a post."""
    end = 0.97 * tooth.root - rng.uniform(-0.2, 2.0)
    start = -rng.uniform(0.0, 0.3) * tooth.height if tooth.roots == 1 else rng.uniform(0.3, 0.9) * tooth.trunk
    taper = np.clip((end - v) / tooth.root, 0, 1)
    radius = (0.22 + 0.4 * tooth.pulp * taper) * soft_step(end - v, 0.15)
    depth = GUTTA_PERCHA * 2 * (0.3 + 0.7 * taper) * soft_step(v - start, edge)
    filling = np.maximum.reduce([depth * chord(u - axis, radius) for axis in canal_axes(tooth, v)])
    if tooth.roots == 1 and rng.random() < POST_SHARE:
        reach = rng.uniform(0.4, 0.6) * tooth.root
        half = 0.65 - 0.35 * np.clip(v / reach, 0, 1)
        rod = soft_step(half - np.abs(u - canal_axes(tooth, v)[0]), edge) * soft_step(reach - v, edge)
        filling = np.maximum(filling, OPAQUE * rod * soft_step(v - start + 1.5, edge))
    return filling
