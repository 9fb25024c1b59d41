"""Figure of a result: clean, noisy, denoised and the difference, side by side."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_dental_denoise.errors import InputError, needed_for
from napari_dental_denoise.evaluation.metrics import psnr, ssim_or_nan
from napari_dental_denoise.files import write_bytes
from napari_dental_denoise.pixels import Unit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DIFFERENCE_RANGE = 0.1
COLUMN_INCHES = 3.6
CAPTION_INCHES = 0.5
DOTS_PER_INCH = 130
FIGURE_SUFFIXES = (".png", ".pdf", ".svg", ".jpg")


@dataclass(frozen=True)
class Comparison:
    """Three images (H, W) of one radiograph, on [0, 1]."""

    clean: Unit
    noisy: Unit
    denoised: Unit


def comparison_figure(comparisons: Sequence[Comparison]) -> Figure:
    """Draw a row for each radiograph: clean, noisy and denoised with PSNR and SSIM, and denoised minus clean."""
    heights = [COLUMN_INCHES * item.clean.shape[0] / item.clean.shape[1] + CAPTION_INCHES for item in comparisons]
    figure = new_figure(4 * COLUMN_INCHES + 0.6, sum(heights))
    axes = figure.subplots(len(comparisons), 4, squeeze=False, height_ratios=heights)
    for row, item in zip(axes, comparisons, strict=True):
        pictures = (
            ("clean", item.clean, " "),
            ("noisy", item.noisy, _scores(item.clean, item.noisy)),
            ("denoised", item.denoised, _scores(item.clean, item.denoised)),
        )
        for axis, (title, image, caption) in zip(row[:3], pictures, strict=True):
            axis.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            axis.set(title=title, xlabel=caption, xticks=[], yticks=[])
        shades = {"cmap": "RdBu_r", "vmin": -DIFFERENCE_RANGE, "vmax": DIFFERENCE_RANGE}
        difference = row[3].imshow(item.denoised - item.clean, **shades, interpolation="nearest")
        row[3].set(title="denoised - clean", xlabel="of the full range", xticks=[], yticks=[])
        figure.colorbar(difference, ax=row[3], shrink=0.85, format="%+.2g")
    return figure


def new_figure(width: float, height: float) -> Figure:
    """Return an empty white figure of a size in inches; raise InputError without matplotlib."""
    with needed_for("figures", "matplotlib"):
        from matplotlib.figure import Figure
    return Figure((width, height), layout="constrained", facecolor="white")


def _scores(clean: Unit, image: Unit) -> str:
    shown = np.clip(image, 0, 1)
    level, structure = psnr(clean, shown, data_range=1.0), ssim_or_nan(clean, shown, data_range=1.0)
    return f"{level:.2f} dB" + ("" if math.isnan(structure) else f"    SSIM {structure:.3f}")


def check_figure_name(path: Path) -> None:
    """Raise InputError unless the suffix of the path is that of a figure, and figures can be drawn."""
    new_figure(1, 1)
    if path.suffix.lower() not in FIGURE_SUFFIXES:
        raise InputError(f"{path.name}: expected a name with the suffix {', '.join(FIGURE_SUFFIXES)}")


def save_figure(figure: Figure, path: Path, *, overwrite: bool) -> None:
    """Write a figure as PNG, PDF, SVG or JPEG, by the suffix of the path, atomically."""
    check_figure_name(path)
    data = io.BytesIO()
    figure.savefig(data, format=path.suffix.lower()[1:], dpi=DOTS_PER_INCH)
    write_bytes(path, data.getvalue(), overwrite=overwrite)
