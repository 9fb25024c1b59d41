"""The detail map of an image: which share of a faint detail's contrast would survive a denoiser at each place.

No clean image is needed: details are put into the image itself, which is denoised with and without them. They lie on a
grid, alternately of positive and negative contrast, so that what one spreads to its neighbours cancels. Between the
places of the grid the map is interpolated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import GREY_LEVELS, INFERENCE, PERCENT
from napari_dental_denoise.detail.samples import check_contrast
from napari_dental_denoise.detail.signals import disc
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.inference import Engine, check_strength, engine_of, residual_steps
from napari_dental_denoise.models import STARTER_NAME
from napari_dental_denoise.noise import SMALLEST_SIDE, estimate_noise
from napari_dental_denoise.pixels import ArrayLike, InputArray, Unit, to_unit
from napari_dental_denoise.progress import Progress, finish
from napari_dental_denoise.validation import check_number

DenoiseSteps = Callable[[Unit], Generator[Progress, None, Unit]]

# Between the middles of two details of one pass, in radii and at least in pixels: far enough not to change each other.
SPACING = 8
MIN_SPACING = 24
# Of the soft edge of a detail, in pixels.
EDGE_REACH = 3
# Passes a side: each shifts the grid by this part of the spacing.
SHIFTS = 2
# Default contrast, in standard deviations of the noise, and its lowest value on [0, 1], for images without noise.
CONTRAST_TO_NOISE = 2.0
MIN_CONTRAST = 2 / GREY_LEVELS
RADIUS = 4.0
# Below this, in grey levels, the noise is too weak to measure a contrast by.
MIN_NOISE = 0.5


@dataclass(frozen=True)
class DetailMap:
    """Shares of contrast that survive denoising; `str` tells them in a sentence.

    Attributes
    ----------
    share : (H, W) float32 array
        1 where a detail comes through whole, 0 where nothing is left of it.
    radius : float
        Of the detail, in pixels.
    contrast : float
        Of the detail, on [0, 1].
    sigma : float
        Estimated standard deviation of the image's noise, on [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> print(DetailMap(np.full((2, 2), 0.5, np.float32), radius=4, contrast=0.2, sigma=0.1))
    A spot of 4 px at twice the noise keeps 50 % of its contrast here (median); least 50 %
    """

    share: Unit
    radius: float
    contrast: float
    sigma: float

    def __str__(self) -> str:
        shares = PERCENT * np.clip(self.share, 0, 1)
        return (
            f"A {'dark ' * (self.contrast < 0)}spot of {self.radius:g} px at "
            f"{_contrast_in_words(abs(self.contrast), self.sigma)} keeps "
            f"{np.median(shares):.0f} % of its contrast here (median); least {shares.min():.0f} %"
        )


def _contrast_in_words(contrast: float, sigma: float) -> str:
    if sigma * GREY_LEVELS < MIN_NOISE:
        return f"{contrast * GREY_LEVELS:.3g} grey levels"
    ratio = f"{contrast / sigma:.3g}"
    return "twice the noise" if ratio == "2" else f"{ratio} times the noise"


def detail_map(
    image: ArrayLike,
    model: str | Path | Engine = STARTER_NAME,
    *,
    radius: float = RADIUS,
    contrast: float | None = None,
    strength: float = INFERENCE.strength,
) -> DetailMap:
    """Map which share of a faint spot's contrast survives denoising, at each place of an image.

    Parameters
    ----------
    image : (H, W) or (H, W, 1) array; integers or floating
    model : str, Path or engine
        See `denoise`.
    radius : float
        Of the spot, in pixels.
    contrast : float, optional
        Of the spot, on [0, 1]; negative for a dark one. By default twice the estimated noise of the image, and at least
        2 grey levels of 255.
    strength : float
        Share of the estimated noise to subtract.

    Returns
    -------
    DetailMap
        Its `str` tells it in a sentence.

    Raises
    ------
    InputError
        If the image, the model or a number cannot be used.

    Examples
    --------
    >>> from napari_dental_denoise import add_gaussian_noise, detail_map, phantom
    >>> noisy = add_gaussian_noise(phantom((96, 128), rng=0), 25 / 255, rng=1)
    >>> kept = detail_map(noisy, "starter-fast")
    >>> kept.share.shape
    (96, 128)
    """
    pixels = InputArray(image).pixels
    if pixels.ndim != 2:
        raise InputError(f"expected one image (H, W); received shape {pixels.shape}")
    denoise = denoiser_steps(engine_of(model), strength)
    check_strength(strength)
    return finish(detail_map_steps(to_unit(pixels), denoise, radius=radius, contrast=contrast))


def in_one_step(denoise: Callable[[Unit], Unit]) -> DenoiseSteps:
    """Return a function of an image as denoising in one step."""

    def steps(image: Unit) -> Generator[Progress, None, Unit]:
        denoised = denoise(image)
        yield Progress(1, 1)
        return denoised

    return steps


def denoiser_steps(engine: Engine, strength: float) -> DenoiseSteps:
    """Return denoising with a model as `detail_map_steps` expects it, one tile per step."""

    def steps(image: Unit) -> Generator[Progress, None, Unit]:
        residual = yield from residual_steps(image, engine)
        return np.asarray(image - np.float32(strength) * residual)

    return steps


def detail_map_steps(
    image: Unit,
    denoise: DenoiseSteps,
    *,
    radius: float = RADIUS,
    contrast: float | None = None,
    contrast_to_noise: float = CONTRAST_TO_NOISE,
) -> Generator[Progress, None, DetailMap]:
    """Map which share of a disc's contrast survives, in the steps of the denoiser.

    Parameters
    ----------
    image : (H, W) float32 array on [0, 1]
    denoise : callable
        From an image to a generator that yields `Progress` and returns an image of the same shape.
    radius : float
        Of the disc, in pixels.
    contrast : float, optional
        Of the disc, on [0, 1]; negative for a dark one; see `detail_map`.
    contrast_to_noise : float
        Of the disc, in standard deviations of the estimated noise, where no contrast is given; at most 1 on [0, 1].

    Yields
    ------
    Progress

    Returns
    -------
    DetailMap
    """
    sigma = noise_level(image)
    check_number("radius", radius, above=0)
    if 2 * radius > min(image.shape):
        sides = " x ".join(map(str, image.shape))
        raise InputError(
            f"the image is too small for a spot with a radius of {radius:g} pixels: the image has {sides} pixels"
        )
    if contrast is None:
        contrast = _contrast_in_noise(sigma, contrast_to_noise)
    else:
        check_contrast(contrast)
    spacing, detail = _grid(radius, contrast)
    step = spacing // SHIFTS
    plain = yield from _pass(denoise(image), 0)
    rows, columns = (np.arange(min(step // 2, length // 2), length, step) for length in image.shape)
    shares = np.empty((len(rows), len(columns)), np.float32)
    for number in range(SHIFTS**2):
        first, second = divmod(number, SHIFTS)
        places = np.ix_(rows[first::SHIFTS], columns[second::SHIFTS])
        details = _placed(image.shape, places, detail)
        denoised = yield from _pass(denoise(image + details), number + 1)
        shares[first::SHIFTS, second::SHIFTS] = _shares(denoised - plain, details, places, detail)
    return DetailMap(_between(shares, rows, columns, image.shape), radius, contrast, sigma)


def faint_spots(shape: tuple[int, ...], sigma: float) -> Unit:
    """Return spots all over an image (H, W), bright and dark, that are faint in noise of this level on [0, 1]."""
    spacing, detail = _grid(RADIUS, _contrast_in_noise(sigma, CONTRAST_TO_NOISE))
    return _placed(shape, np.ix_(*(np.arange(min(spacing // 2, side // 2), side, spacing) for side in shape)), detail)


def _contrast_in_noise(sigma: float, ratio: float) -> float:
    """Return a contrast on [0, 1] from its ratio to the noise."""
    return min(max(ratio * sigma, MIN_CONTRAST), 1.0)


def _grid(radius: float, contrast: float) -> tuple[int, Unit]:
    """Return the spacing of details and one of them."""
    spacing = math.ceil(max(math.ceil(SPACING * radius), MIN_SPACING) / SHIFTS) * SHIFTS
    side = 2 * math.ceil(radius + EDGE_REACH) + 1
    return spacing, np.float32(contrast) * disc((side, side), radius)


def _pass(steps: Generator[Progress, None, Unit], number: int) -> Generator[Progress, None, Unit]:
    """Run one of the passes, and count its steps among those of all."""
    while True:
        try:
            progress = next(steps)
        except StopIteration as end:
            return np.asarray(end.value)
        yield Progress(number * progress.total + progress.done, (SHIFTS**2 + 1) * progress.total)


def noise_level(image: Unit) -> float:
    """Return the estimated standard deviation of an image's noise, 0 where the image is too small to tell."""
    return float(estimate_noise(image).sigma) if min(image.shape) >= SMALLEST_SIDE else 0.0


def _between(shares: Unit, rows: NDArray[np.intp], columns: NDArray[np.intp], shape: tuple[int, ...]) -> Unit:
    """Interpolate linearly between the places of the grid; beyond the outer ones, the nearest holds."""
    across = np.array([np.interp(np.arange(shape[1]), columns, row) for row in shares])
    down = [np.interp(np.arange(shape[0]), rows, column) for column in across.T]
    return np.stack(down, axis=1).astype(np.float32)


def _placed(shape: tuple[int, ...], places: tuple[NDArray[np.intp], ...], detail: Unit) -> Unit:
    """Return details of alternating sign, so that what one spreads to its neighbours cancels."""
    impulses = np.zeros(shape, np.float32)
    rows, columns = (np.arange(axis.size).reshape(axis.shape) for axis in places)
    impulses[places] = 1 - 2 * ((rows + columns) % 2)
    return _correlated(impulses, detail)


def _shares(difference: Unit, details: Unit, places: tuple[NDArray[np.intp], ...], detail: Unit) -> Unit:
    energy = _correlated(details, detail)[places]
    return np.asarray(_correlated(difference, detail)[places] / energy)


def _correlated(image: Unit, detail: Unit) -> Unit:
    return np.asarray(cv2.filter2D(image, -1, detail, borderType=cv2.BORDER_CONSTANT))
