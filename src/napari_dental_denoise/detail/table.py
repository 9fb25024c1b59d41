"""Format an assessment as text, CSV or JSON."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from napari_dental_denoise.config import GREY_LEVELS
from napari_dental_denoise.detail.bench import FOUND, middle_contrast
from napari_dental_denoise.detail.results import Assessment, DetailScore, DoseCurve, Found, Texture, Threshold
from napari_dental_denoise.detail.roc import Estimate
from napari_dental_denoise.evaluation import NOISY
from napari_dental_denoise.models import to_json

EXPLANATION = f"""\
kept: share of the detail's contrast that comes through, 1 is all of it
CHO, NPWE: area under the ROC curve of an ideal-like and of an eye-like observer; 0.5 is guessing, 1 never errs
found: smallest contrast, in grey levels, at which CHO reaches {FOUND:g}
exposure: how many times the exposure a noisy image needs to show as much; below 1, denoising costs detail
[ ]: 95 % confidence interval"""


def as_text(assessment: Assessment) -> str:
    """Return aligned columns, one block for each noise."""
    lines: list[str] = []
    for noise in dict.fromkeys(score.noise for score in assessment.scores):
        lines += _details(noise, assessment)
        lines += _exposures([dose for dose in assessment.doses if dose.noise == noise])
        lines.append("")
    return "\n".join([*lines, EXPLANATION]) + "\n"


def _details(noise: str, assessment: Assessment) -> list[str]:
    scores = _middle_contrasts([score for score in assessment.scores if score.noise == noise])
    found = {(each.method, each.size): each for each in assessment.thresholds if each.noise == noise}
    width = max(len(score.method) for score in scores)
    tried: dict[float, list[float]] = {}
    for score in assessment.scores:
        if score.noise == noise:
            tried.setdefault(score.detail.size, []).append(abs(score.detail.contrast))
    lines = [f"{noise} ({scores[0].samples} backgrounds, {scores[0].detail.signal})"]
    lines.append(
        f"  {'size px':>7}  {'levels':>6}  {'method':<{width}}  {'PSNR dB':>7}"
        f"  {'kept':<17}  {'CHO':<20}  {'NPWE':<20}  found"
    )
    lines.extend(
        f"  {score.detail.size:7g}  {score.detail.contrast * GREY_LEVELS:6.1f}  {score.method:<{width}}"
        f"  {score.psnr:7.2f}  {_short(score.found.kept):<17}  {score.found.cho!s:<20}  {score.found.npwe!s:<20}"
        f"  {_found(found[score.method, score.detail.size], tried[score.detail.size])}"
        for score in sorted(scores, key=lambda score: score.detail.size)
    )
    return lines


def _middle_contrasts(scores: list[DetailScore]) -> list[DetailScore]:
    """Return the scores of the middle contrast of each size; those of the others are in CSV and JSON."""
    details = dict.fromkeys(score.detail for score in scores)
    sizes = dict.fromkeys(detail.size for detail in details)
    shown = {middle_contrast([detail for detail in details if detail.size == size]) for size in sizes}
    return [score for score in scores if score.detail in shown]


def _exposures(doses: list[DoseCurve]) -> list[str]:
    width = max((len(dose.method) for dose in doses), default=0)
    return [
        f"  exposure, {dose.observer} observer, {dose.method:<{width}}  {_short(dose.equivalent)}"
        f"  ({dose.detail.size:g} px, {dose.detail.contrast * GREY_LEVELS:.1f} levels)"
        for dose in doses
        if dose.method != NOISY
    ]


def _short(estimate: Estimate) -> str:
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def _found(threshold: Threshold, tried: list[float]) -> str:
    """Return the smallest contrast found, with a mark where it lies outside of those tried."""
    value, low, high = (GREY_LEVELS * limit for limit in threshold.contrast)
    if math.isnan(value):
        return f"> {GREY_LEVELS * max(tried):.1f}"
    mark = "<= " if threshold.contrast.value <= min(tried) else ""
    return f"{mark}{value:.1f} [{low:.1f}, {'?' if math.isnan(high) else f'{high:.1f}'}]"


def _row(score: DetailScore) -> dict[str, Any]:
    estimates = {
        f"{name}{suffix}": getattr(getattr(score.found, name), part)
        for name in Found._fields
        for suffix, part in (("", "value"), ("_low", "low"), ("_high", "high"))
    }
    return {
        "noise": score.noise,
        "method": score.method,
        **asdict(score.detail),
        "samples": score.samples,
        "psnr": score.psnr,
        **estimates,
    }


def as_csv(assessment: Assessment) -> str:
    """Return a header and a line for each noise, method and detail."""
    rows = [_row(score) for score in assessment.scores]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_json(assessment: Assessment) -> str:
    """Return all results; numbers that are not finite become null."""
    content = {
        "details": [_row(score) for score in assessment.scores],
        "smallest_contrasts": [asdict(each) for each in assessment.thresholds],
        "dose": [asdict(each) for each in assessment.doses],
        "mtf": [
            {
                "noise": each.noise,
                "method": each.method,
                "contrast": each.contrast,
                "frequencies": each.mtf.frequencies.tolist(),
                "values": each.mtf.values.tolist(),
            }
            for each in assessment.sharpness
        ],
        "noise_power_spectra": [_texture(each) for each in assessment.textures],
    }
    return to_json(_plain(content), indent=2) + "\n"


def _texture(texture: Texture) -> dict[str, Any]:
    return {
        "noise": texture.noise,
        "method": texture.method,
        "part": texture.part,
        "frequencies": texture.spectrum.frequencies.tolist(),
        "power": texture.spectrum.radial.tolist(),
    }


def _plain(value: Any) -> Any:
    """Return named tuples as objects, for JSON knows lists only."""
    if isinstance(value, Estimate):
        return value._asdict()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


DETAIL_FORMATS: Mapping[str, Callable[[Assessment], str]] = MappingProxyType(
    {"text": as_text, "csv": as_csv, "json": as_json}
)
