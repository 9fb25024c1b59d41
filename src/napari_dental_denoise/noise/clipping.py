"""The effect of clipping at black or white on noisy grey values."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from napari_dental_denoise.pixels import Unit

# Side in pixels of the squares over which the noise is described.
SIDE = 33
# Below this share of clipped pixels, next to nothing is hidden.
MIN_CLIPPED = 0.02
MIN_DEVIATION = 1e-6
# The larger of two uncertain distances is too large by about this.
MAXIMUM_BIAS = 0.1


def mean_excess(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of what a standard normal variable exceeds a distance by, 0 where it does not."""
    return _density(distance) - np.where(np.isfinite(distance), distance, 0) * ndtr(-distance)


def _density(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.exp(-(distance**2) / 2) / math.sqrt(2 * math.pi)


# For distances of a grey value from the end, in deviations of the noise: how much its mean loses by clipping, how far
# that mean is from the end, and the deviation that is left.
DISTANCES = np.linspace(-3, 4, 141)
LOST = mean_excess(DISTANCES)
MEANS = DISTANCES + LOST
DEVIATIONS = np.sqrt((1 + DISTANCES**2) * ndtr(DISTANCES) + DISTANCES * _density(DISTANCES) - MEANS**2)


def clipping_bias(noisy: Unit, noise: Unit) -> Unit:
    """Return how much `noisy - noise` is too dark or too bright where Gaussian noise was clipped at 0 or 1.

    Clipping takes the bright half of the noise in a white area, and what is left has a darker mean. By how much, the
    share of the pixels at the end tells, and how far the mean is from there. The answer that hides less is taken: many
    pixels are at the end beside a black background, too. What `noise` has of it already is not counted twice.

    Parameters
    ----------
    noisy : (H, W) float32 array
        Black at 0, white at 1.
    noise : (H, W) float32 array
        An estimate of its noise.

    Returns
    -------
    (H, W) float32 array
        Above 0 next to white, below next to black.

    Examples
    --------
    >>> import numpy as np
    >>> noise = 0.1 * np.random.default_rng(0).standard_normal((64, 64), np.float32)
    >>> noisy = np.minimum(1 + noise, 1)
    >>> mean = noisy.mean()
    >>> hidden = clipping_bias(noisy, noisy - mean)
    >>> bool(mean < 0.97 and np.abs(mean + hidden - 1).max() < 0.01)
    True
    """
    hidden = np.zeros_like(noisy)
    for end, sign in ((1, 1), (0, -1)):
        share = _mean((noisy == end).astype(np.float32))
        here = share >= MIN_CLIPPED
        if here.any():
            bias = _mean(sign * noise)
            deviation = np.sqrt(np.maximum(_mean(noise**2) - bias**2, MIN_DEVIATION**2))
            below = sign * (end - noisy + noise)
            hidden[here] += sign * _hidden(below[here], bias[here], deviation[here], share[here])
    return hidden


def _hidden(below: Unit, bias: Unit, deviation: Unit, share: Unit) -> Unit:
    """Return how much too low pixels are, from how far they lie below the end that a share of those around them has.

    `bias` and `deviation` are those of the noise around them.
    """
    by_mean = np.interp((below - bias) / deviation, MEANS / DEVIATIONS, DISTANCES)
    distance = np.maximum(by_mean, -ndtri(np.minimum(share, ndtr(-DISTANCES[0])))) - MAXIMUM_BIAS
    lost = deviation * np.interp(distance, DISTANCES, LOST / DEVIATIONS)
    return np.clip(lost + bias, 0, np.clip(below, 0, lost)).astype(np.float32)


def _mean(image: Unit) -> Unit:
    return cv2.blur(image, (SIDE, SIDE), borderType=cv2.BORDER_REFLECT)
