"""Texts about a training, made from its reports."""

from __future__ import annotations

import math
from pathlib import Path

from napari_dental_denoise.training import StepDone, TrainingFinished, TrainingStarted

# Smaller differences are chance, and would be told as 0.0 dB.
MIN_GAIN_DB = 0.05


def start_name(started: TrainingStarted) -> str:
    """Return the name of the model with the first weights."""
    return Path(started.started_from).stem if started.started_from else "random weights"


def gain_text(started: TrainingStarted | None, best_psnr: float) -> str:
    """Return how the best model compares with the one it began with; empty if it is unknown, or began with none."""
    if started is None or not math.isfinite(best_psnr - started.first_psnr):
        return ""
    name, gain = start_name(started), best_psnr - started.first_psnr
    if gain < MIN_GAIN_DB:
        return f"no better than {name}: train longer, or keep {name}"
    return f"better than {name} by {gain:.1f} dB on your validation images"


def step_text(report: StepDone) -> str:
    """Return where a training is, and the time left."""
    left = f", {_duration(report.eta)} left" if math.isfinite(report.eta) else ""
    return f"Epoch {report.epoch}, step {report.step} of {report.steps}, loss {report.loss:.4f}{left}"


def finished_text(report: TrainingFinished, started: TrainingStarted | None) -> str:
    """Return the result of a training."""
    best = f"epoch {report.best_epoch}" if report.best_epoch else "the model it started from"
    against = ", against noisy images" if started is not None and started.reference == "noisy" else ""
    score = f"Done: {report.best_psnr:.2f} dB, SSIM {report.best_ssim:.3f} ({best}){against}"
    return _joined(score, gain_text(started, report.best_psnr))


def stopped_text(*, has_model: bool, started: TrainingStarted | None, best_psnr: float) -> str:
    """Return what a stopped training has left behind."""
    if not has_model:
        return "Stopped; no model was written"
    return _joined("Stopped; the best model so far has been saved", gain_text(started, best_psnr))


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
