"""Noise that the detector of a radiograph makes, and what happens to it on the way to the file.

Photons are few where the object is dense, a scintillator spreads the light of each over neighbours,
sensors read rows and columns through amplifiers of their own, and JPEG keeps what fits its blocks.
All act on the last two axes, rows and columns.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import (
    DETECTOR_BLUR,
    GREY_LEVELS,
    LINE_SIGMA,
    QUALITY,
    QUANTUM_PHOTONS,
    READOUT_SIGMA,
    SIGMA,
    SIGMA_HIGH,
    SIGMA_LOW,
)
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.noise.common import (
    MOST_PHOTONS,
    Rng,
    Unit,
    check_level,
    check_photons,
    check_plane,
    check_sigma,
    corrupt,
    each_plane,
    normal,
)
from napari_dental_denoise.noise.correlated import LARGEST_BLUR, spread

ResponseName = Literal["logarithmic", "inverted", "linear"]
# An assumption: grey values from black to white show exposures over one and a half decades.
LATITUDE = 30.0
LOG_LATITUDE: np.float32 = np.log(np.float32(LATITUDE))
# Kept free of the logarithm of nothing.
FEWEST_PHOTONS = 0.5
# Of a level map on each side: it varies over the image, not over a detail.
KNOTS = 4


@dataclass(frozen=True, slots=True)
class Response:
    """How a grey value follows from the exposure, which is 1 for the count that `photons` names."""

    exposure: Callable[[Unit], Unit]
    grey_value: Callable[[Unit], Unit]


RESPONSES: Mapping[ResponseName, Response] = MappingProxyType(
    {
        "logarithmic": Response(
            lambda unit: np.exp((1 - unit) * LOG_LATITUDE).astype(np.float32, copy=False),
            lambda exposure: (1 - np.log(exposure) / LOG_LATITUDE).astype(np.float32, copy=False),
        ),
        "inverted": Response(lambda unit: 1 - unit, lambda exposure: 1 - exposure),
        "linear": Response(lambda unit: unit, lambda exposure: exposure),
    }
)


def add_quantum_noise(
    image: NDArray[np.generic],
    photons: float = QUANTUM_PHOTONS.default,
    blur: float = DETECTOR_BLUR.default,
    sigma: float = READOUT_SIGMA.default,
    *,
    response: ResponseName = "logarithmic",
    clip: bool = False,
    rng: Rng = None,
) -> NDArray[np.generic]:
    r"""Count photons, spread them over the detector, and read it out, as it is done in radiography.

    In a radiograph the bright parts are where few photons arrived: it shows what the object took
    away. Vendors take the logarithm of the exposure, so that grey values are proportional to the
    attenuation; with :math:`n` photons the value fluctuates by :math:`1 / (\ln L \sqrt n)`, most in
    enamel and metal. A raw exposure that is merely inverted fluctuates by :math:`\sqrt n / N`, most
    in the dark background; shown as it is, most in the bright parts.

    The detector's light spreads before it is read: the fluctuations are blurred, the noise of the
    electronics is not. The image itself went through a detector and is not blurred again. I. A.
    Cunningham, R. Shaw, "Signal-to-noise optimization of medical imaging systems", J. Opt. Soc. Am.
    A 16 (1999), doi 10.1364/JOSAA.16.000621.

    Parameters
    ----------
    image : (..., H, W) array; uint8, uint16 or floating
    photons : float
        Expected count for each pixel at full white; of an inverted exposure, where white is no
        exposure at all, at full black. Fewer are noisier.
    blur : float
        Standard deviation of the spread, in pixels, 0 to 32.
    sigma : float
        Standard deviation of the electronic noise, as a share of the exposure that `photons` names.
    response : {"logarithmic", "inverted", "linear"}
        How grey values follow from exposures.
    clip : bool
        Clip the result to [0, 1], as results for integer images are in any case.
    rng : int or numpy.random.Generator, optional
        The same seed gives the same noise.

    Returns
    -------
    array of the same shape; integers keep their type, floating becomes float32

    Raises
    ------
    InputError
        If a level is out of its range, the response unknown, or the image has no rows and columns.
    """
    check_photons(photons, MOST_PHOTONS / LATITUDE)
    check_level("blur", blur, high=LARGEST_BLUR)
    check_level("sigma", sigma)
    check_plane(image)
    if response not in RESPONSES:
        raise InputError(f"response must be one of {', '.join(RESPONSES)}; received {response!r}")
    curve = RESPONSES[response]

    def expose(unit: Unit, draw: np.random.Generator) -> Unit:
        # Noisy inputs leave [0, 1]; what lies outside is no more exposure than black or white have.
        expected = curve.exposure(np.clip(unit, 0, 1))
        counted = (draw.poisson(expected * photons) / photons).astype(np.float32)
        read = expected + spread(counted - expected, blur) + normal(draw, unit.shape) * np.float32(sigma)
        if response == "logarithmic":
            read = np.maximum(read, np.float32(FEWEST_PHOTONS / photons))
        return unit + curve.grey_value(read) - curve.grey_value(expected)

    return corrupt(image, expose, rng, clip=clip)


def add_varying_noise(
    image: NDArray[np.generic],
    sigma_low: float = SIGMA_LOW.default,
    sigma_high: float = SIGMA_HIGH.default,
    *,
    clip: bool = False,
    rng: Rng = None,
) -> NDArray[np.generic]:
    """Add white Gaussian noise whose level varies smoothly over the image, by a random map.

    Parameters
    ----------
    image : (..., H, W) array; uint8, uint16 or floating
    sigma_low, sigma_high : float
        Standard deviation where the noise is weakest and where it is strongest, on the [0, 1] scale.
    clip : bool
        Clip the result to [0, 1], as results for integer images are in any case.
    rng : int or numpy.random.Generator, optional
        The same seed gives the same map and noise.

    Returns
    -------
    array of the same shape; integers keep their type, floating becomes float32

    Raises
    ------
    InputError
        If a level is not between 0 and 1, the high one below the low one, or the image has no rows and columns.
    """
    check_sigma("sigma_low", sigma_low)
    check_sigma("sigma_high", sigma_high, low=sigma_low)
    check_plane(image)

    def vary(unit: Unit, draw: np.random.Generator) -> Unit:
        level = sigma_low + (sigma_high - sigma_low) * smooth_map(draw, (unit.shape[-2], unit.shape[-1]), KNOTS)
        return unit + normal(draw, unit.shape) * level.astype(np.float32)

    return corrupt(image, vary, rng, clip=clip)


def smooth_map(draw: np.random.Generator, shape: tuple[int, int], knots: int) -> Unit:
    """A smooth random surface from exactly 0 to exactly 1."""
    surface = cv2.resize(draw.random((knots, knots), dtype=np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC)
    lowest, highest = surface.min(), surface.max()
    return (surface - lowest) / max(highest - lowest, np.float32(1e-6))


def add_line_noise(
    image: NDArray[np.generic], sigma: float = LINE_SIGMA.default, *, clip: bool = False, rng: Rng = None
) -> NDArray[np.generic]:
    """Offset each row and each column, as sensors do that read them through amplifiers of their own.

    Each image of a stack has offsets of its own.

    A. El Gamal et al., "Modeling and estimation of FPN components in CMOS image sensors", Proc.
    SPIE 3301 (1998).

    Parameters
    ----------
    image : (..., H, W) array; uint8, uint16 or floating
    sigma : float
        Standard deviation of the noise on the [0, 1] scale; rows and columns have equal shares of its variance.
    clip : bool
        Clip the result to [0, 1], as results for integer images are in any case.
    rng : int or numpy.random.Generator, optional
        The same seed gives the same noise.

    Returns
    -------
    array of the same shape; integers keep their type, floating becomes float32

    Raises
    ------
    InputError
        If `sigma` is not between 0 and 1, or the image has no rows and columns.
    """
    check_sigma("sigma", sigma)
    check_plane(image)
    return corrupt(image, lambda unit, draw: unit + line_offsets(draw, unit.shape) * np.float32(sigma), rng, clip=clip)


def line_offsets(draw: np.random.Generator, shape: tuple[int, ...]) -> Unit:
    """Offsets of rows and columns, together of unit deviation."""
    rows, columns = normal(draw, (*shape[:-1], 1)), normal(draw, (*shape[:-2], 1, shape[-1]))
    return (rows + columns) / np.float32(math.sqrt(2))


def add_jpeg_noise(
    image: NDArray[np.generic],
    sigma: float = SIGMA.default,
    quality: float = QUALITY.default,
    *,
    clip: bool = False,
    rng: Rng = None,
) -> NDArray[np.generic]:
    """Add white Gaussian noise, then keep what a JPEG file keeps of the image.

    Parameters
    ----------
    image : (..., H, W) array; uint8, uint16 or floating
        Rounded to 8 bit on the way, and clipped to [0, 1]: JPEG holds no more.
    sigma : float
        Standard deviation of the noise before compression, on the [0, 1] scale.
    quality : float
        Of the JPEG file, 1 to 100.
    clip : bool
        Without effect: the result lies on [0, 1].
    rng : int or numpy.random.Generator, optional
        The same seed gives the same noise.

    Returns
    -------
    array of the same shape; integers keep their type, floating becomes float32

    Raises
    ------
    InputError
        If a level is out of its range, or the image has no rows and columns.
    """
    check_sigma("sigma", sigma)
    check_level("quality", quality, 1.0, 100.0)
    check_plane(image)

    def compress(unit: Unit, draw: np.random.Generator) -> Unit:
        noisy = unit + normal(draw, unit.shape) * np.float32(sigma)
        return each_plane(noisy, lambda plane: through_jpeg(plane, quality))

    return corrupt(image, compress, rng, clip=clip)


def through_jpeg(plane: Unit, quality: float) -> Unit:
    """What comes back of an image (H, W) on [0, 1] from a JPEG file."""
    stored = np.rint(np.clip(plane, 0, 1) * GREY_LEVELS).astype(np.uint8)
    _, encoded = cv2.imencode(".jpg", stored, [cv2.IMWRITE_JPEG_QUALITY, round(quality)])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.float32) / np.float32(GREY_LEVELS)
