"""`train`: train a model on a folder of images."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from tqdm import tqdm

from napari_dental_denoise.cli.console import (
    EXIT_DONE,
    EXIT_SOME_LEFT_OUT,
    EXIT_STOPPED,
    LOADING_TENSORFLOW,
    StopRequest,
    echo_while_read,
    graceful_stop,
    is_quiet,
    progress_bar,
    report_left_out,
    stop_with_stdin,
    tell,
)
from napari_dental_denoise.cli.options import Subparsers, are_levels_given, given_levels, given_settings
from napari_dental_denoise.cli.train_options import add_train_parser
from napari_dental_denoise.config import LIMITS, NOISE, PROGRAM
from napari_dental_denoise.errors import ImageReadError, InputError
from napari_dental_denoise.files import locked
from napari_dental_denoise.models import NOTHING, STARTER_NAME, first_model
from napari_dental_denoise.noise import NoiseRange
from napari_dental_denoise.training import (
    STARTER_TRAINING,
    TRAINING,
    StepDone,
    TrainingConfig,
    TrainingFinished,
    TrainingReport,
    TrainingStarted,
    check_settings,
    to_line,
)

if TYPE_CHECKING:
    from pathlib import Path

    from napari_dental_denoise.training import Dataset
    from napari_dental_denoise.unet import TrainingJob

    # The images for training, those for validation, and the errors of files that were left out.
    SplitImages = tuple[Dataset, Dataset, list[ImageReadError]]

BUSY = "another training is writing this model: wait until it ends, or choose another name"
PER_MILLE = 1000
NOTHING_KEPT = "stopped before the first step; no model was written"


def add_parser(subparsers: Subparsers) -> None:
    """Add the parser of the command."""
    add_train_parser(subparsers).set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train a model and return the exit code."""
    from napari_dental_denoise.unet import process_number

    request = StopRequest()
    if options.stop_with_stdin:
        stop_with_stdin(request)
    # Checks TF_CONFIG before any image is read.
    if process_number(options.strategy) > 0:
        follow(prepare(options)[0], "none", lambda: False)
        return EXIT_DONE
    with locked(options.output, BUSY):
        job, errors = prepare(options)
        report_left_out(errors)
        before = _written_at(job.model)
        with graceful_stop(request):
            finished = follow(job, options.progress, lambda: request.asked)
    if finished:
        last = f"the best model is in {job.model}; use it with: {PROGRAM} denoise SCANS -m {job.model}"
    elif job.resume or _written_at(job.model) != before:
        last = f"stopped; the best model so far is in {job.model}\nto continue, repeat the command with --resume"
    else:
        last = NOTHING_KEPT
    if options.progress != "jsonl":
        tell(last)
    if not finished:
        return EXIT_STOPPED
    return EXIT_SOME_LEFT_OUT if errors else EXIT_DONE


def _written_at(model: Path) -> int | None:
    """Return when the file was written, in nanoseconds, or None if there is none."""
    return model.stat().st_mtime_ns if model.exists() else None


def prepare(options: argparse.Namespace) -> tuple[TrainingJob, list[ImageReadError]]:
    """Read the images and return the job, with the errors of files that were left out."""
    config = replace(STARTER_TRAINING if options.starter else TRAINING, **given_settings(options))
    from napari_dental_denoise.unet import TrainingJob, check_model_path

    # Reading the images takes minutes: everything else is checked before.
    check_settings(config)
    check_model_path(options.output, replace=options.overwrite or options.resume, strategy=options.strategy)
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


def _read_and_split(options: argparse.Namespace, config: TrainingConfig) -> SplitImages:
    """Read the images and split them by file."""
    from napari_dental_denoise.training import split_indices

    data, files, errors = _read(options, config.seed)
    training, validation = split_indices(files, config.validation_split, config.seed)
    return data.select(training), data.select(validation), errors


def _read_for_starter(options: argparse.Namespace, config: TrainingConfig) -> SplitImages:
    """Read the images of the model of the package, which has a split of its own."""
    from napari_dental_denoise.images import load_images
    from napari_dental_denoise.training import CleanImages, starter_images

    told = options.learn_from or options.noisy or options.noise or options.validation_split is not None
    if told or are_levels_given(options):
        raise InputError(
            "--starter has its own data: leave out --learn-from, --noisy, --noise, noise levels and --validation-split"
        )
    loaded = load_images(options.sources, options.rows)
    noise = NoiseRange(NOISE.training_kind, {})
    training, validation = (
        CleanImages(part.images, noise, config.seed, part.exact) for part in starter_images(loaded.images, config.seed)
    )
    return training, validation, loaded.errors


def _read(options: argparse.Namespace, seed: int) -> tuple[Dataset, list[Path], list[ImageReadError]]:
    """Return all images, the file of each, and the errors of files that were left out."""
    from napari_dental_denoise.images import leave_out_small, load_images, match_by_name
    from napari_dental_denoise.noise import SMALLEST_SIDE
    from napari_dental_denoise.training import CleanImages, ImagePairs, NoisyImages

    learn_from = options.learn_from or ("pairs" if options.noisy else "clean")
    if (learn_from == "pairs") != bool(options.noisy):
        raise InputError("learning from pairs needs the clean images as SOURCE and the noisy ones with --noisy")
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
        return NoisyImages(large.images, seed), large.files, large.errors
    return CleanImages(loaded.images, noise, seed), loaded.files, loaded.errors


def follow(job: TrainingJob, progress: str, stop_asked: Callable[[], bool]) -> bool:
    """Train and show the progress; return False if the training was stopped."""
    if progress == "bar":
        tell(LOADING_TENSORFLOW)
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


class TrainingDisplay:
    """Show reports as a progress bar and lines, as JSON lines, or not at all."""

    def __init__(self, progress: str) -> None:
        self.progress = progress
        self.bar: tqdm | None = None

    def __call__(self, report: TrainingReport) -> None:
        """Show one report."""
        if self.progress == "jsonl":
            echo_while_read(to_line(report))
        elif is_quiet():
            return
        elif isinstance(report, TrainingStarted) and self.progress == "bar":
            self.bar = progress_bar(PER_MILLE, "‰")
            self.bar.write(str(report))
        elif self.bar is not None and isinstance(report, StepDone):
            self.bar.set_description(f"epoch {report.epoch}, loss {report.loss:.4f}", refresh=False)
            self.bar.update(round(PER_MILLE * report.fraction) - self.bar.n)
        elif self.bar is not None:
            self.bar.write(str(report))

    def close(self) -> None:
        """Close the progress bar."""
        if self.bar is not None:
            self.bar.close()
