"""The same samples of one noise for all methods, and all that is measured on them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import GREY_LEVELS
from napari_dental_denoise.detail.channels import laguerre_gauss_channels, signal_channels
from napari_dental_denoise.detail.dose import EXPOSURES, equivalent_exposure
from napari_dental_denoise.detail.observers import (
    MIN_SAMPLES,
    ChannelisedHotelling,
    NonPrewhitening,
    Observer,
    Samples,
    Scores,
    eye_filter,
)
from napari_dental_denoise.detail.results import (
    Assessment,
    DetailScore,
    DoseCurve,
    Found,
    Sharpness,
    Texture,
    Threshold,
)
from napari_dental_denoise.detail.roc import (
    Estimate,
    bootstrap_area,
    bootstrap_detectability,
    bootstrap_mean,
    detectability,
)
from napari_dental_denoise.detail.samples import SIDE, Detail, Noise, check_contrast
from napari_dental_denoise.detail.sharpness import EDGE_BLUR, edge_line, edge_mtf, slanted_edge
from napari_dental_denoise.detail.signals import step
from napari_dental_denoise.detail.spectrum import noise_power_spectrum
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.evaluation import NOISY, psnr
from napari_dental_denoise.pixels import Unit
from napari_dental_denoise.validation import check_count, check_number

# From images (N, H, W) and the standard deviation of their noise to the denoised images.
StackDenoiser = Callable[[Unit, float], Unit]

SHAPE = (SIDE, SIDE)
# The d' that a matched filter has for a detail of multiple 1 in white noise of the same level. In real backgrounds,
# such a detail is found with an area under the ROC curve of about 0.85.
MATCHED_DPRIME = 3.0
# On [0, 1]: weaker noise counts as so strong when contrasts are chosen.
MIN_SIGMA = 1 / GREY_LEVELS
# The detail must lie within the flat middle of a background, with its surroundings.
MAX_SIZE = SIDE / 4
# Contrast of the step in which holes lie, and its side in radii of the largest hole.
STEP_CONTRAST = 0.1
STEP_SIDE = 8
# The area under the ROC curve of a detail that counts as found.
FOUND = 0.85
# Signals that Laguerre-Gauss channels see.
ROUND_SIGNALS = ("disc", "step-hole")
# Variance of the human-like observer's own noise, as a share of the variance of its scores.
HUMAN_NOISE = 0.5
EDGE_CONTRASTS = (0.1, 0.4)
EDGES = 64
EDGE_LINE = edge_line(SHAPE)
SPECTRUM_IMAGES = 50
SPECTRUM_SIDE = 64


@dataclass(frozen=True)
class AssessmentPlan:
    """Details to insert, and the number of backgrounds.

    Attributes
    ----------
    signal : str
        A key of `SIGNALS`.
    sizes : tuple of float
        Radii or widths, in pixels.
    contrasts : tuple of float
        On [0, 1]; empty for each of `multiples` times that which a matched filter finds with a d' of 3 in white noise.
    multiples : tuple of float
    samples : int
        Backgrounds, half of them to learn from and half to test on.
    seed : int
    """

    signal: str = "disc"
    sizes: tuple[float, ...] = (2.0, 4.0, 8.0)
    contrasts: tuple[float, ...] = ()
    multiples: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)
    samples: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        check_count("samples", self.samples, MIN_SAMPLES)
        for size in self.sizes:
            check_number("size", size, above=0, high=MAX_SIZE)
        for contrast in self.contrasts:
            check_contrast(contrast)

    def details(self, sigma: float) -> list[list[Detail]]:
        """Return the details of each size, by contrast; `sigma` is the standard deviation of the noise."""
        return [
            [Detail(self.signal, size, contrast) for contrast in self._contrasts(size, sigma)] for size in self.sizes
        ]

    def _contrasts(self, size: float, sigma: float) -> list[float]:
        """Return the contrasts of one size, the faintest first."""
        norm = float(np.linalg.norm(Detail(self.signal, size, 1.0).template()))
        chosen = [multiple * MATCHED_DPRIME * max(sigma, MIN_SIGMA) / norm for multiple in self.multiples]
        return sorted(self.contrasts or chosen, key=abs)

    def base(self) -> Unit:
        """Return what lies below the details, for all backgrounds: the step of holes, else nothing."""
        if self.signal != "step-hole":
            return np.zeros(SHAPE, np.float32)
        return np.float32(STEP_CONTRAST) * step(SHAPE, STEP_SIDE * max(self.sizes))

    def steps(self) -> int:
        """Return how many stacks are denoised for each noise and method."""
        details = len(self.sizes) * len(self.contrasts or self.multiples)
        return 2 + details + 2 * (len(EXPOSURES) - 1) + len(EDGE_CONTRASTS)


ASSESSMENT = AssessmentPlan()


class Bench:
    """Samples of one noise, the same for all methods.

    Parameters
    ----------
    noise : Noise
    backgrounds : (N, H, W) float32 array
    plan : AssessmentPlan
    number : int
        Of the noise, for its seed.
    """

    def __init__(self, noise: Noise, backgrounds: Unit, plan: AssessmentPlan, number: int) -> None:
        rng = np.random.default_rng([plan.seed, number])
        backgrounds = backgrounds + plan.base()
        self._title, self._backgrounds = noise.title, backgrounds
        self._seed = [plan.seed, number, 1]
        self._noise = noise.add(backgrounds, rng) - backgrounds
        self._sigma = float(np.sqrt(np.mean(self._noise**2)))
        few = backgrounds[:SPECTRUM_IMAGES]
        self._other_noise = noise.add(few, rng) - few
        edges = [slanted_edge(SHAPE, 0.5 - contrast / 2, 0.5 + contrast / 2) for contrast in EDGE_CONTRASTS]
        self._edges = [noise.add(np.stack([edge] * EDGES), rng) for edge in edges]
        self._details = plan.details(self._sigma)
        # Larger ones are hidden by the backgrounds as much as by the noise.
        self._dose_detail = middle_contrast(min(self._details, key=lambda details: details[0].size))
        self._dose_scores: dict[str, list[Scores]] = {}

    def assess(self, method: str, denoise: StackDenoiser, result: Assessment) -> Iterator[None]:
        """Add the results of a method, one denoised stack a step; the noisy images have to come first."""

        def run(noisy: Unit, exposure: float = 1.0) -> Unit:
            return denoise(noisy, self._sigma / exposure**0.5)

        noisy = self._backgrounds + self._noise
        absent = run(noisy)
        yield
        level = psnr(self._backgrounds, np.clip(absent, 0, 1), data_range=1.0)
        for details in self._details:
            scores = []
            for detail in details:
                samples = Samples(absent, run(noisy + detail.template()))
                if detail == self._dose_detail:
                    dose_samples = samples
                found = find_detail(samples, detail, self._rng())
                scores.append(DetailScore(self._title, method, detail, len(absent), level, found))
                yield
            result.scores.extend(scores)
            result.thresholds.append(
                Threshold(
                    self._title,
                    method,
                    details[0].size,
                    smallest_contrast(details, [score.found.cho for score in scores]),
                )
            )
        yield from self._assess_dose(method, run, dose_samples, result)
        for contrast, edges in zip(EDGE_CONTRASTS, self._edges, strict=True):
            # A method may leave no edge to measure.
            with contextlib.suppress(InputError):
                mtf = edge_mtf(run(edges).mean(axis=0), edge=EDGE_LINE, blur=EDGE_BLUR)
                result.sharpness.append(Sharpness(self._title, method, contrast, mtf))
            yield
        count = len(self._other_noise)
        left = (absent[:count] - run(self._backgrounds[:count] + self._other_noise)) / np.sqrt(np.float32(2))
        yield
        for part, noise in (("left", left), ("removed", (noisy - absent)[:count])):
            if method != NOISY or part == "left":
                spectrum = noise_power_spectrum(noise, side=SPECTRUM_SIDE)
                result.textures.append(Texture(self._title, method, part, spectrum))

    def _rng(self) -> np.random.Generator:
        # The same for all methods.
        return np.random.default_rng(self._seed)

    def _assess_dose(
        self, method: str, run: Callable[[Unit, float], Unit], at_1: Samples, result: Assessment
    ) -> Iterator[None]:
        detail = self._dose_detail
        observers = {
            "ideal-like": ideal_observer(detail),
            "human-like": NonPrewhitening(detail.template(), eye_filter(SHAPE), HUMAN_NOISE),
        }
        scores: dict[str, list[Scores]] = {name: [] for name in observers}
        for exposure in EXPOSURES:
            samples = at_1
            if exposure != 1.0:
                noisy = self._backgrounds + self._noise / np.float32(exposure**0.5)
                absent = run(noisy, exposure)
                yield
                samples = Samples(absent, run(noisy + detail.template(), exposure))
                yield
            for name, observer in observers.items():
                scores[name].append(observer.scores(*samples.halves(), self._rng()))
        if method == NOISY:
            self._dose_scores = scores
        for name, at_exposures in scores.items():
            denoised = at_exposures[EXPOSURES.index(1.0)]
            equivalent = equivalent_exposure(self._dose_scores[name], denoised, self._rng())
            curve = tuple(float(detectability(each)) for each in at_exposures)
            result.doses.append(DoseCurve(self._title, method, name, detail, EXPOSURES, curve, equivalent))


def find_detail(samples: Samples, detail: Detail, rng: np.random.Generator) -> Found:
    """Return how well observers find a detail that learn from one half of the samples and are tested on the other."""
    train, test = samples.halves()
    template = detail.template()
    observers = (ideal_observer(detail), NonPrewhitening(template, eye_filter(SHAPE)))
    scores = [observer.scores(train, test, rng) for observer in observers]
    areas = [bootstrap_area(each, rng) for each in scores]
    distances = [bootstrap_detectability(each, rng) for each in scores]
    return Found(bootstrap_mean(contrast_kept(samples, template), rng), *areas, *distances)


def middle_contrast(details: Sequence[Detail]) -> Detail:
    """Return the detail of middle contrast, the lower one of two."""
    return details[(len(details) - 1) // 2]


def ideal_observer(detail: Detail) -> Observer:
    """Return the channelised Hotelling observer of a detail; a round one has Laguerre-Gauss channels."""
    if detail.signal in ROUND_SIGNALS:
        return ChannelisedHotelling(laguerre_gauss_channels(SHAPE, 3 * detail.size))
    return ChannelisedHotelling(signal_channels(detail.template()))


def contrast_kept(samples: Samples, template: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the share of a detail's contrast in each pair of images: their difference, projected on it."""
    flat = template.ravel().astype(np.float64)
    difference = (samples.present - samples.absent).reshape(len(samples.absent), -1)
    return np.asarray(difference @ flat / (flat @ flat))


def smallest_contrast(details: Sequence[Detail], areas: Sequence[Estimate]) -> Estimate:
    """Return the contrast at which the area under the ROC curve reaches 0.85.

    Interpolated over the logarithm of the contrast; the smallest contrast tried if that is found, NaN if none is.
    """
    contrasts = np.array([abs(detail.contrast) for detail in details])
    value, low, high = (np.array(column) for column in zip(*areas, strict=True))
    return Estimate(*(_crossing(contrasts, curve) for curve in (value, high, low)))


def _crossing(contrasts: NDArray[np.floating], areas: NDArray[np.floating]) -> float:
    logarithms = np.log(contrasts)
    if areas[0] >= FOUND:
        return float(contrasts[0])
    for (start, stop), (below, above) in zip(pairwise(logarithms), pairwise(areas), strict=True):
        if below < FOUND <= above:
            return float(np.exp(start + (stop - start) * (FOUND - below) / (above - below)))
    return float("nan")
