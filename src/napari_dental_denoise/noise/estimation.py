"""Estimate the noise of one radiograph from its flat blocks: level, dependence on the grey value, correlation length.

1. Compute the power spectrum of each block by a discrete cosine transform [1]_.
2. In each region of the image, choose the blocks with the least structure by one half of the coefficients, and measure
   them by the other half. The halves are those of even and of odd u + v. For stationary noise they are uncorrelated,
   because a rotation of the block by 180 degrees changes the sign of the odd coefficients only; so the choice of quiet
   blocks does not bias the level, while structure, which is in both halves, is avoided.
3. Fit the mean spectrum by maximum likelihood [2]_ as Gaussian-blurred white noise plus a power law, which stands for
   the remaining structure.
4. Fit the variance of the blocks as a function of the grey value: linear, where grey values are photon counts, or
   exponential, where they are logarithms of counts.

References
----------
.. [1] N. N. Ponomarenko et al., "An automatic approach to lossy compression of AVIRIS images", IGARSS 2007.
.. [2] P. Whittle, "Estimation and information in stationary time series", Ark. Mat. 2 (1953),
   doi 10.1007/BF02590998.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import GREY_LEVELS
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.noise.dct_spectrum import BLOCK, MIN_POWER, Array, BlockSpectrum, fit_spectrum, powers
from napari_dental_denoise.pixels import ArrayLike, InputArray, to_unit

LawName = Literal["linear", "exponential"]
LAWS: tuple[LawName, ...] = get_args(LawName)
Ends = tuple[float, float]

SMALLEST_SIDE = 32
MAX_BLOCKS = 6000
# Along each side of the image. Every region contributes equally, so that the quiet ones do not determine the level.
REGIONS = 10
FLATTEST_SHARE = 0.15
ROUNDS = 3

# Clipped pixels have lost their noise; this share lowers sigma by a few per cent at most.
MAX_CLIPPED = 0.05
MIN_BLOCKS = 20
RANGE_PERCENTILES = (5, 95)
# Candidates for the variance at `bright` divided by that at `dark`; a logarithmic response to X-rays makes at most 30.
RATIOS = np.geomspace(1 / 30, 30, 137)
GREY_BINS = 12
# Lower bound of the variance of a bin, as a share of their mean: it can be negative after structure is subtracted.
MIN_BIN = 0.1
# Lower bound of the level of a block in the choice, as a share of the mean, so that dark blocks do not dominate.
MIN_LEVEL = 0.2
# The law is extrapolated this far beyond [dark, bright], as a share of their distance, and down to this share of its
# smaller end.
MARGIN = 0.25
MIN_BEYOND = 0.25
NOTABLE_RATIO = 1.3
# Levels below are zero at the decimals that are told; from the other one on, the first decimal is chance.
LEAST_TOLD = 0.05
MIN_WHOLE = 10
# Noise that is correlated over more pixels than this is told from the texture of bone from this level on.
COARSE_LENGTH, MIN_COARSE_SIGMA = 2.5, 10 / GREY_LEVELS


@dataclass(frozen=True, slots=True)
class NoiseEstimate:
    """Estimated noise of one image, on the [0, 1] scale.

    Attributes
    ----------
    sigma : float
        Root mean square of the noise over the grey values of the image.
    correlation_length : float
        Lag in pixels at which the autocorrelation of the noise falls to 1/e; 0 for white noise, at most 6.
    sigma_dark, sigma_bright : float
        Standard deviation at the grey values `dark` and `bright`.
    dark, bright : float
        5th and 95th percentile of the mean grey values of the blocks that are not clipped.
    law : {"linear", "exponential"}
        Variance as a function of the grey value.

    Examples
    --------
    >>> from napari_dental_denoise import NoiseEstimate
    >>> NoiseEstimate(0.02, 1.4, sigma_dark=0.01, sigma_bright=0.03).text()
    'about 5.1 grey levels, correlated over 1.4 px, stronger in the bright parts'
    """

    sigma: float
    correlation_length: float
    sigma_dark: float
    sigma_bright: float
    dark: float = 0.0
    bright: float = 1.0
    law: LawName = "linear"

    @property
    def blur(self) -> float:
        """Standard deviation in pixels of the Gaussian blur that gives white noise this correlation."""
        return self.correlation_length / 2

    def text(self) -> str:
        """Return the estimate in words and 8-bit grey levels, such as "about 6.2 grey levels, uncorrelated"."""
        levels = self.sigma * GREY_LEVELS
        if levels < LEAST_TOLD:
            return "no noise found"
        level = f"about {levels:.{1 if levels < MIN_WHOLE else 0}f} grey levels"
        if self.correlation_length > COARSE_LENGTH and self.sigma < MIN_COARSE_SIGMA:
            return f"none that can be told from structure, which varies by {level}"
        reach = f"correlated over {self.correlation_length:.1f} px" if self.correlation_length > 0 else "uncorrelated"
        parts = [level, reach]
        if self.sigma_bright > NOTABLE_RATIO * self.sigma_dark:
            parts.append("stronger in the bright parts")
        elif self.sigma_dark > NOTABLE_RATIO * self.sigma_bright:
            parts.append("stronger in the dark parts")
        return ", ".join(parts)

    def variance(self, unit: Array) -> NDArray[np.float32]:
        """Return the variance of the noise at each pixel, as implied by its grey value.

        Parameters
        ----------
        unit : ndarray of float
            Grey values on the [0, 1] scale of the whole image; smoothed, since noisy values imply noisy variances.

        Returns
        -------
        ndarray of float32
            Of the same shape, at least 0.
        """
        position = _position(unit, self.dark, self.bright)
        return _follow(self.law, self.sigma_dark**2, self.sigma_bright**2, position).astype(np.float32, copy=False)


def estimate_noise(image: ArrayLike) -> NoiseEstimate:
    """Estimate the noise of one image from the image alone.

    Fine grain of the image itself counts as noise. Noise with a blur of more than a pixel can be
    distinguished from the texture of bone from about 10 of 255 grey levels.

    Parameters
    ----------
    image : array of integers or floats, shape (H, W)
        At least 32 pixels a side; floating values may be outside [0, 1]. Masked pixels do not count.

    Returns
    -------
    NoiseEstimate
        Its levels are 0 for a constant image.

    Examples
    --------
    >>> from napari_dental_denoise import add_gaussian_noise, estimate_noise, phantom
    >>> noisy = add_gaussian_noise(phantom((244, 374), rng=0), sigma=0.1, rng=1)
    >>> print(f"{estimate_noise(noisy).sigma:.2f}")
    0.10
    """
    source = InputArray(image)
    shape = source.pixels.shape
    if len(shape) != 2:
        raise InputError(f"the image must be one grey channel, (height, width); received shape {shape}")
    if min(shape) < SMALLEST_SIDE:
        raise InputError(f"the image must have at least {SMALLEST_SIDE} pixels a side; received {shape}")
    unit = to_unit(source.pixels)
    pixels, region = _blocks(unit)
    usable = _usable(pixels, float(unit.min()), float(unit.max()))
    if source.mask is not None:
        usable &= ~_blocks(source.mask)[0].any((1, 2))
    if not usable.any():
        return NoiseEstimate(0.0, 0.0, 0.0, 0.0)
    # Of blocks, since the law at noisy grey values of pixels would count the noise twice.
    grey = pixels.mean((1, 2))
    dark, bright = (float(end) for end in np.percentile(grey[usable], RANGE_PERCENTILES))
    position = _position(grey, dark, bright)
    blur, law, ends = _measure(powers(pixels[usable]), position[usable], region[usable])
    sigma = float(np.sqrt(_follow(law, *ends, position).mean()))
    return NoiseEstimate(sigma, 2 * blur, float(np.sqrt(ends[0])), float(np.sqrt(ends[1])), dark, bright, law)


def _position(grey: Array, dark: float, bright: float) -> Array:
    """Return the position of grey values, 0 at `dark` and 1 at `bright`, clipped at a margin beyond."""
    span = bright - dark
    return np.clip((grey - dark) / span, -MARGIN, 1 + MARGIN) if span > 0 else np.zeros_like(grey)


def _follow(law: LawName, first: float, last: float | Array, position: Array) -> Array:
    """Evaluate the law that is `first` at position 0 and `last` at position 1."""
    smaller = np.minimum(first, last)
    if law == "exponential" and np.all(smaller > 0):
        return first * (last / first) ** position
    return np.maximum(first + (last - first) * position, np.asarray(MIN_BEYOND * smaller, position.dtype))


def _likeliest(position: Array, variance: Array) -> tuple[LawName, Ends]:
    """Return the law of maximum likelihood for errors proportional to the variance, and its values at 0 and 1."""
    order, count = np.argsort(position), min(GREY_BINS, position.size)
    share, rest = divmod(position.size, count)
    sizes = share + (np.arange(count) < rest)
    starts = np.cumsum(sizes) - sizes
    places, found = (
        np.add.reduceat(values[order], starts, dtype=np.float64) / sizes for values in (position, variance)
    )
    found = np.maximum(found, MIN_BIN * max(float(found.mean()), 0))
    shapes = np.concatenate([_follow(law, 1.0, RATIOS[:, None], places) for law in LAWS])
    scales = (found / shapes).mean(1)
    best = int(np.argmin(np.log(scales + MIN_POWER) + np.log(shapes).mean(1)))
    ratio, scale = float(RATIOS[best % RATIOS.size]), float(scales[best])
    return LAWS[best // RATIOS.size], (scale, scale * ratio)


def _blocks(unit: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Return evenly spaced blocks, (N, BLOCK, BLOCK), and the number of the region of each."""
    windows = np.lib.stride_tricks.sliding_window_view(unit, (BLOCK, BLOCK))
    step = max(BLOCK // 4, int(np.ceil(np.sqrt(windows.shape[0] * windows.shape[1] / MAX_BLOCKS))))
    blocks = windows[::step, ::step]
    rows, columns = (np.arange(count) * REGIONS // count for count in blocks.shape[:2])
    return blocks.reshape(-1, BLOCK, BLOCK), (rows[:, None] * REGIONS + columns).ravel()


def _usable(pixels: NDArray[np.float32], lowest: float, highest: float) -> NDArray[np.bool_]:
    """Return which blocks hold noise that is not clipped: few of their pixels have an extreme value of the image."""
    alive = np.ptp(pixels, axis=(1, 2)) > 0
    clipped = ((pixels == lowest) | (pixels == highest)).mean((1, 2))
    allowed = MAX_CLIPPED
    if alive.any():
        least = np.sort(clipped[alive])
        allowed = max(allowed, float(least[min(MIN_BLOCKS, least.size) - 1]))
    return alive & (clipped <= allowed)


def _measure(power: NDArray[np.float32], position: Array, region: NDArray[np.intp]) -> tuple[float, LawName, Ends]:
    """Return the blur of the noise, the law of its variance, and the ends of the law."""
    even = np.add.outer(np.arange(1, BLOCK), np.arange(1, BLOCK)).ravel() % 2 == 0
    halves = (even, ~even)
    mean, white = np.empty(even.size), np.ones(even.size)
    spectrum = BlockSpectrum(0.0, white, white, white)
    level: Array = np.ones_like(position)
    for _ in range(ROUNDS):
        # Blocks are divided by the level at their grey value, else the noisiest ones would determine the spectrum.
        share = np.divide(power, level[:, None], dtype=np.float32)
        weight = spectrum.structure_weights()
        chosen = [_quietest(share @ (weight * ~half), region) for half in halves]
        for blocks, half in zip(chosen, halves, strict=True):
            mean[half] = share[blocks].mean(0)[half]
        spectrum = fit_spectrum(mean, spectrum.trust())
        variances = [spectrum.variances(share[blocks], half) for blocks, half in zip(chosen, halves, strict=True)]
        used = np.concatenate(chosen)
        law, ends = _likeliest(position[used], np.concatenate(variances) * level[used])
        found = _follow(law, *ends, position)
        level = np.maximum(found / max(float(found.mean()), MIN_POWER), MIN_LEVEL)
    return spectrum.blur, law, ends


def _quietest(score: Array, region: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the indices of the blocks with the lowest scores in each region."""
    order = np.lexsort((score, region))
    sizes = np.bincount(region)
    rank = np.arange(order.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return order[rank < np.maximum(1, FLATTEST_SHARE * np.repeat(sizes, sizes))]
