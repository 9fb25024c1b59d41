"""Spatially correlated Gaussian noise, given by a blur or by a power spectrum; it acts on the last two axes."""

from __future__ import annotations

import math
from reprlib import repr as shortened
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import BLUR, EXPONENT, SIGMA
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.noise.common import Rng, check_plane, check_sigma, normal, with_noise
from napari_dental_denoise.pixels import ArrayLike, Unit
from napari_dental_denoise.validation import check_number

MAX_BLUR = 32.0
MAX_EXPONENT = 4.0


def add_correlated_noise(
    image: ArrayLike,
    sigma: float = SIGMA.default,
    blur: float = BLUR.default,
    *,
    clip: bool = False,
    rng: Rng = None,
) -> Any:
    """Add spatially correlated Gaussian noise: white noise after a Gaussian blur.

    The noise of digital radiographs has such a spectrum, because light spreads in the scintillator.

    Parameters
    ----------
    image : array of integers or floats, shape (..., H, W)
    sigma : float
        Standard deviation of the noise after the blur, on the [0, 1] scale.
    blur : float
        Standard deviation of the Gaussian in pixels, 0 to 32. The autocorrelation of the noise falls to
        1/e at a lag of twice the blur; 0 is white noise.
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
    N. Ponomarenko et al., "Blind denoising of dental X-ray images", Electronic Imaging (2023),
    doi 10.2352/EI.2023.35.9.IPAS-299.

    Examples
    --------
    >>> from napari_dental_denoise import add_correlated_noise, estimate_noise, phantom
    >>> noisy = add_correlated_noise(phantom((244, 374), rng=0), sigma=0.1, blur=1.0, rng=1)
    >>> print(f"{estimate_noise(noisy).correlation_length:.0f} pixels")
    2 pixels
    """
    check_sigma("sigma", sigma)
    check_number("blur", blur, high=MAX_BLUR)
    check_plane(image)
    return with_noise(
        image, lambda unit, rng: unit + blurred_noise(rng, unit.shape, blur) * np.float32(sigma), rng, clip=clip
    )


def blurred_noise(rng: np.random.Generator, shape: tuple[int, ...], blur: float) -> Unit:
    """Draw white Gaussian noise, blur it by a Gaussian of `blur` pixels, and scale it to unit standard deviation."""
    return gaussian_blur(normal(rng, shape), blur) / np.float32(blurred_deviation(blur, shape))


def gaussian_blur(field: Unit, blur: float) -> Unit:
    """Blur the last two axes with periodic borders."""
    if blur == 0:
        return field
    # Imported here because it takes 0.2 s, and every --help reads the table of noise kinds.
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(field, blur, mode="wrap", axes=(-2, -1))


def blurred_deviation(blur: float, shape: tuple[int, ...]) -> float:
    """Return the standard deviation of white noise of unit deviation after `gaussian_blur`, for images (..., H, W)."""
    if blur == 0:
        return 1.0
    from scipy.ndimage import gaussian_filter1d

    energy = 1.0
    for side in shape[-2:]:
        impulse = np.zeros(side)
        impulse[0] = 1.0
        energy *= float((gaussian_filter1d(impulse, blur, mode="wrap") ** 2).sum())
    return math.sqrt(energy)


def add_spectrum_noise(image: ArrayLike, spectrum: ArrayLike, *, clip: bool = False, rng: Rng = None) -> Any:
    """Add Gaussian noise of a measured power spectrum.

    Parameters
    ----------
    image : array of integers or floats, shape (..., H, W)
    spectrum : ndarray of float, shape (h, w)
        Noise power at each frequency, at least 0, in the order of `numpy.fft.fft2`. Its mean is the
        variance of the noise on the [0, 1] scale, at most 1. It can have any size: where it is smaller than the
        image, pixels that are farther apart than its size are taken as uncorrelated.
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
    >>> import numpy as np
    >>> from napari_dental_denoise import add_spectrum_noise, phantom
    >>> frequency = np.hypot(np.fft.fftfreq(32)[:, np.newaxis], np.fft.fftfreq(32))
    >>> spectrum = np.exp(-((frequency / 0.1) ** 2))
    >>> noisy = add_spectrum_noise(phantom((64, 96), rng=0), 0.01 * spectrum / spectrum.mean(), rng=1)
    >>> noisy.shape
    (64, 96)
    """
    check_plane(image)
    powers = _checked_spectrum(spectrum)
    return with_noise(image, lambda unit, rng: unit + _shaped_noise(rng, unit.shape, powers), rng, clip=clip)


def _checked_spectrum(spectrum: ArrayLike) -> NDArray[np.float64]:
    try:
        # Complex amplitudes are no powers.
        powers = np.asarray(spectrum).astype(np.float64, casting="same_kind")
    except (TypeError, ValueError) as error:
        raise InputError(f"spectrum must be an array (h, w) of real numbers; received {shortened(spectrum)}") from error
    if powers.ndim != 2 or powers.size == 0 or not np.all(np.isfinite(powers)) or powers.min() < 0:
        raise InputError(f"spectrum must be an array (h, w) of powers of at least 0; received shape {powers.shape}")
    if powers.mean() > 1:
        raise InputError(f"spectrum must have a mean, the variance of the noise, in [0, 1]; received {powers.mean():g}")
    return powers


def _shaped_noise(rng: np.random.Generator, shape: tuple[int, ...], spectrum: NDArray[np.floating]) -> Unit:
    rows, columns = shape[-2:]
    amplitude = np.sqrt(_resized_spectrum(spectrum, (rows, columns)))
    shaped = np.fft.irfft2(np.fft.rfft2(normal(rng, shape)) * amplitude[:, : columns // 2 + 1], s=(rows, columns))
    return shaped.astype(np.float32)


def _resized_spectrum(spectrum: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.floating]:
    """Return a spectrum of the same variance and short-range correlation for an image of another size."""
    if spectrum.shape == shape:
        return spectrum
    correlation = np.fft.fftshift(np.fft.ifft2(spectrum).real)
    for axis, side in enumerate(shape):
        known = correlation.shape[axis]
        kept = min(known, side)
        start = known // 2 - kept // 2
        correlation = np.take(correlation, range(start, start + kept), axis)
        before = side // 2 - kept // 2
        padding = [(0, 0), (0, 0)]
        padding[axis] = (before, side - kept - before)
        correlation = np.pad(correlation, padding)
    # A truncated correlation has negative powers, which no noise has.
    power = np.maximum(np.fft.fft2(np.fft.ifftshift(correlation)).real, 0)
    return power * (spectrum.mean() / max(power.mean(), np.finfo(float).tiny))


def add_power_law_noise(
    image: ArrayLike,
    sigma: float = SIGMA.default,
    exponent: float = EXPONENT.default,
    *,
    clip: bool = False,
    rng: Rng = None,
) -> Any:
    """Add Gaussian noise whose power falls with a power of the frequency, like that of anatomical backgrounds.

    Parameters
    ----------
    image : array of integers or floats, shape (..., H, W)
    sigma : float
        Standard deviation of the noise on the [0, 1] scale.
    exponent : float
        Power is proportional to 1 / frequency ** exponent, 0 to 4: 0 is white noise, 1 is pink noise.
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
    A. E. Burgess et al., "Human observer detection experiments with mammograms and power-law noise",
    Med. Phys. 28 (2001), doi 10.1118/1.1355308.

    Examples
    --------
    >>> from napari_dental_denoise import add_power_law_noise, phantom
    >>> clean = phantom((64, 96), rng=0)
    >>> noise = add_power_law_noise(clean, sigma=0.1, exponent=2.0, rng=1) - clean
    >>> print(f"{abs(noise.mean()):.3f}")
    0.000
    """
    check_sigma("sigma", sigma)
    check_number("exponent", exponent, high=MAX_EXPONENT)
    check_plane(image)

    def add(unit: Unit, rng: np.random.Generator) -> Unit:
        spectrum = _power_law(unit.shape[-2:], exponent)
        return unit + _shaped_noise(rng, unit.shape, spectrum * sigma**2 / max(float(spectrum.mean()), 1e-12))

    return with_noise(image, add, rng, clip=clip)


def _power_law(shape: tuple[int, ...], exponent: float) -> NDArray[np.floating]:
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, np.newaxis], np.fft.fftfreq(shape[1]))
    # The mean of the noise has no power of its own: it would only make the image brighter or darker.
    frequency[0, 0] = np.inf
    return frequency**-exponent if exponent else np.ones(shape)
