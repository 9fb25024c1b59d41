"""Dead leaves: images of occluding discs, which have edges and textures at all scales."""

from __future__ import annotations

import cv2
import numpy as np

from napari_dental_denoise.pixels import Unit
from napari_dental_denoise.synthesis.grid import log_uniform

# Drawn at twice the size and reduced, so that edges cover parts of pixels.
FINER = 2
SMALLEST_RADII = (1.0, 8.0)
LARGEST_RADIUS = 160.0
# Area of all leaves as a multiple of that of the image: few pixels stay uncovered.
COVER = 4.0
# Range of the grey values of an image; leaves beyond black and white are clipped there, as burnt parts of a radiograph.
CONTRASTS = (0.1, 1.4)
TEXTURED = 0.35
TEXTURES = 6
PERIODS = (2.0, 24.0)
AMPLITUDES = (0.03, 0.5)
# Of the amplitude of rough textures. A flatter spectrum would be that of noise, which a model must not learn to keep.
EXPONENTS = (1.8, 2.6)
BLURRED = 0.5
BLURS = (0.2, 1.2)


def dead_leaves(shape: tuple[int, int], rng: np.random.Generator) -> Unit:
    """Draw an image of discs that hide each other, with radii of a power law; some have bars or a rough texture.

    Such images have the statistics of natural ones at every scale [1]_, and train denoisers without any data [2]_.

    Parameters
    ----------
    shape : (int, int)
        Height and width in pixels.
    rng : numpy.random.Generator

    Returns
    -------
    (H, W) float32 array on [0, 1]

    References
    ----------
    .. [1] A. B. Lee, D. Mumford and J. Huang, "Occlusion models for natural images", Int. J. Comput. Vis. 41 (2001).
    .. [2] R. Achddou, Y. Gousseau and S. Ladjal, "Synthetic images as a regularity prior for image restoration neural
       networks", SSVM 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_dental_denoise.synthesis import dead_leaves
    >>> dead_leaves((64, 96), np.random.default_rng(0)).shape
    (64, 96)
    """
    grey, kind = _leaves((FINER * shape[0], FINER * shape[1]), rng)
    for number in range(1, TEXTURES + 1):
        texture = _bars(grey.shape, rng) if number % 2 else _rough(grey.shape, rng)
        grey += np.float32(log_uniform(rng, AMPLITUDES)) * np.where(kind == number, texture, np.float32(0))
    grey = np.clip(grey, 0, 1)
    if rng.random() < BLURRED:
        grey = cv2.GaussianBlur(grey, (0, 0), FINER * rng.uniform(*BLURS))
    return cv2.resize(grey, shape[::-1], interpolation=cv2.INTER_AREA)


def _leaves(shape: tuple[int, int], rng: np.random.Generator) -> tuple[Unit, Unit]:
    """Return the grey value at each pixel, and the number of the texture there, 0 for none."""
    contrast = log_uniform(rng, CONTRASTS)
    darkest = (1 - contrast) * rng.random()
    grey = np.full(shape, darkest + contrast / 2, np.float32)
    kind = np.zeros(shape, np.float32)
    smallest, largest = FINER * log_uniform(rng, SMALLEST_RADII), FINER * LARGEST_RADIUS
    # The mean area of discs whose radii have a density proportional to 1 / radius**3.
    mean_area = 2 * np.pi * smallest**2 * np.log(largest / smallest) / (1 - (smallest / largest) ** 2)
    count = int(COVER * grey.size / mean_area)
    radii = smallest / np.sqrt(1 - rng.random(count) * (1 - (smallest / largest) ** 2))
    rows, columns = (rng.uniform(-largest / 4, side + largest / 4, count) for side in shape)
    greys = darkest + contrast * rng.random(count)
    kinds = np.where(rng.random(count) < TEXTURED, rng.integers(1, TEXTURES + 1, count), 0)
    for row, column, radius, value, number in zip(rows, columns, radii, greys, kinds, strict=True):
        place = round(column), round(row)
        for image, painted in ((grey, value), (kind, number)):
            cv2.circle(image, place, round(radius), float(painted), cv2.FILLED)
    return grey, kind


def _bars(shape: tuple[int, int], rng: np.random.Generator) -> Unit:
    """Return bars or a grid of them, from -1 to 1."""
    rows, columns = np.indices(shape, np.float32)
    angle = rng.choice((0.0, np.pi / 2, rng.uniform(0, np.pi)))
    pace = 2 * np.pi / (FINER * log_uniform(rng, PERIODS))
    along = np.sin(pace * (columns * np.cos(angle) + rows * np.sin(angle)))
    across = np.sin(pace * (rows * np.cos(angle) - columns * np.sin(angle)))
    waves = along if rng.random() < 0.7 else along * across
    return (np.sign(waves) if rng.random() < 0.5 else waves).astype(np.float32)


def _rough(shape: tuple[int, int], rng: np.random.Generator) -> Unit:
    """Return a texture of a power-law spectrum, of unit deviation."""
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, np.newaxis], np.fft.rfftfreq(shape[1]))
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal(shape, np.float32)) * frequency ** -rng.uniform(*EXPONENTS)
    texture = np.fft.irfft2(spectrum, s=shape)
    return (texture / texture.std()).astype(np.float32)
