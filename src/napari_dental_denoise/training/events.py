"""Reports of a running training, and their form as JSON lines."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from typing import Any, ClassVar

from napari_dental_denoise.models import to_json
from napari_dental_denoise.progress import counted

NOISY_REFERENCE = "the references are noisy themselves, which caps the PSNR that any method can reach; "


def duration(seconds: float) -> str:
    """Return a duration as hours, minutes and seconds."""
    return str(timedelta(seconds=int(seconds)))


@dataclass(frozen=True, slots=True)
class TrainingStarted:
    """Report before the first step.

    `started_from` names the model file with the first weights; `first_psnr` is its PSNR in dB, NaN without one. PSNR
    and SSIM are measured against images of the kind `reference`, "clean" or "noisy".
    """

    event: ClassVar[str] = "started"
    training_images: int
    validation_images: int
    patches_per_epoch: int
    patch_size: int
    parameters: int
    device: str
    precision: str
    epoch: int
    epochs: int | None
    minutes: float | None
    noisy_psnr: float
    noisy_ssim: float
    reference: str
    started_from: str | None
    first_psnr: float

    def __str__(self) -> str:
        length = counted(self.epochs or 0, "epoch") if self.minutes is None else counted(self.minutes, "minute")
        resumed = f", resuming after epoch {self.epoch}" if self.epoch else ""
        score = "" if math.isnan(self.first_psnr) else f" ({self.first_psnr:.2f} dB)"
        images = counted(self.training_images, "image")
        return (
            f"{images} for training, {self.validation_images} for validation; {length}; "
            f"{self.patches_per_epoch} patches of {self.patch_size}x{self.patch_size} pixels per epoch; "
            f"{self.parameters / 1e6:.2f} million weights, {self.precision}, on {self.device}{resumed}\n"
            f"{NOISY_REFERENCE if self.reference == 'noisy' else ''}noisy validation images: {self.noisy_psnr:.2f} dB, "
            f"SSIM {self.noisy_ssim:.3f}; starting from {self.started_from or 'random weights'}{score}"
        )


@dataclass(frozen=True, slots=True)
class StepDone:
    """Report after a step; `fraction` of the training is done, `eta` and `elapsed` are seconds."""

    event: ClassVar[str] = "step"
    epoch: int
    step: int
    steps: int
    loss: float
    fraction: float
    elapsed: float
    eta: float


@dataclass(frozen=True, slots=True)
class EpochDone:
    """Report after an epoch; if `best`, its model is the best so far. PSNR is in dB."""

    event: ClassVar[str] = "epoch"
    epoch: int
    loss: float
    psnr: float
    ssim: float
    best: bool
    best_psnr: float
    fraction: float
    elapsed: float
    eta: float

    def __str__(self) -> str:
        mark = "  best so far" if self.best else ""
        return (
            f"epoch {self.epoch:4}  loss {self.loss:.5f}  validation {self.psnr:.2f} dB, SSIM {self.ssim:.3f}  "
            f"{duration(self.elapsed)} elapsed, {duration(self.eta)} left{mark}"
        )


@dataclass(frozen=True, slots=True)
class TrainingFinished:
    """Report at the end; `model` is the file of the best epoch."""

    event: ClassVar[str] = "finished"
    model: str
    epochs: int
    best_epoch: int
    best_psnr: float
    best_ssim: float
    elapsed: float

    def __str__(self) -> str:
        best = f"best: epoch {self.best_epoch}" if self.best_epoch else "no epoch was better than the first weights"
        return f"done in {duration(self.elapsed)}; {best}, {self.best_psnr:.2f} dB, SSIM {self.best_ssim:.3f}"


TrainingReport = TrainingStarted | StepDone | EpochDone | TrainingFinished


def to_line(report: TrainingReport) -> str:
    """Return a report as a JSON object in one line; numbers that are not finite become null."""
    return to_json({"event": report.event, **asdict(report)})


def from_line(line: str) -> TrainingReport:
    """Return the report that `to_line` wrote; raise ValueError if the line is no report."""
    values: Mapping[str, Any] = json.loads(line)
    kinds = {kind.event: kind for kind in (TrainingStarted, StepDone, EpochDone, TrainingFinished)}
    kind = kinds.get(values.get("event", ""))
    if kind is None:
        raise ValueError(f"expected a report of {', '.join(kinds)}; received {line!r}")
    given: dict[str, Any] = {key: value for key, value in values.items() if key != "event"}
    for item in fields(kind):
        if item.type == "float" and given.get(item.name) is None:
            given[item.name] = math.nan
    return kind(**given)
