"""`workflow`: train and evaluate a model on one folder, up to the figure."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_dental_denoise.cli.console import (
    EXIT_DONE,
    EXIT_SOME_LEFT_OUT,
    EXIT_STOPPED,
    StopRequest,
    echo,
    graceful_stop,
    report_left_out,
    tell,
)
from napari_dental_denoise.cli.evaluate import measure
from napari_dental_denoise.cli.options import (
    Subparsers,
    add_rows,
    add_settings,
    given_settings,
    grey_number,
    named_path,
)
from napari_dental_denoise.cli.train import NOTHING_KEPT, follow
from napari_dental_denoise.config import MODEL_SUFFIX, NOISE, PROGRAM, SIGMA, UNSEEN_SEED, WORKFLOW
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.models import STARTER_NAME, first_model
from napari_dental_denoise.training import WORKFLOW_TRAINING, TrainingConfig, check_settings

if TYPE_CHECKING:
    from napari_dental_denoise.evaluation import NoisyPair
    from napari_dental_denoise.images import LoadedImages
    from napari_dental_denoise.unet import TrainingJob

FIGURE = "figure.png"
DESCRIPTION = """\
Train and evaluate a model on a folder of clean radiographs, or on synthetic ones without FOLDER: split
the files, add noise, train on from a model of the package, evaluate on the test images, and draw the
result."""


def add_parser(subparsers: Subparsers) -> None:
    """Add the parser of the command."""
    parser = subparsers.add_parser(
        "workflow",
        help="train and evaluate on one folder: add noise, train, evaluate, draw",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", nargs="?", metavar="FOLDER", help="clean radiographs; default: synthetic ones")
    parser.add_argument(
        "-o",
        "--output",
        type=named_path,
        default=Path("results"),
        metavar="FOLDER",
        help="folder for the results; default results",
    )
    add_settings(parser, ("preset", "minutes", "seed"), WORKFLOW_TRAINING)
    parser.add_argument(
        "--sigma", type=grey_number, default=SIGMA.default, help="noise of the test images; default 25gl"
    )
    add_rows(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train, evaluate and return the exit code."""
    from napari_dental_denoise.batch import check_output
    from napari_dental_denoise.evaluation import check_figure_name
    from napari_dental_denoise.files import free_path
    from napari_dental_denoise.images import load_images
    from napari_dental_denoise.noise import check_sigma

    config = replace(WORKFLOW_TRAINING, **given_settings(options))
    check_settings(config)
    check_sigma("sigma", options.sigma)
    if options.folder is not None:
        check_output(options.output, [options.folder])
    results = free_path(options.output)
    check_figure_name(results / FIGURE)
    folder = options.folder or write_phantoms(results / "phantoms", config.seed)
    tell(f"1. read {folder}")
    loaded = load_images([folder], options.rows)
    report_left_out(loaded.errors)
    job, tested = split(loaded, results, config, options.sigma)
    tell(
        f"   {len(loaded.images)} images: {len(job.training.shapes)} for training, {len(job.validation.shapes)} for "
        f"validation, {len(tested)} for the test"
    )
    tell("2. train, with new noise for every patch")
    request = StopRequest()
    with graceful_stop(request):
        finished = follow(job, "bar", lambda: request.asked)
    if not finished and not job.model.exists():
        echo(NOTHING_KEPT)
        return EXIT_STOPPED
    tell(f"3. add noise of sigma {options.sigma:.3f} to the {len(tested)} test images, denoise them and compare")
    evaluate(job, tested)
    show_results(results, job.model)
    if not finished:
        return EXIT_STOPPED
    return EXIT_SOME_LEFT_OUT if loaded.errors else EXIT_DONE


def write_phantoms(folder: Path, seed: int) -> str:
    """Write synthetic radiographs as PNG files and return their folder."""
    from napari_dental_denoise.images import write_image
    from napari_dental_denoise.pixels import from_unit
    from napari_dental_denoise.synthesis import phantoms

    tell(f"0. generate {WORKFLOW.phantoms} synthetic radiographs")
    for index, image in enumerate(phantoms(WORKFLOW.phantoms, rng=UNSEEN_SEED + seed), start=1):
        write_image(folder / f"phantom_{index:02}.png", from_unit(image, "uint8", 255))
    return str(folder)


def split(
    loaded: LoadedImages, results: Path, config: TrainingConfig, sigma: float
) -> tuple[TrainingJob, list[NoisyPair]]:
    """Split the files into training, validation and test; return the job and the noisy test images."""
    from napari_dental_denoise.evaluation import added_noise
    from napari_dental_denoise.noise import NoiseRange
    from napari_dental_denoise.training import CleanImages, split_indices
    from napari_dental_denoise.unet import TrainingJob

    if len(loaded.images) < WORKFLOW.min_images:
        raise InputError(
            f"expected at least {WORKFLOW.min_images} images, for training, validation and test; "
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
        results / f"model{MODEL_SUFFIX}",
        config,
        start_from=first_model(STARTER_NAME, config.preset),
    )
    return job, tested


def evaluate(job: TrainingJob, tested: list[NoisyPair]) -> None:
    """Write the table and the figure."""
    from napari_dental_denoise.evaluation import (
        Comparison,
        as_csv,
        as_text,
        comparison_figure,
        denoise_median,
        denoise_non_local_means,
        model_denoiser,
        save_figure,
    )
    from napari_dental_denoise.files import write_text
    from napari_dental_denoise.inference import denoise_unit, load_engine

    engine, results = load_engine(job.model), job.model.parent
    methods = {
        "median": denoise_median,
        "non-local means": denoise_non_local_means,
        f"U-Net, {job.config.preset}": model_denoiser(engine, 1.0),
    }
    rows = measure(iter(tested), methods, len(tested))
    echo(as_text(rows))
    write_text(results / "table.txt", as_text(rows), overwrite=False)
    write_text(results / "table.csv", as_csv(rows), overwrite=False)
    pairs = tested[: WORKFLOW.shown]
    shown = [Comparison(pair.clean, pair.noisy, denoise_unit(pair.noisy, engine)) for pair in pairs]
    save_figure(comparison_figure(shown), results / FIGURE, overwrite=False)


def show_results(results: Path, model: Path) -> None:
    """Print where the results are and how to open them."""
    tell("4. the results")
    tell(f"   model   {model}")
    tell(f"           use it with: {PROGRAM} denoise SCANS -m {model}")
    tell(f"   table   {results / 'table.txt'}, and as CSV {results / 'table.csv'}")
    tell(f"   figure  {results / FIGURE}")
    tell(f"           open it with any image viewer: xdg-open {results / FIGURE}, or napari")
