"""Figures: the curves of an assessment, and a detail map over its image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_dental_denoise.config import GREY_LEVELS, PERCENT
from napari_dental_denoise.detail.bench import FOUND
from napari_dental_denoise.detail.dose import EXPOSURES
from napari_dental_denoise.detail.results import Assessment
from napari_dental_denoise.detail.survival import DetailMap
from napari_dental_denoise.evaluation import NOISY, new_figure
from napari_dental_denoise.pixels import Unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL_INCHES = 3.6
# From nothing kept to all of it, readable over grey and for colour-blind readers.
MAP_COLORS = "plasma"
MAP_OPACITY = 0.45


def assessment_figure(assessment: Assessment) -> Figure:
    """Draw a row for each noise: contrast-detail curves, MTF, noise power spectra, and d' against exposure."""
    noises = list(dict.fromkeys(score.noise for score in assessment.scores))
    methods = list(dict.fromkeys(score.method for score in assessment.scores))
    colors = {method: "black" if method == NOISY else f"C{number % 10}" for number, method in enumerate(methods)}
    figure = new_figure(4 * PANEL_INCHES, len(noises) * PANEL_INCHES + 0.4)
    rows = figure.subplots(len(noises), 4, squeeze=False)
    for noise, row in zip(noises, rows, strict=True):
        row[0].annotate(noise, (0, 1.14), xycoords="axes fraction", fontweight="bold")
        for axes, draw in zip(row, (_contrast_detail, _sharpness, _spectra, _dose), strict=True):
            draw(axes, assessment, noise, colors)
            axes.grid(alpha=0.3)
            axes.spines[["top", "right"]].set_visible(False)
    handles, labels = rows[0][3].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 6), frameon=False)
    return figure


def _contrast_detail(axes: Axes, assessment: Assessment, noise: str, colors: dict[str, str]) -> None:
    for method, color in colors.items():
        found = [each for each in assessment.thresholds if (each.noise, each.method) == (noise, method)]
        sizes = [each.size for each in found]
        value, low, high = (
            [GREY_LEVELS * getattr(each.contrast, name) for each in found] for name in ("value", "low", "high")
        )
        axes.plot(sizes, value, "o-", color=color)
        axes.fill_between(sizes, low, high, color=color, alpha=0.12, linewidth=0)
    axes.set(xscale="log", xlabel="size, pixels", ylabel="smallest contrast found, grey levels")
    if np.isfinite(axes.dataLim.y1) and axes.dataLim.y1 > 0:
        axes.set_yscale("log")
    else:
        axes.text(0.5, 0.5, "none found", ha="center", transform=axes.transAxes)
    axes.set_xticks(sizes, [f"{size:g}" for size in sizes], minor=False)
    axes.set_xticks([], minor=True)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    axes.set_title(f"contrast-detail (CHO {FOUND:g}); lower is better", fontsize="medium")


def _sharpness(axes: Axes, assessment: Assessment, noise: str, colors: dict[str, str]) -> None:
    of_noise = [each for each in assessment.sharpness if each.noise == noise and each.method != NOISY]
    for each in of_noise:
        style = "-" if each.contrast == max(other.contrast for other in of_noise) else ":"
        axes.plot(each.mtf.frequencies, each.mtf.values, style, color=colors[each.method])
    axes.set(xlabel="cycles a pixel", ylabel="MTF", ylim=(0, 1.2), xlim=(0, 0.5))
    contrasts = sorted({each.contrast * GREY_LEVELS for each in of_noise})
    named = " and ".join(f"{contrast:.0f}" for contrast in reversed(contrasts))
    axes.set_title(f"sharpness of an edge of {named} levels", fontsize="medium")


def _spectra(axes: Axes, assessment: Assessment, noise: str, colors: dict[str, str]) -> None:
    for each in assessment.textures:
        if each.noise == noise:
            frequencies, power = each.spectrum.frequencies[1:], each.spectrum.radial[1:]
            axes.plot(frequencies, power, "-" if each.part == "left" else ":", color=colors[each.method])
    axes.set(xlabel="cycles a pixel", ylabel="noise power", yscale="log", xlim=(0, 0.5))
    axes.set_title("noise left (lines) and removed (dots)", fontsize="medium")


def _dose(axes: Axes, assessment: Assessment, noise: str, colors: dict[str, str]) -> None:
    for each in assessment.doses:
        if each.noise == noise:
            ideal = each.observer == "ideal-like"
            label = each.method if ideal else None
            axes.plot(
                each.exposures, each.detectability, "o-" if ideal else "s:", color=colors[each.method], label=label
            )
    axes.set(xscale="log", xlabel="relative exposure", ylabel="detectability d'", ylim=(0, None))
    axes.set_xticks(EXPOSURES, [f"{exposure:.3g}" for exposure in EXPOSURES])
    axes.set_xticks([], minor=True)
    axes.set_title("dose: ideal-like (lines), human-like (dots)", fontsize="medium")


def detail_map_figure(image: Unit, detail_map: DetailMap) -> Figure:
    """Draw an image with its detail map over it, a colour bar, and the sentence that tells it."""
    height, width = image.shape
    figure = new_figure(9, 8.2 * height / width + 0.9)
    axes = figure.subplots()
    axes.imshow(image, cmap="gray", vmin=0, vmax=1)
    shown = axes.imshow(
        PERCENT * np.clip(detail_map.share, 0, 1), cmap=MAP_COLORS, vmin=0, vmax=PERCENT, alpha=MAP_OPACITY
    )
    axes.set(xticks=[], yticks=[])
    axes.set_title(str(detail_map), fontsize="medium")
    figure.colorbar(shown, ax=axes, shrink=0.85, label="contrast kept, %")
    return figure
