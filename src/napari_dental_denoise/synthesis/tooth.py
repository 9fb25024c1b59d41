"""Teeth of a phantom: their measures, and the paths of rays through enamel, dentine, pulp and ligament.

A tooth has its own frame in mm: u across, v along; v is 0 at the neck and negative towards the cusps.
Its sections are round, so that paths are long in the middle and short at the edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_dental_denoise.synthesis.anatomy import Anatomy
from napari_dental_denoise.synthesis.grid import Field, chord, soft_step

# Width, depth and height of the crown, length of the root, width of the neck in mm; numbers of roots and cusps. From
# the central incisor to the third molar. Means of S. J. Nelson, "Wheeler's Dental Anatomy, Physiology and Occlusion".
MEASURES = {
    "upper": (
        (8.5, 7.0, 10.5, 13.0, 7.0, 1, 0),
        (6.5, 6.0, 9.0, 13.0, 5.0, 1, 0),
        (7.5, 8.0, 10.0, 17.0, 5.5, 1, 1),
        (7.0, 9.0, 8.5, 14.0, 5.2, 2, 1),
        (7.0, 9.0, 8.5, 14.0, 5.2, 1, 1),
        (10.0, 11.0, 7.5, 12.5, 7.9, 3, 2),
        (9.0, 11.0, 7.0, 11.5, 7.2, 3, 2),
        (8.5, 10.0, 6.5, 11.0, 6.7, 3, 2),
    ),
    "lower": (
        (5.0, 6.0, 9.0, 12.5, 3.7, 1, 0),
        (5.5, 6.5, 9.5, 14.0, 4.1, 1, 0),
        (7.0, 7.5, 11.0, 16.0, 5.5, 1, 1),
        (7.0, 7.5, 8.5, 14.0, 5.2, 1, 1),
        (7.0, 8.0, 8.0, 14.5, 5.2, 1, 1),
        (11.0, 10.5, 7.5, 14.0, 9.0, 2, 2),
        (10.5, 10.0, 7.0, 13.0, 8.4, 2, 2),
        (10.0, 9.5, 7.0, 11.0, 7.8, 2, 2),
    ),
}
FIRST_POSTERIOR = 4
LAMINA_MM = 0.3
NECK_DEPTH = 0.87


@dataclass(frozen=True, slots=True)
class Tooth:
    """Measures of one tooth in mm, and the parameters of its shape."""

    width: float
    depth: float
    height: float
    root: float
    neck: float
    roots: int
    cusps: int
    posterior: bool
    fork: float
    trunk: float
    spread: float
    bend: float
    enamel: float
    relief: float
    lingual_shift: float
    lingual_rise: float
    pulp: float
    taper: float


@dataclass(frozen=True, slots=True)
class Paths:
    """Paths of the rays through one tooth in mm: each tissue, the whole tooth, and the tooth with its ligament."""

    enamel: Field
    dentine: Field
    pulp: Field
    outline: Field
    ligament: Field
    lamina: Field


def draw_tooth(position: int, jaw: str, anatomy: Anatomy, rng: np.random.Generator) -> Tooth:
    """Draw a variation of the textbook's tooth at a position, 1 to 8 from the middle of the mouth."""
    *lengths, roots, cusps = MEASURES[jaw][position - 1]
    width, depth, height, root, neck = (anatomy.tooth_scale * rng.uniform(0.93, 1.07) * length for length in lengths)
    return Tooth(
        width=width,
        depth=depth,
        height=height,
        root=root,
        neck=min(neck, 0.92 * width),
        roots=anatomy.roots or int(roots),
        cusps=int(cusps),
        posterior=position >= FIRST_POSTERIOR,
        fork=1.0 if cusps == 2 else 0.35,
        trunk=rng.uniform(2.5, 4.5),
        spread=rng.uniform(-0.4, 2.2),
        bend=rng.normal(0.6, 1.0),
        enamel=rng.uniform(0.9, 1.3),
        relief=rng.uniform(0.5, 1.3),
        lingual_shift=rng.uniform(-1.6, 1.6),
        lingual_rise=rng.uniform(-0.2, 1.4),
        pulp=rng.uniform(0.6, 1.25),
        taper=rng.uniform(0.4, 0.6),
    )


def tooth_paths(tooth: Tooth, u: Field, v: Field, ligament_mm: float, edge: float) -> Paths:
    """Return the paths of the rays at (u, v) through a tooth; `edge` is the softness of sharp edges in mm."""
    whole = _crown(tooth, u, v, edge)
    inner = np.minimum(_crown_dentine(tooth, u, v), whole)
    root = root_chord(tooth, u, v, 0.0) * (v >= 0)
    pulp = _pulp(tooth, u, v, edge)
    outline = np.maximum(whole, root)
    ligament = np.maximum(root_chord(tooth, u, v, ligament_mm), whole)
    shell = root_chord(tooth, u, v, ligament_mm + LAMINA_MM) - ligament
    body = np.maximum(inner, root)
    return Paths(whole - inner, body - np.minimum(pulp, body), pulp, outline, ligament, np.maximum(shell, 0))


def root_axes(tooth: Tooth, v: Field) -> list[tuple[Field, Field]]:
    """Return the axis and the half width of each root at each v: mesial, distal, palatal."""
    down = np.clip(v / tooth.root, 0, 1.1)
    curve = tooth.bend * down * down
    if tooth.roots == 1:
        return [(curve, 0.5 * tooth.neck * (1 - tooth.taper * down))]
    forked = np.clip(v / tooth.trunk, 0, 1)
    forked = forked * forked * (3 - 2 * forked)
    half = 0.5 * tooth.neck * (1 - 0.5 * tooth.fork * forked) * (1 - 0.45 * np.clip(down - 0.2, 0, 1))
    outward = 0.5 * tooth.neck - half + tooth.fork * tooth.spread * (1.6 * down - 1.6 * down * down) * forked
    axes = [(curve - outward, half), (curve + outward, half)]
    return axes if tooth.roots == 2 else [*axes, (0.5 * curve, half * (1 + 0.15 * forked))]


def root_chord(tooth: Tooth, u: Field, v: Field, margin: float) -> Field:
    """Return the path through the roots, enlarged by a margin in mm."""
    lengths = (0.97, 1.0, 1.06)
    chords = []
    for (axis, half), share in zip(root_axes(tooth, v), lengths, strict=False):
        end = share * tooth.root + margin
        blunt = np.sqrt(1 - _eighth(np.clip(v / end, 0, 1)))
        deep = (NECK_DEPTH * tooth.depth * (1 - 0.45 * np.clip(v / end, 0, 1)) + 2 * margin) * blunt
        chords.append(deep * chord(u - axis, (half + margin) * blunt))
    together = np.maximum.reduce(chords)
    if tooth.roots < 3:
        return together
    apart = 0.62 * np.maximum(chords[0], chords[1]) + 0.55 * chords[2]
    return together + (apart - together) * np.clip(v / tooth.trunk - 0.4, 0, 1)


def crest_line(tooth: Tooth, u: Field) -> Field:
    """Return the v of the occlusal outline at each u."""
    if not tooth.cusps:
        return -tooth.height + 0.12 * tooth.relief * np.square(u / (0.5 * tooth.width))
    if tooth.cusps == 1:
        return -tooth.height + 2.2 * tooth.relief * np.square(u / (0.55 * tooth.width))
    return -tooth.height + 0.45 * tooth.relief * (1 + np.cos(4 * np.pi * u / tooth.width))


def crown_half(tooth: Tooth, v: Field) -> Field:
    """Return the half width of the crown at each v: widest at the contact point, narrower at neck and cusps."""
    up = np.clip(-v / tooth.height, 0, 1.2)
    bulge = np.sin(0.5 * np.pi * np.clip(up / 0.62, 0, 1))
    return 0.5 * (tooth.neck + (tooth.width - tooth.neck) * bulge) - 0.2 * tooth.width * np.clip(up - 0.68, 0, 1) ** 1.5


def _crown(tooth: Tooth, u: Field, v: Field, edge: float) -> Field:
    up = np.clip(-v / tooth.height, 0, 1)
    deep = tooth.depth * (NECK_DEPTH + 0.12 * np.sin(np.pi * np.clip(up / 0.8, 0, 1)) - 0.22 * up * up)
    across = _section(u, crown_half(tooth, v), up)
    below = v - crest_line(tooth, u)
    if not tooth.posterior:
        wedge = np.clip(below / (0.75 * tooth.height), 0, 1)
        return deep * across * (0.15 * soft_step(below, 3 * edge) + 0.85 * wedge**0.75) * (v < 0)
    lingual = v - crest_line(tooth, u - tooth.lingual_shift) - tooth.lingual_rise
    cusps = 0.39 * (_dome(below, 2.2) + _dome(lingual, 2.2))
    fossa = np.minimum(below, lingual) - 1.7 - 0.3 * tooth.relief
    return deep * across * (cusps + 0.22 * soft_step(fossa, 2 * edge + 0.05)) * (v < 0)


def _crown_dentine(tooth: Tooth, u: Field, v: Field) -> Field:
    """Return the path through the crown without its enamel, which is thinner towards the neck."""
    up = np.clip(-v / tooth.height, 0, 1)
    enamel = tooth.enamel * np.clip(up / 0.55 - 0.25 * np.square(u / tooth.neck), 0, 1)
    across = _section(u, np.maximum(crown_half(tooth, v) - enamel, 0), up)
    below = 3.2 + 0.3 * tooth.relief if tooth.posterior else 1.3 * tooth.enamel
    horn = 0.6 * crest_line(tooth, 1.15 * u) - 0.4 * tooth.height + below
    roof = _dome(v - horn, 1.3 if tooth.posterior else 0.8 * tooth.height)
    deep = NECK_DEPTH * tooth.depth * (1 - 0.18 * up) - enamel
    return np.maximum(deep, 0) * across * roof * (v < 0)


def _pulp(tooth: Tooth, u: Field, v: Field, edge: float) -> Field:
    """Return the path through the pulp: a chamber with horns and a tapering canal in each root."""
    apex = 0.97 * tooth.root
    down = np.clip(v / apex, 0, 1)
    top = -0.38 * tooth.height
    thin = 0.11 * tooth.neck * tooth.pulp if tooth.roots == 1 else 0.055 * tooth.neck * tooth.pulp
    width = np.maximum(thin * (1 - 0.85 * np.sqrt(down)), 0.1) * soft_step(apex - v, 0.2)
    canals = [
        (0.9 + 1.4 * (1 - down)) * chord(u - axis, width * np.sqrt(np.clip((v - top) / 3, 0, 1)))
        for axis in canal_axes(tooth, v)
    ]
    if tooth.roots == 1:
        return canals[0]
    half = 0.24 * tooth.neck * min(tooth.pulp, 1.1)
    roof = top + 1.1 - 1.3 * np.minimum(np.square(u / half), 1.2)
    chamber = soft_step(half - np.abs(u) + 0.1 * v, 0.4 + edge) * soft_step(v - roof, 0.15 + edge)
    floor = tooth.trunk - 1.2 - 0.25 * tooth.height * (1 - np.minimum(np.square(u / half), 1))
    canal = np.maximum.reduce(canals) * soft_step(v - floor + 0.6, 0.3)
    return np.maximum(canal, 2.4 * chamber * soft_step(floor - v, 0.3 + edge))


def canal_axes(tooth: Tooth, v: Field) -> list[Field]:
    """Return the axes of the root canals, which stay apart where the roots join."""
    axes = [axis for axis, _ in root_axes(tooth, v)]
    if tooth.roots == 1:
        return axes
    apart = 0.17 * tooth.neck * tooth.fork
    return [np.minimum(axes[0], -apart), np.maximum(axes[1], apart), *axes[2:]]


def _section(u: Field, half: Field, up: Field) -> Field:
    """Return the path through a section, round at the neck and squarer up the crown, as a share of its depth."""
    off = np.square(u / np.maximum(half, 1e-3))
    square = np.clip(2.5 * up, 0, 1)
    return np.sqrt(np.clip(1 - off * (1 - square + square * off), 0, 1)) * (half > 0)


def _eighth(value: Field) -> Field:
    return np.square(np.square(np.square(value)))


def _dome(depth: Field, height: float) -> Field:
    """Return the profile of a rounded top: 0 above it, 1 from `height` below it."""
    share = np.clip(depth / height, 0, 1)
    return np.sqrt(share * (2 - share))
