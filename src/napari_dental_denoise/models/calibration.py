"""Width of an error map within which a given share of the pixels lies, measured for several kinds of noise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import GREY_LEVELS, PERCENT, SHARES, USUAL_SHARE
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.progress import decimal

Image = NDArray[np.float32]
# Bounds of the cells. The level is the deviation of the removed noise on [0, 1]; the correlation that of neighbouring
# pixels: of white noise, of slightly blurred noise, and of blurred noise.
LEVELS = (0.0, 3 / GREY_LEVELS, 15 / GREY_LEVELS, 120 / GREY_LEVELS)
CORRELATIONS = (-0.5, 0.25, 0.7, 0.98)
# A cell with fewer images says little by itself: it has the factors of all.
MIN_IMAGES = 3
FACTOR_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Cell:
    """Kinds of noise with bounds of level and correlation, and the factors from expected errors to intervals.

    Attributes
    ----------
    level, correlation : (float, float)
        See `describe_noise`.
    images : int
        Number of noisy images that the factors come from.
    factors : sequence of float
        One for each of `SHARES`.
    within : float or None
        Share of the pixels of an image within the interval of the usual share, if the factor comes from the other
        images: mean over the images; None for fewer than three.
    """

    level: tuple[float, float]
    correlation: tuple[float, float]
    images: int
    factors: Sequence[float]
    within: float | None = None

    def holds(self, level: float, correlation: float) -> bool:
        """Return whether such noise belongs to the cell."""
        return self.level[0] <= level < self.level[1] and self.correlation[0] <= correlation < self.correlation[1]


@dataclass(frozen=True, slots=True)
class Draw:
    """Removed noise of a validation image, and its errors as multiples of the expected ones."""

    level: float
    correlation: float
    ratios: Image


def describe_noise(noise: Image) -> tuple[float, float]:
    """Return the standard deviation of noise (H, W), and the correlation of neighbouring pixels, 0 of no noise.

    NaN stands for pixels that do not count.
    """
    known = np.isfinite(noise)
    centred = np.where(known, noise - np.mean(noise, where=known, dtype=np.float64), 0)
    variance = float(np.mean(centred**2, where=known)) if known.any() else 0.0
    pairs = ((centred[:, 1:], centred[:, :-1]), (centred[1:], centred[:-1]))
    both_known = (known[:, 1:] & known[:, :-1], known[1:] & known[:-1])
    count = sum(int(np.count_nonzero(both)) for both in both_known)
    if variance == 0 or count == 0:
        return math.sqrt(variance), 0.0
    # Outside, the product is 0.
    products = sum(float(np.sum(one * other)) for one, other in pairs)
    return math.sqrt(variance), products / (count * variance)


def calibrate(draws: Sequence[Draw]) -> dict[str, Any]:
    """Return the calibration for the card of a model: cells for all kinds of noise that were drawn.

    Factors are quantiles of the ratios, as in split-conformal prediction [1]_: the share of the pixels within the
    interval is right on average over images like these.

    References
    ----------
    .. [1] A. N. Angelopoulos et al., "Image-to-image regression with distribution-free uncertainty quantification and
       applications in imaging", ICML 2022.
    """
    described = [(draw, np.quantile(draw.ratios, np.linspace(0, 1, 1001))) for draw in draws]
    cells = []
    for level, correlation in product(pairwise(LEVELS), pairwise(CORRELATIONS)):
        cell = Cell(level, correlation, 0, ())
        here = [(draw.ratios, each) for draw, each in described if cell.holds(draw.level, draw.correlation)]
        if here:
            enough = len(here) >= MIN_IMAGES
            factors = _factors([each for _, each in (here if enough else described)])
            within = _within_of_others(*zip(*here, strict=True)) if enough else None
            cells.append(asdict(Cell(level, correlation, len(here), factors, within)))
    return {"shares": list(SHARES), "cells": cells}


def _factors(quantiles: Sequence[Image]) -> list[float]:
    """Return the factors from the quantiles of the ratios of each image, so that each weighs the same."""
    return [round(float(factor), FACTOR_DIGITS) for factor in np.quantile(np.concatenate(quantiles), SHARES)]


def _within_of_others(ratios: Sequence[Image], quantiles: Sequence[Image]) -> float:
    """Return the mean share of the pixels of an image within the interval that the other images give."""
    usual = SHARES.index(USUAL_SHARE)
    shares = [
        np.mean(one <= _factors([*quantiles[:number], *quantiles[number + 1 :]])[usual])
        for number, one in enumerate(ratios)
    ]
    return round(float(np.mean(shares)), FACTOR_DIGITS)


def interval_factor(calibration: Mapping[str, Any], noise: Image, share: float) -> float:
    """Return the factor for a share of `SHARES` of the pixels of an image that `noise` (H, W) was removed from.

    Raise InputError if there was no such noise among what the model was calibrated for.
    """
    level, correlation = describe_noise(noise)
    for cell in map(_cell, calibration["cells"]):
        if cell.holds(level, correlation):
            return cell.factors[SHARES.index(share)]
    raise InputError(
        "the error map of this model was not calibrated for noise of "
        f"{decimal(level * GREY_LEVELS, 2)} grey levels of 8 bit "
        f"with a correlation of {correlation:.2f} between neighbouring pixels: no interval can be told"
    )


def describe_calibration(calibration: Mapping[str, Any]) -> str:
    """Return in words whether a model has an error map, and how it was calibrated."""
    if not calibration:
        return "none"
    cells = list(map(_cell, calibration["cells"]))
    shares = ", ".join(f"{PERCENT * share:g} %" for share in SHARES)
    images = sum(cell.images for cell in cells)
    told = f"for {shares} of the pixels; calibrated with {images} noisy images of {len(cells)} kinds of noise"
    within = [cell.within for cell in cells if cell.within is not None]
    if not within:
        return told
    lowest, highest = PERCENT * min(within), PERCENT * max(within)
    return f"{told}; of images left out, {lowest:.0f} to {highest:.0f} % of the pixels are within 90 %"


def is_calibration(value: object) -> bool:
    """Return whether a value of a card is a calibration: an empty mapping, or shares and cells of plausible numbers."""
    if not isinstance(value, Mapping):
        return False
    try:
        cells = list(map(_cell, value["cells"])) if value else []
        return not value or (tuple(value["shares"]) == SHARES and bool(cells) and all(map(_is_plausible, cells)))
    except (LookupError, TypeError, ValueError, OverflowError):
        return False


def _cell(value: Mapping[str, Any]) -> Cell:
    level, correlation = ((float(value[name][0]), float(value[name][1])) for name in ("level", "correlation"))
    within = value.get("within")
    factors = [float(factor) for factor in value["factors"]]
    return Cell(level, correlation, int(value["images"]), factors, None if within is None else float(within))


def _is_plausible(cell: Cell) -> bool:
    numbers = (*cell.level, *cell.correlation, *cell.factors, cell.within or 0)
    return (
        len(cell.factors) == len(SHARES)
        and all(map(math.isfinite, numbers))
        and list(cell.factors) == sorted(cell.factors)
        and cell.factors[0] >= 0
        and cell.images >= 1
        and cell.level[0] < cell.level[1]
        and cell.correlation[0] < cell.correlation[1]
        and 0 <= (cell.within or 0) <= 1
    )
