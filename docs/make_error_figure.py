"""Make the picture of the error map and of removed structure, on a synthetic radiograph that no model saw.

python docs/make_error_figure.py [MODEL]
"""

import sys
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

from napari_dental_denoise import add_gaussian_noise, denoise_with_error, phantom, removed_structure
from napari_dental_denoise.config import GREY_LEVELS

IMAGE = Path(__file__).parent / "images" / "error-map.png"
SHAPE, SEED, SIGMA = (300, 380), 1011, 15
HIGHEST, BLUR = 15, 4
DPI = 90


def main() -> None:
    """Draw the noisy and the denoised image, the error told and the true one, and what a blur removes."""
    clean = phantom(SHAPE, rng=SEED)
    noisy = add_gaussian_noise(clean, SIGMA / GREY_LEVELS, rng=0)
    denoised, error = denoise_with_error(noisy, *sys.argv[1:2])
    smoothed = cv2.GaussianBlur(noisy, (0, 0), BLUR)
    within = np.mean(np.abs(denoised - clean) <= error)
    own, of_blur = (removed_structure(noisy, each) for each in (denoised, smoothed))
    figure = Figure(figsize=(13, 6.6), layout="constrained")
    axes = figure.subplots(2, 3).ravel()
    for axis, image, title in (
        (axes[0], noisy, f"noisy, sigma {SIGMA} of {GREY_LEVELS}"),
        (axes[3], denoised, f"denoised\n{own}"),
    ):
        axis.imshow(image, cmap="gray", vmin=0, vmax=1)
        axis.set_title(title)
    for axis, image, title in (
        (axes[1], error, f"error map, 90 %: {100 * within:.0f} % of the truth is within"),
        (axes[4], np.abs(denoised - clean), "true error, which only a synthetic image tells"),
    ):
        shown = axis.imshow(GREY_LEVELS * image, cmap="inferno", vmin=0, vmax=HIGHEST)
        axis.set_title(title)
        figure.colorbar(shown, ax=axis, label="grey levels")
    axes[2].imshow(smoothed, cmap="gray", vmin=0, vmax=1)
    axes[2].set_title(f"blurred over {BLUR} px\nstructure was removed at {len(of_blur.places)} places")
    limit = 2 * of_blur.threshold
    z = np.where(np.abs(of_blur.z) >= of_blur.threshold, of_blur.z, np.nan)
    axes[5].imshow(smoothed, cmap="gray", vmin=0, vmax=1)
    shown = axes[5].imshow(z, cmap="coolwarm", vmin=-limit, vmax=limit)
    axes[5].set_title("removed structure of the blur")
    figure.colorbar(shown, ax=axes[5], label="standard deviations of the noise")
    for axis in axes:
        axis.set_axis_off()
    IMAGE.parent.mkdir(exist_ok=True)
    figure.savefig(IMAGE, dpi=DPI)


if __name__ == "__main__":
    main()
