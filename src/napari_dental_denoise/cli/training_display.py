"""Shows a training as a bar and lines, as JSON lines, or not at all."""

from __future__ import annotations

import math

from tqdm import tqdm

from napari_dental_denoise.cli.console import minutes_and_seconds, progress_bar, say
from napari_dental_denoise.training import (
    EpochDone,
    StepDone,
    TrainingFinished,
    TrainingReport,
    TrainingStarted,
    to_line,
)

PER_MILLE = 1000
NOISY_REFERENCE = (
    "no clean image to measure with: the dB below are against images with noise and only tell better from worse; "
    "noisy images"
)


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
            bar.write(last_line(report))

    def close(self) -> None:
        """Leave the terminal in order."""
        if self.bar is not None:
            self.bar.close()


def start_line(report: TrainingStarted) -> str:
    """What will happen."""
    length = f"{report.minutes:g} minutes" if report.minutes is not None else f"{report.epochs} epochs"
    again = f", going on after epoch {report.epoch}" if report.epoch else ""
    measured = "validation images with noise" if report.reference == "clean" else NOISY_REFERENCE
    return (
        f"{report.training_images} images to learn from, {report.validation_images} to validate with; {length} of "
        f"{report.patches_per_epoch} patches of {report.patch_size}x{report.patch_size} pixels an epoch; "
        f"{report.parameters / 1e6:.2f} million weights, {report.precision}, on {report.device}{again}\n"
        f"{measured}: {report.noisy_psnr:.2f} dB, SSIM {report.noisy_ssim:.3f}; {first_line(report)}"
    )


def first_line(report: TrainingStarted) -> str:
    """What the training begins with."""
    if report.started_from is None:
        return "starting from random weights"
    score = "" if math.isnan(report.first_psnr) else f", which reaches {report.first_psnr:.2f} dB"
    return f"started from {report.started_from}{score}"


def last_line(report: TrainingFinished) -> str:
    """What the training brought."""
    best = f"best: epoch {report.best_epoch}" if report.best_epoch else "nothing better was learned than it began with"
    return (
        f"done in {minutes_and_seconds(report.elapsed)}; {best}, {report.best_psnr:.2f} dB, SSIM {report.best_ssim:.3f}"
    )


def epoch_line(report: EpochDone) -> str:
    """What an epoch brought."""
    mark = "  best so far" if report.best else ""
    return (
        f"epoch {report.epoch:4}  loss {report.loss:.5f}  validation {report.psnr:.2f} dB, SSIM {report.ssim:.3f}  "
        f"{minutes_and_seconds(report.elapsed)} gone, {minutes_and_seconds(report.eta)} to go{mark}"
    )
