"""Repeat the protocol of the autoencoder papers: few images of 64x64 pixels, sigma 0.1.

    python benchmarks/small_images.py TRAIN TEST

Images are reduced by pixel area, noise of 0.1 * N(0, 1) is added once to the training and the test images, and all
methods get the same images. `standard` is also trained as the program does, with new noise for each patch, for as many
steps, and each from the model of the package too: the latter also without the loss of details, and averaged over the
eight orientations.

References
----------
L. Gondara, "Medical image denoising using convolutional denoising autoencoders", arXiv 1608.04667.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from common import parser_for

from napari_dental_denoise import CNNDenoiser, add_gaussian_noise, read_dental
from napari_dental_denoise.evaluation import (
    Denoiser,
    as_text,
    available_baselines,
    compare,
    given_pairs,
    model_denoiser,
    summarise,
)
from napari_dental_denoise.inference import Engine, SelfEnsemble, load_engine
from napari_dental_denoise.models import NOTHING, STARTER_NAME, first_model
from napari_dental_denoise.noise import NoiseRange
from napari_dental_denoise.pixels import to_unit
from napari_dental_denoise.training import TRAINING, CleanImages, TrainingConfig, split_indices
from napari_dental_denoise.unet import TrainingJob, train

SIDE = 64
SIGMA = 0.1
BATCH = 10


def main() -> None:
    parser = parser_for(__doc__, "training", "test")
    parser.add_argument("--epochs", type=int, nargs="+", default=[10, 100])
    options = parser.parse_args()

    clean = to_unit(read_dental(options.training, (SIDE, SIDE)), 255)
    clean_test = to_unit(read_dental(options.test, (SIDE, SIDE)), 255)
    noisy = add_gaussian_noise(clean, SIGMA, rng=0)
    noisy_test = add_gaussian_noise(clean_test, SIGMA, rng=1)
    methods = {name: knowing_sigma(method) for name, method in available_baselines().items()}
    with tempfile.TemporaryDirectory() as folder:
        for epochs in options.epochs:
            for preset, first in (("classic", NOTHING), ("standard", NOTHING), ("standard", STARTER_NAME)):
                name = f"{preset} from {first}, {epochs} epochs"
                methods[name] = trained_on_pairs(preset, first, epochs, noisy, clean, Path(folder) / f"{name}.keras")
            for first, detail in ((NOTHING, TRAINING.detail), (STARTER_NAME, TRAINING.detail), (STARTER_NAME, 0.0)):
                name = f"standard from {first}, new noise, {epochs} epochs, detail {detail}"
                config = replace(TRAINING, epochs=epochs, batch_size=BATCH, patch_size=SIDE, detail=detail)
                engine = trained_on_new_noise(first, config, clean, Path(folder) / f"{name}.keras")
                methods[name] = model_denoiser(engine, 1.0)
                methods[f"{name}, self-ensemble"] = model_denoiser(SelfEnsemble(engine), 1.0)
        print(f"{len(clean)} training and {len(clean_test)} test images of {SIDE}x{SIDE}\n")
        print(as_text(summarise(compare(given_pairs(noisy_test, clean_test, f"gaussian, sigma {SIGMA}"), methods))))


def knowing_sigma(method: Denoiser) -> Denoiser:
    """Return a baseline that is told the true level."""
    return lambda image, _estimate: method(image, SIGMA)


def trained_on_pairs(
    preset: str, first: str, epochs: int, noisy: np.ndarray, clean: np.ndarray, path: Path
) -> Denoiser:
    """Train as the papers do, with the same noise in every epoch."""
    denoiser = CNNDenoiser(BATCH, epochs, preset=preset, patch_size=SIDE, start_from=first)
    with contextlib.redirect_stdout(io.StringIO()):
        denoiser.train(noisy, clean)
    denoiser.save(path)
    return model_denoiser(load_engine(path), 1.0)


def trained_on_new_noise(first: str, config: TrainingConfig, clean: np.ndarray, path: Path) -> Engine:
    """Train as this program does, with new noise for each patch, for as many steps as with pairs."""
    data = CleanImages(list(clean), NoiseRange("gaussian", {"sigma": (SIGMA, SIGMA)}), 0)
    training, validation = split_indices(range(len(clean)), config.validation_split, 0)
    config = replace(config, steps_per_epoch=-(-len(training) // config.batch_size))
    start = first_model(first, config.preset)
    for _ in train(TrainingJob(data.select(training), data.select(validation), path, config, start)):
        pass
    return load_engine(path)


if __name__ == "__main__":
    main()
