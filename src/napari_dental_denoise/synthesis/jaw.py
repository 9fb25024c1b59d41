"""Attenuation of one jaw of a phantom: a row of teeth in bone and soft tissue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_dental_denoise.synthesis.anatomy import Anatomy
from napari_dental_denoise.synthesis.bone import CORTICAL, SOFT_TISSUE, draw_bone
from napari_dental_denoise.synthesis.grid import Field, Grid, smooth_field, soft_step
from napari_dental_denoise.synthesis.restorations import implant, restore
from napari_dental_denoise.synthesis.tooth import Tooth, draw_tooth, tooth_paths

# Attenuation per mm as in `bone`: enamel is hydroxyapatite of 2.9 g/cm3, dentine has 70 % of it by weight.
ENAMEL = 0.28
DENTINE = 0.16

# Positions along the whole row, from one third molar to the other.
ROW = (8, 7, 6, 5, 4, 3, 2, 1, 1, 2, 3, 4, 5, 6, 7, 8)
MIDDLE = 7
GINGIVA_MM = 4.0
BOX_MM = 4.0
# Radians; teeth that are impacted more have no fillings.
MAX_LEAN_TREATED = 0.5


@dataclass(frozen=True, slots=True)
class Place:
    """A tooth and its position: cusps at (x, y), lean, and the y of its neck, in mm and radians."""

    tooth: Tooth
    x: float
    y: float
    lean: float
    rim: float


def jaw_attenuation(grid: Grid, anatomy: Anatomy, rng: np.random.Generator) -> Field:
    """Draw the attenuation of a jaw whose cusps lie at y = 0 and whose roots point to positive y."""
    x, y = grid.all()
    places = draw_row(anatomy, float(x.min()), float(x.max()), rng)
    teeth, filled, lamina = (np.zeros(grid.shape, np.float32) for _ in range(3))
    for place in places:
        _add_tooth(grid, place, anatomy, (teeth, filled, lamina), rng)
    neck = np.interp(x, [place.x for place in places], [place.rim for place in places])
    neck = neck.astype(np.float32)
    bone = draw_bone(grid, x, y, neck, anatomy, rng)
    thickness = anatomy.bone_mm * bone.share
    hard = bone.per_mm * np.maximum(thickness - filled, 0.3 * thickness) + bone.plates
    wall = np.minimum(lamina, thickness) * (CORTICAL - bone.per_mm)
    gum = soft_step(y - neck + rng.uniform(0.5, 2.0), 0.7)
    soft = gum * np.maximum(GINGIVA_MM - filled, 0) + anatomy.soft_tissue_mm * (
        0.35 + 0.65 * soft_step(y - 0.3 * neck, 6.0) + 0.08 * smooth_field(grid.shape, 6 * grid.per_mm, rng)
    )
    return (teeth + hard + np.maximum(wall, 0) + SOFT_TISSUE * soft).astype(np.float32)


def draw_row(anatomy: Anatomy, left: float, right: float, rng: np.random.Generator) -> list[Place]:
    """Place teeth side by side from x = `left` to `right`, with the tooth of the anatomy near 0."""
    start = MIDDLE + anatomy.tooth
    teeth = {start: draw_tooth(ROW[start], anatomy.jaw, anatomy, rng)}
    centres = {start: rng.uniform(-0.4, 0.4) * teeth[start].width}
    for step, limit in ((1, right), (-1, left)):
        index = start
        while 0 <= index + step < len(ROW) and step * (centres[index] - limit) < 0.5 * teeth[index].width:
            index += step
            teeth[index] = draw_tooth(ROW[index], anatomy.jaw, anatomy, rng)
            reach = 0.5 * (teeth[index].width + teeth[index - step].width)
            overlap = 0.12 * anatomy.crowding * rng.uniform(-0.4, 1.0)
            centres[index] = centres[index - step] + step * reach * (1.02 - overlap)
    return [
        _place(teeth[index], centres[index], ROW[index], 1 if index > MIDDLE else -1, anatomy, rng)
        for index in sorted(teeth)
    ]


def _place(tooth: Tooth, x: float, position: int, side: int, anatomy: Anatomy, rng: np.random.Generator) -> Place:
    lean = rng.normal(0, 0.03 + 0.08 * anatomy.crowding)
    low = abs(rng.normal(0, 0.3 + 0.8 * anatomy.crowding))
    if position == 8:
        fall = np.radians(anatomy.impaction) * side
        lean += float(fall)
        aside, up = float(np.sin(abs(fall))), float(np.cos(fall))
        x += side * (tooth.height * aside - 0.5 * tooth.width * (1 - up))
        return Place(tooth, x, low + 3.0 * (1 - up), lean, tooth.height - 2.0 * aside)
    return Place(tooth, x, low, lean, tooth.height + low)


def _add_tooth(
    grid: Grid, place: Place, anatomy: Anatomy, sums: tuple[Field, Field, Field], rng: np.random.Generator
) -> None:
    """Add a tooth or its implant to the sums of attenuation, of displaced bone and of lamina dura."""
    tooth = place.tooth
    own = np.random.default_rng(rng.integers(2**63))
    kind = own.random()
    if kind < anatomy.missing:
        return
    reach = 0.5 * tooth.width + BOX_MM
    box = (-reach, reach, -tooth.height - 0.5, tooth.root + 2.0)
    window, u, v = grid.local((place.x, place.y + tooth.height), -place.lean, box)
    if u.size == 0:
        return
    teeth, filled, lamina = (total[window] for total in sums)
    if kind > 1 - anatomy.implants:
        metal = implant(tooth, u, v, grid.edge, own)
        teeth += metal
        filled += 3.0 * (metal > 0)
        return
    paths = tooth_paths(tooth, u, v, anatomy.ligament_mm, grid.edge)
    attenuation = ENAMEL * paths.enamel + DENTINE * paths.dentine + SOFT_TISSUE * paths.pulp
    if abs(place.lean) < MAX_LEAN_TREATED:
        attenuation = restore(attenuation, paths.outline, tooth, u, v, grid.edge, anatomy, own)
    teeth += attenuation
    filled += paths.ligament
    lamina += paths.lamina
