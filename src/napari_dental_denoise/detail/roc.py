"""Area under the ROC curve, detectability, and confidence intervals by the bootstrap.

References
----------
.. [1] B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", Chapman & Hall, 1993.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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


def area_under_roc(scores: Scores) -> float:
    """Return the probability that an image with the signal scores higher than one without; 0.5 is guessing.

    The Mann-Whitney statistic, in which ties count half. Images of one index share background and noise, so that they
    are not compared with each other.
    """
    wins, pairs = _comparisons(scores)
    return float(wins.sum() / pairs.sum())


def bootstrap_area(scores: Scores, rng: np.random.Generator, resamples: int = RESAMPLES) -> Estimate:
    """Return the area under the ROC curve with its percentile interval [1]_; images of one index are drawn together."""
    wins, pairs = _comparisons(scores)
    count = len(scores.absent)
    # How often each index is drawn.
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=resamples).astype(np.float64)
    with np.errstate(invalid="ignore"):
        # NaN where one index is drawn throughout.
        areas = ((drawn @ wins) * drawn).sum(axis=1) / ((drawn @ pairs) * drawn).sum(axis=1)
    return interval(area_under_roc(scores), areas)


def _comparisons(scores: Scores) -> tuple[Array, Array]:
    """Return for each pair of indices whether the signal scores higher, and whether the two are compared."""
    absent, present = scores.absent[:, np.newaxis], scores.present[np.newaxis]
    pairs = 1 - np.eye(len(scores.absent))
    return ((present > absent) + 0.5 * (present == absent)) * pairs, pairs


def detectability(scores: Scores) -> Array:
    """Return d': the distance of the mean scores in standard deviations; of scores (..., N), along the last axis.

    NaN where all scores are equal.
    """
    variance = (scores.absent.var(axis=-1, ddof=1) + scores.present.var(axis=-1, ddof=1)) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((scores.present.mean(axis=-1) - scores.absent.mean(axis=-1)) / np.sqrt(variance))


def resampled(scores: Scores, drawn: NDArray[np.intp]) -> Scores:
    """Return bootstrap samples (R, N); images of one index are drawn together."""
    return Scores(scores.absent[drawn], scores.present[drawn])


def bootstrap_detectability(scores: Scores, rng: np.random.Generator, resamples: int = RESAMPLES) -> Estimate:
    """Return d' with its percentile interval [1]_; images of one index are drawn together."""
    drawn = rng.integers(len(scores.absent), size=(resamples, len(scores.absent)))
    return interval(float(detectability(scores)), detectability(resampled(scores, drawn)))


def bootstrap_mean(values: Array, rng: np.random.Generator, resamples: int = RESAMPLES) -> Estimate:
    """Return the mean of values (N,) with its percentile interval [1]_."""
    drawn = rng.integers(len(values), size=(resamples, len(values)))
    return interval(float(values.mean()), values[drawn].mean(axis=1))


def interval(value: float, replicates: Array) -> Estimate:
    """Return a value with the interval that holds the middle 95 % of its replicates."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(replicates, [tail, 1 - tail]) if np.isfinite(replicates).any() else (np.nan, np.nan)
    return Estimate(value, float(low), float(high))
