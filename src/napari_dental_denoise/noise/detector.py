"""Noise of a radiograph's detector and file: photons, varying level, lines, JPEG; it acts on the last two axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import cv2
import numpy as np

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
    MAX_PHOTONS,
    Rng,
    check_photons,
    check_plane,
    check_sigma,
    each_plane,
    normal,
    with_noise,
)
from napari_dental_denoise.noise.correlated import MAX_BLUR, gaussian_blur
from napari_dental_denoise.pixels import ArrayLike, Unit
from napari_dental_denoise.validation import check_number

ResponseName = Literal["logarithmic", "inverted", "linear"]
# Ratio of the exposures of black and white, an assumption: one and a half decades.
LATITUDE = 30.0
LOG_LATITUDE: np.float32 = np.log(np.float32(LATITUDE))
# A pixel without photons counts as this many, since the logarithm of 0 is not finite.
MIN_PHOTONS = 0.5
# Random values along each side of a level map; few, so that the level varies over the image and not over a detail.
KNOTS = 4


@dataclass(frozen=True, slots=True)
class Response:
    """Relation of grey value and exposure, which is 1 for the count of the parameter `photons`."""

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
    image: ArrayLike,
    photons: float = QUANTUM_PHOTONS.default,
    blur: float = DETECTOR_BLUR.default,
    sigma: float = READOUT_SIGMA.default,
    *,
    response: ResponseName = "logarithmic",
    clip: bool = False,
    rng: Rng = None,
) -> Any:
    r"""Add the quantum noise of radiography: count photons, blur the fluctuations, add electronic noise.

    In a radiograph few photons arrive at the bright parts, where the object absorbs most. With a logarithmic response,
    which most vendors use, grey values are proportional to the attenuation, and the noise of :math:`n` photons is
    :math:`1 / (\ln L \sqrt n)` with the latitude :math:`L`: strongest in enamel and metal. With an inverted linear
    response it is :math:`\sqrt n / N` with the count :math:`N` at full exposure: strongest in the dark background. With
    a linear response it is strongest in the bright parts.

    Light spreads in the detector before it is read, so the fluctuations are blurred and the electronic
    noise is not. The image itself has passed a detector already and is not blurred again.

    Parameters
    ----------
    image : array of integers or floats, shape (..., H, W)
    photons : float
        Expected count of a pixel at full white, or at full black for the response "inverted", where
        white means no exposure. Fewer photons make more noise.
    blur : float
        Standard deviation of the spread of light in pixels, 0 to 32.
    sigma : float
        Standard deviation of the electronic noise, as a share of the exposure of `photons`.
    response : {"logarithmic", "inverted", "linear"}
        Relation of grey values and exposures.
    clip : bool
        Clip the result to [0, 1]; results of integer type always are, hot pixels apart.
    rng : int or numpy.random.Generator, optional
        Seed or generator; the same seed gives the same noise.

    Returns
    -------
    ndarray
        Of the same shape and integer type; float32 for an image of any floating type.

    References
    ----------
    I. A. Cunningham, R. Shaw, "Signal-to-noise optimization of medical imaging systems",
    J. Opt. Soc. Am. A 16 (1999), doi 10.1364/JOSAA.16.000621.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_dental_denoise import add_quantum_noise
    >>> image = np.repeat(np.float32([[0.1], [0.9]]), 10_000, axis=1)
    >>> dark, bright = add_quantum_noise(image, photons=50, rng=0).std(axis=1)
    >>> bool(bright > 3 * dark)
    True
    """
    check_photons(photons, MAX_PHOTONS / LATITUDE)
    check_number("blur", blur, high=MAX_BLUR)
    check_number("sigma", sigma)
    check_plane(image)
    if response not in RESPONSES:
        raise InputError(f"response must be one of {', '.join(RESPONSES)}; received {response!r}")
    curve = RESPONSES[response]

    def expose(unit: Unit, rng: np.random.Generator) -> Unit:
        # Values outside [0, 1], which noisy images have, count as black or white.
        expected = curve.exposure(np.clip(unit, 0, 1))
        counted = (rng.poisson(expected * photons) / photons).astype(np.float32)
        read = expected + gaussian_blur(counted - expected, blur) + normal(rng, unit.shape) * np.float32(sigma)
        if response == "logarithmic":
            read = np.maximum(read, np.float32(MIN_PHOTONS / photons))
        return unit + curve.grey_value(read) - curve.grey_value(expected)

    return with_noise(image, expose, rng, clip=clip)


def add_varying_noise(
    image: ArrayLike,
    sigma_low: float = SIGMA_LOW.default,
    sigma_high: float = SIGMA_HIGH.default,
    *,
    clip: bool = False,
    rng: Rng = None,
) -> Any:
    """Add white Gaussian noise whose level varies smoothly over the image by a random map.

    Parameters
    ----------
    image : array of integers or floats, shape (..., H, W)
    sigma_low, sigma_high : float
        Standard deviation at the weakest and at the strongest noise, on the [0, 1] scale.
    clip : bool
        Clip the result to [0, 1]; results of integer type always are, hot pixels apart.
    rng : int or numpy.random.Generator, optional
        Seed or generator; the same seed gives the same map and noise.

    Returns
    -------
    ndarray
        Of the same shape and integer type; float32 for an image of any floating type.

    Examples
    --------
    >>> from napari_dental_denoise import add_varying_noise, phantom
    >>> clean = phantom((64, 96), rng=0)
    >>> noise = add_varying_noise(clean, sigma_low=0.02, sigma_high=0.2, rng=1) - clean
    >>> bool(0.02 < noise.std() < 0.2)
    True
    """
    check_sigma("sigma_low", sigma_low)
    check_sigma("sigma_high", sigma_high, low=sigma_low)
    check_plane(image)

    def vary(unit: Unit, rng: np.random.Generator) -> Unit:
        level = sigma_low + (sigma_high - sigma_low) * smooth_map(rng, (unit.shape[-2], unit.shape[-1]), KNOTS)
        return unit + normal(rng, unit.shape) * level.astype(np.float32)

    return with_noise(image, vary, rng, clip=clip)


def smooth_map(rng: np.random.Generator, shape: tuple[int, int], knots: int) -> Unit:
    """Draw a smooth random surface whose minimum is 0 and whose maximum is 1."""
    surface = cv2.resize(rng.random((knots, knots), dtype=np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC)
    lowest, highest = surface.min(), surface.max()
    return (surface - lowest) / max(highest - lowest, np.float32(1e-6))


def add_line_noise(image: ArrayLike, sigma: float = LINE_SIGMA.default, *, clip: bool = False, rng: Rng = None) -> Any:
    """Add a random offset to each row and each column, as sensors do that have an amplifier for each of them.

    The images of a stack have different offsets.

    Parameters
    ----------
    image : array of integers or floats, shape (..., H, W)
    sigma : float
        Standard deviation of the noise on the [0, 1] scale; rows and columns have half of its variance each.
    clip : bool
        Clip the result to [0, 1]; results of integer type always are, hot pixels apart.
    rng : int or numpy.random.Generator, optional
        Seed or generator; the same seed gives the same noise.

    Returns
    -------
    ndarray
        Of the same shape and integer type; float32 for an image of any floating type.

    References
    ----------
    A. El Gamal et al., "Modeling and estimation of FPN components in CMOS image sensors",
    Proc. SPIE 3301 (1998), doi 10.1117/12.304560.

    Examples
    --------
    >>> from napari_dental_denoise import add_line_noise, phantom
    >>> clean = phantom((64, 96), rng=0)
    >>> noise = add_line_noise(clean, sigma=0.05, rng=1) - clean
    >>> bool(abs(noise[0] - noise[1] - (noise[0, 0] - noise[1, 0])).max() < 1e-5)
    True
    """
    check_sigma("sigma", sigma)
    check_plane(image)
    return with_noise(image, lambda unit, rng: unit + line_offsets(rng, unit.shape) * np.float32(sigma), rng, clip=clip)


def line_offsets(rng: np.random.Generator, shape: tuple[int, ...]) -> Unit:
    """Draw offsets of rows and columns whose sum has unit standard deviation."""
    rows, columns = normal(rng, (*shape[:-1], 1)), normal(rng, (*shape[:-2], 1, shape[-1]))
    return (rows + columns) / np.float32(math.sqrt(2))


def add_jpeg_noise(
    image: ArrayLike,
    sigma: float = SIGMA.default,
    quality: float = QUALITY.default,
    *,
    clip: bool = False,
    rng: Rng = None,
) -> Any:
    """Add white Gaussian noise, then compress and decompress the image as JPEG.

    Parameters
    ----------
    image : array of integers or floats, shape (..., H, W)
        Clipped to [0, 1] and rounded to 8 bit, since JPEG stores no more.
    sigma : float
        Standard deviation of the noise before the compression, on the [0, 1] scale.
    quality : float
        Quality of the JPEG file, 1 to 100.
    clip : bool
        Has no effect: the result is in [0, 1].
    rng : int or numpy.random.Generator, optional
        Seed or generator; the same seed gives the same noise.

    Returns
    -------
    ndarray
        Of the same shape and integer type; float32 for an image of any floating type.

    Examples
    --------
    >>> from napari_dental_denoise import add_jpeg_noise, phantom
    >>> clean = (255 * phantom((64, 96), rng=0)).astype("uint8")
    >>> noisy = add_jpeg_noise(clean, sigma=0.1, quality=50, rng=1)
    >>> noisy.shape, noisy.dtype
    ((64, 96), dtype('uint8'))
    """
    check_sigma("sigma", sigma)
    check_number("quality", quality, 1.0, 100.0)
    check_plane(image)

    def compress(unit: Unit, rng: np.random.Generator) -> Unit:
        noisy = unit + normal(rng, unit.shape) * np.float32(sigma)
        return each_plane(noisy, lambda plane: jpeg_round_trip(plane, quality))

    return with_noise(image, compress, rng, clip=clip)


def jpeg_round_trip(plane: Unit, quality: float) -> Unit:
    """Compress an image (H, W) on [0, 1] as 8-bit JPEG and return it decompressed."""
    stored = np.rint(np.clip(plane, 0, 1) * GREY_LEVELS).astype(np.uint8)
    _, encoded = cv2.imencode(".jpg", stored, [cv2.IMWRITE_JPEG_QUALITY, round(quality)])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.float32) / np.float32(GREY_LEVELS)
