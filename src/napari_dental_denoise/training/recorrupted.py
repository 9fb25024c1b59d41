"""Training on noisy images alone, by adding more of their own noise."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import cv2
import numpy as np

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.noise import SMALLEST_SIDE, NoiseEstimate, blurred_noise, estimate_noise, mean_excess
from napari_dental_denoise.pixels import Unit, full_scale, to_unit
from napari_dental_denoise.training.dataset import Dataset, Image, Pair, Window, digest, fingerprints

# Share of the noise to add: less makes the targets noisier, more makes the inputs noisier than real ones.
RECORRUPTION = 0.5
# Pixels (standard deviation) to smooth over before the level of the noise is read from the grey value.
SMOOTHING = 2.0
# The same for the local mean, the target where noise is clipped: black background and white metal are flat.
PLAIN = 4.0
DESCRIBED = 8
GREY_STEPS = 512
# Noise counts as clipped within this many deviations of an extreme value that this share of the pixels has.
CLIPPED_DEVIATIONS = 2.5
CLIPPED_SHARE = 0.001


class NoisyImages(Dataset):
    """Noisy (H, W) images without clean ones; the noise of each image is estimated.

    To a noisy image `y`, simulated noise `z` is added: `y + a z` is the input and `y - z / a` the target [1]_. If the
    noise is Gaussian and `z` has its covariance, the noise of input and target is independent, and the expected
    gradient is that of clean targets, for white and for correlated noise. Where noise is clipped, the target is the
    local mean before clipping. The seed is that of the noise of the validation images.

    The estimate has one correlation for the whole image, and a level that depends on the grey value. Other noise
    (lines, a level that depends on the place) is removed in part or too much. An image that is too small for an
    estimate raises InputError.

    References
    ----------
    .. [1] T. Pang et al., "Recorrupted-to-Recorrupted: unsupervised deep learning for image denoising", CVPR 2021.
    """

    reference = "noisy"

    def __init__(self, images: Sequence[Image], seed: int) -> None:
        self.images = list(images)
        self.seed = seed
        self.shapes = [image.shape for image in self.images]
        smallest = min(self.shapes, key=min, default=(SMALLEST_SIDE, SMALLEST_SIDE))
        if min(smallest) < SMALLEST_SIDE:
            raise InputError(f"expected images with sides of at least {SMALLEST_SIDE} pixels; received {smallest}")
        self._scales = [full_scale(image) for image in self.images]
        self._estimates: dict[int, NoiseEstimate] = {}
        self._clipped_at: dict[int, tuple[float, float]] = {}

    def estimate(self, index: int) -> NoiseEstimate:
        """Return the estimated noise of an image; it is cached."""
        if index not in self._estimates:
            self._estimates[index] = estimate_noise(np.asarray(self.images[index]))
        return self._estimates[index]

    def patch(self, index: int, window: Window, rng: np.random.Generator) -> Pair:
        """See `Dataset`."""
        noisy = to_unit(self.images[index][window], self._scales[index])
        estimate = self.estimate(index)
        smooth = _smooth(noisy, SMOOTHING)
        level = np.sqrt(estimate.variance(smooth))
        more = blurred_noise(rng, noisy.shape, estimate.blur) * level
        target = noisy - more / np.float32(RECORRUPTION)
        low, high = self._ends(index)
        if estimate.sigma > 0 and (math.isfinite(low) or math.isfinite(high)):
            reach = CLIPPED_DEVIATIONS * level
            clipped = (smooth < low + reach) | (smooth > high - reach)
            target = np.where(clipped, _before_clipping(_smooth(noisy, PLAIN), low, high, estimate.sigma), target)
        return Pair(noisy + np.float32(RECORRUPTION) * more, target)

    def _ends(self, index: int) -> tuple[float, float]:
        """Return the grey values on [0, 1] at which an image is clipped; infinite if it is not."""
        if index not in self._clipped_at:
            image = np.asarray(self.images[index])
            low, high = (
                float(end) / self._scales[index] if np.mean(image == end) > CLIPPED_SHARE else free
                for end, free in ((image.min(), -math.inf), (image.max(), math.inf))
            )
            self._clipped_at[index] = low, high
        return self._clipped_at[index]

    def validation_patch(self, index: int, window: Window, position: float) -> tuple[Unit, Unit]:
        """See `Dataset`."""
        noisy, target, _ = self.patch(index, window, np.random.default_rng([self.seed, index]))
        return noisy, target

    def describe_noise(self) -> dict[str, Any]:
        """See `Dataset`."""
        chosen = np.unique(np.linspace(0, len(self.images) - 1, DESCRIBED).round().astype(int))
        estimates = [self.estimate(int(index)) for index in chosen]
        return {
            "kind": "that of noisy images alone",
            "median sigma": round(float(np.median([estimate.sigma for estimate in estimates])), 5),
            "median correlation length": round(
                float(np.median([estimate.correlation_length for estimate in estimates])), 2
            ),
        }

    def fingerprint(self) -> str:
        """See `Dataset`."""
        return digest((fingerprints(self.images), "noisy"))

    def select(self, indices: Iterable[int]) -> NoisyImages:
        """See `Dataset`."""
        return NoisyImages([self.images[index] for index in indices], self.seed)


def _before_clipping(mean: Unit, low: float, high: float, sigma: float) -> Unit:
    """Return the grey values that have this mean after Gaussian noise was added and clipped to [low, high]."""
    grey = np.linspace(0, 1, GREY_STEPS)
    # Clipping moves the mean away from either end.
    clipped_mean = grey + sigma * (mean_excess((grey - low) / sigma) - mean_excess((high - grey) / sigma))
    return np.interp(mean, clipped_mean, grey).astype(np.float32)


def _smooth(image: Unit, deviation: float) -> Unit:
    return cv2.GaussianBlur(image, (0, 0), deviation)
