"""What dentists and caries leave in a tooth: fillings, crowns, root-canal fillings, posts, implants, cavities.

Materials come as attenuation of the rays; each replaces what was there or adds to it.
"""

from __future__ import annotations

import numpy as np

from napari_dental_denoise.synthesis.anatomy import Anatomy
from napari_dental_denoise.synthesis.grid import Field, chord, soft_step
from napari_dental_denoise.synthesis.tooth import Tooth, canal_axes, crest_line, crown_half

# Attenuation that leaves no light on any display.
OPAQUE = 8.0
# Per mm, as of the tissues: fillings of glass and barium, gutta-percha with zinc oxide, titanium.
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
    draw: np.random.Generator,
) -> Field:
    """The attenuation of a tooth, an outline in mm around it, after caries and treatment of some.

    Parameters
    ----------
    attenuation, outline, u, v : (h, w) float32 arrays
        Of the tooth; the path in mm through it; where the pixels lie in its frame, in mm.
    tooth : Tooth
    edge : float
        Softness of sharp edges, in mm.
    anatomy : Anatomy
        Whose shares say how many teeth are treated.
    draw : numpy.random.Generator

    Returns
    -------
    (h, w) float32 array
    """
    carious, filled, restored = draw.random(3) < (anatomy.carious, anatomy.root_filled, anatomy.restored)
    if carious:
        attenuation = attenuation * (1 - _cavity(tooth, u, v, draw))
    if filled:
        attenuation = attenuation + _root_filling(tooth, u, v, edge, draw)
    if restored or (filled and draw.random() < 0.7):
        kind = draw.choice(("amalgam", "composite", "crown"), p=(0.3, 0.3, 0.4) if filled else (0.55, 0.35, 0.1))
        if kind == "crown":
            return attenuation + _crown(tooth, u, v, edge, draw)
        mask = _box(tooth, u, v, edge, draw) * soft_step(outline - 0.3, 0.3)
        return attenuation + OPAQUE * mask if kind == "amalgam" else _composite(attenuation, mask, tooth, draw)
    return attenuation


def implant(tooth: Tooth, u: Field, v: Field, edge: float, draw: np.random.Generator) -> Field:
    """Attenuation of a screw in the bone with a crown on it, in the place of a tooth."""
    radius, length = draw.uniform(*IMPLANT_MM), draw.uniform(9, 13)
    start = draw.uniform(0.5, 2.0)
    depth = v - start
    thread = np.abs(np.mod(depth + 0.08 * u, THREAD_MM) / THREAD_MM - 0.5)
    half = radius * (1 - 0.25 * np.clip(depth / length, 0, 1) ** 3) - 0.5 * thread * (depth > 1)
    end = np.clip(1 - np.clip(depth / length, 0, 1) ** 20, 0, 1)
    screw = TITANIUM * 2 * radius * chord(u, half * end) * soft_step(depth, edge) * soft_step(length - depth, edge)
    neck = soft_step(0.75 * radius - np.abs(u), edge) * soft_step(start + 0.2 - v, edge) * soft_step(v + 4, edge)
    crown = _crown_mask(tooth, u, v, edge, -0.2) * soft_step(radius + 0.2 - 1.4 * v - np.abs(u), edge)
    return np.maximum(np.maximum(screw, 3.5 * neck), draw.uniform(1.8, 4.0) * crown)


def _composite(attenuation: Field, mask: Field, tooth: Tooth, draw: np.random.Generator) -> Field:
    """Resin or glass: from a little darker than dentine to brighter than enamel."""
    path = draw.uniform(0.4, 0.75) * tooth.depth
    return attenuation * (1 - 0.55 * mask) + COMPOSITE * draw.uniform(0.5, 1.5) * path * mask


def _crown(tooth: Tooth, u: Field, v: Field, edge: float, draw: np.random.Generator) -> Field:
    """A cap over the whole crown, of metal or of ceramic that lets some light through."""
    margin = draw.uniform(-0.25, -0.02) * tooth.height
    shade = OPAQUE if draw.random() < METAL_SHARE else draw.uniform(1.5, 3.0)
    return shade * _crown_mask(tooth, u, v, edge, margin)


def _crown_mask(tooth: Tooth, u: Field, v: Field, edge: float, margin: float) -> Field:
    sides = soft_step(crown_half(tooth, v) - np.abs(u) + 0.15, edge)
    bottom = margin + 0.5 * np.square(u / (0.5 * tooth.width))
    return sides * soft_step(v - crest_line(tooth, u), edge) * soft_step(bottom - v, edge)


def _box(tooth: Tooth, u: Field, v: Field, edge: float, draw: np.random.Generator) -> Field:
    """A ragged cavity of the chewing surface, or of one side of the crown."""
    occlusal = tooth.posterior and draw.random() < 0.6
    half = tooth.width * (draw.uniform(0.18, 0.38) if occlusal else draw.uniform(0.12, 0.22))
    side = draw.choice((-1.0, 1.0))
    middle = draw.uniform(-0.1, 0.1) * tooth.width if occlusal else float(side) * 0.5 * tooth.width
    floor = -tooth.height * (draw.uniform(0.52, 0.7) if occlusal else draw.uniform(0.25, 0.5))
    roof = crest_line(tooth, u) + draw.uniform(0.0, 0.8)
    if not tooth.posterior:
        roof = roof + draw.uniform(1.0, 3.0)
    phases = draw.uniform(0, 2 * np.pi, 4)
    ragged = 0.22 * np.sin(1.9 * u + float(phases[0])) + 0.12 * np.sin(4.3 * u + float(phases[1]))
    ragged_side = 0.2 * np.sin(2.1 * v + float(phases[2])) + 0.1 * np.sin(5.1 * v + float(phases[3]))
    sides = half + ragged_side - 0.15 * (v - floor) - np.abs(u - middle)
    corner = np.minimum(np.minimum(sides, floor + ragged - v), v - roof)
    return soft_step(corner, edge)


def _cavity(tooth: Tooth, u: Field, v: Field, draw: np.random.Generator) -> Field:
    """Share of mineral that is lost: a blurred hollow at a contact point, at the neck or under the fossa."""
    side = float(draw.choice((-1.0, 1.0, 0.0)))
    level = -tooth.height * draw.uniform(0.1, 0.6)
    radius = draw.uniform(0.5, 1.0) if draw.random() < 0.7 else draw.uniform(1.0, 2.2)
    middle = side * 0.5 * tooth.width
    away = np.hypot((u - middle) / 1.2, v - level) / radius
    away = away + 0.12 * np.sin(3.1 * u + 2.3 * v)
    return draw.uniform(0.25, 0.6) * soft_step(1 - away, 0.35)


def _root_filling(tooth: Tooth, u: Field, v: Field, edge: float, draw: np.random.Generator) -> Field:
    """Gutta-percha short of the apex, and now and then a post in a single root."""
    end = 0.97 * tooth.root - draw.uniform(-0.2, 2.0)
    start = -draw.uniform(0.0, 0.3) * tooth.height if tooth.roots == 1 else draw.uniform(0.3, 0.9) * tooth.trunk
    taper = np.clip((end - v) / tooth.root, 0, 1)
    radius = (0.22 + 0.4 * tooth.pulp * taper) * soft_step(end - v, 0.15)
    depth = GUTTA_PERCHA * 2 * (0.3 + 0.7 * taper) * soft_step(v - start, edge)
    filling = np.maximum.reduce([depth * chord(u - axis, radius) for axis in canal_axes(tooth, v)])
    if tooth.roots == 1 and draw.random() < POST_SHARE:
        reach = draw.uniform(0.4, 0.6) * tooth.root
        half = 0.65 - 0.35 * np.clip(v / reach, 0, 1)
        rod = soft_step(half - np.abs(u - canal_axes(tooth, v)[0]), edge) * soft_step(reach - v, edge)
        filling = np.maximum(filling, OPAQUE * rod * soft_step(v - start + 1.5, edge))
    return filling
