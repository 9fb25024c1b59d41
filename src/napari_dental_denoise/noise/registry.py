"""The table of every kind of noise, and kinds whose levels are drawn from ranges."""

from __future__ import annotations

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
    GREY_LEVELS,
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
    """One kind of noise: the function that adds it, and its levels by name."""

    add: Callable[..., NDArray[np.generic]]
    levels: Mapping[str, Levels]
    title: str


LEVEL_MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "sigma": f"standard deviation of the noise on the [0, 1] scale; 25/{GREY_LEVELS} is 25 grey levels of 8 bit",
        "sigma_low": "standard deviation where the noise is weakest, on the [0, 1] scale",
        "sigma_high": "standard deviation where the noise is strongest, on the [0, 1] scale",
        "photons": "expected count of photons at full white; fewer are noisier",
        "blur": "standard deviation of the blur that correlates the noise, in pixels",
        "exponent": "power of the noise falls with this power of the frequency",
        "amount": "share of the pixels that become white or black, 0 to 1",
        "quality": "of the JPEG file, 1 to 100",
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
        "speckle": NoiseKind(add_speckle_noise, {"sigma": SPECKLE_SIGMA}, "noise in proportion to the grey value"),
        "salt-and-pepper": NoiseKind(add_salt_and_pepper_noise, {"amount": AMOUNT}, "white and black pixels"),
        "correlated": NoiseKind(add_correlated_noise, {"sigma": SIGMA, "blur": BLUR}, "blurred Gaussian noise"),
        "power-law": NoiseKind(
            add_power_law_noise, {"sigma": SIGMA, "exponent": EXPONENT}, "Gaussian noise of a power-law spectrum"
        ),
        "quantum": NoiseKind(add_quantum_noise, QUANTUM, "photons in a radiograph, few in its bright parts"),
        "quantum-inverted": NoiseKind(
            partial(add_quantum_noise, response="inverted"), QUANTUM, "photons in an inverted raw exposure"
        ),
        "quantum-linear": NoiseKind(
            partial(add_quantum_noise, response="linear"),
            QUANTUM,
            "photons in a raw exposure, many in its bright parts",
        ),
        "varying": NoiseKind(
            add_varying_noise, {"sigma_low": SIGMA_LOW, "sigma_high": SIGMA_HIGH}, "a level that varies over the image"
        ),
        "lines": NoiseKind(add_line_noise, {"sigma": LINE_SIGMA}, "rows and columns of the sensor"),
        "jpeg": NoiseKind(add_jpeg_noise, {"sigma": SIGMA, "quality": QUALITY}, "white Gaussian noise, then JPEG"),
        "dental-xray": NoiseKind(add_dental_xray_noise, {"sigma": SIGMA}, "a mixture, as radiographs have it"),
    }
)


def noise_kind(name: str) -> NoiseKind:
    """The kind of that name, or an error that lists them."""
    kind = NOISE_KINDS.get(spelled(name))
    if kind is None:
        raise InputError(f"noise must be one of {', '.join(NOISE_KINDS)}; received {name!r}")
    return kind


def spelled(name: str) -> str:
    """The name of a kind as the table spells it, for one that is written like a Python name."""
    return name.replace("_", "-")


@dataclass(frozen=True)
class NoiseRange:
    """A kind of noise whose levels are drawn from ranges.

    Parameters
    ----------
    kind : str
        A key of `NOISE_KINDS`.
    ranges : mapping of str to (low, high), optional
        By level name, in its own unit; the kind's defaults where one is missing.

    Raises
    ------
    InputError
        If the kind or a level is unknown, or a range is upside down.
    """

    kind: str
    ranges: Mapping[str, tuple[float, float]]

    def __post_init__(self) -> None:
        levels = noise_kind(self.kind).levels
        for name, (low, high) in self.ranges.items():
            if name not in levels:
                raise InputError(f"{self.kind} noise has {' and '.join(levels)}, not {name}")
            if not 0 <= low <= high < float("inf"):
                raise InputError(f"{name} must rise from a low to a high level, from 0; received {low} to {high}")
        full = {name: self.ranges.get(name, (level.low, level.high)) for name, level in levels.items()}
        object.__setattr__(self, "kind", spelled(self.kind))
        object.__setattr__(self, "ranges", full)
        for corner in product((0.0, 1.0), repeat=len(levels)):
            self.add(np.zeros((1, 1), np.float32), self._levels(corner), 0)

    def at(self, position: float) -> dict[str, float]:
        """The levels at a position of the ranges, 0 the lowest and 1 the highest."""
        return self._levels([position] * len(self.ranges))

    def draw(self, rng: np.random.Generator) -> dict[str, float]:
        """Levels drawn from the ranges, each by itself."""
        return self._levels(rng.random(len(self.ranges)))

    def _levels(self, positions: Iterable[float]) -> dict[str, float]:
        levels = noise_kind(self.kind).levels
        return {
            name: _between(*self.ranges[name], position, logarithmic=levels[name].logarithmic)
            for name, position in zip(self.ranges, positions, strict=True)
        }

    def add(self, image: NDArray[np.generic], levels: Mapping[str, float], rng: Rng) -> NDArray[np.generic]:
        """Add noise, unclipped, of levels that `at` or `draw` gave."""
        return noise_kind(self.kind).add(image, **levels, rng=rng)


def _between(low: float, high: float, position: float, *, logarithmic: bool) -> float:
    if logarithmic and low > 0:
        return float(low * (high / low) ** position)
    return float(low + (high - low) * position)
