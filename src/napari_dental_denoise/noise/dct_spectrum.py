"""Power spectra of image blocks by the discrete cosine transform, and the model of noise and structure fitted to them.

References
----------
N. N. Ponomarenko et al., "An automatic approach to lossy compression of AVIRIS images", IGARSS 2007.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

# Pixels a side: long enough to distinguish a blur of 2 pixels from a slow trend, short enough to fit between edges.
BLOCK = 16
MIN_POWER = 1e-14

# Candidates, in pixels; 0 is white noise. A blur below 0.4 pixels correlates neighbours by less than a tenth.
BLURS = np.r_[0.0, np.arange(0.4, 3.001, 0.05)]
# Candidates for the power law of structure: its exponents, and its power at the lowest frequency as a share of the peak
# of the noise.
STRUCTURE_EXPONENTS = (2.5, 4.0, 6.0)
STRUCTURE_SHARES = np.geomspace(0.01, 100.0, 14)
EDGE_EXPONENT = 3.0
# Below this share of its peak, the spectrum of blurred noise is masked by rounding and compression.
FADED = 0.05
ROUNDING_SHARE = 0.001


def powers(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the squared coefficients (u, v) of each block without u = 0 and v = 0, which hold slow trends."""
    cosines = _cosines().astype(np.float32)
    spectra = np.square(cosines @ pixels @ cosines.T).reshape(len(pixels), -1)
    return spectra + np.float32(MIN_POWER)


@dataclass(frozen=True, slots=True)
class BlockSpectrum:
    """Expected power of each coefficient: of noise of variance 1, of the noise, and of noise with structure."""

    blur: float
    unit: Array
    noise: Array
    total: Array

    def structure_weights(self) -> NDArray[np.float32]:
        """Return the weights of the locally most powerful test for an additional power law."""
        weight = _frequencies() ** -EDGE_EXPONENT / np.square(self.total)
        return (weight / weight.max()).astype(np.float32)

    def trust(self) -> Array:
        """Return the reliability of each coefficient, 0 to 1: lower where the noise has faded."""
        return np.square(self.noise / (self.noise + FADED * self.noise.max()))

    def variances(self, power: Array, half: NDArray[np.bool_]) -> Array:
        """Estimate the variance of the noise in each block from the coefficients of one half."""
        weight = self.trust() * np.square(self.noise / self.total) * half
        return (power - (self.total - self.noise)) @ (weight / self.unit) / weight.sum()


def fit_spectrum(power: Array, trust: Array) -> BlockSpectrum:
    """Return the spectrum of maximum likelihood, with each coefficient weighted by its reliability."""
    inverses, logarithms, pairs = _shapes()
    weights = np.bincount(pairs, trust)
    scale = _products(inverses, np.bincount(pairs, trust * power)) / trust.sum()
    best = int(np.argmin(_products(logarithms, weights) + np.log(scale) * trust.sum()))
    blur = best % BLURS.size
    unit = _noise_shapes()[blur]
    return BlockSpectrum(float(BLURS[blur]), unit, scale[best] * unit, scale[best] / inverses[best, pairs])


def _products(matrix: Array, vector: NDArray[np.number]) -> Array:
    # BLAS would distribute this small product over all processors, which is slower when they have other work.
    return np.einsum("ij,j->i", matrix, vector)


@lru_cache(maxsize=1)
def _shapes() -> tuple[Array, Array, NDArray[np.intp]]:
    """Return inverses and logarithms of all candidate spectra, (structures x blurs, pairs), and the pair numbers.

    Coefficients (u, v) and (v, u) have the same expected power and form one pair.
    """
    noise = _noise_shapes()
    relative = _frequencies() / _frequencies().min()
    laws = [np.zeros_like(relative)]
    laws += [share * relative**-exponent for exponent in STRUCTURE_EXPONENTS for share in STRUCTURE_SHARES]
    peaks = noise.max(1, keepdims=True)
    shapes = np.concatenate([noise + (law + ROUNDING_SHARE) * peaks for law in laws])
    places = np.arange((BLOCK - 1) ** 2).reshape(BLOCK - 1, BLOCK - 1)
    first, pairs = np.unique(np.minimum(places, places.T), return_inverse=True)
    return 1 / shapes[:, first], np.log(shapes[:, first]), pairs.ravel()


@lru_cache(maxsize=1)
def _noise_shapes() -> Array:
    """Return the power of each coefficient for noise of variance 1 and each of `BLURS`."""
    reach = np.arange(-4 * BLOCK, 4 * BLOCK + 1)
    lags = np.abs(np.subtract.outer(np.arange(BLOCK), np.arange(BLOCK)))
    shapes = []
    for blur in BLURS:
        kernel = np.exp(-np.square(reach / blur) / 2) if blur else (reach == 0).astype(float)
        correlation = np.correlate(kernel, kernel, "full")[kernel.size - 1 :][:BLOCK]
        along = np.einsum("ux,xy,uy->u", _cosines(), (correlation / correlation[0])[lags], _cosines())
        shapes.append(np.outer(along, along).ravel())
    return np.array(shapes)


@lru_cache(maxsize=1)
def _frequencies() -> Array:
    """Return the frequency of each coefficient in radians per pixel."""
    along = np.arange(1, BLOCK) * np.pi / BLOCK
    return np.hypot.outer(along, along).ravel()


@lru_cache(maxsize=1)
def _cosines() -> Array:
    """Return the rows of the discrete cosine transform without the constant one."""
    angles = np.outer(np.arange(1, BLOCK), np.arange(BLOCK) + 0.5) * np.pi / BLOCK
    return np.cos(angles) * np.sqrt(2 / BLOCK)
