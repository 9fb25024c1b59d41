"""Channels: the few filters through which a model observer sees an image.

References
----------
.. [1] B. D. Gallas and H. H. Barrett, "Validating the use of channels to estimate the ideal linear observer",
   J. Opt. Soc. Am. A 20 (2003), doi 10.1364/JOSAA.20.001725.
.. [2] C. K. Abbey and H. H. Barrett, "Human- and model-observer performance in ramp-spectrum noise: effects of
   regularization and object variability", J. Opt. Soc. Am. A 18 (2001), doi 10.1364/JOSAA.18.000473.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.special import eval_laguerre

Array = NDArray[np.float64]
Shape = tuple[int, int]


def laguerre_gauss_channels(shape: Shape, width: float, count: int = 6) -> Array:
    """Return rotationally symmetric channels for a signal of known place [1]_.

    Parameters
    ----------
    shape : (int, int)
    width : float
        Of the Gaussian exp(-pi r^2 / width^2), in pixels; about the signal's diameter.
    count : int

    Returns
    -------
    (count, H * W) array
        Each of unit norm.
    """
    square = _radius(shape) ** 2 / width**2
    gauss = np.exp(-np.pi * square)
    return _unit_norm([gauss * eval_laguerre(order, 2 * np.pi * square) for order in range(count)])


def difference_of_gaussians_channels(
    shape: Shape, count: int = 10, first: float = 0.005, step: float = 1.4, ratio: float = 1.67
) -> Array:
    """Return dense difference-of-Gaussians channels, which model those of the human eye [2]_.

    Parameters
    ----------
    shape : (int, int)
    count : int
    first : float
        Frequency of the first channel, in cycles a pixel.
    step, ratio : float
        From one channel to the next, and from the inner to the outer Gaussian of one.

    Returns
    -------
    (count, H * W) array
        Each of unit norm.
    """
    frequency = radial_frequency(shape)
    deviations = [first * step**index for index in range(count)]
    bands = [
        np.exp(-(frequency**2) / (2 * (ratio * deviation) ** 2)) - np.exp(-(frequency**2) / (2 * deviation**2))
        for deviation in deviations
    ]
    return _unit_norm([_from_spectrum(band) for band in bands])


def gabor_channels(
    shape: Shape,
    frequencies: tuple[float, ...] = (0.03125, 0.0625, 0.125, 0.25),
    orientations: int = 4,
) -> Array:
    """Return Gabor channels of one octave: even ones, for each frequency and orientation.

    Parameters
    ----------
    shape : (int, int)
    frequencies : tuple of float
        In cycles a pixel.
    orientations : int

    Returns
    -------
    (len(frequencies) * orientations, H * W) array
        Each of unit norm.
    """
    rows, columns = _centred(shape)
    channels = []
    for frequency in frequencies:
        # Of one octave at half maximum.
        deviation = 3 * np.sqrt(np.log(2) / 2) / (np.pi * frequency)
        envelope = np.exp(-(rows**2 + columns**2) / (2 * deviation**2))
        for index in range(orientations):
            angle = np.pi * index / orientations
            wave = np.cos(2 * np.pi * frequency * (columns * np.cos(angle) + rows * np.sin(angle)))
            channels.append(envelope * wave)
    return _unit_norm(channels)


def signal_channels(template: NDArray[np.floating], blurs: tuple[float, ...] = (0, 1, 2, 4)) -> Array:
    """Return the signal itself and blurred by Gaussians, for signals that no round channel sees.

    Parameters
    ----------
    template : (H, W) array
    blurs : tuple of float
        Standard deviations of the Gaussians, in pixels.

    Returns
    -------
    (len(blurs), H * W) array
        Each of unit norm.
    """
    return _unit_norm([gaussian_filter(np.asarray(template, np.float64), blur) for blur in blurs])


def _centred(shape: Shape) -> tuple[Array, Array]:
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return rows - shape[0] // 2, columns - shape[1] // 2


def _radius(shape: Shape) -> Array:
    return np.asarray(np.hypot(*_centred(shape)))


def radial_frequency(shape: Shape) -> Array:
    """Return the frequency of each element of `numpy.fft.fft2`, in cycles a pixel."""
    return np.asarray(np.hypot(np.fft.fftfreq(shape[0])[:, np.newaxis], np.fft.fftfreq(shape[1])[np.newaxis]))


def _from_spectrum(spectrum: Array) -> Array:
    return np.asarray(np.fft.fftshift(np.real(np.fft.ifft2(spectrum))))


def _unit_norm(channels: list[Array]) -> Array:
    flat = np.stack([channel.ravel() for channel in channels])
    return np.asarray(flat / np.linalg.norm(flat, axis=1, keepdims=True))
