"""The power spectrum of small blocks of an image, and of blurred noise with structure in them.

By a discrete cosine transform, as in N. N. Ponomarenko et al., "An automatic approach to lossy
compression of AVIRIS images", IGARSS 2007.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

# Long enough to tell a blur of 2 pixels from a slow trend, short enough to fit between the edges of teeth.
BLOCK = 16
LEAST_POWER = 1e-14

# White noise reads as 0; a blur under 0.4 pixels correlates neighbours by less than a tenth.
BLURS = np.r_[0.0, np.arange(0.4, 3.001, 0.05)]
# Power of structure against frequency, as -exponent, and at the lowest frequency as a share of the noise's peak.
STRUCTURE_EXPONENTS = (2.5, 4.0, 6.0)
STRUCTURE_SHARES = np.geomspace(0.01, 100.0, 14)
EDGE_EXPONENT = 3.0
# Below this share of its peak, the spectrum of blurred noise drowns in rounding and compression.
FADED = 0.05
ROUNDING_SHARE = 0.001


def powers(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Squared coefficients (u, v) of each block but those of u = 0 or v = 0, which a slow trend fills."""
    cosines = _cosines().astype(np.float32)
    spectra = np.square(cosines @ pixels @ cosines.T).reshape(len(pixels), -1)
    return spectra + np.float32(LEAST_POWER)


@dataclass(frozen=True, slots=True)
class BlockSpectrum:
    """Expected power of each coefficient: of noise of variance 1, of the noise, and of noise and structure."""

    blur: float
    unit: Array
    noise: Array
    total: Array

    def sign_of_structure(self) -> NDArray[np.float32]:
        """Weights of the locally most powerful test for an additional power law."""
        weight = _frequencies() ** -EDGE_EXPONENT / np.square(self.total)
        return (weight / weight.max()).astype(np.float32)

    def trust(self) -> Array:
        """How far each coefficient can be believed, 0 to 1: less where the noise has faded."""
        return np.square(self.noise / (self.noise + FADED * self.noise.max()))

    def variances(self, power: Array, half: NDArray[np.bool_]) -> Array:
        """Variance of the noise in each block, by its coefficients of one half."""
        weight = self.trust() * np.square(self.noise / self.total) * half
        return (power - (self.total - self.noise)) @ (weight / self.unit) / weight.sum()


def fit_spectrum(power: Array, trust: Array) -> BlockSpectrum:
    """The spectrum of largest likelihood, where each coefficient counts as far as it is trusted."""
    inverses, logarithms, pairs = _shapes()
    believed = np.bincount(pairs, trust)
    scale = _products(inverses, np.bincount(pairs, trust * power)) / trust.sum()
    best = int(np.argmin(_products(logarithms, believed) + np.log(scale) * trust.sum()))
    blur = best % BLURS.size
    unit = _noise_shapes()[blur]
    return BlockSpectrum(float(BLURS[blur]), unit, scale[best] * unit, scale[best] / inverses[best, pairs])


def _products(matrix: Array, vector: NDArray[np.number]) -> Array:
    # BLAS would spread this little over all processors, which costs more where they have other work.
    return np.einsum("ij,j->i", matrix, vector)


@lru_cache(maxsize=1)
def _shapes() -> tuple[Array, Array, NDArray[np.intp]]:
    """Inverses and logarithms of the spectra of noise with structure, (structures x blurs, pairs), and the pairs.

    Coefficients (u, v) and (v, u) have the same expected power, and count as one pair.
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
    """Power of each coefficient of white noise blurred by each of `BLURS` and brought to variance 1."""
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
    """Of each coefficient, in radians per pixel."""
    along = np.arange(1, BLOCK) * np.pi / BLOCK
    return np.hypot.outer(along, along).ravel()


@lru_cache(maxsize=1)
def _cosines() -> Array:
    """Rows of the discrete cosine transform but the constant one."""
    angles = np.outer(np.arange(1, BLOCK), np.arange(BLOCK) + 0.5) * np.pi / BLOCK
    return np.cos(angles) * np.sqrt(2 / BLOCK)
