"""`train`: learn a model from a folder of images."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_dental_denoise.cli.console import (
    EXIT_DONE,
    EXIT_SOME_LEFT_OUT,
    EXIT_STOPPED,
    PROGRAM,
    graceful_stop,
    report_left_out,
    say,
    stop_with_stdin,
)
from napari_dental_denoise.cli.options import (
    Subparsers,
    add_levels,
    add_noise_kind,
    add_overwrite,
    add_precision,
    add_rows,
    add_sources,
    given_levels,
    number,
    positive,
)
from napari_dental_denoise.cli.training_display import TrainingDisplay
from napari_dental_denoise.core.config import (
    LEARN_FROM,
    LIMITS,
    NOISE,
    PRESETS,
    STARTER_TRAINING,
    STRATEGIES,
    TRAINING,
    TrainingConfig,
)
from napari_dental_denoise.core.errors import ImageReadError, InputError
from napari_dental_denoise.core.noise_kinds import NoiseRange
from napari_dental_denoise.core.progress import TrainingFinished
from napari_dental_denoise.core.starter import NOTHING, STARTER_NAME, first_model

if TYPE_CHECKING:
    from napari_dental_denoise.unet.dataset import Dataset
    from napari_dental_denoise.unet.training_job import TrainingJob

SETTINGS = (
    "preset",
    "epochs",
    "minutes",
    "steps_per_epoch",
    "batch_size",
    "patch_size",
    "validation_split",
    "learning_rate",
    "seed",
    "precision",
)

DESCRIPTION = """\
Learn a model from clean images: noise is added anew to every random patch, of a kind and level drawn
at random, so that the model is blind to both. Or learn from pairs of noisy and clean images, or from
noisy images alone, whose noise is estimated.
The training begins with the model of the package where the preset is its own or a wider one. The best
model so far is kept in the model file; beside it lies a checkpoint for --resume.

  napari-dental-denoise train scans/ -o model.keras --minutes 20
  napari-dental-denoise train clean/ --noisy noisy/ -o model.keras
  napari-dental-denoise train noisy/ --learn-from noisy -o model.keras
  napari-dental-denoise train panoramics/ --starter -o starter.keras"""


def add_parser(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "train",
        help="learn a model from a folder of images",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_sources(parser)
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="MODEL", help="model file to write; ends in .keras"
    )
    parser.add_argument(
        "--learn-from",
        choices=LEARN_FROM,
        help="clean: clean images, to which noise is added; pairs: clean images and, by --noisy, a noisy one of each; "
        "noisy: only noisy images; default: clean, or pairs where --noisy is given",
    )
    parser.add_argument(
        "--noisy",
        nargs="+",
        metavar="SOURCE",
        help="noisy images, each with the name of its clean one; no noise is added then",
    )
    parser.add_argument(
        "--starter",
        action="store_true",
        help="make the model of the package again: SOURCE holds the panoramic radiographs that it was trained on; "
        "synthetic radiographs are drawn besides, by --seed",
    )
    parser.add_argument(
        "--preset",
        choices=list(PRESETS),
        help=f"design of the network: fast, standard and best cost more and give more; classic is the textbook "
        f"U-Net; default {TRAINING.preset}",
    )
    _add_course(parser)
    add_noise_kind(parser, NOISE.training_kind)
    # So that a kind that is asked for in vain is noticed.
    parser.set_defaults(noise=None)
    add_levels(parser, 2, "lowest and highest ")
    add_rows(parser)
    _add_files(parser)
    add_precision(parser)
    parser.add_argument(
        "--progress",
        choices=("bar", "jsonl", "none"),
        default="bar",
        help="bar: for a reader (default); jsonl: one JSON object a line on stdout, for other programs",
    )
    parser.add_argument(
        "--preview",
        type=Path,
        metavar="FILE",
        help="after each epoch, write one validation image there: a .npy file "
        "of (3, H, W) with the noisy, the denoised and the clean image",
    )
    parser.add_argument(
        "--stop-with-stdin",
        action="store_true",
        help="stop as with Ctrl-C when standard input ends: for programs that start this one",
    )
    parser.set_defaults(run=run)


def _add_course(parser: argparse.ArgumentParser) -> None:
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--epochs",
        type=positive,
        help=f"passes; in one, random patches cover the images once; default {TRAINING.epochs}",
    )
    length.add_argument("--minutes", type=number, help="train for this long instead")
    parser.add_argument(
        "--steps-per-epoch",
        type=positive,
        metavar="N",
        help="batches in an epoch; default: as many as cover the images",
    )
    parser.add_argument(
        "--batch-size",
        type=positive,
        help=f"patches in one step; default {TRAINING.batch_size}",
    )
    parser.add_argument(
        "--patch-size",
        type=positive,
        help=f"side of a patch in pixels; default {TRAINING.patch_size}",
    )
    parser.add_argument(
        "--validation-split",
        type=number,
        help=f"share of the files that is kept to validate with; default {TRAINING.validation_split}",
    )
    parser.add_argument(
        "--learning-rate",
        type=number,
        help=f"at the start; it falls to 0; default {TRAINING.learning_rate}",
    )


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--resume", action="store_true", help="go on with the training of the same model file")
    parser.add_argument(
        "--start-from",
        metavar="MODEL",
        help="begin with the weights of this model file, of the same preset or one with fewer channels; starter "
        "(default): with the model of the package, which standard and best can; nothing: with random weights",
    )
    add_overwrite(parser)
    parser.add_argument(
        "--strategy",
        choices=STRATEGIES,
        default="auto",
        help="which devices learn together: single: one; mirrored: all GPUs of this machine; multi-worker: the "
        "machines of TF_CONFIG, of which only the first writes and speaks; auto (default): what is there",
    )


def run(options: argparse.Namespace) -> int:
    """Train a model; the exit code."""
    from napari_dental_denoise.unet.devices import process_number

    # First: a TF_CONFIG that cannot be used is told before any image is read.
    process = process_number(options.strategy)
    job, errors = prepare(options)
    if process > 0:
        follow(job, "none", lambda: False)
        return EXIT_DONE
    report_left_out(errors)
    with graceful_stop() as request:
        if options.stop_with_stdin:
            stop_with_stdin(request)
        finished = follow(job, options.progress, lambda: request.asked)
    if not finished:
        say_unless_lines(options, f"stopped; {kept(job)}")
        say_unless_lines(options, "to go on, give the same command again with --resume")
        return EXIT_STOPPED
    say_unless_lines(options, f"the best model is in {job.model}; to use it: {PROGRAM} denoise SCANS -m {job.model}")
    return EXIT_SOME_LEFT_OUT if errors else EXIT_DONE


def say_unless_lines(options: argparse.Namespace, text: str) -> None:
    """Say something to a reader, not to a program."""
    if options.progress != "jsonl":
        say(text)


def kept(job: TrainingJob) -> str:
    """What a stopped training leaves."""
    if job.model.exists():
        return f"the best model so far is in {job.model}"
    return "it had learned nothing yet, so no model was written"


def prepare(options: argparse.Namespace) -> tuple[TrainingJob, list[ImageReadError]]:
    """Read the images and put the job together; with the errors of files that were left out."""
    config = _config(options)
    from napari_dental_denoise.unet.training_job import TrainingJob

    read = _read_for_starter if options.starter else _read_and_split
    training, validation, errors = read(options, config)
    first = options.start_from or (NOTHING if options.starter else STARTER_NAME)
    job = TrainingJob(
        training,
        validation,
        options.output,
        config,
        start_from=None if options.resume else first_model(first, config.preset),
        resume=options.resume,
        overwrite=options.overwrite,
        preview=options.preview,
        strategy=options.strategy,
    )
    return job, errors


def _config(options: argparse.Namespace) -> TrainingConfig:
    """What the command line says of the training; the defaults for the rest."""
    given = {name: getattr(options, name) for name in SETTINGS}
    defaults = STARTER_TRAINING if options.starter else TRAINING
    return replace(defaults, **{name: value for name, value in given.items() if value is not None})


def _read_and_split(
    options: argparse.Namespace, config: TrainingConfig
) -> tuple[Dataset, Dataset, list[ImageReadError]]:
    """The images to learn from and to validate with, with the errors of files that were left out."""
    from napari_dental_denoise.unet.dataset import split_indices

    data, errors = _read(options)
    training, validation = split_indices(len(data.shapes), config.validation_split, config.seed)
    return data.select(training), data.select(validation), errors


def _read_for_starter(
    options: argparse.Namespace, config: TrainingConfig
) -> tuple[Dataset, Dataset, list[ImageReadError]]:
    """The same for the model of the package."""
    from napari_dental_denoise.core.loading import load_images
    from napari_dental_denoise.core.starter_images import starter_images
    from napari_dental_denoise.unet.dataset import CleanImages

    if options.learn_from or options.noisy or options.noise or given_levels(options, NOISE.training_kind):
        raise InputError("--starter says what to learn from: leave out --learn-from, --noisy, --noise and levels")
    loaded = load_images(options.sources, options.rows)
    images = starter_images(loaded.images, config.seed)
    noise = NoiseRange(NOISE.training_kind, {})
    parts = [CleanImages(part, noise, config.seed) for part in (images.training, images.validation)]
    return parts[0], parts[1], loaded.errors


def _read(options: argparse.Namespace) -> tuple[Dataset, list[ImageReadError]]:
    """All images, with the errors of files that were left out."""
    from napari_dental_denoise.core.estimation import SMALLEST_SIDE
    from napari_dental_denoise.core.loading import leave_out_small, load_images, match_by_name
    from napari_dental_denoise.unet.dataset import CleanImages, ImagePairs
    from napari_dental_denoise.unet.noisy_images import NoisyImages

    learn_from = options.learn_from or ("pairs" if options.noisy else "clean")
    if (learn_from == "pairs") != bool(options.noisy):
        raise InputError("learning from pairs takes both: the clean images as SOURCE, and --noisy with the noisy ones")
    kind = options.noise or NOISE.training_kind
    ranges = {name: (values[0], values[1]) for name, values in given_levels(options, kind).items()}
    noise = NoiseRange(kind, ranges)
    if (options.noise or ranges) and learn_from != "clean":
        raise InputError("noise is added to clean images only: leave out --noise and its levels")
    memory = LIMITS.images_bytes
    loaded = load_images(options.sources, options.rows, memory)
    if learn_from == "pairs":
        matched = match_by_name(load_images(options.noisy, options.rows, memory), loaded)
        return ImagePairs(matched.noisy, matched.clean), matched.errors
    if learn_from == "noisy":
        large = leave_out_small(loaded, SMALLEST_SIDE)
        return NoisyImages(large.images, options.seed), large.errors
    return CleanImages(loaded.images, noise, options.seed), loaded.errors


def follow(job: TrainingJob, progress: str, stop_asked: Callable[[], bool]) -> bool:
    """Train and show it; False if it was stopped."""
    from napari_dental_denoise.unet.training import train

    reports = train(job)
    show = TrainingDisplay(progress)
    try:
        for report in reports:
            show(report)
            if stop_asked() and not isinstance(report, TrainingFinished):
                reports.close()
                return False
    finally:
        show.close()
    return True
