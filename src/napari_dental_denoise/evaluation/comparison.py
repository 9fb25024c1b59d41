"""Score denoisers on the same noisy images."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.evaluation.baselines import Denoiser
from napari_dental_denoise.evaluation.metrics import accuracy, mean_score, psnr, ssim_or_nan
from napari_dental_denoise.inference import Engine, denoise_unit
from napari_dental_denoise.noise import noise_kind, noise_title
from napari_dental_denoise.pixels import Unit, to_unit, to_unit_pair

NOISY = "noisy"
MEASURES = ("psnr", "ssim", "accuracy", "seconds", "kept")
# Lower bound, since classical denoisers cannot be told that there is no noise.
MIN_SIGMA = 1e-4


@dataclass(frozen=True)
class NoisyPair:
    """A clean and a noisy image (H, W) of the same radiograph on [0, 1], where the noise is not clipped.

    `sigma` is the root mean square of the noise, which the baselines are told; `noise` names its kind and levels.
    """

    clean: Unit
    noisy: Unit
    sigma: float
    noise: str


@dataclass(frozen=True, slots=True)
class Score:
    """Scores of one method on one image; PSNR in dB; `kept` is the share of the contrast of faint details, if asked."""

    noise: str
    method: str
    psnr: float
    ssim: float
    accuracy: float
    seconds: float
    kept: float = math.nan


def added_noise(
    images: Iterable[NDArray[np.generic]], kind: str, levels: Mapping[str, float], seed: int
) -> Iterator[NoisyPair]:
    """Add noise of kind `kind`, a key of `NOISE_KINDS`, to each image; image `i` has the seed (`seed`, `i`)."""
    add = noise_kind(kind).add
    title = noise_title(kind, levels)
    for index, image in enumerate(images):
        clean = to_unit(image)
        noisy = add(clean, **levels, rng=np.random.default_rng([seed, index])).astype(np.float32, copy=False)
        yield _pair(clean, noisy, title)


def given_pairs(
    noisy: Sequence[NDArray[np.generic]], clean: Sequence[NDArray[np.generic]], title: str
) -> Iterator[NoisyPair]:
    """Pair each noisy image with the clean image at the same place, which has the same shape."""
    for one, other in zip(noisy, clean, strict=True):
        yield _pair(*to_unit_pair(other, one), title)


def _pair(clean: Unit, noisy: Unit, title: str) -> NoisyPair:
    return NoisyPair(clean, noisy, max(float(np.sqrt(np.mean((noisy - clean) ** 2))), MIN_SIGMA), title)


def model_denoiser(engine: Engine, strength: float) -> Denoiser:
    """Return a model as a function like the baselines; it ignores the noise level."""
    return lambda noisy, _sigma: denoise_unit(noisy, engine, strength=strength)


def compare(
    pairs: Iterable[NoisyPair], methods: Mapping[str, Denoiser], details: Callable[[NoisyPair], Unit] | None = None
) -> Iterator[Score]:
    """Score the noisy image and the result of each method for each pair, clipped to [0, 1].

    `details` returns faint details (H, W) for a pair: each method denoises once more with them, to see what it keeps.
    """
    for pair in pairs:
        detail = None if details is None else details(pair)
        for name, method in {NOISY: lambda noisy, _sigma: noisy, **methods}.items():
            yield _score(pair, name, method, detail)


def _score(pair: NoisyPair, name: str, method: Denoiser, detail: Unit | None) -> Score:
    begun = time.perf_counter()
    denoised = method(pair.noisy, pair.sigma)
    seconds = time.perf_counter() - begun
    kept = math.nan
    if detail is not None:
        through = method(pair.noisy + detail, pair.sigma) - denoised
        kept = float(np.vdot(through, detail) / np.vdot(detail, detail))
    image = np.clip(denoised, 0, 1)
    return Score(
        kept=kept,
        noise=pair.noise,
        method=name,
        psnr=psnr(pair.clean, image, data_range=1.0),
        ssim=ssim_or_nan(pair.clean, image, data_range=1.0),
        accuracy=accuracy(pair.clean, image, data_range=1.0),
        seconds=seconds,
    )


@dataclass(frozen=True, slots=True)
class Row:
    """Mean scores of one method over all images of one noise; PSNR in dB, seconds for each image; see `Score`."""

    noise: str
    method: str
    images: int
    psnr: float
    ssim: float
    accuracy: float
    seconds: float
    kept: float = math.nan


def summarise(scores: Iterable[Score]) -> list[Row]:
    """Average the scores of each noise and method, in the order of their first occurrence."""
    groups: dict[tuple[str, str], list[Score]] = {}
    for score in scores:
        groups.setdefault((score.noise, score.method), []).append(score)
    return [
        Row(noise, method, len(group), *(mean_score(getattr(score, name) for score in group) for name in MEASURES))
        for (noise, method), group in groups.items()
    ]
