"""`workflow`: the whole job on one folder, from reading to the figure."""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path
from typing import TYPE_CHECKING

from napari_dental_denoise.cli.console import (
    EXIT_DONE,
    EXIT_SOME_LEFT_OUT,
    EXIT_STOPPED,
    PROGRAM,
    StopRequest,
    graceful_stop,
    report_left_out,
    say,
)
from napari_dental_denoise.cli.evaluate import measure
from napari_dental_denoise.cli.options import Subparsers, add_rows, number, seed_number
from napari_dental_denoise.cli.train import NOTHING_KEPT, follow
from napari_dental_denoise.config import NOISE, PRESETS, SIGMA, TRAINING, UNSEEN_SEED, WORKFLOW, TrainingConfig
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.models import STARTER_NAME, first_model

if TYPE_CHECKING:
    from napari_dental_denoise.evaluation import Comparison, NoisyPair
    from napari_dental_denoise.images import LoadedImages
    from napari_dental_denoise.inference import Engine
    from napari_dental_denoise.unet import TrainingJob

DESCRIPTION = """\
The whole job on a folder of clean radiographs, or on synthetic ones where none is given: read, split
by file, add noise, train on from a model of the package, evaluate on the images that were kept apart,
and draw the result."""


def add_parser(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "workflow",
        help="the whole job on one folder: read, add noise, train, evaluate, draw",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", nargs="?", metavar="FOLDER", help="of clean radiographs; default: synthetic ones")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("results"), metavar="FOLDER", help="for the results; default results"
    )
    parser.add_argument("--preset", choices=list(PRESETS), default=TRAINING.preset, help=f"default {TRAINING.preset}")
    parser.add_argument(
        "--minutes", type=number, default=WORKFLOW.minutes, help=f"of training; default {WORKFLOW.minutes:g}"
    )
    parser.add_argument("--sigma", type=number, default=SIGMA.default, help="of the noise to test with; default 25/255")
    parser.add_argument("--seed", type=seed_number, default=TRAINING.seed, help="of everything; default 0")
    add_rows(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Do the whole job; the exit code."""
    from napari_dental_denoise.images import load_images
    from napari_dental_denoise.noise import check_sigma
    from napari_dental_denoise.unet import check_config

    config = TrainingConfig(preset=options.preset, minutes=options.minutes, seed=options.seed)
    check_config(config)
    check_sigma("sigma", options.sigma)
    results = free_folder(options.output)
    folder = options.folder or write_phantoms(results / "phantoms", options.seed)
    say(f"1. read {folder}")
    loaded = load_images([folder], options.rows)
    report_left_out(loaded.errors)
    job, tested = split(loaded, results, config, options.sigma)
    say(
        f"   {len(loaded.images)} images: {len(job.training.shapes)} to learn from, {len(job.validation.shapes)} to "
        f"validate with, {len(tested)} kept apart to test with"
    )
    say("2. train, with noise drawn anew for every patch")
    request = StopRequest()
    with graceful_stop(request):
        finished = follow(job, "bar", lambda: request.asked)
    if not finished and not job.model.exists():
        say(f"stopped; {NOTHING_KEPT}")
        return EXIT_STOPPED
    say(f"3. add noise of sigma {options.sigma:.3f} to the {len(tested)} test images, denoise them and compare")
    evaluate(job.model, tested, results, options)
    show_results(results, job.model)
    if not finished:
        return EXIT_STOPPED
    return EXIT_SOME_LEFT_OUT if loaded.errors else EXIT_DONE


def free_folder(wanted: Path) -> Path:
    """The wanted folder, or the first of its name with a number that is not there yet."""
    numbered = (wanted.with_name(f"{wanted.name}-{count}") for count in itertools.count(2))
    return next(path for path in itertools.chain([wanted], numbered) if not path.exists())


def write_phantoms(folder: Path, seed: int) -> str:
    """Write synthetic radiographs as PNG files; the folder."""
    from napari_dental_denoise.images import write_image
    from napari_dental_denoise.pixels import from_unit
    from napari_dental_denoise.synthesis import phantoms

    say(f"0. no folder was given: draw {WORKFLOW.phantoms} synthetic radiographs")
    for index, image in enumerate(phantoms(WORKFLOW.phantoms, seed=UNSEEN_SEED + seed), start=1):
        write_image(folder / f"phantom_{index:02}.png", from_unit(image, "uint8", 255))
    return str(folder)


def split(
    loaded: LoadedImages, results: Path, config: TrainingConfig, sigma: float
) -> tuple[TrainingJob, list[NoisyPair]]:
    """Split by file into training, validation and test; the job, and the test images with noise."""
    from napari_dental_denoise.evaluation import added_noise
    from napari_dental_denoise.noise import NoiseRange
    from napari_dental_denoise.training import CleanImages, split_indices
    from napari_dental_denoise.unet import TrainingJob

    if len(loaded.images) < WORKFLOW.fewest_images:
        raise InputError(
            f"expected at least {WORKFLOW.fewest_images} images, to learn, to validate and to test with; "
            f"received {len(loaded.images)}"
        )
    files, seed = loaded.files, config.seed
    rest, test = split_indices(files, WORKFLOW.test_split, seed)
    tested = list(added_noise([loaded.images[i] for i in test], NOISE.kind, {"sigma": sigma}, seed))
    data = CleanImages([loaded.images[i] for i in rest], NoiseRange(NOISE.kind, {}), seed)
    training, validation = split_indices([files[i] for i in rest], config.validation_split, seed)
    job = TrainingJob(
        data.select(training),
        data.select(validation),
        results / "model.keras",
        config,
        start_from=first_model(STARTER_NAME, config.preset),
    )
    return job, tested


def evaluate(model: Path, tested: list[NoisyPair], results: Path, options: argparse.Namespace) -> None:
    """Write the table and the figure."""
    from napari_dental_denoise.evaluation import (
        as_csv,
        as_text,
        comparison_figure,
        denoise_median,
        denoise_non_local_means,
        model_denoiser,
        save_figure,
    )
    from napari_dental_denoise.files import write_text
    from napari_dental_denoise.inference import load_engine

    engine = load_engine(model)
    methods = {
        "median": denoise_median,
        "non-local means": denoise_non_local_means,
        f"U-Net, {options.preset}": model_denoiser(engine, 1.0),
    }
    rows = measure(iter(tested), methods, len(tested))
    say(as_text(rows))
    write_text(results / "table.txt", as_text(rows), overwrite=False)
    write_text(results / "table.csv", as_csv(rows), overwrite=False)
    shown = [compared(pair, engine) for pair in tested[: WORKFLOW.shown]]
    save_figure(comparison_figure(shown), results / "figure.png", overwrite=False)


def compared(pair: NoisyPair, engine: Engine) -> Comparison:
    """A pair with what the model makes of it."""
    from napari_dental_denoise.evaluation import Comparison
    from napari_dental_denoise.inference import denoise_unit

    return Comparison(pair.clean, pair.noisy, denoise_unit(pair.noisy, engine))


def show_results(results: Path, model: Path) -> None:
    """Where everything lies, and how to open it."""
    say("4. the results")
    say(f"   model   {model}")
    say(f"           use it with: {PROGRAM} denoise SCANS -m {model}")
    say(f"   table   {results / 'table.txt'}, and as CSV {results / 'table.csv'}")
    say(f"   figure  {results / 'figure.png'}")
    say(f"           open it with any image viewer: xdg-open {results / 'figure.png'}, or napari")
