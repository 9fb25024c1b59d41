"""Measure the share of the truth within the error map, and what the check of the removed noise finds.

    python benchmarks/error_map.py phantoms -m model.keras
    python benchmarks/error_map.py FOLDER -m model.keras --rows 0:488

For each kind of noise: the share of the pixels within the interval of 90 %; the shares in each quarter of the grey
values and of the local contrast of the denoised image; and the mean width of the interval, divided by that of the
constant interval which covers as much of this kind of noise. Then removed structure: the images whose denoising raises
an alarm, of how many; how many are found of discs and lines of 3 standard deviations of the noise that are erased from
the denoised image; and the images that raise an alarm when a blur of 1 px is called their denoising. Real references
are noisy themselves: where little noise is added, their own is outside the interval.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from common import image_parser_for, machine

from napari_dental_denoise.config import GREY_LEVELS, UNSEEN_SEED
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.evaluation import removed_structure
from napari_dental_denoise.images import load_images
from napari_dental_denoise.inference import denoise_with_error, load_engine
from napari_dental_denoise.noise import (
    add_correlated_noise,
    add_dental_xray_noise,
    add_gaussian_noise,
    add_quantum_noise,
    add_varying_noise,
)
from napari_dental_denoise.pixels import to_unit
from napari_dental_denoise.synthesis import phantoms

PHANTOMS = "phantoms"
SHAPE, COUNT = (488, 748), 8
QUARTERS = 4
ERASED, SEPARATION, NEAR = 12, 30, 6
STRENGTH = 3
BLUR = 1.0
RADII = (2.0, 8.0)


def noises() -> dict[str, Callable[..., np.ndarray]]:
    white = {f"white, {level}": partial(add_gaussian_noise, sigma=level / GREY_LEVELS) for level in (2, 5, 10, 25, 50)}
    correlated = {
        f"blur {blur} px, {level}": partial(add_correlated_noise, sigma=level / GREY_LEVELS, blur=blur)
        for level, blur in ((2, 0.7), (4, 1.0), (8, 1.5), (25, 1.0))
    }
    others = {
        "quantum, 10 photons": partial(add_quantum_noise, photons=10, blur=0.7),
        "level map, 5 to 40": partial(add_varying_noise, sigma_low=5 / GREY_LEVELS, sigma_high=40 / GREY_LEVELS),
        "mixture, 10": partial(add_dental_xray_noise, sigma=10 / GREY_LEVELS),
    }
    return white | correlated | others


class Sample(NamedTuple):
    """One image: absolute errors, half widths, and what they are compared by."""

    error: np.ndarray
    width: np.ndarray
    grey: np.ndarray
    contrast: np.ndarray


def main() -> None:
    parser = image_parser_for(__doc__, "folder")
    parser.add_argument("-m", "--model", type=Path, nargs="+", default=[])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(machine())
    images = references(options.folder, options.rows)
    for path in options.model:
        engine = load_engine(path)
        print(f"\n{len(images)} images of {options.folder.name}, {path.stem}\n")
        print("| noise | within | by grey value | by contrast | width | alarms | found | blurred |")
        print("|---|---|---|---|---|---|---|---|")
        for name, add in noises().items():
            print(f"| {name} | {' | '.join(row(add, images, engine, options.seed))} |", flush=True)


def references(folder: Path, rows: slice) -> list[np.ndarray]:
    if folder == Path(PHANTOMS):
        return list(phantoms(COUNT, SHAPE, 5 * UNSEEN_SEED))
    return [to_unit(image) for image in load_images([folder], rows).images]


def row(add, images, engine, seed: int) -> list[str]:  # noqa: ANN001 (a script)
    samples, alarms, found, erased, blurred, untold = [], 0, 0, 0, 0, 0
    for number, clean in enumerate(images):
        rng = np.random.default_rng([seed, number])
        noisy = add(clean, rng=rng).astype(np.float32)
        try:
            denoised, width = denoise_with_error(noisy, engine)
        except InputError:
            untold += 1
            continue
        samples.append(Sample(np.abs(denoised - clean), width, denoised, local_contrast(denoised)))
        own = removed_structure(noisy, denoised)
        alarms += bool(own.places)
        details, places = erased_details(clean.shape, float(np.std(noisy - clean)), rng)
        z = np.abs(removed_structure(noisy + details, denoised).z)
        blurred += bool(removed_structure(noisy, cv2.GaussianBlur(noisy, (0, 0), BLUR)).places)
        erased += len(places)
        found += sum(z[y - NEAR : y + NEAR + 1, x - NEAR : x + NEAR + 1].max() >= own.threshold for y, x in places)
    if not samples:
        return ["not calibrated"] + [""] * 6
    whole = Sample(*(np.concatenate([part.ravel() for part in parts]) for parts in zip(*samples, strict=True)))
    inside = whole.error <= whole.width
    share = float(inside.mean())
    constant = float(np.quantile(whole.error, share))
    told = f" ({untold} not calibrated)" if untold else ""
    return [
        f"{100 * share:.1f}{told}",
        quarters(whole.grey, inside),
        quarters(whole.contrast, inside),
        f"{float(whole.width.mean()) / constant:.2f}",
        f"{alarms} of {len(samples)}",
        f"{found} of {erased}",
        f"{blurred} of {len(samples)}",
    ]


def quarters(values: np.ndarray, inside: np.ndarray) -> str:
    edges = np.quantile(values, np.arange(1, QUARTERS) / QUARTERS)
    part = np.digitize(values, edges)
    return ", ".join(
        f"{100 * inside[part == number].mean():.0f}" for number in range(QUARTERS) if (part == number).any()
    )


def local_contrast(image: np.ndarray) -> np.ndarray:
    return np.hypot(cv2.Sobel(image, cv2.CV_32F, 1, 0), cv2.Sobel(image, cv2.CV_32F, 0, 1))


def erased_details(shape: tuple[int, int], sigma: float, rng: np.random.Generator) -> tuple[np.ndarray, list]:
    """Return discs and lines that the denoised image lacks, and their places."""
    rows, columns = np.indices(shape, np.float32)
    total, places = np.zeros(shape, np.float32), []
    for _ in range(ERASED):
        row, column = (int(rng.integers(SEPARATION, side - SEPARATION)) for side in shape)
        if any(max(abs(row - y), abs(column - x)) < SEPARATION for y, x in places):
            continue
        places.append((row, column))
        if rng.random() < 0.5:
            distance = np.hypot(rows - row, columns - column) - rng.uniform(*RADII)
        else:
            angle = rng.uniform(0, np.pi)
            along = (columns - column) * np.cos(angle) + (rows - row) * np.sin(angle)
            across = (rows - row) * np.cos(angle) - (columns - column) * np.sin(angle)
            distance = np.maximum(np.abs(along) - 2 * rng.uniform(*RADII), np.abs(across) - 1)
        total += STRENGTH * sigma * float(rng.choice((-1, 1))) * np.clip(0.5 - distance, 0, 1)
    return total, places


if __name__ == "__main__":
    main()
