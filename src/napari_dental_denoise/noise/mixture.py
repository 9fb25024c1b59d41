"""The noise of dental radiographs: a random mixture of what their detectors, programs and files do to them."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import GREY_LEVELS, SIGMA
from napari_dental_denoise.noise.common import (
    MOST_PHOTONS,
    Rng,
    Unit,
    check_plane,
    check_sigma,
    corrupt,
    each_plane,
    normal,
)
from napari_dental_denoise.noise.correlated import blurred_noise, noise_left, spread
from napari_dental_denoise.noise.detector import (
    LATITUDE,
    RESPONSES,
    ResponseName,
    add_quantum_noise,
    line_offsets,
    smooth_map,
    through_jpeg,
)

# Chances and ranges of the mixture. What a user adds or a detector gives may be any of these by itself,
# so none is so frequent that a model could count on it. Noise that is neither white nor correlated by
# these chances is of photons.
WHITE, CORRELATED = 0.35, 0.45
BLURS = (0.3, 2.0)
DETECTOR_BLURS = (0.3, 1.2)
UNBLURRED = 0.4
ELECTRONIC_SHARES = (0.0, 0.5)
VARYING = 0.2
LOWEST_LEVELS = (0.1, 0.7)
# A patch shows a part of a level map: mostly a slope.
KNOTS = (2, 5)
SHARPENED = 0.1
SHARPENINGS = (0.3, 1.5)
SHARPENING_BLUR = 1.5
LINED = 0.08
LINE_SHARES = (0.1, 0.4)
ROUNDED = 0.2
COMPRESSED = 0.12
QUALITIES = (60.0, 97.0)
FEWEST_PHOTONS = 4.0
# A patch that is black all over would need no photon at all.
DARKEST = 0.02


def add_dental_xray_noise(
    image: NDArray[np.generic], sigma: float = SIGMA.default, *, clip: bool = False, rng: Rng = None
) -> NDArray[np.generic]:
    """Add noise as dental radiographs have it: a mixture that is drawn anew at each call.

    White, correlated, or of photons (see `add_quantum_noise`, in each of its responses, with and
    without blur and electronic noise); its level sometimes varies over the image, the vendor's
    program sometimes sharpens it, the sensor sometimes has lines, and the file is sometimes of 8 bit
    or compressed by JPEG. These are the properties named by N. Ponomarenko et al., "Blind denoising
    of dental X-ray images", Electronic Imaging (2023), doi 10.2352/EI.2023.35.9.IPAS-299; how often
    each occurs is this project's choice.

    Parameters
    ----------
    image : (..., H, W) array; uint8, uint16 or floating
    sigma : float
        Root mean square of the noise on the [0, 1] scale, before lines, rounding and compression.
    clip : bool
        Clip the result to [0, 1], as results for integer images are in any case.
    rng : int or numpy.random.Generator, optional
        The same seed gives the same mixture and noise.

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

    return corrupt(image, lambda unit, draw: each_plane(unit, lambda clean: _mix(clean, sigma, draw)), rng, clip=clip)


def _mix(clean: Unit, sigma: float, draw: np.random.Generator) -> Unit:
    if sigma == 0:
        return clean
    noise = _noise(clean, sigma, draw)
    if draw.random() < VARYING:
        lowest = np.float32(draw.uniform(*LOWEST_LEVELS))
        level = smooth_map(draw, (clean.shape[0], clean.shape[1]), int(draw.integers(*KNOTS)))
        noise = noise * (lowest + (1 - lowest) * level)
    if draw.random() < SHARPENED:
        noise = noise + np.float32(draw.uniform(*SHARPENINGS)) * (noise - spread(noise, SHARPENING_BLUR))
    noisy = clean + noise * np.float32(sigma / max(float(np.sqrt(np.mean(noise**2))), 1e-12))
    if draw.random() < LINED:
        noisy = noisy + line_offsets(draw, clean.shape) * np.float32(sigma * draw.uniform(*LINE_SHARES))
    return _store(noisy, draw)


def _noise(clean: Unit, sigma: float, draw: np.random.Generator) -> Unit:
    chance = draw.random()
    if chance < WHITE:
        return normal(draw, clean.shape)
    if chance < WHITE + CORRELATED:
        return blurred_noise(draw, clean.shape, draw.uniform(*BLURS))
    return _quantum(clean, sigma, draw)


def _quantum(clean: Unit, sigma: float, draw: np.random.Generator) -> Unit:
    response = cast("ResponseName", draw.choice(list(RESPONSES)))
    blur = 0.0 if draw.random() < UNBLURRED else draw.uniform(*DETECTOR_BLURS)
    left = noise_left(blur, clean.shape)
    photons = _photons_for(clean, sigma / left, response)
    if photons < FEWEST_PHOTONS and response == "logarithmic":
        # So few would turn white into black; as strong a noise is that of a raw exposure.
        response = "linear"
        photons = _photons_for(clean, sigma / left, response)
    read_out = math.sqrt(draw.uniform(*ELECTRONIC_SHARES) / photons) * left
    return cast("Unit", add_quantum_noise(clean, photons, blur, read_out, response=response, rng=draw)) - clean


def _photons_for(clean: Unit, sigma: float, response: ResponseName) -> float:
    """So many at full white that the noise of counting has about this level."""
    exposure = np.maximum(RESPONSES[response].exposure(np.clip(clean, 0, 1)), DARKEST)
    variance = float(np.mean(1 / exposure)) / math.log(LATITUDE) ** 2 if response == "logarithmic" else exposure.mean()
    return float(min(variance / sigma**2, MOST_PHOTONS / LATITUDE))


def _store(noisy: Unit, draw: np.random.Generator) -> Unit:
    """What the file keeps; here mostly everything, since most noise is added to images in memory."""
    chance = draw.random()
    if chance < COMPRESSED:
        return through_jpeg(noisy, draw.uniform(*QUALITIES))
    if chance < COMPRESSED + ROUNDED:
        return cast("Unit", np.rint(np.clip(noisy, 0, 1) * GREY_LEVELS) / np.float32(GREY_LEVELS))
    return noisy
