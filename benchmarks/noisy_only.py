"""Compare methods that learn from noisy images alone with learning from clean images, for white and correlated noise.

    python benchmarks/noisy_only.py TRAIN TEST --rows 0:488 --steps 600

Noise is added once to each training image. Every method starts from the same model, takes the same number of steps and
is measured on the same test images, whose clean versions are known.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from common import image_parser_for

from napari_dental_denoise.config import GREY_LEVELS
from napari_dental_denoise.evaluation import psnr
from napari_dental_denoise.images import load_images
from napari_dental_denoise.models import STARTER
from napari_dental_denoise.noise import add_correlated_noise
from napari_dental_denoise.pixels import to_unit
from napari_dental_denoise.training import TRAINING, Dataset, ImagePairs, NoisyImages, batches
from napari_dental_denoise.training.dataset import Pair
from napari_dental_denoise.unet.backend import has_bfloat16, tf
from napari_dental_denoise.unet.export import load_keras_model
from napari_dental_denoise.unet.learner import MIN_ERROR, Learner
from napari_dental_denoise.unet.network import find_preset

SIGMA = 25 / GREY_LEVELS
BLURS = {"white": 0.0, "blur 1 px": 1.0}
BLIND_SHARE = 0.02
MULTIPLE = find_preset(TRAINING.preset).multiple


class TrueNoise(NoisyImages):
    """Train as the program does, with the true noise instead of an estimate."""

    def __init__(self, images: Sequence[np.ndarray], blur: float) -> None:
        super().__init__(images, 0)
        estimate = super().estimate(0)
        known = replace(estimate, sigma=SIGMA, correlation_length=2 * blur, sigma_dark=SIGMA, sigma_bright=SIGMA)
        self._estimates = dict.fromkeys(range(len(images)), known)


class Neighbours(ImagePairs):
    """Pair two of the four pixels of each 2x2 cell.

    References
    ----------
    T. Huang et al., "Neighbor2Neighbor", CVPR 2021.
    """

    def __init__(self, noisy: Sequence[np.ndarray]) -> None:
        super().__init__(noisy, noisy)
        self.shapes = [(height // 2, width // 2) for height, width in self.shapes]

    def patch(self, index: int, window: Any, rng: np.random.Generator) -> Pair:
        """See `Dataset`."""
        rows, columns = (slice(2 * part.start, 2 * part.stop) for part in window)
        block = self.noisy[index][rows, columns]
        height, width = block.shape[0] // 2, block.shape[1] // 2
        cells = block[: 2 * height, : 2 * width].reshape(height, 2, width, 2).transpose(0, 2, 1, 3)
        cells = cells.reshape(height, width, 4)
        first = rng.integers(4, size=(height, width, 1))
        # The order 0-1-3-2 goes around the cell, so the next one and the one before are neighbours.
        around, place = np.array([0, 1, 3, 2]), np.array([0, 1, 3, 2])
        second = around[(place[first] + rng.choice([1, 3], size=first.shape)) % 4]
        one, other = (np.take_along_axis(cells, chosen, 2)[:, :, 0] for chosen in (first, second))
        return Pair(one, other)


class BlindSpots(ImagePairs):
    """Hide pixels with their neighbours; where the input equals the target, nothing is learned.

    References
    ----------
    C. Broaddus et al., "Removing structured noise with self-supervised blind-spot networks", ISBI 2020.
    """

    def __init__(self, noisy: Sequence[np.ndarray], reach: int) -> None:
        super().__init__(noisy, noisy)
        self.reach = reach

    def patch(self, index: int, window: Any, rng: np.random.Generator) -> Pair:
        """See `Dataset`."""
        noisy = self.noisy[index][window]
        height, width = noisy.shape
        share = BLIND_SHARE if self.reach == 0 else 0.2 / (2 * self.reach + 1) ** 2
        rows, columns = np.nonzero(rng.random(noisy.shape) < share)
        hidden = noisy.copy()
        for row in range(-self.reach, self.reach + 1):
            for column in range(-self.reach, self.reach + 1):
                there = (rows + row).clip(0, height - 1), (columns + column).clip(0, width - 1)
                far = rng.integers(-3, 4, size=(2, len(rows))) * (self.reach + 1)
                instead = (there[0] + far[0]).clip(0, height - 1), (there[1] + far[1]).clip(0, width - 1)
                hidden[there] = noisy[instead]
        target = hidden.copy()
        target[rows, columns] = noisy[rows, columns]
        return Pair(hidden, target)


class BlindLearner(Learner):
    """Learn only where input and target differ."""

    def loss(self, batch: Any, denoised: Any) -> Any:
        """See `Learner`."""
        asked = tf.cast(tf.not_equal(batch.noisy, batch.clean), tf.float32)
        errors = tf.square(denoised - batch.clean) * asked
        return tf.math.log(tf.reduce_sum(errors) / (tf.reduce_sum(asked) + 1) + MIN_ERROR)


def methods(noisy: list[np.ndarray], clean: list[np.ndarray], blur: float, count: int) -> dict[str, Dataset]:
    again = [add(image, blur, count + index) for index, image in enumerate(clean)]
    return {
        "clean targets": ImagePairs(noisy, clean),
        "second exposures (Noise2Noise)": ImagePairs(noisy, again),
        "recorrupted, noise estimated": NoisyImages(noisy, 0),
        "recorrupted, noise known": TrueNoise(noisy, blur),
        "neighbours (Neighbor2Neighbor)": Neighbours(noisy),
        "blind spots (structured Noise2Void)": BlindSpots(noisy, math.ceil(3 * blur)),
    }


def add(clean: np.ndarray, blur: float, seed: int) -> np.ndarray:
    return add_correlated_noise(clean, SIGMA, blur, rng=seed).astype(np.float32, copy=False)


def learn(dataset: Dataset, kind: Callable[..., Learner], first: Path | None, steps: int, rate: float) -> Learner:
    preset = find_preset(TRAINING.preset)
    learner = kind(preset, mixed=has_bfloat16(), averaging=TRAINING.averaging, seed=0)
    if first is not None:
        learner.start_from(load_keras_model(first).get_weights())
    drawn = batches(dataset, TRAINING.patch_size, TRAINING.batch_size, steps, np.random.default_rng(0))
    for step, batch in enumerate(drawn):
        learner.learn(batch, rate * 0.5 * (1 + math.cos(math.pi * step / steps)))
    return learner


def measure(learner: Learner, tests: list[tuple[np.ndarray, np.ndarray]]) -> float:
    return float(
        np.mean([psnr(clean, np.clip(learner.denoise_image(noisy), 0, 1), data_range=1.0) for noisy, clean in tests])
    )


def whole_multiples(image: np.ndarray) -> np.ndarray:
    """Crop an image to sides that the network can halve."""
    rows, columns = (side // MULTIPLE * MULTIPLE for side in image.shape)
    return image[:rows, :columns]


def main() -> None:
    parser = image_parser_for(__doc__, "train", "test")
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--learning-rate", type=float, default=TRAINING.learning_rate)
    parser.add_argument("--start-from", type=Path, default=STARTER)
    parser.add_argument("--only", nargs="+", default=[""], help="methods whose names begin with one of these")
    options = parser.parse_args()
    clean = [to_unit(image) for image in load_images([options.train], options.rows).images[: options.images]]
    tests = [whole_multiples(to_unit(image)) for image in load_images([options.test], options.rows).images]
    print(f"{len(clean)} images, {options.steps} steps from {options.start_from.name}; PSNR in dB on {len(tests)}\n")
    for title, blur in BLURS.items():
        noisy = [add(image, blur, index) for index, image in enumerate(clean)]
        tested = [(add(image, blur, 1000 + index), image) for index, image in enumerate(tests)]
        before = learn(ImagePairs(noisy, clean), Learner, options.start_from, 1, 0.0)
        print(f"| {title} | before | {measure(before, tested):.2f} |", flush=True)
        for name, dataset in methods(noisy, clean, blur, len(clean)).items():
            if not name.startswith(tuple(options.only)):
                continue
            begun = time.monotonic()
            kind = BlindLearner if isinstance(dataset, BlindSpots) else Learner
            learner = learn(dataset, kind, options.start_from, options.steps, options.learning_rate)
            score = measure(learner, tested)
            print(f"| {title} | {name} | {score:.2f} | {time.monotonic() - begun:.0f} s |", flush=True)


if __name__ == "__main__":
    main()
