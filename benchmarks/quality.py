"""Compare models with every baseline on the same white noise; PSNR and SSIM.

    python benchmarks/quality.py FOLDER -m model.keras --rows 0:488

Differences are to BM3D, which is told the true sigma. The references are noisy themselves, which caps the PSNR that any
method can reach; the cleaner half are the references whose own noise is below the median.

The ceiling is this cap for white noise of variance g in the reference and added white noise of variance s: a method
that knows the anatomy exactly estimates the reference's noise with an error of variance g s / (g + s). The noise of the
references is estimated; correlated noise is easier to estimate, so its ceiling is higher.

With `--pictures FOLDER`, quality.png is written there: a synthetic radiograph, BM3D and the models.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from common import image_parser_for, machine
from quality_picture import save_picture
from tqdm import tqdm

from napari_dental_denoise.cli.options import number
from napari_dental_denoise.config import GREY_LEVELS
from napari_dental_denoise.evaluation import added_noise, available_baselines, compare, model_denoiser, summarise
from napari_dental_denoise.evaluation.comparison import Score
from napari_dental_denoise.images import load_images
from napari_dental_denoise.inference import load_engine
from napari_dental_denoise.noise import estimate_noise

REFERENCE = "BM3D"


def main() -> None:
    parser = image_parser_for(__doc__, "folder")
    parser.add_argument("-m", "--model", type=Path, nargs="+", default=[])
    parser.add_argument("--sigma", type=number, nargs="+", default=[level / GREY_LEVELS for level in (10, 25, 50)])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="write quality.png there")
    options = parser.parse_args()

    engines = {path.stem: load_engine(path) for path in options.model}
    if options.pictures:
        save_picture(options.pictures / "quality.png", engines)
    images = load_images([options.folder], options.rows).images
    own_noise = np.array([estimate_noise(image).sigma for image in images])
    methods = available_baselines() | {name: model_denoiser(engine, 1.0) for name, engine in engines.items()}
    print(f"{machine()}\n\n{options.folder.name}, {len(images)} images, ", end="")
    print(f"own noise of the references: median {np.median(own_noise) * GREY_LEVELS:.2f} of {GREY_LEVELS}\n")
    scores = {sigma: scores_at(sigma, images, methods, options.seed) for sigma in options.sigma}
    cleaner = np.argsort(own_noise)[: -(-len(images) // 2)].tolist()
    for title, chosen in (("all references", list(range(len(images)))), ("cleaner half of the references", cleaner)):
        print_table(title, scores, chosen)
        ceilings = [f"{ceiling(own_noise[chosen], sigma):.2f}" for sigma in options.sigma]
        print(f"ceiling of a reference with white grain: {' / '.join(ceilings)} dB\n")


def scores_at(sigma: float, images: list, methods: dict, seed: int) -> list[list[Score]]:
    """Return the scores of each image."""
    scored = compare(added_noise(images, "gaussian", {"sigma": sigma}, seed), methods)
    count = len(methods) + 1
    flat = list(tqdm(scored, total=len(images) * count, desc=f"sigma {sigma * GREY_LEVELS:.0f}", leave=False))
    return [flat[start : start + count] for start in range(0, len(flat), count)]


def ceiling(own_noise: np.ndarray, sigma: float) -> float:
    """Return the mean over the references of the highest PSNR that their own noise allows, in dB."""
    grain = np.maximum(own_noise, 0.5 / GREY_LEVELS) ** 2
    return float(np.mean(-10 * np.log10(grain * sigma**2 / (grain + sigma**2))))


def print_table(title: str, scores: dict[float, list[list[Score]]], chosen: list[int]) -> None:
    """Print PSNR, the difference to BM3D, and SSIM for each sigma."""
    rows = {
        sigma: {row.method: row for row in summarise(score for index in chosen for score in images[index])}
        for sigma, images in scores.items()
    }
    heads = [f"sigma {sigma * GREY_LEVELS:.0f}" for sigma in rows]
    print(f"**{title}** ({len(chosen)}): PSNR in dB (difference to {REFERENCE}) / SSIM\n")
    print("| method | " + " | ".join(heads) + " |\n|---|" + "---|" * len(heads))
    for method in next(iter(rows.values())):
        cells = [cell(rows[sigma][method], rows[sigma].get(REFERENCE)) for sigma in rows]
        print(f"| {method} | " + " | ".join(cells) + " |")
    print()


def cell(row, reference) -> str:  # noqa: ANN001 (two rows of one table)
    """Return the scores of one method at one sigma."""
    difference = f" ({row.psnr - reference.psnr:+.2f})" if reference is not None else ""
    return f"{row.psnr:.2f}{difference} / {row.ssim:.3f}"


if __name__ == "__main__":
    main()
