"""Noise power spectra: how much noise there is at each spatial frequency, and how much of it a denoiser takes away.

References
----------
.. [1] IEC 62220-1-1:2015, "Medical electrical equipment - Characteristics of digital X-ray imaging devices".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.errors import InputError

Array = NDArray[np.float64]
SIDE = 128


@dataclass(frozen=True)
class NoisePowerSpectrum:
    """A noise power spectrum.

    Attributes
    ----------
    frequencies : (F,) array
        In cycles a pixel or, with a pixel size, cycles a mm.
    radial : (F,) array
        Mean power in rings of one frequency step; grey values squared times pixels squared (mm squared).
    power : (S, S) array
        In both directions, with frequency 0 in the middle.
    """

    frequencies: Array
    radial: Array
    power: Array

    @property
    def variance(self) -> float:
        """The variance of the noise: the integral of its power."""
        step = self.frequencies[1] - self.frequencies[0]
        return float(self.power.sum() * step**2)


def noise_power_spectrum(
    images: Iterable[NDArray[np.floating]], *, pixel_size: float = 1.0, side: int = SIDE, mean: float = 1.0
) -> NoisePowerSpectrum:
    """Measure the noise power spectrum of images that hold noise over a slow trend, as IEC 62220-1 does [1]_.

    Each image is cut into squares that overlap by half, a polynomial of second degree is subtracted from each, and the
    squared magnitudes of their Fourier transforms are averaged.

    Parameters
    ----------
    images : iterable of (H, W) floating arrays
        Flat exposures, or differences of images of one object.
    pixel_size : float
        In mm; 1 gives frequencies in cycles a pixel.
    side : int
        Of the squares, in pixels.
    mean : float
        Mean grey value to normalise by; 1 leaves the spectrum in grey values squared.

    Raises
    ------
    InputError
        If no square fits into an image.
    """
    trend = _trend_basis(side)
    total, count = np.zeros((side, side)), 0
    for image in images:
        for square in _squares(np.asarray(image, np.float64), side):
            flat = square.ravel()
            noise = (flat - trend @ (trend.T @ flat)).reshape(side, side)
            total += np.abs(np.fft.fft2(noise)) ** 2
            count += 1
    if count == 0:
        raise InputError(f"expected images with sides of {side} pixels and more, one at least")
    power = np.fft.fftshift(total / count) * (pixel_size / side) ** 2 / mean**2
    frequencies, radial = _rings(power, pixel_size)
    return NoisePowerSpectrum(frequencies, radial, power)


def _squares(image: Array, side: int) -> Iterator[Array]:
    height, width = image.shape
    for row in range(0, height - side + 1, side // 2):
        for column in range(0, width - side + 1, side // 2):
            yield image[row : row + side, column : column + side]


def _trend_basis(side: int) -> Array:
    """Return an orthonormal basis of the polynomials of second degree on a square, (side * side, 6)."""
    rows, columns = (axis.ravel() for axis in np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j])
    terms = np.stack([np.ones_like(rows), rows, columns, rows**2, rows * columns, columns**2], axis=1)
    return np.asarray(np.linalg.qr(terms)[0])


def _rings(power: Array, pixel_size: float) -> tuple[Array, Array]:
    side = len(power)
    offsets = np.arange(side) - side // 2
    ring = np.rint(np.hypot(*np.meshgrid(offsets, offsets))).astype(int).ravel()
    sums, counts = np.bincount(ring, power.ravel()), np.bincount(ring)
    kept = slice(0, side // 2 + 1)
    return np.arange(side // 2 + 1) / (side * pixel_size), sums[kept] / counts[kept]
