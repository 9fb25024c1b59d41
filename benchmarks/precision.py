"""What bf16 and 8-bit integers cost in quality and bring in speed.

    python benchmarks/precision.py model.keras TEST --rows 0:488 --calibrate TRAIN

With `--calibrate`, the network is also quantised by NNCF (`pip install nncf`, with what it asks for), on patches with
noise. "bf16, rounded image" is what bf16 would be if the network saw the 8 bits of a grey value that one number holds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
from machine import machine

from napari_dental_denoise import add_gaussian_noise, denoise, load_engine, phantom
from napari_dental_denoise.cli.options import row_range
from napari_dental_denoise.config import GREY_LEVELS, SIGMA, TRAINING
from napari_dental_denoise.evaluation import added_noise, compare, model_denoiser, summarise
from napari_dental_denoise.images import load_images
from napari_dental_denoise.inference import Engine, openvino
from napari_dental_denoise.inference.bfloat16 import split_grey
from napari_dental_denoise.models import ModelCard, read_model_file
from napari_dental_denoise.noise import NoiseRange
from napari_dental_denoise.training import CleanImages, batches

SIGMAS = (3, 10, 25, 50)
CALIBRATION_PATCHES = 200
SQUARE = (1024, 1024)


class RoundedImage:
    """Shows a network only the bf16 numbers next to the grey values."""

    def __init__(self, engine: Engine) -> None:
        self.card = engine.card
        self._engine = engine

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        """See `Engine`."""
        return self._engine(split_grey(batch)[0])


class IntegerEngine:
    """Runs a network that was quantised."""

    def __init__(self, card: ModelCard, network: object) -> None:
        self.card = card
        self._compiled = openvino().Core().compile_model(network, "CPU")

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        """See `Engine`."""
        return self._compiled(batch)[0].copy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("--rows", type=row_range, default=slice(None))
    parser.add_argument("--calibrate", type=Path, metavar="FOLDER", help="clean images to quantise the network with")
    options = parser.parse_args()
    engines: dict[str, Engine] = {name: load_engine(options.model, name) for name in ("f32", "bf16")}
    engines["bf16, rounded image"] = RoundedImage(engines["bf16"])
    if options.calibrate:
        engines["int8"] = quantised(options.model, load_images([options.calibrate], options.rows).images)
    images = load_images([options.test], options.rows).images
    large = add_gaussian_noise((phantom(SQUARE, rng=0) * GREY_LEVELS).astype(np.uint8), SIGMA.default, rng=0)
    methods = {name: model_denoiser(engine, 1.0) for name, engine in engines.items()}
    columns = []
    for sigma in SIGMAS:
        pairs = added_noise(images, "gaussian", {"sigma": sigma / GREY_LEVELS}, 0)
        columns.append({row.method: row.psnr for row in summarise(compare(pairs, methods))})
    print(f"{machine()}\n\n| {options.model.stem} | {' / '.join(map(str, SIGMAS))} | {SQUARE[0]}x{SQUARE[1]}, s |")
    print("|---|---|---|")
    for name, engine in engines.items():
        scores = " / ".join(f"{column[name]:.3f}" for column in columns)
        print(f"| {name} | {scores} | {median_seconds(engine, large):.3f} |")


def quantised(path: Path, images: list[np.ndarray]) -> IntegerEngine:
    """The network of a model file in 8-bit integers."""
    runtime = openvino()
    import nncf  # after OpenVINO, which must not count its users

    model = read_model_file(path)
    weights = runtime.Tensor(np.frombuffer(model.weights, np.uint8).copy())
    network = runtime.Core().read_model(model.graph, weights)
    data = CleanImages(images, NoiseRange("gaussian", {}), 0)
    drawn = batches(data, TRAINING.patch_size, 1, CALIBRATION_PATCHES, np.random.default_rng(0))
    dataset = nncf.Dataset([noisy for noisy, _ in drawn])
    return IntegerEngine(model.card, nncf.quantize(network, dataset, subset_size=CALIBRATION_PATCHES))


def median_seconds(engine: Engine, image: np.ndarray) -> float:
    """For one image, after a warm-up."""
    seconds = []
    for _ in range(8):
        start = time.perf_counter()
        denoise(image, engine)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:])


if __name__ == "__main__":
    main()
