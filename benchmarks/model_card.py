"""Measure a blind model for its card: by kind of noise, bit depth and image size.

    python benchmarks/model_card.py model.keras FOLDER... --rows 0:488

PSNR in dB and SSIM on real radiographs for each noise; PSNR on a phantom for each bit depth, with the number of
distinct grey values of the result, which is small after posterisation, and for each size, with the seconds.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from common import image_parser_for, machine

from napari_dental_denoise import add_gaussian_noise, denoise, phantom, psnr
from napari_dental_denoise.config import UNSEEN_SEED
from napari_dental_denoise.evaluation import added_noise, compare, model_denoiser, summarise
from napari_dental_denoise.images import load_images
from napari_dental_denoise.inference import Engine, load_engine

SIGMA = 25 / 255
NOISES: tuple[tuple[str, Mapping[str, float]], ...] = (
    ("gaussian", {"sigma": 10 / 255}),
    ("gaussian", {"sigma": SIGMA}),
    ("gaussian", {"sigma": 50 / 255}),
    ("correlated", {"sigma": SIGMA, "blur": 1.0}),
    ("quantum-linear", {"photons": 30, "blur": 0.7}),
    ("quantum-inverted", {"photons": 30, "blur": 0.7}),
    ("varying", {"sigma_low": 5 / 255, "sigma_high": 40 / 255}),
    ("dental-xray", {"sigma": SIGMA}),
)
DEPTHS = {"uint8": (np.uint8, 255), "uint16, 12 bit": (np.uint16, 4095), "uint16, 16 bit": (np.uint16, 65535)}
SIZES = ((64, 64), (128, 128), (256, 256), (512, 512), (1024, 1024), (2000, 2000), (3000, 4000))


def main() -> None:
    parser = image_parser_for(__doc__, "model")
    parser.add_argument("folder", type=Path, nargs="+")
    options = parser.parse_args()
    engine = load_engine(options.model)
    print(f"{options.model.name}, {machine()}\n")
    for folder in options.folder:
        noises(folder, options.rows, engine)
    depths(engine)
    sizes(engine)


def noises(folder: Path, rows: slice, engine: Engine) -> None:
    """Print the scores before and after denoising for each noise."""
    images = load_images([folder], rows).images
    print(f"| {folder.name}, {len(images)} images | noisy | denoised |\n|---|---|---|")
    for kind, levels in NOISES:
        pairs = added_noise(images, kind, levels, 0)
        cells = [
            f"{row.psnr:.2f} / {row.ssim:.3f}"
            for row in summarise(compare(pairs, {"model": model_denoiser(engine, 1.0)}))
        ]
        told = ", ".join(f"{name} {level:.3g}" for name, level in levels.items())
        print(f"| {kind}, {told} | {' | '.join(cells)} |")
    print()


def depths(engine: Engine) -> None:
    """Print the scores of the same phantom in several types."""
    clean = phantom(rng=UNSEEN_SEED)
    noisy = add_gaussian_noise(clean, SIGMA, rng=0, clip=True)
    print("| type | PSNR, dB | distinct grey values |\n|---|---|---|")
    for name, (dtype, full) in DEPTHS.items():
        result = denoise(np.rint(noisy * full).astype(dtype), engine)
        print(f"| {name} | {psnr(clean * full, result, data_range=full):.2f} | {len(np.unique(result))} |")
    result = denoise(noisy, engine)
    print(f"| float32 | {psnr(clean, result, data_range=1.0):.2f} | {len(np.unique(result))} |\n")


def sizes(engine: Engine) -> None:
    """Print the scores of 8-bit phantoms of several sizes."""
    print("| size | noisy, dB | denoised, dB | seconds |\n|---|---|---|---|")
    for height, width in SIZES:
        clean = np.rint(phantom((height, width), rng=UNSEEN_SEED) * 255).astype(np.uint8)
        noisy = add_gaussian_noise(clean, SIGMA, rng=0)
        begun = time.perf_counter()
        result = denoise(noisy, engine)
        seconds = time.perf_counter() - begun
        scores = [psnr(clean, image, data_range=255) for image in (noisy, result)]
        print(f"| {width}x{height} | {scores[0]:.2f} | {scores[1]:.2f} | {seconds:.2f} |")


if __name__ == "__main__":
    main()
