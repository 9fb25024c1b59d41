"""Noise that strikes each pixel by itself: one function for each physics.

Images are on [0, 1]; integer images are taken there and brought back to their own type. Noise that
neighbours share is in `correlated_noise`, what detectors and files do in `detector_noise`, the mixture
that radiographs have in `dental_noise`, and the table of all kinds in `noise_kinds`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import AMOUNT, PHOTONS, READOUT_SIGMA, SIGMA, SPECKLE_SIGMA
from napari_dental_denoise.noise.common import Rng, Unit, check_level, check_photons, check_sigma, corrupt, normal


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
        Clip the result to [0, 1], as results for integer images are in any case.
    rng : int or numpy.random.Generator, optional
        The same seed gives the same noise.

    Returns
    -------
    array of the same shape; integers keep their type, floating becomes float32

    Raises
    ------
    InputError
        If `sigma` is not between 0 and 1.
    """
    check_sigma("sigma", sigma)
    return corrupt(image, lambda unit, draw: unit + normal(draw, unit.shape) * np.float32(sigma), rng, clip=clip)


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
        Clip the result to [0, 1], as results for integer images are in any case.
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
    check_photons(photons)
    return corrupt(image, lambda unit, draw: _count(unit, photons, draw), rng, clip=clip)


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
        Clip the result to [0, 1], as results for integer images are in any case.
    rng : int or numpy.random.Generator, optional
        The same seed gives the same noise.

    Returns
    -------
    array of the same shape; integers keep their type, floating becomes float32

    Raises
    ------
    InputError
        If `photons` is not a positive number, or `sigma` is not between 0 and 1.
    """
    check_photons(photons)
    check_sigma("sigma", sigma)

    def count_and_read(unit: Unit, draw: np.random.Generator) -> Unit:
        return _count(unit, photons, draw) + normal(draw, unit.shape) * np.float32(sigma)

    return corrupt(image, count_and_read, rng, clip=clip)


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
        Clip the result to [0, 1], as results for integer images are in any case.
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
    check_level("sigma", sigma)
    return corrupt(image, lambda unit, draw: unit * (1 + normal(draw, unit.shape) * np.float32(sigma)), rng, clip=clip)


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
    check_level("amount", amount, high=1.0)

    def defect(unit: Unit, draw: np.random.Generator) -> Unit:
        chance = draw.random(unit.shape, dtype=np.float32)
        return np.where(chance < amount, (chance < amount / 2).astype(np.float32), unit)

    return corrupt(image, defect, rng, clip=clip)


def _count(unit: Unit, photons: float, draw: np.random.Generator) -> Unit:
    return (draw.poisson(np.maximum(unit, 0) * photons) / photons).astype(np.float32)
