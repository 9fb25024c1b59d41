"""The noise of one radiograph from its flat patches: level, dependence on the grey value, correlation length.

The image is cut into blocks and each block's power spectrum is taken by a discrete cosine transform,
as in N. N. Ponomarenko et al., "An automatic approach to lossy compression of AVIRIS images", IGARSS 2007.
Coefficients (u, v) with odd and with even u + v are uncorrelated, whatever the stationary noise, since turning
the block half round changes the sign of the odd ones alone: blocks that are flat by the one half are measured
by the other, so that the choice of quiet blocks does not draw the level down, while structure, which is in both,
is avoided.
The mean spectrum of these blocks is that of Gaussian-blurred white noise and of what structure is left,
a power law; both are fitted by maximum likelihood (P. Whittle, "Estimation and information in stationary
time series", Ark. Mat. 2 (1953)).
The variance is linear in the grey value where that is a count of photons, exponential where it is its logarithm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import GREY_LEVELS
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.noise.dct_spectrum import BLOCK, LEAST_POWER, Array, BlockSpectrum, fit_spectrum, powers
from napari_dental_denoise.pixels import check_array, to_unit

LawName = Literal["linear", "exponential"]
LAWS: tuple[LawName, ...] = get_args(LawName)
Ends = tuple[float, float]

SMALLEST_SIDE = 32
MOST_BLOCKS = 6000
# Each region of the image counts alike, so that the quiet ones alone do not make the level.
REGIONS = 10
FLATTEST_SHARE = 0.15
ROUNDS = 3

# Clipped pixels have lost their noise; a share this small costs sigma a few per cent at the most.
MOST_CLIPPED = 0.05
FEWEST_BLOCKS = 20
RANGE_PERCENTILES = (5, 95)
# Variance at `bright` over variance at `dark` that is tried; a logarithmic response to X-rays makes 30 at the most.
RATIOS = np.geomspace(1 / 30, 30, 137)
GREY_BINS = 12
# Least variance of a bin, as a share of their mean: where structure is taken off, less than nothing may be left.
LEAST_BIN = 0.1
# Least level of a block in the choice, as a share of the mean: what is left in the dark must not decide alone.
LEAST_LEVEL = 0.2
# So far beyond [dark, bright], as a share of their distance, and down to this share of its lower end the law goes on.
MARGIN = 0.25
LEAST_BEYOND = 0.25
NOTABLE_RATIO = 1.3


@dataclass(frozen=True, slots=True)
class NoiseEstimate:
    """Noise of one image, on the [0, 1] scale.

    Attributes
    ----------
    sigma : float
        Root mean square of the noise over the grey values of the image.
    correlation_length : float
        Pixels; lag at which the autocorrelation of the noise falls to 1/e; 0 for white noise, 6 at the most.
    sigma_dark, sigma_bright : float
        Standard deviation at the grey values `dark` and `bright`.
    dark, bright : float
        The 5th and the 95th percentile of the grey values of 16x16 blocks that are not clipped.
    law : {"linear", "exponential"}
        How the variance goes with the grey value.
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
        """Standard deviation, in pixels, of the Gaussian that gives white noise this correlation."""
        return self.correlation_length / 2

    def text(self) -> str:
        """The estimate in words, such as "sigma 6.2 of 255, correlated over 1.4 px, stronger in the bright parts"."""
        if self.sigma == 0:
            return "no noise found"
        reach = f"correlated over {self.correlation_length:.1f} px" if self.correlation_length > 0 else "white"
        parts = [f"sigma {self.sigma * GREY_LEVELS:.1f} of {GREY_LEVELS}", reach]
        if self.sigma_bright > NOTABLE_RATIO * self.sigma_dark:
            parts.append("stronger in the bright parts")
        elif self.sigma_dark > NOTABLE_RATIO * self.sigma_bright:
            parts.append("stronger in the dark parts")
        return ", ".join(parts)

    def variance(self, unit: Array) -> NDArray[np.float32]:
        """Variance of the noise at each pixel, as its grey value implies.

        Parameters
        ----------
        unit : floating array of any shape, on the [0, 1] scale of the whole image
            Best a smoothed one: a noisy grey value implies a noisy variance.

        Returns
        -------
        float32 array of the same shape; on the squared [0, 1] scale, never negative
        """
        position = _position(unit, self.dark, self.bright)
        return _follow(self.law, self.sigma_dark**2, self.sigma_bright**2, position).astype(np.float32, copy=False)


def estimate_noise(image: NDArray[np.generic]) -> NoiseEstimate:
    """Estimate the noise of one image, with nothing but the image.

    What an image has of fine grain of its own is counted as noise. Of noise that is blurred over more than
    a pixel, about 10 grey levels of 255 and more are told from the texture of bone.

    Parameters
    ----------
    image : (H, W) array, sides of 32 pixels and more; uint8, uint16 or floating
        Noisy floating values may leave [0, 1].

    Returns
    -------
    NoiseEstimate
        All 0 for a constant image.

    Raises
    ------
    InputError
        If the image is not one grey channel, is too small, or holds NaN or infinity.
    """
    check_array(image)
    if image.ndim != 2:
        raise InputError(f"the image must be one grey channel, (height, width); received shape {image.shape}")
    if min(image.shape) < SMALLEST_SIDE:
        raise InputError(f"the image must have sides of {SMALLEST_SIDE} pixels and more; received {image.shape}")
    unit = to_unit(image)
    pixels, region = _blocks(unit)
    usable = _usable(pixels, float(unit.min()), float(unit.max()))
    if not usable.any():
        return NoiseEstimate(0.0, 0.0, 0.0, 0.0)
    # Of blocks: the law at the noisy grey value of a pixel would count the noise twice.
    grey = pixels.mean((1, 2))
    dark, bright = (float(end) for end in np.percentile(grey[usable], RANGE_PERCENTILES))
    position = _position(grey, dark, bright)
    blur, law, ends = _measure(powers(pixels[usable]), position[usable], region[usable])
    sigma = float(np.sqrt(_follow(law, *ends, position).mean()))
    return NoiseEstimate(sigma, 2 * blur, float(np.sqrt(ends[0])), float(np.sqrt(ends[1])), dark, bright, law)


def _position(grey: Array, dark: float, bright: float) -> Array:
    """Of grey values: 0 at `dark`, 1 at `bright`, no more than a margin beyond."""
    span = bright - dark
    return np.clip((grey - dark) / span, -MARGIN, 1 + MARGIN) if span > 0 else np.zeros_like(grey)


def _follow(law: LawName, first: float, last: float | Array, position: Array) -> Array:
    """The law that leads from `first` at position 0 to `last` at position 1."""
    least = np.minimum(first, last)
    if law == "exponential" and np.all(least > 0):
        return first * (last / first) ** position
    return np.maximum(first + (last - first) * position, np.asarray(LEAST_BEYOND * least, position.dtype))


def _likeliest(position: Array, variance: Array) -> tuple[LawName, Ends]:
    """The law of largest likelihood if variances scatter in proportion to them, with those at positions 0 and 1."""
    order, count = np.argsort(position), min(GREY_BINS, position.size)
    share, rest = divmod(position.size, count)
    sizes = share + (np.arange(count) < rest)
    starts = np.cumsum(sizes) - sizes
    places, found = (
        np.add.reduceat(values[order], starts, dtype=np.float64) / sizes for values in (position, variance)
    )
    found = np.maximum(found, LEAST_BIN * max(float(found.mean()), 0))
    shapes = np.concatenate([_follow(law, 1.0, RATIOS[:, None], places) for law in LAWS])
    scales = (found / shapes).mean(1)
    best = int(np.argmin(np.log(scales + LEAST_POWER) + np.log(shapes).mean(1)))
    ratio, scale = float(RATIOS[best % RATIOS.size]), float(scales[best])
    return LAWS[best // RATIOS.size], (scale, scale * ratio)


def _blocks(unit: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Evenly spaced blocks, (blocks, BLOCK, BLOCK), and the number of each one's region."""
    windows = np.lib.stride_tricks.sliding_window_view(unit, (BLOCK, BLOCK))
    step = max(BLOCK // 4, int(np.ceil(np.sqrt(windows.shape[0] * windows.shape[1] / MOST_BLOCKS))))
    blocks = windows[::step, ::step]
    rows, columns = (np.arange(count) * REGIONS // count for count in blocks.shape[:2])
    return blocks.reshape(-1, BLOCK, BLOCK), (rows[:, None] * REGIONS + columns).ravel()


def _usable(pixels: NDArray[np.float32], lowest: float, highest: float) -> NDArray[np.bool_]:
    """Whether a block holds noise that was not clipped: few pixels at the ends of the image's grey values."""
    alive = np.ptp(pixels, axis=(1, 2)) > 0
    clipped = ((pixels == lowest) | (pixels == highest)).mean((1, 2))
    allowed = MOST_CLIPPED
    if alive.any():
        least = np.sort(clipped[alive])
        allowed = max(allowed, float(least[min(FEWEST_BLOCKS, least.size) - 1]))
    return alive & (clipped <= allowed)


def _measure(power: NDArray[np.float32], position: Array, region: NDArray[np.intp]) -> tuple[float, LawName, Ends]:
    """Blur of the noise, and the law of its variance."""
    even = np.add.outer(np.arange(1, BLOCK), np.arange(1, BLOCK)).ravel() % 2 == 0
    halves = (even, ~even)
    mean, white = np.empty(even.size), np.ones(even.size)
    spectrum = BlockSpectrum(0.0, white, white, white)
    level: Array = np.ones_like(position)
    for _ in range(ROUNDS):
        # Blocks count as shares of the level at their grey value, else bright ones alone would make the spectrum.
        share = np.divide(power, level[:, None], dtype=np.float32)
        weight = spectrum.sign_of_structure()
        chosen = [_least(share @ (weight * ~half), region) for half in halves]
        for blocks, half in zip(chosen, halves, strict=True):
            mean[half] = share[blocks].mean(0)[half]
        spectrum = fit_spectrum(mean, spectrum.trust())
        variances = [spectrum.variances(share[blocks], half) for blocks, half in zip(chosen, halves, strict=True)]
        used = np.concatenate(chosen)
        law, ends = _likeliest(position[used], np.concatenate(variances) * level[used])
        found = _follow(law, *ends, position)
        level = np.maximum(found / max(float(found.mean()), LEAST_POWER), LEAST_LEVEL)
    return spectrum.blur, law, ends


def _least(score: Array, region: NDArray[np.intp]) -> NDArray[np.intp]:
    """Numbers of the blocks of the lowest scores in each region."""
    order = np.lexsort((score, region))
    sizes = np.bincount(region)
    rank = np.arange(order.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return order[rank < np.maximum(1, FLATTEST_SHARE * np.repeat(sizes, sizes))]
