"""Pixel-wise independent noise: Gaussian, Poisson, speckle, and salt and pepper."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_dental_denoise.config import AMOUNT, PHOTONS, READOUT_SIGMA, SIGMA, SPECKLE_SIGMA
from napari_dental_denoise.noise.common import Rng, check_photons, check_sigma, normal, with_noise
from napari_dental_denoise.pixels import ArrayLike, Unit
from napari_dental_denoise.validation import check_number


def add_gaussian_noise(image: ArrayLike, sigma: float = SIGMA.default, *, clip: bool = False, rng: Rng = None) -> Any:
    """Add white Gaussian noise, such as that of an amplifier.

    Parameters
    ----------
    image : array of integers or floats
    sigma : float
        Standard deviation on the [0, 1] scale, at most 1; 25 of 255 grey levels are 25 / 255.
    clip : bool
        Clip the result to [0, 1]; results of integer type always are, hot pixels apart.
    rng : int or numpy.random.Generator, optional
        Seed or generator; the same seed gives the same noise.

    Returns
    -------
    ndarray
        Of the same shape and integer type; float32 for an image of any floating type.

    Examples
    --------
    >>> from napari_dental_denoise import add_gaussian_noise, phantom
    >>> clean = phantom((64, 96), rng=0)
    >>> noise = add_gaussian_noise(clean, sigma=0.1, rng=1) - clean
    >>> print(f"{noise.std():.2f}")
    0.10
    """
    check_sigma("sigma", sigma)
    return with_noise(image, lambda unit, rng: unit + normal(rng, unit.shape) * np.float32(sigma), rng, clip=clip)


def add_poisson_noise(
    image: ArrayLike, photons: float = PHOTONS.default, *, clip: bool = False, rng: Rng = None
) -> Any:
    """Replace each grey value by a random count of photons, as in a quantum-limited detector.

    Parameters
    ----------
    image : array of integers or floats
        Proportional to the expected count; negative values count as 0.
    photons : float
        Expected count at full white, positive; fewer photons make more noise.
    clip : bool
        Clip the result to [0, 1]; results of integer type always are, hot pixels apart.
    rng : int or numpy.random.Generator, optional
        Seed or generator; the same seed gives the same noise.

    Returns
    -------
    ndarray
        Of the same shape and integer type; float32 for an image of any floating type.

    Examples
    --------
    >>> from napari_dental_denoise import add_poisson_noise, phantom
    >>> noisy = add_poisson_noise(phantom((64, 96), rng=0), photons=4, rng=1)
    >>> sorted({float(value) for value in noisy.flat})[:4]
    [0.0, 0.25, 0.5, 0.75]
    """
    check_photons(photons)
    return with_noise(image, lambda unit, rng: _count(unit, photons, rng), rng, clip=clip)


def add_poisson_gaussian_noise(
    image: ArrayLike,
    photons: float = PHOTONS.default,
    sigma: float = READOUT_SIGMA.default,
    *,
    clip: bool = False,
    rng: Rng = None,
) -> Any:
    """Add photon noise, then the white Gaussian noise of the read-out.

    Parameters
    ----------
    image : array of integers or floats
        Proportional to the expected count; negative values count as 0.
    photons : float
        Expected count at full white, positive; fewer photons make more noise.
    sigma : float
        Standard deviation of the read-out noise on the [0, 1] scale.
    clip : bool
        Clip the result to [0, 1]; results of integer type always are, hot pixels apart.
    rng : int or numpy.random.Generator, optional
        Seed or generator; the same seed gives the same noise.

    Returns
    -------
    ndarray
        Of the same shape and integer type; float32 for an image of any floating type.

    References
    ----------
    A. Foi et al., "Practical Poissonian-Gaussian noise modeling and fitting for single-image raw-data",
    IEEE Trans. Image Process. 17 (2008), doi 10.1109/TIP.2008.2001399.

    Examples
    --------
    >>> from napari_dental_denoise import add_poisson_gaussian_noise, phantom
    >>> clean = phantom((64, 96), rng=0)
    >>> noise = add_poisson_gaussian_noise(clean, photons=1e6, sigma=0.1, rng=1) - clean
    >>> print(f"{noise.std():.2f}")
    0.10
    """
    check_photons(photons)
    check_sigma("sigma", sigma)

    def count_and_read(unit: Unit, rng: np.random.Generator) -> Unit:
        return _count(unit, photons, rng) + normal(rng, unit.shape) * np.float32(sigma)

    return with_noise(image, count_and_read, rng, clip=clip)


def add_speckle_noise(
    image: ArrayLike, sigma: float = SPECKLE_SIGMA.default, *, clip: bool = False, rng: Rng = None
) -> Any:
    """Multiply by 1 plus white Gaussian noise, as a gain does that varies from pixel to pixel.

    Parameters
    ----------
    image : array of integers or floats
    sigma : float
        Standard deviation of the factor; the noise is proportional to the grey value.
    clip : bool
        Clip the result to [0, 1]; results of integer type always are, hot pixels apart.
    rng : int or numpy.random.Generator, optional
        Seed or generator; the same seed gives the same noise.

    Returns
    -------
    ndarray
        Of the same shape and integer type; float32 for an image of any floating type.

    Examples
    --------
    >>> from napari_dental_denoise import add_speckle_noise, phantom
    >>> image = phantom((64, 96), rng=0)
    >>> noisy = add_speckle_noise(image, sigma=0.2, rng=1)
    >>> bool((noisy[image == 0] == 0).all())
    True
    """
    check_number("sigma", sigma)
    return with_noise(image, lambda unit, rng: unit * (1 + normal(rng, unit.shape) * np.float32(sigma)), rng, clip=clip)


def add_salt_and_pepper_noise(
    image: ArrayLike, amount: float = AMOUNT.default, *, clip: bool = False, rng: Rng = None
) -> Any:
    """Set a share of the pixels to white or black with equal probability, like defective pixels.

    Parameters
    ----------
    image : array of integers or floats
    amount : float
        Share of the pixels, 0 to 1.
    clip : bool
        Clip the result to [0, 1]; this only changes values that were outside before.
    rng : int or numpy.random.Generator, optional
        Seed or generator; the same seed gives the same noise.

    Returns
    -------
    ndarray
        Of the same shape and integer type; float32 for an image of any floating type.

    Examples
    --------
    >>> from napari_dental_denoise import add_salt_and_pepper_noise, phantom
    >>> image = phantom((64, 96), rng=0)
    >>> noisy = add_salt_and_pepper_noise(image, amount=0.1, rng=1)
    >>> print(f"{(noisy != image).mean():.1f}")
    0.1
    """
    check_number("amount", amount, high=1.0)

    def defect(unit: Unit, rng: np.random.Generator) -> Unit:
        chance = rng.random(unit.shape, dtype=np.float32)
        return np.where(chance < amount, (chance < amount / 2).astype(np.float32), unit)

    return with_noise(image, defect, rng, clip=clip)


def _count(unit: Unit, photons: float, rng: np.random.Generator) -> Unit:
    return (rng.poisson(np.maximum(unit, 0) * photons) / photons).astype(np.float32)
