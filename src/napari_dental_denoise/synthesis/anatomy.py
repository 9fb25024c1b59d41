"""What a synthetic radiograph shows: the jaw, the teeth, the treatment and the exposure, in mm and shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.noise import Rng, generator

SMALLEST_FIELD_MM = 4.0


@dataclass(frozen=True, slots=True)
class Anatomy:
    """One mouth and its exposure; lengths in mm, angles in degrees, shares from 0 to 1.

    Attributes
    ----------
    field_mm : float
        Longer side of the image at the teeth; a sensor is about 31 x 41 mm, an enlarged part shows less.
    jaw : "lower" or "upper"
        An upper jaw hangs from the top of the image.
    bitewing : bool
        Crowns of both jaws meet in the middle.
    tooth : int
        Tooth nearest to the middle, 1 the central incisor and 8 the third molar.
    mirrored : bool
        The front of the mouth lies on the right.
    tooth_scale : float
        Size of the teeth against the mean of textbooks.
    crowding : float
        How unevenly the teeth stand and how far neighbours overlap, 0 to 1.
    tilt : float
        Of the whole row of teeth.
    impaction : float
        Tilt of a third molar towards the second.
    roots : int, optional
        Of each tooth, 1 to 3; those of its kind if None.
    occlusal_mm : float
        From the edge of the image to the cusps; negative cuts crowns off.
    crest_mm : float
        From the neck of the teeth to the crest of the bone: 1 to 2 in health, more with bone loss.
    bone_mm : float
        Thickness of the jaw along the ray.
    bone_density : float
        Share of the trabecular bone that is mineral.
    trabecular_mm : float
        Spacing of the trabeculae.
    trabecular_slope : float
        Power of the bone texture falls as 1 / frequency to this power.
    ligament_mm : float
        Width of the periodontal ligament.
    landmark : bool
        Show the maxillary sinus or the mandibular canal.
    restored, root_filled, carious, implants, missing : float
        Share of the teeth with a filling or a crown, with root-canal fillings, with caries,
        replaced by an implant, and lost.
    soft_tissue_mm : float
        Thickness of cheek and gingiva along the ray.
    exposure : float
        0 is neutral; positive is over-exposed and dark, negative under-exposed and bright, in display ranges.
    contrast : float
        Slope of the display against one that fits the attenuation of the scene.
    gamma : float
        Of the display curve; 1 is linear.
    cone_cut : float
        Share of the width that the collimator left unexposed.
    sensor_edge : "none", "dark" or "bright"
        Border of the sensor, with a rounded corner.
    holder : bool
        A film holder's shadow lies over the crowns.
    blur : float
        Standard deviation of the detector's blur, in pixels.

    Raises
    ------
    InputError
        If a value lies outside what can be drawn.
    """

    field_mm: float = 34.0
    jaw: Literal["lower", "upper"] = "lower"
    bitewing: bool = False
    tooth: int = 6
    mirrored: bool = False
    tooth_scale: float = 1.0
    crowding: float = 0.3
    tilt: float = 0.0
    impaction: float = 0.0
    roots: int | None = None
    occlusal_mm: float = 2.0
    crest_mm: float = 1.5
    bone_mm: float = 9.0
    bone_density: float = 0.28
    trabecular_mm: float = 0.8
    trabecular_slope: float = 3.2
    ligament_mm: float = 0.22
    landmark: bool = False
    restored: float = 0.0
    root_filled: float = 0.0
    carious: float = 0.0
    implants: float = 0.0
    missing: float = 0.0
    soft_tissue_mm: float = 8.0
    exposure: float = 0.0
    contrast: float = 1.0
    gamma: float = 1.0
    cone_cut: float = 0.0
    sensor_edge: Literal["none", "dark", "bright"] = "none"
    holder: bool = False
    blur: float = 0.8

    def __post_init__(self) -> None:
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise InputError(f"{name} must be between {low:g} and {high:g}; received {value}")
        for name, choices in (("jaw", ("lower", "upper")), ("sensor_edge", ("none", "dark", "bright"))):
            if getattr(self, name) not in choices:
                raise InputError(f"{name} must be one of {', '.join(choices)}; received {getattr(self, name)!r}")


SHARES = ("crowding", "restored", "root_filled", "carious", "implants", "missing", "cone_cut")
LIMITS: dict[str, tuple[float, float]] = {
    "field_mm": (SMALLEST_FIELD_MM, 200),
    "tooth": (1, 8),
    "tooth_scale": (0.3, 3),
    "tilt": (-90, 90),
    "impaction": (-120, 120),
    "roots": (1, 3),
    "occlusal_mm": (-100, 100),
    "crest_mm": (-2, 15),
    "bone_mm": (1, 40),
    "bone_density": (0, 1),
    "trabecular_mm": (0.1, 5),
    "trabecular_slope": (2, 5),
    "ligament_mm": (0, 2),
    "soft_tissue_mm": (0, 60),
    "exposure": (-1, 1),
    "contrast": (0.1, 5),
    "gamma": (0.3, 3),
    "blur": (0.1, 10),
    **dict.fromkeys(SHARES, (0.0, 1.0)),
}


def random_anatomy(rng: Rng = None) -> Anatomy:
    """Draw a mouth and an exposure from the ranges of a dental practice.

    Parameters
    ----------
    rng : int or numpy.random.Generator, optional
        The same seed draws the same anatomy.

    Returns
    -------
    Anatomy
    """
    draw = generator(rng)

    def sometimes(chance: float) -> bool:
        return bool(draw.random() < chance)

    bitewing = sometimes(0.12)
    return Anatomy(
        field_mm=draw.uniform(27, 41),
        jaw="upper" if sometimes(0.4) else "lower",
        bitewing=bitewing,
        tooth=int(draw.choice([1, 2, 3, 4, 5, 6, 7, 8], p=[0.04, 0.04, 0.06, 0.1, 0.18, 0.24, 0.24, 0.1])),
        mirrored=sometimes(0.5),
        tooth_scale=draw.uniform(0.92, 1.08),
        crowding=draw.uniform(0, 0.8) ** 1.5,
        tilt=float(np.clip(draw.normal(0, 9 if sometimes(0.9) else 25), -45, 45)),
        impaction=draw.uniform(30, 95) if sometimes(0.35) else draw.uniform(-5, 15),
        occlusal_mm=draw.uniform(-2, 5.5),
        crest_mm=draw.uniform(0.8, 2.2) if sometimes(0.7) else draw.uniform(2, 6),
        bone_mm=draw.uniform(7, 12),
        bone_density=draw.uniform(0.18, 0.4),
        trabecular_mm=draw.uniform(0.5, 1.0),
        trabecular_slope=draw.uniform(2.9, 3.7),
        ligament_mm=draw.uniform(0.15, 0.38),
        landmark=sometimes(0.5),
        restored=draw.uniform(0, 0.6) if sometimes(0.6) else 0.0,
        root_filled=draw.uniform(0.1, 0.6) if sometimes(0.25) else 0.0,
        carious=draw.uniform(0.1, 0.6) if sometimes(0.4) else 0.0,
        implants=0.25 if sometimes(0.05) else 0.0,
        missing=0.15 if sometimes(0.2) else 0.0,
        soft_tissue_mm=draw.uniform(4, 14),
        exposure=draw.normal(0.02, 0.05),
        contrast=draw.uniform(0.7, 1.1),
        gamma=draw.uniform(0.75, 1.15),
        cone_cut=draw.uniform(0.02, 0.14) if sometimes(0.35) else 0.0,
        sensor_edge=draw.choice(["none", "dark", "bright"], p=[0.8, 0.1, 0.1]),
        holder=sometimes(0.08),
        blur=draw.uniform(0.6, 1.3),
    )
