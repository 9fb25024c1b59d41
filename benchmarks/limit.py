"""Measure what a model gains from other images, and from the very images that it is measured with.

    python benchmarks/limit.py TRAIN TEST --rows 0:488 --steps 700

The model of the package is trained further with white noise of sigma 0 to 60. The gain from the test images themselves
is the most that better or more images could bring in as many steps. PSNR in dB on the middle of the test images, with
noise that the model never saw.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from common import image_parser_for, machine

from napari_dental_denoise import add_gaussian_noise, psnr
from napari_dental_denoise.config import GREY_LEVELS, PRESETS
from napari_dental_denoise.images import load_images
from napari_dental_denoise.models import STARTER, find_model
from napari_dental_denoise.noise import NoiseRange
from napari_dental_denoise.pixels import to_unit
from napari_dental_denoise.training import TRAINING, CleanImages, batches
from napari_dental_denoise.unet.backend import has_bfloat16
from napari_dental_denoise.unet.learner import Learner
from napari_dental_denoise.unet.warm_start import start_from_file

PRESET = "standard"
SIGMAS = (10, 25, 50)
MIDDLE = slice(84, 404), slice(214, 534)


@dataclass(frozen=True)
class Course:
    """Training images, patch size and learning rate."""

    images: str = "train"
    side: int = TRAINING.patch_size
    rate: float = TRAINING.learning_rate / 2


COURSES = {
    "other images": Course(),
    "other images, learning rate twice as large": Course(rate=TRAINING.learning_rate),
    "other images, patches of twice the side": Course(side=2 * TRAINING.patch_size),
    "the test images themselves": Course("test"),
}


def main() -> None:
    parser = image_parser_for(__doc__, "train", "test")
    parser.add_argument("--steps", type=int, default=700)
    options = parser.parse_args()
    images = {name: load_images([getattr(options, name)], options.rows).images for name in ("train", "test")}
    tests = [to_unit(image)[MIDDLE] for image in images["test"]]
    print(f"{machine()}\n\n{options.steps} steps\n\n| learned from | {' / '.join(map(str, SIGMAS))} |\n|---|---|")
    print_row("nothing further", pretrained(), tests)
    for name, course in COURSES.items():
        learner = pretrained()
        teach(learner, CleanImages(images[course.images], NoiseRange("gaussian", {}), 0), course, options.steps)
        print_row(name, learner, tests)


def pretrained() -> Learner:
    """Return a learner with the weights of the model of the package."""
    learner = Learner(PRESETS[PRESET], mixed=has_bfloat16(), averaging=TRAINING.averaging, seed=0)
    start_from_file(find_model(STARTER), learner.network, PRESET)
    learner.start_from(learner.network.get_weights())
    return learner


def teach(learner: Learner, data: CleanImages, course: Course, steps: int) -> None:
    """Train with a cosine decay of the learning rate, and as many pixels in a batch as usual."""
    size = TRAINING.batch_size * TRAINING.patch_size**2 // course.side**2
    rng = np.random.default_rng([0, course.side])
    for number, batch in enumerate(batches(data, course.side, size, steps, rng)):
        learner.learn(batch, course.rate * 0.5 * (1 + math.cos(math.pi * number / steps)))


def print_row(name: str, learner: Learner, tests: list[np.ndarray]) -> None:
    """Print the mean PSNR at each sigma."""
    print(f"| {name} | {' / '.join(f'{quality(learner, tests, sigma):.2f}' for sigma in SIGMAS)} |", flush=True)


def quality(learner: Learner, tests: list[np.ndarray], sigma: float) -> float:
    """Return the mean PSNR on the test images at this sigma of 255."""
    scores = []
    for index, clean in enumerate(tests):
        noisy = add_gaussian_noise(clean, sigma / GREY_LEVELS, rng=index)
        scores.append(psnr(clean, learner.denoise_image(noisy), data_range=1.0))
    return float(np.mean(scores))


if __name__ == "__main__":
    main()
