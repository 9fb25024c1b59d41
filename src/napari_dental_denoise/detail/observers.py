"""Model observers, which stand for readers who look for a signal.

An observer turns an image into one number, its score. It learns its template from one set of samples and is tested on
another. How far the scores of images with a signal stand apart from those of images without is measured in `roc`.

References
----------
.. [1] H. H. Barrett and K. J. Myers, "Foundations of Image Science", Wiley, 2004.
.. [2] A. E. Burgess, "Statistically defined backgrounds: performance of a modified nonprewhitening observer
   model", J. Opt. Soc. Am. A 11 (1994), doi 10.1364/JOSAA.11.001237.
.. [3] A. E. Burgess and B. Colborne, "Visual signal detection. IV. Observer inconsistency", J. Opt. Soc. Am. A 5
   (1988), doi 10.1364/JOSAA.5.000617.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.detail.channels import radial_frequency
from napari_dental_denoise.errors import InputError

Array = NDArray[np.float64]
Images = NDArray[np.floating]

# The eye filter f^1.3 exp(-c f^2) has its peak at 4 cycles a degree.
EYE_EXPONENT = 1.3
EYE_PEAK = 4.0
# Display pixels of 0.2 mm seen from 0.5 m.
PIXELS_PER_DEGREE = 44.0
# Added to the diagonal of covariances, as a share of the mean variance: those of few samples are singular.
RIDGE = 1e-6
MIN_SAMPLES = 8


class Samples(NamedTuple):
    """Images without (`absent`) and with the signal (`present`), (N, H, W) each; images of one index share the rest."""

    absent: Images
    present: Images

    def halves(self) -> tuple[Samples, Samples]:
        """Return two disjoint sets, for training and for testing.

        Raises
        ------
        InputError
            If there are fewer than 8 samples.
        """
        half = len(self.absent) // 2
        if len(self.absent) < MIN_SAMPLES:
            raise InputError(f"observers need {MIN_SAMPLES} samples or more; received {len(self.absent)}")
        return Samples(self.absent[:half], self.present[:half]), Samples(self.absent[half:], self.present[half:])


class Scores(NamedTuple):
    """Scores of images without and with the signal, (N,) each."""

    absent: Array
    present: Array


class Observer(Protocol):
    """A reader's model: it learns from one set of samples and scores another."""

    def scores(self, train: Samples, test: Samples, rng: np.random.Generator) -> Scores:
        """Learn from `train` and return the scores of `test`."""


@dataclass(frozen=True)
class ChannelisedHotelling:
    """The Hotelling observer of channel outputs: the best linear observer that sees nothing but these [1]_.

    Attributes
    ----------
    channels : (C, H * W) array
    internal_noise : float
        Variance that is added to each channel output, as a share of its variance without a signal.
    """

    channels: Array
    internal_noise: float = 0.0

    def scores(self, train: Samples, test: Samples, rng: np.random.Generator) -> Scores:
        """Learn from `train` and return the scores of `test`."""
        absent, present = self._outputs(train.absent), self._outputs(train.present)
        covariance = np.atleast_2d((np.cov(absent, rowvar=False) + np.cov(present, rowvar=False)) / 2)
        variances = np.diag(covariance)
        internal = self.internal_noise * variances
        loaded = covariance + np.diag(internal + RIDGE * variances.mean())
        # Of a method that leaves nothing, the covariance is 0.
        template = np.linalg.pinv(loaded, hermitian=True) @ (present.mean(axis=0) - absent.mean(axis=0))

        def score(images: Images) -> Array:
            outputs = self._outputs(images)
            return np.asarray((outputs + rng.standard_normal(outputs.shape) * np.sqrt(internal)) @ template)

        return Scores(score(test.absent), score(test.present))

    def _outputs(self, images: Images) -> Array:
        return np.asarray(images.reshape(len(images), -1) @ self.channels.T, np.float64)


@dataclass(frozen=True)
class NonPrewhitening:
    """The matched filter of the undegraded signal, which does not know the noise: NPW, or NPWE with an eye filter [2]_.

    Attributes
    ----------
    signal : (H, W) array
    eye_filter : (H, W) array, optional
        Transfer function through which image and template are seen; see `eye_filter`.
    internal_noise : float
        Variance that is added to the score, as a share of its variance without a signal [3]_.
    """

    signal: NDArray[np.floating]
    eye_filter: Array | None = None
    internal_noise: float = 0.0

    def scores(self, train: Samples, test: Samples, rng: np.random.Generator) -> Scores:
        """Return the scores of `test`; there is nothing to learn from `train`."""
        template = np.asarray(self.signal, np.float64)
        if self.eye_filter is not None:
            # Once for the template and once for the image.
            template = np.real(np.fft.ifft2(np.fft.fft2(template) * self.eye_filter**2))
        absent, present = (images.reshape(len(images), -1) @ template.ravel() for images in test)
        deviation = np.sqrt(self.internal_noise) * absent.std()
        noise = deviation * rng.standard_normal((2, len(absent)))
        return Scores(absent + noise[0], present + noise[1])


def eye_filter(shape: tuple[int, int], pixels_per_degree: float = PIXELS_PER_DEGREE) -> Array:
    """Return the contrast sensitivity of the eye as a transfer function [2]_.

    Parameters
    ----------
    shape : (int, int)
    pixels_per_degree : float
        Of the visual field; 44 are display pixels of 0.2 mm seen from 0.5 m.

    Returns
    -------
    (H, W) array
        In the order of `numpy.fft.fft2`, with a peak of 1.
    """
    frequency = radial_frequency(shape) * pixels_per_degree / EYE_PEAK
    return np.asarray(frequency**EYE_EXPONENT * np.exp(-EYE_EXPONENT / 2 * (frequency**2 - 1)))
