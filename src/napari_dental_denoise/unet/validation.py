"""Validation of a training: scores of the centres of some images, and the calibration of the error map."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from napari_dental_denoise.detail import CONTRAST_TO_NOISE, RADIUS, detail_map_steps, in_one_step
from napari_dental_denoise.evaluation import mean_score, psnr, ssim_or_nan
from napari_dental_denoise.models import Draw, calibrate, describe_noise
from napari_dental_denoise.noise import clipping_bias
from napari_dental_denoise.pixels import PLAIN, Unit, up_to_multiples
from napari_dental_denoise.progress import finish
from napari_dental_denoise.training import Dataset, TrainingConfig, random_window
from napari_dental_denoise.unet.learner import Learner

# Windows of validation images for the calibration of the error map, each with new noise: of each image, of all, and
# their side in pixels.
DRAWS_OF_EACH, MAX_DRAWS, SIDE = 8, 128, 192
# Below this, an expected squared error is one of rounding.
MIN_SQUARED = np.float32(1e-8)


class Validation:
    """Pairs of noisy and clean images on [0, 1], the same in every epoch; sides are multiples of the network's."""

    def __init__(self, pairs: Sequence[tuple[Unit, Unit]]) -> None:
        self.pairs = list(pairs)
        self.noisy_psnr, self.noisy_ssim = _mean_scores(self.pairs)

    def score(self, learner: Learner) -> tuple[float, float]:
        """Return mean PSNR in dB and mean SSIM of the denoised images."""
        return _mean_scores([(learner.denoise_image(noisy), clean) for noisy, clean in self.pairs])

    def detail_kept(self, denoise: Callable[[Unit], Unit]) -> dict[str, float]:
        """Return the share of a faint spot's contrast that is kept in some of the images: median, and the least.

        `denoise` maps a noisy batch (N, H, W, 1) to the denoised one. Images too small for a detail map are left out.
        """
        places = sorted({0, len(self.pairs) // 2, len(self.pairs) - 1})
        noisy = [self.pairs[place][0] for place in places if min(self.pairs[place][0].shape) > 4 * RADIUS]
        if not noisy:
            return {}

        def denoise_image(image: Unit) -> Unit:
            return denoise(image[np.newaxis, ..., np.newaxis])[0, ..., 0]

        shares = [finish(detail_map_steps(image, in_one_step(denoise_image))).share.ravel() for image in noisy]
        kept = np.clip(np.concatenate(shares), 0, 1)
        return {
            "radius": RADIUS,
            "contrast_to_noise": CONTRAST_TO_NOISE,
            "median": round(float(np.median(kept)), 3),
            "least": round(float(kept.min()), 3),
        }

    def preview(self, learner: Learner) -> Unit:
        """Return one image noisy, denoised and clean: (3, H, W)."""
        noisy, clean = self.pairs[len(self.pairs) // 2]
        return np.stack([noisy, learner.denoise_image(noisy), clean])


def _mean_scores(pairs: Sequence[tuple[Unit, Unit]]) -> tuple[float, float]:
    decibels = [psnr(clean, image, data_range=1.0) for image, clean in pairs]
    similar = [ssim_or_nan(clean, image, data_range=1.0) for image, clean in pairs]
    return mean_score(decibels), mean_score(similar)


def validation_pairs(validation: Dataset, multiple: int, config: TrainingConfig) -> list[tuple[Unit, Unit]]:
    """Return the centres of evenly spaced images, with noise from the lowest to the highest level."""
    count = min(len(validation.shapes), config.validation_images)
    chosen = np.linspace(0, len(validation.shapes) - 1, count).round().astype(int).tolist()
    pairs = []
    for place, index in enumerate(chosen):
        window = tuple(_middle(length, config.validation_side, multiple) for length in validation.shapes[index])
        noisy, clean = validation.validation_patch(index, (window[0], window[1]), (place + 0.5) / count)
        pairs.append((up_to_multiples(noisy, multiple), up_to_multiples(clean, multiple)))
    return pairs


def _middle(length: int, side: int, multiple: int) -> slice:
    kept = max(min(length, side) // multiple * multiple, min(length, multiple))
    start = (length - kept) // 2
    return slice(start, start + kept)


def calibrated(
    denoise: Callable[[Unit], tuple[Unit, Unit]], dataset: Dataset, multiple: int, seed: int
) -> dict[str, Any]:
    """Return the calibration of an error map; an empty one if there is no clean image to compare with.

    `denoise` maps a batch (N, H, W, 1) to the denoised one and its expected squared errors.
    """
    return {} if dataset.reference == "noisy" else calibrate(list(_draws(denoise, dataset, multiple, seed)))


def _draws(denoise: Callable[[Unit], tuple[Unit, Unit]], dataset: Dataset, multiple: int, seed: int) -> Iterator[Draw]:
    for number in range(min(DRAWS_OF_EACH * len(dataset.shapes), MAX_DRAWS)):
        rng = np.random.default_rng([seed, number])
        index = number % len(dataset.shapes)
        pair = dataset.patch(index, random_window(dataset.shapes[index], SIDE, rng), rng)
        # As for an image that is denoised.
        encoding = PLAIN.fit(pair.noisy)
        noisy, clean = (up_to_multiples(encoding.normalise(image), multiple) for image in pair[:2])
        denoised, squared = (part[0, ..., 0] for part in denoise(noisy[np.newaxis, ..., np.newaxis]))
        noise = noisy - denoised
        noise -= clipping_bias(noisy, noise)
        ratios = np.abs(noisy - noise - clean) / np.sqrt(np.maximum(squared, MIN_SQUARED))
        yield Draw(*describe_noise(noise), ratios.astype(np.float32, copy=False))
