"""Noise of known kind and level: one function for each physics, and the table that names them all.

Images are on [0, 1]; integer images are taken there and brought back to their own type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.core.config import AMOUNT, PHOTONS, READOUT_SIGMA, SIGMA, SPECKLE_SIGMA, Levels
from napari_dental_denoise.core.errors import InputError
from napari_dental_denoise.core.intensity import from_unit, full_scale, to_unit

Rng = int | np.random.Generator | None
Unit = NDArray[np.float32]

# More are without noise in float32, and far more cannot be drawn.
MOST_PHOTONS = 1e9


def add_gaussian_noise(
    image: NDArray[np.generic], sigma: float = SIGMA.default, *, clip: bool = False, rng: Rng = None
) -> NDArray[np.generic]:
    """Add white Gaussian noise, as of an amplifier.

    Parameters
    ----------
    image : array of any shape; uint8, uint16 or floating
    sigma : float
        Standard deviation on the [0, 1] scale; 25 grey levels of 255 are 25 / 255.
    clip : bool
        Clip the result to [0, 1]. Integer results are clipped by their type in any case.
    rng : int or numpy.random.Generator, optional
        The same seed gives the same noise.

    Returns
    -------
    array of the same shape; integers keep their type, floating becomes float32

    Raises
    ------
    InputError
        If `sigma` is negative or not finite.
    """
    _check_level("sigma", sigma, 0.0)
    return _corrupt(image, lambda unit, draw: unit + _normal(draw, unit.shape) * np.float32(sigma), rng, clip=clip)


def add_poisson_noise(
    image: NDArray[np.generic], photons: float = PHOTONS.default, *, clip: bool = False, rng: Rng = None
) -> NDArray[np.generic]:
    """Replace each grey value by a count of photons that it would let through, as of a quantum-limited detector.

    Parameters
    ----------
    image : array of any shape; uint8, uint16 or floating
        Proportional to the expected count; values below 0 count as 0.
    photons : float
        Expected count at full white; fewer are noisier.
    clip : bool
        Clip the result to [0, 1]. Integer results are clipped by their type in any case.
    rng : int or numpy.random.Generator, optional
        The same seed gives the same noise.

    Returns
    -------
    array of the same shape; integers keep their type, floating becomes float32

    Raises
    ------
    InputError
        If `photons` is not a positive number.
    """
    _check_photons(photons)
    return _corrupt(image, lambda unit, draw: _count(unit, photons, draw), rng, clip=clip)


def add_poisson_gaussian_noise(
    image: NDArray[np.generic],
    photons: float = PHOTONS.default,
    sigma: float = READOUT_SIGMA.default,
    *,
    clip: bool = False,
    rng: Rng = None,
) -> NDArray[np.generic]:
    """Count photons, then add the white Gaussian noise of the read-out.

    The model of A. Foi et al., "Practical Poissonian-Gaussian noise modeling and fitting for
    single-image raw-data", IEEE Trans. Image Process. 17 (2008), doi 10.1109/TIP.2008.2001399.

    Parameters
    ----------
    image : array of any shape; uint8, uint16 or floating
        Proportional to the expected count; values below 0 count as 0.
    photons : float
        Expected count at full white; fewer are noisier.
    sigma : float
        Standard deviation of the read-out on the [0, 1] scale.
    clip : bool
        Clip the result to [0, 1]. Integer results are clipped by their type in any case.
    rng : int or numpy.random.Generator, optional
        The same seed gives the same noise.

    Returns
    -------
    array of the same shape; integers keep their type, floating becomes float32

    Raises
    ------
    InputError
        If `photons` is not a positive number, or `sigma` is negative or not finite.
    """
    _check_photons(photons)
    _check_level("sigma", sigma, 0.0)

    def count_and_read(unit: Unit, draw: np.random.Generator) -> Unit:
        return _count(unit, photons, draw) + _normal(draw, unit.shape) * np.float32(sigma)

    return _corrupt(image, count_and_read, rng, clip=clip)


def add_speckle_noise(
    image: NDArray[np.generic], sigma: float = SPECKLE_SIGMA.default, *, clip: bool = False, rng: Rng = None
) -> NDArray[np.generic]:
    """Multiply by 1 plus white Gaussian noise, as of a gain that varies from pixel to pixel.

    Parameters
    ----------
    image : array of any shape; uint8, uint16 or floating
    sigma : float
        Standard deviation of the factor; the noise is in proportion to the grey value.
    clip : bool
        Clip the result to [0, 1]. Integer results are clipped by their type in any case.
    rng : int or numpy.random.Generator, optional
        The same seed gives the same noise.

    Returns
    -------
    array of the same shape; integers keep their type, floating becomes float32

    Raises
    ------
    InputError
        If `sigma` is negative or not finite.
    """
    _check_level("sigma", sigma, 0.0)
    return _corrupt(
        image, lambda unit, draw: unit * (1 + _normal(draw, unit.shape) * np.float32(sigma)), rng, clip=clip
    )


def add_salt_and_pepper_noise(
    image: NDArray[np.generic], amount: float = AMOUNT.default, *, clip: bool = False, rng: Rng = None
) -> NDArray[np.generic]:
    """Set a share of the pixels to white or black, evenly, as of defective ones.

    Parameters
    ----------
    image : array of any shape; uint8, uint16 or floating
    amount : float
        Share of the pixels, 0 to 1.
    clip : bool
        Clip the result to [0, 1]; changes only values that lay outside before.
    rng : int or numpy.random.Generator, optional
        The same seed gives the same noise.

    Returns
    -------
    array of the same shape; integers keep their type, floating becomes float32

    Raises
    ------
    InputError
        If `amount` is not between 0 and 1.
    """
    _check_level("amount", amount, 0.0, 1.0)

    def defect(unit: Unit, draw: np.random.Generator) -> Unit:
        chance = draw.random(unit.shape, dtype=np.float32)
        return np.where(chance < amount, (chance < amount / 2).astype(np.float32), unit)

    return _corrupt(image, defect, rng, clip=clip)


def _corrupt(
    image: NDArray[np.generic], add: Callable[[Unit, np.random.Generator], Unit], rng: Rng, *, clip: bool
) -> NDArray[np.generic]:
    dtype = image.dtype if np.issubdtype(image.dtype, np.integer) else np.dtype(np.float32)
    scale = full_scale(image)
    noisy = add(to_unit(image, scale), np.random.default_rng(rng))
    if clip:
        noisy = np.clip(noisy, 0.0, 1.0)
    return from_unit(noisy, dtype, scale)


def _normal(draw: np.random.Generator, shape: tuple[int, ...]) -> Unit:
    return draw.standard_normal(shape, dtype=np.float32)


def _count(unit: Unit, photons: float, draw: np.random.Generator) -> Unit:
    return (draw.poisson(np.maximum(unit, 0) * photons) / photons).astype(np.float32)


def _check_photons(photons: float) -> None:
    if not 0 < photons <= MOST_PHOTONS:
        raise InputError(f"photons must be a positive number up to {MOST_PHOTONS:g}; received {photons}")


def _check_level(name: str, value: float, low: float, high: float = float("inf")) -> None:
    if not (np.isfinite(value) and low <= value <= high):
        limit = "at least 0" if high == float("inf") else f"between {low:g} and {high:g}"
        raise InputError(f"{name} must be {limit}; received {value}")


@dataclass(frozen=True, slots=True)
class NoiseKind:
    """One kind of noise: the function that adds it, and its levels by name."""

    add: Callable[..., NDArray[np.generic]]
    levels: Mapping[str, Levels]
    title: str


NOISE_KINDS: Mapping[str, NoiseKind] = MappingProxyType(
    {
        "gaussian": NoiseKind(add_gaussian_noise, {"sigma": SIGMA}, "white Gaussian noise"),
        "poisson": NoiseKind(add_poisson_noise, {"photons": PHOTONS}, "photon counting"),
        "poisson-gaussian": NoiseKind(
            add_poisson_gaussian_noise, {"photons": PHOTONS, "sigma": READOUT_SIGMA}, "photon counting and read-out"
        ),
        "speckle": NoiseKind(add_speckle_noise, {"sigma": SPECKLE_SIGMA}, "noise in proportion to the grey value"),
        "salt-and-pepper": NoiseKind(add_salt_and_pepper_noise, {"amount": AMOUNT}, "white and black pixels"),
    }
)


def noise_kind(name: str) -> NoiseKind:
    """The kind of that name, or an error that lists them."""
    if name not in NOISE_KINDS:
        raise InputError(f"noise must be one of {', '.join(NOISE_KINDS)}; received {name!r}")
    return NOISE_KINDS[name]


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
        object.__setattr__(self, "ranges", full)
        for end in (0.0, 1.0):
            self.add(np.zeros((1, 1), np.float32), end, 0)

    def at(self, position: float) -> dict[str, float]:
        """The levels at a position of the ranges, 0 the lowest and 1 the highest."""
        levels = noise_kind(self.kind).levels
        return {
            name: _between(*self.ranges[name], position, logarithmic=levels[name].logarithmic) for name in self.ranges
        }

    def add(self, image: NDArray[np.generic], position: float, rng: Rng) -> NDArray[np.generic]:
        """Add noise, unclipped, of the levels at a position of the ranges."""
        return noise_kind(self.kind).add(image, **self.at(position), rng=rng)


def _between(low: float, high: float, position: float, *, logarithmic: bool) -> float:
    if logarithmic and low > 0:
        return float(low * (high / low) ** position)
    return float(low + (high - low) * position)
