"""Measure what models and baselines leave of faint discs, beside their PSNR.

    python benchmarks/detail.py FOLDER -m model.keras --rows 0:488

The discs are put into the same pieces of the radiographs with the same noise for every method; the baselines are told
the true level of the noise. CHO and NPWE are areas under the ROC curve of two model observers, kept is the share of the
disc's contrast, each with an interval of 95 %; see docs/detail.md. With `--picture FILE`, that share is drawn
against PSNR.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

import numpy as np
from common import image_parser_for, machine
from tqdm import tqdm

from napari_dental_denoise.config import GREY_LEVELS
from napari_dental_denoise.detail import Detail, Found, Noise, Samples, StackDenoiser, draw_backgrounds, find_detail
from napari_dental_denoise.evaluation import NOISY, Denoiser, available_baselines, model_denoiser, psnr, save_figure
from napari_dental_denoise.images import load_images
from napari_dental_denoise.inference import load_engine
from napari_dental_denoise.pixels import to_unit

# Radius in pixels and contrast in grey levels, of each noise.
DISCS = {
    ("gaussian", 2, 0): ((4, 2),),
    ("gaussian", 5, 0): ((4, 3),),
    ("gaussian", 10, 0): ((2, 10), (4, 5)),
    ("gaussian", 25, 0): ((2, 20), (4, 10), (8, 6)),
    ("gaussian", 50, 0): ((4, 20),),
    ("correlated", 25, 1): ((4, 20),),
}
WITHOUT = ("wavelets",)
# Offsets in points and sides of names that would lie over others in the picture.
PLACES = {
    "starter": ((2, -14), "left"),
    "starter-fast": ((6, 3), "left"),
    "non-local means": ((-6, -12), "right"),
    "total variation": ((-6, 4), "right"),
    "BM3D": ((-6, 4), "right"),
}


class Row(NamedTuple):
    """One disc in one noise after one method."""

    noise: str
    disc: str
    method: str
    psnr: float
    found: Found


def main() -> None:
    parser = image_parser_for(__doc__, "folder")
    parser.add_argument("-m", "--model", type=Path, nargs="+", default=[])
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--picture", type=Path, metavar="FILE")
    options = parser.parse_args()

    images = [to_unit(image) for image in load_images([options.folder], options.rows).images]
    backgrounds = draw_backgrounds(images, options.samples, np.random.default_rng(options.seed))
    methods = {NOISY: lambda noisy, _sigma: noisy}
    methods |= {name: in_processes(method) for name, method in available_baselines().items() if name not in WITHOUT}
    methods |= {path.stem: model_denoiser(load_engine(path), 1.0) for path in options.model}
    print(f"{machine()}\n\n{options.folder.name}, {len(images)} images, {options.samples} pieces of 96x96 pixels\n")
    rows = list(tqdm(measured(backgrounds, methods, options.seed), total=len(methods) * sum(map(len, DISCS.values()))))
    print_table(rows)
    if options.picture:
        save_picture(rows, options.picture)


def in_processes(denoiser: Denoiser) -> StackDenoiser:
    """Return a denoiser of one image as one of many, on all processors: BM3D uses one of them only."""

    def denoise(noisy: np.ndarray, sigma: float) -> np.ndarray:
        with ProcessPoolExecutor() as pool:
            return np.stack(list(pool.map(denoiser, noisy, repeat(sigma), chunksize=8)))

    return denoise


def measured(backgrounds: np.ndarray, methods: dict, seed: int) -> Iterator[Row]:
    """Yield the row of each noise, method and disc."""
    for number, ((kind, sigma, blur), discs) in enumerate(DISCS.items()):
        levels = {"sigma": sigma / GREY_LEVELS} | ({"blur": blur} if kind == "correlated" else {})
        noisy = Noise.of_kind(kind, levels).add(backgrounds, np.random.default_rng([seed, number]))
        title = f"{sigma}" + (f", blur {blur} px" if blur else "")
        for name, denoise in methods.items():
            absent = denoise(noisy, sigma / GREY_LEVELS)
            decibels = psnr(backgrounds, np.clip(absent, 0, 1), data_range=1.0)
            for radius, contrast in discs:
                detail = Detail("disc", radius, contrast / GREY_LEVELS)
                present = denoise(noisy + detail.template(), sigma / GREY_LEVELS)
                found = find_detail(Samples(absent, present), detail, np.random.default_rng([seed, number, 1]))
                yield Row(title, f"{radius} px, {contrast} levels", name, decibels, found)


def print_table(rows: list[Row]) -> None:
    """Print a block for each noise and disc."""
    for noise, disc in dict.fromkeys((row.noise, row.disc) for row in rows):
        print(f"**sigma {noise}; {disc}**\n")
        print("| method | PSNR | kept | CHO | NPWE |\n|---|---|---|---|---|")
        for row in rows:
            if (row.noise, row.disc) == (noise, disc):
                print(f"| {row.method} | {row.psnr:.2f} | {' | '.join(map(str, row.found[:3]))} |")
        print()


def save_picture(rows: list[Row], path: Path) -> None:
    """Draw the contrast kept against PSNR, a panel for each noise of the README."""
    from matplotlib.figure import Figure

    noises, starters = ("5", "25"), ("starter", "starter-fast")
    figure = Figure((9, 4), layout="constrained", facecolor="white")
    for axes, noise in zip(figure.subplots(1, len(noises)), noises, strict=True):
        shown = {*available_baselines(), *starters}
        chosen = [row for row in rows if row.noise == noise and row.disc.startswith("4 px") and row.method in shown]
        for row in chosen:
            point = row.psnr, 100 * row.found.kept.value
            axes.plot(*point, "o", color="C3" if row.method in starters else "C0")
            place, side = PLACES.get(row.method, ((6, 4), "left"))
            axes.annotate(row.method, point, place, textcoords="offset points", ha=side)
        axes.set(xlabel="PSNR, dB", ylabel="contrast of a faint spot kept, %", ylim=(0, 105))
        axes.set_title(f"sigma {noise}; a disc of {chosen[0].disc}", fontsize="medium")
        axes.margins(x=0.25)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    save_figure(figure, path, overwrite=True)


if __name__ == "__main__":
    main()
