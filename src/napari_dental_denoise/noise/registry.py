"""The table of all kinds of noise, and noise whose levels are drawn from ranges."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import (
    AMOUNT,
    BLUR,
    DETECTOR_BLUR,
    EXPONENT,
    LINE_SIGMA,
    PHOTONS,
    QUALITY,
    QUANTUM_PHOTONS,
    READOUT_SIGMA,
    SIGMA,
    SIGMA_HIGH,
    SIGMA_LOW,
    SPECKLE_SIGMA,
    Levels,
    Scale,
)
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.noise.common import Rng
from napari_dental_denoise.noise.correlated import add_correlated_noise, add_power_law_noise
from napari_dental_denoise.noise.detector import add_jpeg_noise, add_line_noise, add_quantum_noise, add_varying_noise
from napari_dental_denoise.noise.mixture import add_dental_xray_noise
from napari_dental_denoise.noise.pointwise import (
    add_gaussian_noise,
    add_poisson_gaussian_noise,
    add_poisson_noise,
    add_salt_and_pepper_noise,
    add_speckle_noise,
)


@dataclass(frozen=True, slots=True)
class NoiseKind:
    """One kind of noise: the function that adds it, its levels by name, and a title."""

    add: Callable[..., NDArray[np.generic]]
    levels: Mapping[str, Levels]
    title: str


LEVEL_MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "sigma": "standard deviation of the noise",
        "sigma_low": "standard deviation at the weakest noise",
        "sigma_high": "standard deviation at the strongest noise",
        "photons": "expected count of photons at full white; fewer make more noise",
        "blur": "standard deviation of the blur that correlates the noise, in pixels",
        "exponent": "exponent e of the noise power, which is proportional to 1 / frequency ** e",
        "amount": "share of the pixels set to white or black, 0 to 1",
        "quality": "quality of the JPEG file, 1 to 100",
    }
)
QUANTUM = {"photons": QUANTUM_PHOTONS, "blur": DETECTOR_BLUR, "sigma": READOUT_SIGMA}
NOISE_KINDS: Mapping[str, NoiseKind] = MappingProxyType(
    {
        "gaussian": NoiseKind(add_gaussian_noise, {"sigma": SIGMA}, "white Gaussian noise"),
        "poisson": NoiseKind(add_poisson_noise, {"photons": PHOTONS}, "photon counting"),
        "poisson-gaussian": NoiseKind(
            add_poisson_gaussian_noise, {"photons": PHOTONS, "sigma": READOUT_SIGMA}, "photon counting and read-out"
        ),
        "speckle": NoiseKind(add_speckle_noise, {"sigma": SPECKLE_SIGMA}, "noise proportional to the grey value"),
        "salt-and-pepper": NoiseKind(add_salt_and_pepper_noise, {"amount": AMOUNT}, "white and black pixels"),
        "correlated": NoiseKind(add_correlated_noise, {"sigma": SIGMA, "blur": BLUR}, "blurred Gaussian noise"),
        "power-law": NoiseKind(
            add_power_law_noise, {"sigma": SIGMA, "exponent": EXPONENT}, "Gaussian noise of a power-law spectrum"
        ),
        "quantum": NoiseKind(add_quantum_noise, QUANTUM, "quantum noise of a radiograph, strongest in bright parts"),
        "quantum-inverted": NoiseKind(
            partial(add_quantum_noise, response="inverted"),
            QUANTUM,
            "quantum noise of an inverted exposure, strongest in dark parts",
        ),
        "quantum-linear": NoiseKind(
            partial(add_quantum_noise, response="linear"),
            QUANTUM,
            "quantum noise of a raw exposure, strongest in bright parts",
        ),
        "varying": NoiseKind(
            add_varying_noise, {"sigma_low": SIGMA_LOW, "sigma_high": SIGMA_HIGH}, "white noise of varying level"
        ),
        "lines": NoiseKind(add_line_noise, {"sigma": LINE_SIGMA}, "offsets of rows and columns"),
        "jpeg": NoiseKind(add_jpeg_noise, {"sigma": SIGMA, "quality": QUALITY}, "white Gaussian noise, then JPEG"),
        "dental-xray": NoiseKind(add_dental_xray_noise, {"sigma": SIGMA}, "a random mixture, as in dental radiographs"),
    }
)


def is_in_grey_levels(kind: str, level: str) -> bool:
    """Return whether a level of a kind is on the [0, 1] scale of the grey values.

    Of the others, the sigma of speckle is relative to the grey value, and that of quantum noise to the exposure.
    """
    levels = noise_kind(kind).levels
    return level.startswith("sigma") and levels is not QUANTUM and levels[level] is not SPECKLE_SIGMA


def noise_title(kind: str, levels: Mapping[str, float]) -> str:
    """Return kind and levels of noise as text, for tables."""
    return f"{kind}, " + ", ".join(f"{name} {level:.4g}" for name, level in levels.items())


def noise_kind(name: str) -> NoiseKind:
    """Return the kind of that name; raise InputError with all names if there is none."""
    kind = NOISE_KINDS.get(spelled(name))
    if kind is None:
        raise InputError(f"noise must be one of {', '.join(NOISE_KINDS)}; received {name!r}")
    return kind


def spelled(name: str) -> str:
    """Return the name of a kind as the table spells it, with hyphens instead of underscores."""
    return name.replace("_", "-")


@dataclass(frozen=True)
class NoiseRange:
    """A kind of noise, a key of `NOISE_KINDS`, whose levels are drawn from ranges.

    `ranges` has the lowest and the highest value of each level; missing levels have the ranges of `NOISE_KINDS`.
    """

    kind: str
    ranges: Mapping[str, tuple[float, float]]

    def __post_init__(self) -> None:
        levels = noise_kind(self.kind).levels
        for name, (low, high) in self.ranges.items():
            if name not in levels:
                raise InputError(f"{self.kind} noise has the levels {', '.join(levels)}; received {name}")
            if not 0 <= low <= high < float("inf"):
                raise InputError(f"{name} must be a range with 0 <= low <= high; received {low} to {high}")
        full = {name: self.ranges.get(name, (level.low, level.high)) for name, level in levels.items()}
        object.__setattr__(self, "kind", spelled(self.kind))
        object.__setattr__(self, "ranges", full)
        for corner in product((0.0, 1.0), repeat=len(levels)):
            self.add(np.zeros((1, 1), np.float32), self._levels(corner), 0)

    def at(self, position: float) -> dict[str, float]:
        """Return the levels at a position of the ranges, from 0, the lowest, to 1, the highest."""
        return self._levels([position] * len(self.ranges))

    def draw(self, rng: np.random.Generator) -> dict[str, float]:
        """Draw each level independently from its range."""
        return self._levels(rng.random(len(self.ranges)))

    def _levels(self, positions: Iterable[float]) -> dict[str, float]:
        levels = noise_kind(self.kind).levels
        return {
            name: _between(*self.ranges[name], position, levels[name].scale)
            for name, position in zip(self.ranges, positions, strict=True)
        }

    def add(self, image: NDArray[np.generic], levels: Mapping[str, float], rng: Rng) -> NDArray[np.generic]:
        """Add noise of the levels that `at` or `draw` returned, without clipping."""
        return noise_kind(self.kind).add(image, **levels, rng=rng)


def _between(low: float, high: float, position: float, scale: Scale) -> float:
    if scale == "logarithmic" and low > 0:
        return float(low * (high / low) ** position)
    if scale == "square root":
        return float((math.sqrt(low) + (math.sqrt(high) - math.sqrt(low)) * position) ** 2)
    return float(low + (high - low) * position)
