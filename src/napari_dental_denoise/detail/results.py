"""Results of an assessment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from napari_dental_denoise.detail.roc import Estimate
from napari_dental_denoise.detail.samples import Detail
from napari_dental_denoise.detail.sharpness import ModulationTransfer
from napari_dental_denoise.detail.spectrum import NoisePowerSpectrum


class Found(NamedTuple):
    """Scores of detectability: the share of the contrast that is kept, areas under the ROC curve, and d'."""

    kept: Estimate
    cho: Estimate
    npwe: Estimate
    cho_dprime: Estimate
    npwe_dprime: Estimate


@dataclass(frozen=True)
class DetailScore:
    """Detectability of one detail after one method; PSNR in dB, of the images without it."""

    noise: str
    method: str
    detail: Detail
    samples: int
    psnr: float
    found: Found


@dataclass(frozen=True)
class Threshold:
    """The smallest contrast that is found, on [0, 1]; NaN if none of those tried is."""

    noise: str
    method: str
    size: float
    contrast: Estimate


@dataclass(frozen=True)
class DoseCurve:
    """Detectability against relative exposure, and the exposure that a noisy image needs to show as much."""

    noise: str
    method: str
    observer: str
    detail: Detail
    exposures: tuple[float, ...]
    detectability: tuple[float, ...]
    equivalent: Estimate


@dataclass(frozen=True)
class Sharpness:
    """The MTF of an edge of one contrast."""

    noise: str
    method: str
    contrast: float
    mtf: ModulationTransfer


@dataclass(frozen=True)
class Texture:
    """The spectrum of the noise that is left or was removed (`part`)."""

    noise: str
    method: str
    part: str
    spectrum: NoisePowerSpectrum


@dataclass(frozen=True)
class Assessment:
    """All results, in the order of noises and methods."""

    scores: list[DetailScore] = field(default_factory=list)
    thresholds: list[Threshold] = field(default_factory=list)
    doses: list[DoseCurve] = field(default_factory=list)
    sharpness: list[Sharpness] = field(default_factory=list)
    textures: list[Texture] = field(default_factory=list)
