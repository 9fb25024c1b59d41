"""Dose: the exposure at which a noisy image would show as much as a denoised one.

The detectability of a detail in quantum noise grows with the exposure, because the noise falls with its square root.
Where denoising changes the detectability, it acts like another exposure.

References
----------
.. [1] ICRU Report 54, "Medical imaging - the assessment of image quality", 1996.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.detail.observers import Scores
from napari_dental_denoise.detail.roc import RESAMPLES, Estimate, detectability, interval, resampled

Array = NDArray[np.float64]

# Relative to that of the noise under test.
EXPOSURES = (1 / 16, 1 / 4, 1.0, 4.0)


def equivalent_exposure(
    noisy: Sequence[Scores], denoised: Scores, rng: np.random.Generator, exposures: Sequence[float] = EXPOSURES
) -> Estimate:
    """Return how many times the exposure a noisy image needs to show as much as the denoised one.

    The detectability of the noisy images is interpolated over the exposure, both in logarithms, and extrapolated beyond
    the exposures by the slope of the outer two. Below 1, denoising costs detectability.

    Parameters
    ----------
    noisy : sequence of Scores
        Of the noisy images at each exposure; samples of one index share their background.
    denoised : Scores
        Of the denoised images at exposure 1, on the same backgrounds.
    rng : numpy.random.Generator
    exposures : sequence of float

    Returns
    -------
    Estimate
        0 where nothing is found in the denoised image; NaN where the detectability does not grow with the exposure.
    """
    count = len(denoised.absent)
    drawn = rng.integers(count, size=(RESAMPLES, count))
    value = _solve(np.array([detectability(scores) for scores in noisy]), detectability(denoised), exposures)
    replicates = _solve(
        np.array([detectability(resampled(scores, drawn)) for scores in noisy]),
        detectability(resampled(denoised, drawn)),
        exposures,
    )
    return interval(float(value), replicates)


def _solve(noisy: Array, denoised: Array, exposures: Sequence[float]) -> Array:
    """Return the exposure at which detectability `noisy` (E, ...) is `denoised` (...)."""
    logarithms = np.log(exposures)
    exposure = np.full(denoised.shape, np.nan)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        values, target = np.log(noisy), np.log(denoised)
        for segment, (start, stop) in enumerate(pairwise(logarithms)):
            below, above = values[segment], values[segment + 1]
            solved = np.exp(start + (target - below) * (stop - start) / (above - below))
            is_inside = ((target >= below) | (segment == 0)) & ((target <= above) | (segment == len(exposures) - 2))
            exposure = np.where(is_inside & (above > below) & np.isfinite(solved), solved, exposure)
    return np.where(denoised <= 0, 0.0, exposure)
