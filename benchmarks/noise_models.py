"""Compare models with classical denoisers on the noise of radiographs; PSNR in dB.

    python benchmarks/noise_models.py FOLDER -m model.keras --rows 0:488

The classical denoisers are told the true level, which is the root mean square of the noise. Where possible, BM3D is
also told the true power spectrum, or runs on Anscombe's variance-stabilising transform of the photons. The models are
told nothing. Only the middle of each image is used, since BM3D takes minutes otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
from bm3d import bm3d
from common import image_parser_for
from tqdm import tqdm

from napari_dental_denoise.config import GREY_LEVELS
from napari_dental_denoise.evaluation import denoise_non_local_means, psnr
from napari_dental_denoise.evaluation.baselines import denoise_bm3d, denoise_total_variation
from napari_dental_denoise.images import load_images
from napari_dental_denoise.inference import OpenVinoEngine, denoise, load_engine
from napari_dental_denoise.noise import estimate_noise, noise_kind
from napari_dental_denoise.noise.detector import RESPONSES
from napari_dental_denoise.pixels import to_unit

# bm3d uses the old name.
vars(np)["trapz"] = np.trapezoid


@dataclass(frozen=True)
class Case:
    """One noise: its kind and levels."""

    title: str
    kind: str
    levels: Mapping[str, float]

    def add(self, clean: np.ndarray, index: int) -> np.ndarray:
        """Add noise with a seed for this image."""
        return noise_kind(self.kind).add(clean, **self.levels, rng=np.random.default_rng([0, index]))


QUANTUM = {"photons": 30, "blur": 0.7, "sigma": 2 / 255}
CASES = (
    *(Case(f"white {sigma}", "gaussian", {"sigma": sigma / 255}) for sigma in (10, 25, 50)),
    Case("correlated 25, blur 1", "correlated", {"sigma": 25 / 255, "blur": 1.0}),
    Case("30 photons, raw", "quantum-linear", QUANTUM),
    Case("30 photons, raw, no blur", "quantum-linear", {"photons": 30, "blur": 0.0, "sigma": 0.0}),
    Case("30 photons, inverted", "quantum-inverted", QUANTUM),
    Case("30 photons, logarithmic", "quantum", QUANTUM),
    Case("level map 5 to 40", "varying", {"sigma_low": 5 / 255, "sigma_high": 40 / 255}),
)


def blurred_power(shape: tuple[int, ...], blur: float) -> np.ndarray:
    """Return the power spectrum of white noise of unit variance after a Gaussian blur."""
    rows, columns = (np.fft.fftfreq(side) for side in shape)
    return np.exp(-((2 * math.pi * blur) ** 2) * (rows[:, np.newaxis] ** 2 + columns**2))


def bm3d_of_spectrum(noisy: np.ndarray, case: Case) -> np.ndarray:
    """Run BM3D with the power spectrum of the blurred noise."""
    power = blurred_power(noisy.shape, case.levels["blur"])
    return bm3d(noisy, sigma_psd=power / power.mean() * case.levels["sigma"] ** 2 * noisy.size)


def bm3d_of_counts(noisy: np.ndarray, case: Case) -> np.ndarray:
    """Run BM3D on the square roots of the counts, whose noise has the same spectrum everywhere.

    References
    ----------
    M. Makitalo, A. Foi, "A closed-form approximation of the exact unbiased inverse of the Anscombe
    variance-stabilizing transformation", IEEE Trans. Image Process. 20 (2011), doi 10.1109/TIP.2011.2121085.
    """
    name = case.kind.removeprefix("quantum").removeprefix("-") or "logarithmic"
    curve, photons = RESPONSES[name], case.levels["photons"]
    read_out = (photons * case.levels["sigma"]) ** 2
    counts = photons * curve.exposure(noisy)
    stable = 2 * np.sqrt(np.maximum(counts + 3 / 8 + read_out, 0))
    top = max(float(stable.max()), 1.0)
    power = blurred_power(noisy.shape, case.levels["blur"]) + read_out / max(float(counts.mean()), 1.0)
    told = 1 / top if case.levels["blur"] == 0 else power * noisy.size / top**2
    root = np.maximum(bm3d(stable / top, sigma_psd=told) * top, 2 * math.sqrt(3 / 8))
    expected = root**2 / 4 + math.sqrt(1.5) / 4 / root - 11 / 8 / root**2 + 5 * math.sqrt(1.5) / 8 / root**3 - 1 / 8
    return curve.grey_value(np.maximum(expected - read_out, 0.05) / photons)


def classical(case: Case) -> dict[str, Callable[[np.ndarray, float], np.ndarray]]:
    methods = {
        "noisy": lambda noisy, _: noisy,
        "non-local means": denoise_non_local_means,
        "total variation": denoise_total_variation,
        "BM3D, true level": denoise_bm3d,
    }
    if case.kind == "correlated":
        methods["BM3D, true spectrum"] = lambda noisy, _: bm3d_of_spectrum(noisy, case)
    if case.kind.startswith("quantum"):
        methods["BM3D, stabilised"] = lambda noisy, _: bm3d_of_counts(noisy, case)
    return methods


@cache
def engine(path: Path) -> OpenVinoEngine:
    return load_engine(path)


def scores(task: tuple[int, np.ndarray], case: Case, models: list[Path]) -> dict[str, float]:
    """Return the PSNR of every method on one image."""
    index, clean = task
    noisy = case.add(clean, index).astype(np.float32, copy=False)
    level = float(np.sqrt(np.mean((noisy - clean) ** 2)))
    found = {name: method(noisy, level) for name, method in classical(case).items()}
    found |= {path.stem: denoise(noisy, engine(path)) for path in models}
    return {name: psnr(clean, np.clip(image, 0, 1).astype(np.float32), data_range=1.0) for name, image in found.items()}


def middle(image: np.ndarray, side: int) -> np.ndarray:
    rows, columns = (max((length - side) // 2, 0) for length in image.shape)
    return to_unit(image)[rows : rows + side, columns : columns + side]


def print_table(title: str, found: Mapping[str, list[dict[str, float]]], chosen: list[int]) -> None:
    """Print the mean PSNR of each method on the chosen images, for each noise."""
    means = {
        case: {name: np.mean([scored[index][name] for index in chosen]) for name in scored[0]}
        for case, scored in found.items()
    }
    methods = dict.fromkeys(name for cells in means.values() for name in cells)
    print(f"**{title}** ({len(chosen)})\n\n| method | " + " | ".join(means) + " |\n|---|" + "---|" * len(means))
    for name in methods:
        cells = [f"{by_name[name]:.2f}" if name in by_name else "" for by_name in means.values()]
        print(f"| {name} | " + " | ".join(cells) + " |")
    print()


def main() -> None:
    parser = image_parser_for(__doc__, "folder")
    parser.add_argument("-m", "--model", type=Path, nargs="+", default=[])
    parser.add_argument("--side", type=int, default=320, help="side of the middle that is used, in pixels")
    parser.add_argument("--step", type=int, default=1, help="use every n-th image")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    loaded = load_images([options.folder], options.rows).images[:: options.step]
    images = [middle(image, options.side) for image in loaded]
    grain = np.array([estimate_noise(image).sigma for image in loaded])
    print(
        f"{options.folder.name}, the middle {options.side}x{options.side} of {len(images)} images, PSNR in dB; ", end=""
    )
    print(f"own noise: median {np.median(grain) * GREY_LEVELS:.1f}, most {grain.max() * GREY_LEVELS:.1f}\n")
    found: dict[str, list[dict[str, float]]] = {}
    with ProcessPoolExecutor(options.jobs) as pool:
        for case in tqdm(CASES, leave=False):
            found[case.title] = list(pool.map(partial(scores, case=case, models=options.model), enumerate(images)))
    print_table("all references", found, list(range(len(images))))
    print_table("cleaner half of the references", found, np.argsort(grain)[: -(-len(images) // 2)].tolist())


if __name__ == "__main__":
    main()
