"""One jaw of a phantom: a row of teeth in its bone, and what they attenuate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_dental_denoise.synthesis.anatomy import Anatomy
from napari_dental_denoise.synthesis.bone import CORTICAL, SOFT_TISSUE, draw_bone
from napari_dental_denoise.synthesis.grid import Field, Grid, smooth_field, soft_step
from napari_dental_denoise.synthesis.restorations import implant, restore
from napari_dental_denoise.synthesis.tooth import Tooth, draw_tooth, tooth_paths

# Per mm at 40 keV, as in `phantom_bone`: enamel as hydroxyapatite of 2.9 g/cm3, dentine as 70 % of it by weight.
ENAMEL = 0.28
DENTINE = 0.16

# Positions along the whole row, from one third molar to the other.
ROW = (8, 7, 6, 5, 4, 3, 2, 1, 1, 2, 3, 4, 5, 6, 7, 8)
MIDDLE = 7
GINGIVA_MM = 4.0
BOX_MM = 4.0
# Radians; teeth that lie deeper in the bone are left alone.
MOST_LEAN_TREATED = 0.5


@dataclass(frozen=True, slots=True)
class Place:
    """A tooth and where its neck stands, in mm and radians."""

    tooth: Tooth
    x: float
    y: float
    lean: float
    rim: float


def jaw_attenuation(grid: Grid, anatomy: Anatomy, draw: np.random.Generator) -> Field:
    """Attenuation of a jaw whose cusps lie at y = 0 and whose roots point to positive y.

    Parameters
    ----------
    grid : Grid
    anatomy : Anatomy
    draw : numpy.random.Generator

    Returns
    -------
    (H, W) float32 array
    """
    x, y = grid.all()
    places = draw_row(anatomy, float(x.min()), float(x.max()), draw)
    teeth, filled, lamina = (np.zeros(grid.shape, np.float32) for _ in range(3))
    for place in places:
        _add_tooth(grid, place, anatomy, (teeth, filled, lamina), draw)
    neck = np.interp(x, [place.x for place in places], [place.rim for place in places])
    neck = neck.astype(np.float32)
    bone = draw_bone(grid, x, y, neck, anatomy, draw)
    thickness = anatomy.bone_mm * bone.share
    hard = bone.per_mm * np.maximum(thickness - filled, 0.3 * thickness) + bone.plates
    wall = np.minimum(lamina, thickness) * (CORTICAL - bone.per_mm)
    gum = soft_step(y - neck + draw.uniform(0.5, 2.0), 0.7)
    soft = gum * np.maximum(GINGIVA_MM - filled, 0) + anatomy.soft_tissue_mm * (
        0.35 + 0.65 * soft_step(y - 0.3 * neck, 6.0) + 0.08 * smooth_field(grid.shape, 6 * grid.per_mm, draw)
    )
    return (teeth + hard + np.maximum(wall, 0) + SOFT_TISSUE * soft).astype(np.float32)


def draw_row(anatomy: Anatomy, left: float, right: float, draw: np.random.Generator) -> list[Place]:
    """Stand teeth side by side from left to right, in mm, the anatomy's tooth near 0."""
    start = MIDDLE + anatomy.tooth
    teeth = {start: draw_tooth(ROW[start], anatomy.jaw, anatomy, draw)}
    centres = {start: draw.uniform(-0.4, 0.4) * teeth[start].width}
    for step, limit in ((1, right), (-1, left)):
        index = start
        while 0 <= index + step < len(ROW) and step * (centres[index] - limit) < 0.5 * teeth[index].width:
            index += step
            teeth[index] = draw_tooth(ROW[index], anatomy.jaw, anatomy, draw)
            reach = 0.5 * (teeth[index].width + teeth[index - step].width)
            overlap = 0.12 * anatomy.crowding * draw.uniform(-0.4, 1.0)
            centres[index] = centres[index - step] + step * reach * (1.02 - overlap)
    return [
        _place(teeth[index], centres[index], ROW[index], 1 if index > MIDDLE else -1, anatomy, draw)
        for index in sorted(teeth)
    ]


def _place(tooth: Tooth, x: float, position: int, side: int, anatomy: Anatomy, draw: np.random.Generator) -> Place:
    lean = draw.normal(0, 0.03 + 0.08 * anatomy.crowding)
    low = abs(draw.normal(0, 0.3 + 0.8 * anatomy.crowding))
    if position == 8:
        fall = np.radians(anatomy.impaction) * side
        lean += float(fall)
        aside, up = float(np.sin(abs(fall))), float(np.cos(fall))
        x += side * (tooth.height * aside - 0.5 * tooth.width * (1 - up))
        return Place(tooth, x, low + 3.0 * (1 - up), lean, tooth.height - 2.0 * aside)
    return Place(tooth, x, low, lean, tooth.height + low)


def _add_tooth(
    grid: Grid, place: Place, anatomy: Anatomy, sums: tuple[Field, Field, Field], draw: np.random.Generator
) -> None:
    """Add a tooth, or its implant, to the sums of attenuation, of bone filled and of lamina dura."""
    tooth = place.tooth
    own = np.random.default_rng(draw.integers(2**63))
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
    if abs(place.lean) < MOST_LEAN_TREATED:
        attenuation = restore(attenuation, paths.outline, tooth, u, v, grid.edge, anatomy, own)
    teeth += attenuation
    filled += paths.ligament
    lamina += paths.lamina
