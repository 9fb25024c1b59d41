"""`train`: learn a model from a folder of images."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
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
    stop_with_stdin,
)
from napari_dental_denoise.cli.options import Subparsers, are_levels_given, given_levels
from napari_dental_denoise.cli.train_options import describe
from napari_dental_denoise.cli.training_display import TrainingDisplay
from napari_dental_denoise.config import LIMITS, NOISE, STARTER_TRAINING, TRAINING, TrainingConfig
from napari_dental_denoise.errors import ImageReadError, InputError
from napari_dental_denoise.files import only_run
from napari_dental_denoise.models import NOTHING, STARTER_NAME, first_model
from napari_dental_denoise.noise import NoiseRange
from napari_dental_denoise.training import TrainingFinished

if TYPE_CHECKING:
    from pathlib import Path

    from napari_dental_denoise.training import Dataset
    from napari_dental_denoise.unet import TrainingJob

BUSY = "another training writes this model: wait for its end, or choose another name"
NOTHING_KEPT = "it had learned nothing yet, so no model was written"
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


def add_parser(subparsers: Subparsers) -> None:
    """Describe the command."""
    describe(subparsers).set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train a model; the exit code."""
    from napari_dental_denoise.unet import process_number

    request = StopRequest()
    if options.stop_with_stdin:
        stop_with_stdin(request)
    # First: a TF_CONFIG that cannot be used is told before any image is read.
    process = process_number(options.strategy)
    if process > 0:
        follow(prepare(options)[0], "none", lambda: False)
        return EXIT_DONE
    with only_run(options.output, BUSY):
        job, errors = prepare(options)
        report_left_out(errors)
        before = _written_at(job.model)
        with graceful_stop(request):
            finished = follow(job, options.progress, lambda: request.asked)
    if not finished:
        if job.resume or _written_at(job.model) != before:
            say_unless_lines(options, f"stopped; the best model so far is in {job.model}")
            say_unless_lines(options, "to go on, give the same command again with --resume")
        else:
            say_unless_lines(options, f"stopped; {NOTHING_KEPT}")
        return EXIT_STOPPED
    say_unless_lines(options, f"the best model is in {job.model}; to use it: {PROGRAM} denoise SCANS -m {job.model}")
    return EXIT_SOME_LEFT_OUT if errors else EXIT_DONE


def say_unless_lines(options: argparse.Namespace, text: str) -> None:
    """Say something to a reader, not to a program."""
    if options.progress != "jsonl":
        say(text)


def _written_at(model: Path) -> int | None:
    """When the file was written, in nanoseconds; None if it is not there."""
    return model.stat().st_mtime_ns if model.exists() else None


def prepare(options: argparse.Namespace) -> tuple[TrainingJob, list[ImageReadError]]:
    """Read the images and put the job together; with the errors of files that were left out."""
    config = _config(options)
    from napari_dental_denoise.unet import TrainingJob, check_config, check_model

    # Before the images are read, which takes minutes.
    check_config(config)
    check_model(options.output, replace=options.overwrite or options.resume, strategy=options.strategy)
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
    from napari_dental_denoise.training import split_indices

    data, files, errors = _read(options)
    training, validation = split_indices(files, config.validation_split, config.seed)
    return data.select(training), data.select(validation), errors


def _read_for_starter(
    options: argparse.Namespace, config: TrainingConfig
) -> tuple[Dataset, Dataset, list[ImageReadError]]:
    """The same for the model of the package."""
    from napari_dental_denoise.images import load_images
    from napari_dental_denoise.training import CleanImages, starter_images

    if options.learn_from or options.noisy or options.noise or are_levels_given(options) or options.validation_split:
        raise InputError(
            "--starter says what to learn from: leave out --learn-from, --noisy, --noise, levels and --validation-split"
        )
    loaded = load_images(options.sources, options.rows)
    images = starter_images(loaded.images, config.seed)
    noise = NoiseRange(NOISE.training_kind, {})
    parts = [CleanImages(part, noise, config.seed) for part in (images.training, images.validation)]
    return parts[0], parts[1], loaded.errors


def _read(options: argparse.Namespace) -> tuple[Dataset, list[Path], list[ImageReadError]]:
    """All images, the file of each, and the errors of files that were left out."""
    from napari_dental_denoise.images import leave_out_small, load_images, match_by_name
    from napari_dental_denoise.noise import SMALLEST_SIDE
    from napari_dental_denoise.training import CleanImages, ImagePairs, NoisyImages

    learn_from = options.learn_from or ("pairs" if options.noisy else "clean")
    if (learn_from == "pairs") != bool(options.noisy):
        raise InputError("learning from pairs takes both: the clean images as SOURCE, and --noisy with the noisy ones")
    if learn_from != "clean" and (options.noise or are_levels_given(options)):
        raise InputError("noise is added to clean images only: leave out --noise and its levels")
    kind = options.noise or NOISE.training_kind
    ranges = {name: (values[0], values[1]) for name, values in given_levels(options, kind).items()}
    noise = NoiseRange(kind, ranges)
    memory = LIMITS.images_bytes
    loaded = load_images(options.sources, options.rows, memory)
    if learn_from == "pairs":
        matched = match_by_name(load_images(options.noisy, options.rows, memory), loaded)
        return ImagePairs(matched.noisy, matched.clean), matched.files, matched.errors
    if learn_from == "noisy":
        large = leave_out_small(loaded, SMALLEST_SIDE)
        return NoisyImages(large.images, options.seed), large.files, large.errors
    return CleanImages(loaded.images, noise, options.seed), loaded.files, loaded.errors


def follow(job: TrainingJob, progress: str, stop_asked: Callable[[], bool]) -> bool:
    """Train and show it; False if it was stopped."""
    from napari_dental_denoise.unet import train

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
