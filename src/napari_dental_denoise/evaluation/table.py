"""Format the rows of an evaluation as text, CSV or JSON."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from types import MappingProxyType

from napari_dental_denoise.config import ACCURACY_TOLERANCE
from napari_dental_denoise.evaluation.comparison import Row
from napari_dental_denoise.models import to_json
from napari_dental_denoise.progress import counted


def as_text(rows: Sequence[Row]) -> str:
    """Return aligned columns, one block for each noise."""
    lines: list[str] = []
    width = max((len(row.method) for row in rows), default=6)
    with_detail = any(math.isfinite(row.kept) for row in rows)
    for noise in dict.fromkeys(row.noise for row in rows):
        block = [row for row in rows if row.noise == noise]
        lines.append(f"{noise} ({counted(block[0].images, 'image')})")
        detail = f"  {'kept':>6}" * with_detail
        lines.append(f"  {'method':<{width}}  {'PSNR dB':>8}  {'SSIM':>6}  {'accuracy':>8}  {'s/image':>8}{detail}")
        for row in block:
            detail = f"  {row.kept:6.0%}" * with_detail
            scores = f"{row.psnr:8.2f}  {row.ssim:6.3f}  {row.accuracy:8.3f}  {row.seconds:8.3f}{detail}"
            lines.append(f"  {row.method:<{width}}  {scores}")
        lines.append("")
    if with_detail:
        lines.append("kept: share of the contrast of faint spots that comes through; see docs/detail.md")
    lines.append(f"accuracy: share of the pixels within {ACCURACY_TOLERANCE:g} of the clean image, on [0, 1]")
    return "\n".join(lines) + "\n"


def as_csv(rows: Sequence[Row]) -> str:
    """Return a header and a line for each row."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [item.name for item in fields(Row)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    return text.getvalue()


def as_json(rows: Sequence[Row]) -> str:
    """Return a list of objects; scores that are not finite become null."""
    return to_json([asdict(row) for row in rows], indent=2) + "\n"


TABLE_FORMATS: Mapping[str, Callable[[Sequence[Row]], str]] = MappingProxyType(
    {"text": as_text, "csv": as_csv, "json": as_json}
)
