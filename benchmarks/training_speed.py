"""Measure models after one to fifty minutes of training, beside BM3D.

    python benchmarks/training_speed.py TRAIN TEST --rows 0:488

The noise is white; BM3D is told its sigma. Nothing else should run on the machine. `--keep FOLDER` keeps the models, to
compare them with other methods by `benchmarks/quality.py`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from common import machine, parser_for

from napari_dental_denoise import load_engine
from napari_dental_denoise.cli.options import row_range
from napari_dental_denoise.config import GREY_LEVELS
from napari_dental_denoise.evaluation import added_noise, available_baselines, compare, model_denoiser, summarise
from napari_dental_denoise.images import load_images

REFERENCE = "BM3D"
SIGMAS = (10, 25, 50)
TRAININGS = (
    ("fast", "nothing", 1.0),
    ("fast", "nothing", 2.0),
    ("fast", "starter", 1.0),
    ("fast", "starter", 2.0),
    ("standard", "starter", 1.0),
    ("standard", "starter", 7.0),
    ("standard", "starter", 15.0),
    ("best", "starter", 50.0),
)
FINE_TUNING_RATE = "1e-3"


def main() -> None:
    parser = parser_for(__doc__, "train", "test")
    parser.add_argument("--rows", default=":")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the models there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        methods = {REFERENCE: available_baselines()[REFERENCE]}
        for preset, start, minutes in TRAININGS:
            engine = load_engine(train(options, folder, preset, start, minutes))
            methods[f"{preset}, {minutes:g} min from {start}"] = model_denoiser(engine, 1.0)
        print_table(options, methods)


def train(options: argparse.Namespace, folder: Path, preset: str, start: str, minutes: float) -> Path:
    """Train one model by the command line; with a lower learning rate if it starts from a model."""
    model = folder / f"{preset}-{start}-{minutes:g}.keras"
    command = [sys.executable, "-m", "napari_dental_denoise", "train", str(options.train), "-o", str(model)]
    command += ["--rows", options.rows, "--preset", preset, "--start-from", start, "--minutes", str(minutes)]
    rate = ["--learning-rate", FINE_TUNING_RATE] if start != "nothing" else []
    subprocess.run([*command, *rate, "--noise", "gaussian", "--progress", "none"], check=True)
    return model


def print_table(options: argparse.Namespace, methods: dict) -> None:
    """Print PSNR and its difference to BM3D for each sigma."""
    images = load_images([options.test], row_range(options.rows)).images
    columns = []
    for sigma in SIGMAS:
        noisy = added_noise(images, "gaussian", {"sigma": sigma / GREY_LEVELS}, 0)
        columns.append({row.method: row.psnr for row in summarise(compare(noisy, methods))})
    print(f"{machine()}\n\n| model | " + " | ".join(f"sigma {sigma}" for sigma in SIGMAS) + " |")
    print("|---" * (1 + len(SIGMAS)) + "|")
    for method in methods:
        cells = [f"{column[method]:.2f} ({column[method] - column[REFERENCE]:+.2f})" for column in columns]
        print(f"| {method} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
