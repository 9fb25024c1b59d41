"""Learn from noisy images alone: each is given more of its own noise, in two ways that share nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.core.correlated_noise import blurred_noise
from napari_dental_denoise.core.errors import InputError
from napari_dental_denoise.core.estimation import SMALLEST_SIDE, NoiseEstimate, estimate_noise
from napari_dental_denoise.core.intensity import full_scale, to_unit
from napari_dental_denoise.unet.dataset import Dataset, Image, Unit, Window, digest

# Of the noise's own deviation: less leaves the targets noisier, more leaves the inputs noisier than those to denoise.
RECORRUPTION = 0.5
# Grey values are smoothed over so many pixels before they tell the level of the noise, which they hold themselves.
SMOOTHING = 2.0
DESCRIBED = 8


class NoisyImages(Dataset):
    """Noisy images without any clean one, whose noise is estimated image by image.

    To a noisy image `y` a noise `z` like its own is added: `y + a z` is the input and `y - z / a`
    the target. If the noise is Gaussian and `z` has its covariance, the noises of the two are
    independent, and on average the network learns what it would learn from clean targets. This holds
    for correlated noise as for white noise, where methods that predict pixels from their neighbours
    learn to keep it. T. Pang et al., "Recorrupted-to-Recorrupted: unsupervised deep learning for
    image denoising", CVPR 2021.

    The estimate knows one correlation for an image and a level that follows its grey values. Of noise
    that is not so (lines, a level that varies from place to place) some is kept, or too much is taken.

    Parameters
    ----------
    images : sequence of (H, W) arrays; uint8, uint16 or floating
    seed : int
        Of the validation's noise, which stays the same.

    Raises
    ------
    InputError
        If an image is too small for an estimate of its noise.
    """

    reference = "noisy"

    def __init__(self, images: Sequence[Image], seed: int) -> None:
        self.images = list(images)
        self.seed = seed
        self.shapes = [image.shape for image in self.images]
        smallest = min(self.shapes, key=min, default=(SMALLEST_SIDE, SMALLEST_SIDE))
        if min(smallest) < SMALLEST_SIDE:
            raise InputError(f"expected images with sides of {SMALLEST_SIDE} pixels and more; received {smallest}")
        self._scales = [full_scale(image) for image in self.images]
        self._estimates: dict[int, NoiseEstimate] = {}

    def estimate(self, index: int) -> NoiseEstimate:
        """The noise of one image, estimated when it is first asked for."""
        if index not in self._estimates:
            self._estimates[index] = estimate_noise(self.images[index])
        return self._estimates[index]

    def patch(self, index: int, window: Window, rng: np.random.Generator) -> tuple[Unit, Unit]:
        """See `Dataset`."""
        noisy = to_unit(self.images[index][window], self._scales[index])
        estimate = self.estimate(index)
        more = noise_like(noisy, estimate, rng) * self._alive(index, window, estimate.blur)
        return noisy + np.float32(RECORRUPTION) * more, noisy - more / np.float32(RECORRUPTION)

    def _alive(self, index: int, window: Window, blur: float) -> NDArray[np.bool_]:
        """Where pixels have noise: not beside those that an integer image clipped to its ends."""
        image = self.images[index]
        if not np.issubdtype(image.dtype, np.integer):
            return np.ones(image[window].shape, np.bool_)
        clipped = (image[window] == image.min()) | (image[window] == image.max())
        side = 2 * math.ceil(blur) + 1
        return cv2.dilate(clipped.astype(np.uint8), np.ones((side, side), np.uint8)) == 0

    def validation_patch(self, index: int, window: Window, position: float) -> tuple[Unit, Unit]:
        """See `Dataset`; the noise is that of the image."""
        return self.patch(index, window, np.random.default_rng([self.seed, index]))

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
        return digest((self.shapes, "noisy"))

    def select(self, indices: Iterable[int]) -> NoisyImages:
        """See `Dataset`."""
        return NoisyImages([self.images[index] for index in indices], self.seed)


def noise_like(noisy: Unit, estimate: NoiseEstimate, rng: np.random.Generator) -> Unit:
    """Draw noise of the level, signal dependence and correlation that was estimated of an image (H, W)."""
    level = np.sqrt(estimate.variance(cv2.GaussianBlur(noisy, (0, 0), SMOOTHING)))
    return blurred_noise(rng, noisy.shape, estimate.blur) * level.astype(np.float32, copy=False)
