"""Area under the ROC curve, detectability, and confidence intervals by the bootstrap.

References
----------
.. [1] B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", Chapman & Hall, 1993.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from napari_dental_denoise.detail.observers import Scores

Array = NDArray[np.float64]

CONFIDENCE = 0.95
RESAMPLES = 1000


class Estimate(NamedTuple):
    """A value and the limits of its 95 % confidence interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def area_under_roc(scores: Scores) -> Array:
    """Return the probability that an image with the signal scores higher than one without; 0.5 is guessing.

    The Mann-Whitney statistic, in which ties count half; of scores (..., N), along the last axis.
    """
    negatives, positives = scores.absent.shape[-1], scores.present.shape[-1]
    ranks = rankdata(np.concatenate(scores, axis=-1), axis=-1)
    excess = ranks[..., negatives:].sum(axis=-1) - positives * (positives + 1) / 2
    return np.asarray(excess / (negatives * positives))


def detectability(scores: Scores) -> Array:
    """Return d': the distance of the mean scores in standard deviations; of scores (..., N), along the last axis.

    NaN where all scores are equal.
    """
    variance = (scores.absent.var(axis=-1, ddof=1) + scores.present.var(axis=-1, ddof=1)) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((scores.present.mean(axis=-1) - scores.absent.mean(axis=-1)) / np.sqrt(variance))


def resampled(scores: Scores, drawn: NDArray[np.intp]) -> Scores:
    """Return bootstrap samples (R, N); images of one index share their background and are drawn as a pair."""
    return Scores(scores.absent[drawn], scores.present[drawn])


def bootstrap(
    statistic: Callable[[Scores], Array], scores: Scores, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Estimate:
    """Return a statistic of scores with its percentile interval [1]_."""
    drawn = rng.integers(len(scores.absent), size=(resamples, len(scores.absent)))
    return interval(float(statistic(scores)), statistic(resampled(scores, drawn)))


def bootstrap_mean(values: Array, rng: np.random.Generator, resamples: int = RESAMPLES) -> Estimate:
    """Return the mean of values (N,) with its percentile interval [1]_."""
    drawn = rng.integers(len(values), size=(resamples, len(values)))
    return interval(float(values.mean()), values[drawn].mean(axis=1))


def interval(value: float, replicates: Array) -> Estimate:
    """Return a value with the interval that holds the middle 95 % of its replicates."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(replicates, [tail, 1 - tail]) if np.isfinite(replicates).any() else (np.nan, np.nan)
    return Estimate(value, float(low), float(high))
