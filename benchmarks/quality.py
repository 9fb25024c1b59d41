"""Compare models with every baseline on the same white noise; PSNR and SSIM.

    python benchmarks/quality.py FOLDER -m model.keras --rows 0:488
    python benchmarks/quality.py FOLDER -m model.keras --rows 0:488 --size 64 64
    python benchmarks/quality.py phantoms -m model.keras
    python benchmarks/quality.py phantoms -m model.keras --blur 1 --sigma 2/255 4/255 8/255

Differences are to BM3D, which is told the true sigma. Little noise is judged on `phantoms`, synthetic radiographs whose
truth is exact, and on reduced images, whose grain is averaged away. Real references are noisy themselves, which caps
the PSNR that any method can reach; the cleaner half are the references whose own noise is below the median.

The ceiling is this cap for white noise of variance g in the reference and added white noise of variance s: a method
that knows the anatomy exactly estimates the reference's noise with an error of variance g s / (g + s). The noise of the
references is estimated; correlated noise is easier to estimate, so its ceiling is higher.

With `--pictures FOLDER`, quality.png is written there: a synthetic radiograph, BM3D and the models.
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import cv2
import numpy as np
from common import image_parser_for, machine
from quality_picture import save_picture
from tqdm import tqdm

from napari_dental_denoise.cli.options import number
from napari_dental_denoise.config import GREY_LEVELS, UNSEEN_SEED
from napari_dental_denoise.evaluation import added_noise, available_baselines, compare, model_denoiser, summarise
from napari_dental_denoise.evaluation.baselines import denoise_non_local_means
from napari_dental_denoise.evaluation.comparison import Denoiser, Score
from napari_dental_denoise.images import load_images
from napari_dental_denoise.inference import load_engine
from napari_dental_denoise.noise import estimate_noise
from napari_dental_denoise.pixels import to_unit
from napari_dental_denoise.synthesis import phantoms

REFERENCE = "BM3D"
PHANTOMS = "phantoms"
SIGMAS = (0, 1, 2, 3, 5, 10, 25, 50)
FACTORS = (1.5, 2, 3)


def main() -> None:
    parser = image_parser_for(__doc__, "folder")
    parser.add_argument("-m", "--model", type=Path, nargs="+", default=[])
    parser.add_argument("--sigma", type=number, nargs="+", default=[level / GREY_LEVELS for level in SIGMAS])
    parser.add_argument("--size", type=int, nargs=2, metavar=("H", "W"), help="reduce the references to this size")
    parser.add_argument("--blur", type=number, help="correlate the noise by a Gaussian of so many pixels")
    parser.add_argument("--only", nargs="+", help="of the baselines, only these")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="write quality.png there")
    options = parser.parse_args()

    engines = {path.stem: load_engine(path) for path in options.model}
    if options.pictures:
        save_picture(options.pictures / "quality.png", engines)
    images = references(options.folder, options.rows, options.size)
    baselines = available_baselines()
    methods = {name: baselines[name] for name in options.only or baselines}
    if options.blur:
        methods |= {f"non-local means, told {factor} sigma": stronger(factor) for factor in FACTORS}
    methods |= {name: model_denoiser(engine, 1.0) for name, engine in engines.items()}
    noise = "gaussian" if options.blur is None else "correlated"
    further = {} if options.blur is None else {"blur": options.blur}

    def scores_of_all(images: list) -> dict[float, list[list[Score]]]:
        levels = [{"sigma": sigma, **further} for sigma in options.sigma]
        return {level["sigma"]: scores_at(noise, level, images, methods, options) for level in levels}

    print(f"{machine()}\n\n{options.folder.name}, {len(images)} images of {images[0].shape}, ", end="")
    if options.folder == Path(PHANTOMS) or options.size:
        print("no noise of their own\n")
        print_table("all references", scores_of_all(images), list(range(len(images))))
        return
    own_noise = np.array([estimate_noise(image).sigma for image in images])
    print(f"own noise of the references: median {np.median(own_noise) * GREY_LEVELS:.2f} of {GREY_LEVELS}\n")
    scores = scores_of_all(images)
    cleaner = np.argsort(own_noise)[: -(-len(images) // 2)].tolist()
    for title, chosen in (("all references", list(range(len(images)))), ("cleaner half of the references", cleaner)):
        print_table(title, scores, chosen)
        ceilings = [f"{ceiling(own_noise[chosen], sigma):.2f}" for sigma in options.sigma]
        print(f"ceiling of a reference with white grain: {' / '.join(ceilings)} dB\n")


def references(folder: Path, rows: slice, size: list[int] | None) -> list[np.ndarray]:
    """Return the images of a folder or phantoms that no model has seen, reduced to a size by pixel area."""
    if folder == Path(PHANTOMS):
        return phantoms(12, (256, 384), UNSEEN_SEED)
    images = load_images([folder], rows).images
    if size is None:
        return images
    return [cv2.resize(to_unit(image), size[::-1], interpolation=cv2.INTER_AREA) for image in images]


def stronger(factor: float) -> Denoiser:
    """Return non-local means that are told a multiple of the noise, as correlated noise needs it."""
    return lambda noisy, sigma: denoise_non_local_means(noisy, factor * sigma)


def scores_at(noise: str, levels: dict, images: list, methods: dict, options: Namespace) -> list[list[Score]]:
    """Return the scores of each image."""
    scored = compare(added_noise(images, noise, levels, options.seed), methods)
    count, sigma = len(methods) + 1, levels["sigma"]
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
