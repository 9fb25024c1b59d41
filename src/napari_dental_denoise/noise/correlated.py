"""Gaussian noise that neighbouring pixels share, by a blur or by a power spectrum.

It acts on the last two axes, rows and columns.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import BLUR, EXPONENT, SIGMA
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.noise.common import Rng, Unit, check_level, check_plane, check_sigma, corrupt, normal

LARGEST_BLUR = 32.0
STEEPEST_EXPONENT = 4.0


def add_correlated_noise(
    image: NDArray[np.generic],
    sigma: float = SIGMA.default,
    blur: float = BLUR.default,
    *,
    clip: bool = False,
    rng: Rng = None,
) -> NDArray[np.generic]:
    """Add Gaussian noise that neighbouring pixels share: white noise behind a Gaussian blur.

    The noise of digital radiographs has such a spectrum, since the light of the scintillator
    spreads; see N. Ponomarenko et al., "Blind denoising of dental X-ray images", Electronic
    Imaging (2023), doi 10.2352/EI.2023.35.9.IPAS-299.

    Parameters
    ----------
    image : (..., H, W) array; uint8, uint16 or floating
    sigma : float
        Standard deviation of the noise after the blur, on the [0, 1] scale.
    blur : float
        Standard deviation of the Gaussian, in pixels, 0 to 32; the autocorrelation of the noise
        falls to 1/e over twice as many pixels. 0 is white noise.
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
        If a level is out of its range, or the image has no rows and columns.
    """
    check_sigma("sigma", sigma)
    check_level("blur", blur, high=LARGEST_BLUR)
    check_plane(image)
    return corrupt(
        image, lambda unit, draw: unit + blurred_noise(draw, unit.shape, blur) * np.float32(sigma), rng, clip=clip
    )


def blurred_noise(draw: np.random.Generator, shape: tuple[int, ...], blur: float) -> Unit:
    """Gaussian noise of unit deviation, white noise behind a Gaussian blur of so many pixels."""
    return spread(normal(draw, shape), blur) / np.float32(noise_left(blur, shape))


def spread(field: Unit, blur: float) -> Unit:
    """Blur the last two axes; beyond the border the field goes on at the opposite one."""
    if blur == 0:
        return field
    # Imported where it is used: it takes 0.2 s, and every --help reads the table of these functions.
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(field, blur, mode="wrap", axes=(-2, -1))


def noise_left(blur: float, shape: tuple[int, ...]) -> float:
    """Standard deviation that `spread` leaves of white noise of unit deviation, in an image (..., H, W)."""
    if blur == 0:
        return 1.0
    from scipy.ndimage import gaussian_filter1d

    energy = 1.0
    for side in shape[-2:]:
        impulse = np.zeros(side)
        impulse[0] = 1.0
        energy *= float((gaussian_filter1d(impulse, blur, mode="wrap") ** 2).sum())
    return math.sqrt(energy)


def add_spectrum_noise(
    image: NDArray[np.generic], spectrum: NDArray[np.floating], *, clip: bool = False, rng: Rng = None
) -> NDArray[np.generic]:
    """Add Gaussian noise of a power spectrum that was measured.

    Parameters
    ----------
    image : (..., H, W) array; uint8, uint16 or floating
    spectrum : (h, w) array
        Noise power by frequency, in the order of `numpy.fft.fft2`, not negative; its mean is the
        variance of the noise on the [0, 1] scale. Of any size: the correlation of distant pixels
        that a small one does not tell is taken to be none.
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
        If the spectrum is not an array of rows and columns of powers, or the image has no rows and columns.
    """
    check_plane(image)
    spectrum = np.asarray(spectrum, np.float64)
    if spectrum.ndim != 2 or spectrum.size == 0 or not np.all(np.isfinite(spectrum)) or spectrum.min() < 0:
        raise InputError(f"spectrum must be (h, w) powers from 0; received shape {spectrum.shape}")
    return corrupt(image, lambda unit, draw: unit + _shaped_noise(draw, unit.shape, spectrum), rng, clip=clip)


def _shaped_noise(draw: np.random.Generator, shape: tuple[int, ...], spectrum: NDArray[np.floating]) -> Unit:
    rows, columns = shape[-2:]
    amplitude = np.sqrt(_resized_spectrum(spectrum, (rows, columns)))
    shaped = np.fft.irfft2(np.fft.rfft2(normal(draw, shape)) * amplitude[:, : columns // 2 + 1], s=(rows, columns))
    return shaped.astype(np.float32)


def _resized_spectrum(spectrum: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.floating]:
    """The spectrum of the same variance and correlation of near pixels, for an image of another size."""
    if spectrum.shape == shape:
        return spectrum
    correlation = np.fft.fftshift(np.fft.ifft2(spectrum).real)
    for axis, side in enumerate(shape):
        known = correlation.shape[axis]
        excess = max(known - side, 0)
        start = known // 2 - (known - excess) // 2
        correlation = np.take(correlation, range(start, start + known - excess), axis)
        before = side // 2 - correlation.shape[axis] // 2
        padding = [(0, 0), (0, 0)]
        padding[axis] = (before, side - correlation.shape[axis] - before)
        correlation = np.pad(correlation, padding)
    # A correlation that is cut off has negative powers, which no noise has.
    power = np.maximum(np.fft.fft2(np.fft.ifftshift(correlation)).real, 0)
    return power * (spectrum.mean() / max(power.mean(), np.finfo(float).tiny))


def add_power_law_noise(
    image: NDArray[np.generic],
    sigma: float = SIGMA.default,
    exponent: float = EXPONENT.default,
    *,
    clip: bool = False,
    rng: Rng = None,
) -> NDArray[np.generic]:
    """Add Gaussian noise whose power falls with a power of the frequency, as that of anatomical backgrounds does.

    A. E. Burgess et al., "Human observer detection experiments with mammograms and power-law
    noise", Med. Phys. 28 (2001), doi 10.1118/1.1355308.

    Parameters
    ----------
    image : (..., H, W) array; uint8, uint16 or floating
    sigma : float
        Standard deviation of the noise on the [0, 1] scale.
    exponent : float
        Power falls as 1 / frequency ** exponent, 0 to 4: 0 is white noise, 1 pink.
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
        If a level is out of its range, or the image has no rows and columns.
    """
    check_sigma("sigma", sigma)
    check_level("exponent", exponent, high=STEEPEST_EXPONENT)
    check_plane(image)
    spectrum = _power_law(image.shape[-2:], exponent)
    return add_spectrum_noise(image, spectrum * sigma**2 / max(spectrum.mean(), 1e-12), clip=clip, rng=rng)


def _power_law(shape: tuple[int, ...], exponent: float) -> NDArray[np.floating]:
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, np.newaxis], np.fft.fftfreq(shape[1]))
    # The mean of the noise has no power of its own: the image would only become brighter or darker.
    frequency[0, 0] = np.inf
    return frequency**-exponent if exponent else np.ones(shape)
