"""Parameters of a synthetic radiograph: jaw, teeth, treatment and exposure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.noise import Rng, generator
from napari_dental_denoise.validation import check_flag, check_number

SensorEdge = Literal["none", "dark", "bright"]
SENSOR_EDGES: tuple[SensorEdge, ...] = get_args(SensorEdge)


@dataclass(frozen=True, slots=True)
class Anatomy:
    """Parameters of one synthetic radiograph: lengths in mm, angles in degrees, shares from 0 to 1.

    Attributes
    ----------
    field_mm : float
        Length of the longer side of the image at the teeth; a sensor has about 31 x 41 mm.
    jaw : {"lower", "upper"}
        The roots of an upper jaw point up.
    bitewing : bool
        Show the crowns of both jaws, which meet in the middle of the image.
    tooth : int
        Tooth nearest to the middle, from 1, the central incisor, to 8, the third molar.
    mirrored : bool
        Show the front of the mouth on the right.
    tooth_scale : float
        Size of the teeth relative to the mean of textbooks.
    crowding : float
        Irregularity and overlap of the teeth, 0 to 1.
    tilt : float
        Angle of the row of teeth.
    impaction : float
        Angle of a third molar towards the second.
    roots : int, optional
        Number of roots of each tooth, 1 to 3; None is the number of its kind.
    occlusal_mm : float
        Distance of the cusps from the edge of the image; a negative distance cuts off crowns.
    crest_mm : float
        Distance of the bone crest from the necks of the teeth: 1 to 2 when healthy, more with bone loss.
    bone_mm : float
        Thickness of the jaw along the ray.
    bone_density : float
        Share of mineral in the trabecular bone.
    trabecular_mm : float
        Spacing of the trabeculae.
    trabecular_slope : float
        Exponent of the bone texture: its power is proportional to 1 / frequency ** trabecular_slope.
    ligament_mm : float
        Width of the periodontal ligament.
    landmark : bool
        Show the maxillary sinus or the mandibular canal.
    restored, root_filled, carious, implants, missing : float
        Shares of the teeth with a filling or a crown, with root-canal fillings, with caries, replaced
        by an implant, and missing.
    soft_tissue_mm : float
        Thickness of cheek and gingiva along the ray.
    exposure : float
        Shift of the grey values: positive is over-exposed and dark, negative is under-exposed and bright.
    contrast : float
        Slope of the display relative to one that fits the attenuation of the scene.
    gamma : float
        Exponent of the display curve; 1 is linear.
    cone_cut : float
        Share of the width that the collimator leaves unexposed.
    sensor_edge : {"none", "dark", "bright"}
        Border of the sensor with a rounded corner.
    holder : bool
        Show the shadow of a film holder over the crowns.
    blur : float
        Standard deviation of the detector's blur, in pixels.

    Examples
    --------
    >>> from napari_dental_denoise import Anatomy, phantom
    >>> molar = Anatomy(tooth=6, restored=1.0, jaw="upper")
    >>> phantom((64, 96), rng=0, anatomy=molar).shape
    (64, 96)
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
    sensor_edge: SensorEdge = "none"
    holder: bool = False
    blur: float = 0.8

    def __post_init__(self) -> None:
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if name != "roots" or value is not None:
                check_number(name, value, low, high)
        for name in FLAGS:
            check_flag(name, getattr(self, name))
        for name, choices in (("jaw", ("lower", "upper")), ("sensor_edge", SENSOR_EDGES)):
            if getattr(self, name) not in choices:
                raise InputError(f"{name} must be one of {', '.join(choices)}; received {getattr(self, name)!r}")


FLAGS = ("bitewing", "mirrored", "landmark", "holder")
SHARES = ("crowding", "restored", "root_filled", "carious", "implants", "missing", "cone_cut")
LIMITS: dict[str, tuple[float, float]] = {
    "field_mm": (4, 200),
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
    """Draw parameters at random from the ranges of a dental practice.

    Parameters
    ----------
    rng : int or numpy.random.Generator, optional
        Seed or generator; the same seed gives the same anatomy.

    Returns
    -------
    Anatomy

    Examples
    --------
    >>> from napari_dental_denoise import random_anatomy
    >>> 27 <= random_anatomy(rng=0).field_mm <= 41
    True
    """
    rng = generator(rng)

    def sometimes(chance: float) -> bool:
        return bool(rng.random() < chance)

    bitewing = sometimes(0.12)
    return Anatomy(
        field_mm=rng.uniform(27, 41),
        jaw="upper" if sometimes(0.4) else "lower",
        bitewing=bitewing,
        tooth=int(rng.choice([1, 2, 3, 4, 5, 6, 7, 8], p=[0.04, 0.04, 0.06, 0.1, 0.18, 0.24, 0.24, 0.1])),
        mirrored=sometimes(0.5),
        tooth_scale=rng.uniform(0.92, 1.08),
        crowding=rng.uniform(0, 0.8) ** 1.5,
        tilt=float(np.clip(rng.normal(0, 9 if sometimes(0.9) else 25), -45, 45)),
        impaction=rng.uniform(30, 95) if sometimes(0.35) else rng.uniform(-5, 15),
        occlusal_mm=rng.uniform(-2, 5.5),
        crest_mm=rng.uniform(0.8, 2.2) if sometimes(0.7) else rng.uniform(2, 6),
        bone_mm=rng.uniform(7, 12),
        bone_density=rng.uniform(0.18, 0.4),
        trabecular_mm=rng.uniform(0.5, 1.0),
        trabecular_slope=rng.uniform(2.9, 3.7),
        ligament_mm=rng.uniform(0.15, 0.38),
        landmark=sometimes(0.5),
        restored=rng.uniform(0, 0.6) if sometimes(0.6) else 0.0,
        root_filled=rng.uniform(0.1, 0.6) if sometimes(0.25) else 0.0,
        carious=rng.uniform(0.1, 0.6) if sometimes(0.4) else 0.0,
        implants=0.25 if sometimes(0.05) else 0.0,
        missing=0.15 if sometimes(0.2) else 0.0,
        soft_tissue_mm=rng.uniform(4, 14),
        exposure=rng.normal(0.02, 0.05),
        contrast=rng.uniform(0.7, 1.1),
        gamma=rng.uniform(0.75, 1.15),
        cone_cut=rng.uniform(0.02, 0.14) if sometimes(0.35) else 0.0,
        sensor_edge=SENSOR_EDGES[rng.choice(len(SENSOR_EDGES), p=[0.8, 0.1, 0.1])],
        holder=sometimes(0.08),
        blur=rng.uniform(0.6, 1.3),
    )
