"""The noise of dental radiographs: a random mixture of the effects of detectors, software and files."""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np

from napari_dental_denoise.config import GREY_LEVELS, SIGMA
from napari_dental_denoise.noise.common import (
    MAX_PHOTONS,
    Rng,
    check_plane,
    check_sigma,
    each_plane,
    normal,
    with_noise,
)
from napari_dental_denoise.noise.correlated import blurred_deviation, blurred_noise, gaussian_blur
from napari_dental_denoise.noise.detector import (
    LATITUDE,
    RESPONSES,
    ResponseName,
    add_quantum_noise,
    jpeg_round_trip,
    line_offsets,
    smooth_map,
)
from napari_dental_denoise.pixels import ArrayLike, Unit

# Probabilities and ranges of the mixture. Real noise may have any of these effects alone, so none is so frequent that a
# model could rely on it. Noise that is neither white nor correlated is quantum noise.
WHITE, CORRELATED = 0.35, 0.45
BLURS = (0.3, 2.0)
DETECTOR_BLURS = (0.3, 1.2)
UNBLURRED = 0.4
ELECTRONIC_SHARES = (0.0, 0.5)
VARYING = 0.2
LOWEST_LEVELS = (0.1, 0.7)
# A patch shows only a part of a level map, mostly a slope.
KNOTS = (2, 5)
SHARPENED = 0.1
SHARPENINGS = (0.3, 1.5)
SHARPENING_BLUR = 1.5
LINED = 0.08
LINE_SHARES = (0.1, 0.4)
ROUNDED = 0.2
CLIPPED = 0.15
COMPRESSED = 0.12
QUALITIES = (60.0, 97.0)
MIN_PHOTONS = 4.0
# Lower bound of the exposure in the choice of the photons: an entirely black patch has none.
MIN_EXPOSURE = 0.02


def add_dental_xray_noise(
    image: ArrayLike, sigma: float = SIGMA.default, *, clip: bool = False, rng: Rng = None
) -> Any:
    """Add the noise of dental radiographs: a random mixture, different at each call.

    The noise is white, correlated or quantum noise (see `add_quantum_noise`: each response, with and without blur and
    electronic noise). Some images also have a level that varies, sharpening, lines of the sensor, rounding to 8 bit or
    JPEG compression. The cited paper names these effects; how often each occurs is a choice of this project.

    Parameters
    ----------
    image : array of integers or floats, shape (..., H, W)
    sigma : float
        Root mean square of the noise before lines, rounding and compression, on the [0, 1] scale.
    clip : bool
        Clip the result to [0, 1]; results of integer type always are, hot pixels apart.
    rng : int or numpy.random.Generator, optional
        Seed or generator; the same seed gives the same mixture and noise.

    Returns
    -------
    ndarray
        Of the same shape and integer type; float32 for an image of any floating type.

    References
    ----------
    N. Ponomarenko et al., "Blind denoising of dental X-ray images", Electronic Imaging (2023),
    doi 10.2352/EI.2023.35.9.IPAS-299.

    Examples
    --------
    >>> from napari_dental_denoise import add_dental_xray_noise, phantom
    >>> clean = phantom((64, 96), rng=0)
    >>> first, second = (add_dental_xray_noise(clean, sigma=0.1, rng=seed) for seed in (0, 1))
    >>> bool((first == second).all())
    False
    """
    check_sigma("sigma", sigma)
    check_plane(image)
    return with_noise(image, lambda unit, rng: each_plane(unit, lambda clean: _mix(clean, sigma, rng)), rng, clip=clip)


def _mix(clean: Unit, sigma: float, rng: np.random.Generator) -> Unit:
    if sigma == 0:
        return clean
    noise = _noise(clean, sigma, rng)
    if rng.random() < VARYING:
        lowest = np.float32(rng.uniform(*LOWEST_LEVELS))
        level = smooth_map(rng, (clean.shape[0], clean.shape[1]), int(rng.integers(*KNOTS)))
        noise = noise * (lowest + (1 - lowest) * level)
    if rng.random() < SHARPENED:
        noise = noise + np.float32(rng.uniform(*SHARPENINGS)) * (noise - gaussian_blur(noise, SHARPENING_BLUR))
    noisy = clean + noise * np.float32(sigma / max(float(np.sqrt(np.mean(noise**2))), 1e-12))
    if rng.random() < LINED:
        noisy = noisy + line_offsets(rng, clean.shape) * np.float32(sigma * rng.uniform(*LINE_SHARES))
    return _store(noisy, rng)


def _noise(clean: Unit, sigma: float, rng: np.random.Generator) -> Unit:
    chance = rng.random()
    if chance < WHITE:
        return normal(rng, clean.shape)
    if chance < WHITE + CORRELATED:
        return blurred_noise(rng, clean.shape, rng.uniform(*BLURS))
    return _quantum(clean, sigma, rng)


def _quantum(clean: Unit, sigma: float, rng: np.random.Generator) -> Unit:
    response = cast("ResponseName", rng.choice(list(RESPONSES)))
    blur = 0.0 if rng.random() < UNBLURRED else rng.uniform(*DETECTOR_BLURS)
    left = blurred_deviation(blur, clean.shape)
    photons = _photons_for(clean, sigma / left, response)
    if photons < MIN_PHOTONS and response == "logarithmic":
        # With so few photons white pixels would turn black; a linear response gives noise of the same level.
        response = "linear"
        photons = _photons_for(clean, sigma / left, response)
    read_out = math.sqrt(rng.uniform(*ELECTRONIC_SHARES) / photons) * left
    return cast("Unit", add_quantum_noise(clean, photons, blur, read_out, response=response, rng=rng)) - clean


def _photons_for(clean: Unit, sigma: float, response: ResponseName) -> float:
    """Return the count at full white that gives photon noise of about this level."""
    exposure = np.maximum(RESPONSES[response].exposure(np.clip(clean, 0, 1)), MIN_EXPOSURE)
    variance = float(np.mean(1 / exposure)) / math.log(LATITUDE) ** 2 if response == "logarithmic" else exposure.mean()
    return float(min(variance / sigma**2, MAX_PHOTONS / LATITUDE))


def _store(noisy: Unit, rng: np.random.Generator) -> Unit:
    """Compress, round or clip the image as files do; most images stay as they are."""
    chance = rng.random()
    if chance < COMPRESSED:
        return jpeg_round_trip(noisy, rng.uniform(*QUALITIES))
    if chance < COMPRESSED + ROUNDED:
        return cast("Unit", np.rint(np.clip(noisy, 0, 1) * GREY_LEVELS) / np.float32(GREY_LEVELS))
    return np.clip(noisy, 0, 1) if chance < COMPRESSED + ROUNDED + CLIPPED else noisy
