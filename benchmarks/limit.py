"""What keeps a model from more: what it gains from other images, and from the very images that it is measured with.

    python benchmarks/limit.py TRAIN TEST --rows 0:488 --steps 700

The model of the package goes on to learn white noise of sigma 3 to 60. No honest training of as many steps gains what
the test images themselves give: neither better nor more images would bring more. PSNR in dB on the middle of the test
images, with noise that it never saw.
"""

from __future__ import annotations

from dataclasses import dataclass

from learning import MIDDLE, drawn, quality, read_options, teach
from machine import machine

from napari_dental_denoise.config import PRESETS, TRAINING
from napari_dental_denoise.images import load_images
from napari_dental_denoise.models import STARTER, find_model
from napari_dental_denoise.noise import NoiseRange
from napari_dental_denoise.pixels import to_unit
from napari_dental_denoise.training import CleanImages
from napari_dental_denoise.unet.backend import has_bfloat16
from napari_dental_denoise.unet.learner import Learner
from napari_dental_denoise.unet.warm_start import start_from_file

PRESET = "standard"
SIGMAS = (10, 25, 50)


@dataclass(frozen=True)
class Course:
    """What is learned from, in which patches, by what steps."""

    images: str = "train"
    side: int = TRAINING.patch_size
    rate: float = TRAINING.learning_rate / 2


COURSES = {
    "other images": Course(),
    "other images, steps twice as large": Course(rate=TRAINING.learning_rate),
    "other images, patches of twice the side": Course(side=2 * TRAINING.patch_size),
    "the test images themselves": Course("test"),
}


def main() -> None:
    options = read_options(__doc__, 700)
    images = {name: load_images([getattr(options, name)], options.rows).images for name in ("train", "test")}
    tests = [to_unit(image)[MIDDLE] for image in images["test"]]
    print(f"{machine()}\n\n{options.steps} steps\n\n| learned from | {' / '.join(map(str, SIGMAS))} |\n|---|---|")
    print_row("nothing further", beginner(), tests)
    for name, course in COURSES.items():
        learner = beginner()
        data = CleanImages(images[course.images], NoiseRange("gaussian", {}), 0)
        teach(learner, drawn(data, course.side, options.steps), options.steps, course.rate)
        print_row(name, learner, tests)


def beginner() -> Learner:
    """The model of the package, about to learn."""
    learner = Learner(PRESETS[PRESET], mixed=has_bfloat16(), averaging=TRAINING.averaging, seed=0)
    start_from_file(find_model(STARTER), learner.network, PRESET)
    learner.start_from(learner.network.get_weights())
    return learner


def print_row(name: str, learner: Learner, tests: list) -> None:
    """Its mean PSNR at each sigma."""
    print(f"| {name} | {' / '.join(f'{quality(learner, tests, sigma):.2f}' for sigma in SIGMAS)} |", flush=True)


if __name__ == "__main__":
    main()
