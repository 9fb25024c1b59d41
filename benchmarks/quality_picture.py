"""Draw a picture of models and BM3D: a synthetic radiograph, details of it, and the differences to the clean image."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from bm3d import bm3d
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from napari_dental_denoise import add_gaussian_noise, denoise, phantom, psnr
from napari_dental_denoise.inference import Engine

SIGMA = 25 / 255
SEED = 8
SHAPE = (488, 748)
# Upper left corners (row, column) of the details, chosen by eye for this seed.
PLACES = {
    "enamel edge": (365, 335),
    "periodontal ligament": (90, 85),
    "trabecular bone": (60, 540),
    "root-canal filling": (200, 165),
}
NEAR = (64, 98)
AMPLIFIED = 4


def save_picture(path: Path, engines: Mapping[str, Engine]) -> None:
    """Write the picture: a column for each method, a row for the image, each detail and the difference."""
    clean = phantom(SHAPE, rng=SEED)
    noisy = add_gaussian_noise(clean, SIGMA, rng=SEED)
    images = {"clean": clean, "noisy": noisy, "BM3D": bm3d(noisy, SIGMA).astype(np.float32)}
    images |= {name: denoise(noisy, engine) for name, engine in engines.items()}
    windows = [(slice(None), slice(None)), *(near(place) for place in PLACES.values())]
    heights = [SHAPE[0] / SHAPE[1], *[NEAR[0] / NEAR[1]] * len(PLACES), SHAPE[0] / SHAPE[1]]
    width = 16 / len(images)
    figure = Figure((16, width * sum(heights) * 1.06), layout="constrained", facecolor="white")
    axes = figure.subplots(len(heights), len(images), height_ratios=heights)
    for column, (name, image) in zip(axes.T, images.items(), strict=True):
        score = "" if name == "clean" else f", {psnr(clean, image.clip(0, 1), data_range=1.0):.2f} dB"
        column[0].set_title(f"{name}{score}")
        for axis, window in zip(column, windows, strict=False):
            axis.imshow(image[window], cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        column[-1].imshow(0.5 + AMPLIFIED * (image - clean), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    for axis, label in zip(axes[:, 0], ["whole", *PLACES, f"difference to clean, x{AMPLIFIED}"], strict=True):
        axis.set_ylabel(label)
    for row, column in PLACES.values():
        axes[0, 0].add_patch(Rectangle((column, row), NEAR[1], NEAR[0], fill=False, edgecolor="orange"))
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    figure.savefig(path, dpi=90)


def near(place: tuple[int, int]) -> tuple[slice, slice]:
    """Return the window of a detail."""
    return slice(place[0], place[0] + NEAR[0]), slice(place[1], place[1] + NEAR[1])
