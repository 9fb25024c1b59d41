"""Ways to let a small network learn, with an equal number of steps from the same weights, patches and noise.

    python benchmarks/learning.py TRAIN TEST --rows 0:488 --steps 1200

White noise of sigma 3 to 60, the preset `fast`; PSNR in dB on the middle of every second test image.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from machine import machine

from napari_dental_denoise import add_gaussian_noise
from napari_dental_denoise.cli.options import row_range
from napari_dental_denoise.config import GREY_LEVELS, PRESETS, TRAINING
from napari_dental_denoise.evaluation import psnr
from napari_dental_denoise.images import load_images
from napari_dental_denoise.noise import NoiseRange
from napari_dental_denoise.pixels import to_unit
from napari_dental_denoise.training import CleanImages, Dataset, batches
from napari_dental_denoise.unet.backend import has_bfloat16, keras, tf
from napari_dental_denoise.unet.learner import Learner

PRESET = PRESETS["fast"]
# The last is beyond what was learned.
SIGMAS = (10, 25, 50, 90)
MIDDLE = slice(84, 404), slice(214, 534)
SSIM_SHARE = 0.16
Batch = tuple[np.ndarray, np.ndarray]


class AbsoluteError(Learner):
    """Learns by the mean absolute error."""

    def loss(self, noisy: Any, denoised: Any, clean: Any) -> Any:
        """See `Learner`."""
        return tf.reduce_mean(tf.abs(denoised - clean))


class SquareError(Learner):
    """Learns by the mean square error."""

    def loss(self, noisy: Any, denoised: Any, clean: Any) -> Any:
        """See `Learner`."""
        return tf.reduce_mean(tf.square(denoised - clean))


class Similarity(Learner):
    """Learns by the mean absolute error with a share of SSIM."""

    def loss(self, noisy: Any, denoised: Any, clean: Any) -> Any:
        """See `Learner`."""
        unlike = 1 - tf.reduce_mean(tf.image.ssim(denoised, clean, 1.0))
        return (1 - SSIM_SHARE) * tf.reduce_mean(tf.abs(denoised - clean)) + SSIM_SHARE * unlike


class NoBiases(Learner):
    """Has no biases: S. Mohan et al., "Robust and interpretable blind image denoising", arXiv 1906.05478."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        weights = [weight for weight in self.network.get_weights() if weight.ndim == 4]
        self.network, self.average = (rebuilt(net, use_bias=False) for net in (self.network, self.average))
        self.optimizer = type(self.optimizer)()
        self.optimizer.build(self.network.trainable_variables)
        self.start_from(weights)


class LevelGiven(Learner):
    """Is given the noise's level as a second channel: K. Zhang et al., "FFDNet", doi 10.1109/TIP.2018.2839891."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        weights = self.network.get_weights()
        weights[0] = np.concatenate([weights[0], np.zeros_like(weights[0])], axis=2)
        self.network, self.average = (rebuilt(net, channels=2) for net in (self.network, self.average))
        self.optimizer = type(self.optimizer)()
        self.optimizer.build(self.network.trainable_variables)
        self.start_from(weights)

    def learn(self, noisy: np.ndarray, clean: np.ndarray, learning_rate: float) -> float:
        """See `Learner`."""
        level = np.broadcast_to((noisy - clean).std(axis=(1, 2, 3), keepdims=True), noisy.shape)
        return super().learn(np.concatenate([noisy, level], axis=3), clean, learning_rate)

    def loss(self, noisy: Any, denoised: Any, clean: Any) -> Any:
        """See `Learner`."""
        return super().loss(noisy[..., :1], denoised[..., :1], clean)


def rebuilt(network: keras.Model, channels: int = 1, **changes: bool) -> keras.Model:
    """The network with other settings of its convolutions, or more input channels."""

    def copied(layer: Any) -> Any:
        known = {name: value for name, value in changes.items() if hasattr(layer, name)}
        return type(layer).from_config({**layer.get_config(), **known})

    return keras.models.clone_model(network, input_tensors=keras.Input((None, None, channels)), clone_function=copied)


@dataclass(frozen=True)
class Way:
    """One way to learn: what kind of learner, from which patches."""

    learner: type[Learner] = Learner
    patches: Callable[[Dataset, int], Iterator[Batch]] = lambda data, steps: drawn(data, TRAINING.patch_size, steps)


def drawn(data: Dataset, side: int, steps: int) -> Iterator[Batch]:
    """Batches of as many pixels as usual, in patches of this side."""
    size = TRAINING.batch_size * TRAINING.patch_size**2 // side**2
    return batches(data, side, size, steps, np.random.default_rng([0, side]))


def growing(data: Dataset, steps: int) -> Iterator[Batch]:
    """Usual patches, and for the last third of the steps a quarter of them with twice the side."""
    yield from drawn(data, TRAINING.patch_size, steps - steps // 3)
    yield from drawn(data, 2 * TRAINING.patch_size, steps // 3)


WAYS = {
    "as it is": Way(),
    "mean absolute error": Way(AbsoluteError),
    "mean square error": Way(SquareError),
    f"absolute error, {SSIM_SHARE} of SSIM": Way(Similarity),
    "no biases": Way(NoBiases),
    "the level given": Way(LevelGiven),
    "patches that grow to 192": Way(patches=growing),
}


def main() -> None:
    options = read_options(__doc__, 1200)
    sigmas = NoiseRange("gaussian", {})
    data = CleanImages(load_images([options.train], options.rows).images, sigmas, 0)
    tests = [to_unit(image)[MIDDLE] for image in load_images([options.test], options.rows).images[::2]]
    print(f"{machine()}\n\n{options.steps} steps of {TRAINING.batch_size} patches\n")
    print("| way | " + " / ".join(map(str, SIGMAS)) + " | seconds |\n|---|---|---|")
    for name, way in WAYS.items():
        start = time.monotonic()
        learner = learned(way, data, options.steps)
        seconds = time.monotonic() - start
        scores = " / ".join(f"{quality(learner, tests, sigma):.2f}" for sigma in SIGMAS)
        print(f"| {name} | {scores} | {seconds:.0f} |", flush=True)


def read_options(text: str | None, steps: int) -> argparse.Namespace:
    """Folders to learn from and to test with, their rows, and how many steps."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("--rows", type=row_range, default=slice(None))
    parser.add_argument("--steps", type=int, default=steps)
    return parser.parse_args()


def learned(way: Way, data: Dataset, steps: int) -> Learner:
    """What a learner of this kind is after some steps."""
    learner = way.learner(PRESET, mixed=has_bfloat16(), averaging=TRAINING.averaging, seed=0)
    teach(learner, way.patches(data, steps), steps, TRAINING.learning_rate)
    return learner


def teach(learner: Learner, patches: Iterator[Batch], steps: int, rate: float) -> None:
    """As many steps, along half a cosine, as a training takes them."""
    for number, (noisy, clean) in enumerate(patches):
        learner.learn(noisy, clean, rate * 0.5 * (1 + math.cos(math.pi * number / steps)))


def quality(learner: Learner, tests: list[np.ndarray], sigma: float) -> float:
    """Mean PSNR on the test images at this sigma of 255."""
    scores = []
    for index, clean in enumerate(tests):
        noisy = add_gaussian_noise(clean, sigma / GREY_LEVELS, rng=index)
        batch = noisy[None, :, :, None]
        if isinstance(learner, LevelGiven):
            batch = np.concatenate([batch, np.full_like(batch, sigma / GREY_LEVELS)], axis=3)
        scores.append(psnr(clean, noisy - np.asarray(learner.average(batch))[0, :, :, 0], data_range=1.0))
    return float(np.mean(scores))


if __name__ == "__main__":
    main()
