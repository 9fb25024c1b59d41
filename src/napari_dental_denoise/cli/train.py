"""`train`: learn a model from a folder of images."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from napari_dental_denoise.cli.console import (
    EXIT_DONE,
    EXIT_SOME_LEFT_OUT,
    EXIT_STOPPED,
    PROGRAM,
    graceful_stop,
    minutes_and_seconds,
    progress_bar,
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
from napari_dental_denoise.core.config import NOISE, PRESETS, TRAINING, TrainingConfig
from napari_dental_denoise.core.errors import ImageReadError, InputError
from napari_dental_denoise.core.noise_kinds import NoiseRange
from napari_dental_denoise.core.progress import (
    EpochDone,
    StepDone,
    TrainingFinished,
    TrainingReport,
    TrainingStarted,
    to_line,
)

if TYPE_CHECKING:
    from napari_dental_denoise.unet.training_job import TrainingJob

PER_MILLE = 1000
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
Learn a model from clean images: noise is added anew to every random patch, at levels drawn from a
range, so that the model is blind to the level. With --noisy, learn from pairs of images instead.
The best model so far is kept in the model file; beside it lies a checkpoint for --resume.

  napari-dental-denoise train scans/ -o model.keras --minutes 20"""


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
        "--noisy",
        nargs="+",
        metavar="SOURCE",
        help="noisy images, each with the name of its clean one; no noise is added then",
    )
    parser.add_argument(
        "--preset",
        choices=list(PRESETS),
        default=TRAINING.preset,
        help=f"design of the network: fast, standard and best cost more and give more; classic is the textbook "
        f"U-Net; default {TRAINING.preset}",
    )
    _add_course(parser)
    add_noise_kind(parser, NOISE.training_kind)
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
        default=TRAINING.epochs,
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
        default=TRAINING.batch_size,
        help=f"patches in one step; default {TRAINING.batch_size}",
    )
    parser.add_argument(
        "--patch-size",
        type=positive,
        default=TRAINING.patch_size,
        help=f"side of a patch in pixels; default {TRAINING.patch_size}",
    )
    parser.add_argument(
        "--validation-split",
        type=number,
        default=TRAINING.validation_split,
        help=f"share of the files that is kept to validate with; default {TRAINING.validation_split}",
    )
    parser.add_argument(
        "--learning-rate",
        type=number,
        default=TRAINING.learning_rate,
        help=f"at the start; it falls to 0; default {TRAINING.learning_rate}",
    )


def _add_files(parser: argparse.ArgumentParser) -> None:
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--resume", action="store_true", help="go on with the training of the same model file")
    start.add_argument(
        "--start-from", type=Path, metavar="MODEL", help="begin with the weights of this model, of the same preset"
    )
    add_overwrite(parser)


def run(options: argparse.Namespace) -> int:
    """Train a model; the exit code."""
    job, errors = prepare(options)
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
    ranges = {name: (values[0], values[1]) for name, values in given_levels(options).items()}
    noise = NoiseRange(options.noise, ranges)
    config = TrainingConfig(**{name: getattr(options, name) for name in SETTINGS})
    from napari_dental_denoise.core.loading import load_images, match_by_name
    from napari_dental_denoise.unet.dataset import CleanImages, ImagePairs, split_indices
    from napari_dental_denoise.unet.training_job import TrainingJob

    clean = load_images(options.sources, options.rows)
    errors = clean.errors
    data: CleanImages | ImagePairs
    if options.noisy:
        if ranges:
            raise InputError(f"--noisy takes recorded noise: leave out --{' and --'.join(ranges)}")
        matched = match_by_name(load_images(options.noisy, options.rows), clean)
        errors = matched.errors
        data = ImagePairs(matched.noisy, matched.clean)
    else:
        data = CleanImages(clean.images, noise, config.seed)
    training, validation = split_indices(len(data.shapes), config.validation_split, config.seed)
    job = TrainingJob(
        data.select(training),
        data.select(validation),
        options.output,
        config,
        start_from=options.start_from,
        resume=options.resume,
        overwrite=options.overwrite,
        preview=options.preview,
    )
    return job, errors


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


class TrainingDisplay:
    """Shows reports as a bar and lines, as JSON lines, or not at all."""

    def __init__(self, progress: str) -> None:
        self.progress = progress
        self.bar: tqdm | None = None

    def __call__(self, report: TrainingReport) -> None:
        """Show one report."""
        if self.progress == "jsonl":
            say(to_line(report))
        elif isinstance(report, TrainingStarted) and self.progress == "bar":
            self.bar = progress_bar(PER_MILLE, "‰")
            self.bar.write(start_line(report))
        elif self.bar is not None:
            self._show(report, self.bar)

    def _show(self, report: TrainingReport, bar: tqdm) -> None:
        if isinstance(report, StepDone):
            bar.set_description(f"epoch {report.epoch}, loss {report.loss:.4f}", refresh=False)
            bar.update(round(PER_MILLE * report.fraction) - bar.n)
        elif isinstance(report, EpochDone):
            bar.write(epoch_line(report))
        elif isinstance(report, TrainingFinished):
            bar.write(
                f"done in {minutes_and_seconds(report.elapsed)}; best: epoch {report.best_epoch}, "
                f"{report.best_psnr:.2f} dB, SSIM {report.best_ssim:.3f}"
            )

    def close(self) -> None:
        """Leave the terminal in order."""
        if self.bar is not None:
            self.bar.close()


def start_line(report: TrainingStarted) -> str:
    """What will happen."""
    length = f"{report.minutes:g} minutes" if report.minutes is not None else f"{report.epochs} epochs"
    again = f", going on after epoch {report.epoch}" if report.epoch else ""
    return (
        f"{report.training_images} images to learn from, {report.validation_images} to validate with; {length} of "
        f"{report.patches_per_epoch} patches of {report.patch_size}x{report.patch_size} pixels an epoch; "
        f"{report.parameters / 1e6:.2f} million weights, {report.precision}, on {report.device}{again}\n"
        f"validation images with noise: {report.noisy_psnr:.2f} dB, SSIM {report.noisy_ssim:.3f}"
    )


def epoch_line(report: EpochDone) -> str:
    """What an epoch brought."""
    mark = "  best so far" if report.best else ""
    return (
        f"epoch {report.epoch:4}  loss {report.loss:.5f}  validation {report.psnr:.2f} dB, SSIM {report.ssim:.3f}  "
        f"{minutes_and_seconds(report.elapsed)} gone, {minutes_and_seconds(report.eta)} to go{mark}"
    )
