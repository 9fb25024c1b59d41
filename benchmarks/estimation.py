"""Measure how well the level and correlation length of noise added to real images are estimated.

    python benchmarks/estimation.py FOLDER --rows 0:488

The images have noise of their own, which adds to the added noise: the last column allows for it.
"""

from __future__ import annotations

import numpy as np
from common import image_parser_for

from napari_dental_denoise.config import GREY_LEVELS
from napari_dental_denoise.images import load_images
from napari_dental_denoise.noise import add_correlated_noise, estimate_noise
from napari_dental_denoise.pixels import to_unit

SIGMAS = (3, 6, 10, 25, 40, 60)
BLURS = (0.0, 0.5, 1.0, 1.5, 2.0)
CLOSE, CLOSE_LENGTH, WHITE_LENGTH = 0.10, 0.20, 0.4


def main() -> None:
    options = image_parser_for(__doc__, "folder").parse_args()
    images = [to_unit(image) for image in load_images([options.folder], options.rows).images]
    own = np.array([estimate_noise(image).sigma for image in images]) * GREY_LEVELS
    print(f"{len(images)} images, own noise of {np.median(own):.1f} ({own.min():.1f} to {own.max():.1f}) grey levels\n")
    print("| blur, px | sigma | median error | within 10 % | length within 20 % | within 10 % of both together |")
    print("|---|---|---|---|---|---|")
    for blur in BLURS:
        for sigma in SIGMAS:
            found = [
                estimate_noise(add_correlated_noise(image, sigma / GREY_LEVELS, blur, rng=index))
                for index, image in enumerate(images)
            ]
            level = np.array([estimate.sigma for estimate in found]) * GREY_LEVELS
            length = np.array([estimate.correlation_length for estimate in found])
            near = np.abs(length - 2 * blur) <= (CLOSE_LENGTH * 2 * blur or WHITE_LENGTH)
            error, both = level / sigma - 1, level / np.hypot(sigma, own) - 1
            cells = [f"{np.median(error):+.1%}", *(f"{np.mean(part):.0%}" for part in (abs(error) <= CLOSE, near))]
            print(f"| {blur:g} | {sigma} | " + " | ".join([*cells, f"{np.mean(abs(both) <= CLOSE):.0%}"]) + " |")


if __name__ == "__main__":
    main()
