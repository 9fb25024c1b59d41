"""What long work reports while it runs, and the same as lines for other programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

from napari_dental_denoise.models import to_json


@dataclass(frozen=True, slots=True)
class TrainingStarted:
    """Before the first step.

    Attributes
    ----------
    started_from : str or None
        Name of the model file whose weights are the first.
    first_psnr : float
        Of that model, in dB; NaN without one.
    reference : {"clean", "noisy"}
        What PSNR and SSIM are measured against.
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


@dataclass(frozen=True, slots=True)
class StepDone:
    """After one batch; `fraction` is of the whole training, `eta` and `elapsed` are seconds."""

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
    """After the validation; `best` says that the model was saved. PSNR is in dB."""

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


@dataclass(frozen=True, slots=True)
class TrainingFinished:
    """At the end; `model` is the file of the best epoch."""

    event: ClassVar[str] = "finished"
    model: str
    epochs: int
    best_epoch: int
    best_psnr: float
    best_ssim: float
    elapsed: float


TrainingReport = TrainingStarted | StepDone | EpochDone | TrainingFinished


def to_line(report: TrainingReport) -> str:
    """One JSON object without a line break; a number that is not finite becomes null."""
    return to_json({"event": report.event, **asdict(report)})


def from_line(line: str) -> TrainingReport:
    """Undo `to_line`.

    Raises
    ------
    ValueError
        If the line is no report.
    """
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
