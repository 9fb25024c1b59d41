"""Find where what a denoiser removed looks like what it kept: weakened structure is removed in its own shape."""

from __future__ import annotations

import cv2
import numpy as np

from napari_dental_denoise.pixels import Unit

# Sides of the squares whose mean is no structure, and within which the correlation is measured.
BACKGROUND_SIDE, SIDE = 15, 33
# In standard deviations of the noise: what stands out by less may be noise that was kept; more counts as much.
MIN_STRUCTURE, MAX_STRUCTURE = 3.0, 5.0
# Least sum of squares of the structure within a square.
MIN_SQUARES = 300.0
# In standard deviations: weaker correlations remain with any denoiser, since some of the noise is in what it keeps.
MIN_CORRELATION = 6.0
# By how many rows and columns the noise is moved, to measure its correlation with structure that it has no part in.
SHIFTS = ((23, 23), (23, -23))
SAMPLING = 7


def weakened_structure(removed: Unit, kept: Unit) -> tuple[Unit, Unit]:
    """Return where the structure of a denoised image was weakened: the z-value and the removed part of it.

    Parameters
    ----------
    removed, kept : (H, W) float32 arrays
        Removed noise and denoised image, both in local standard deviations of the noise.

    Returns
    -------
    z, part : (H, W) float32 arrays
        By how many standard deviations the correlation around each pixel of the structure stands out of that of noise,
        below 0 for dark structure; and what was removed of the structure there, in units of `kept`. 0 elsewhere, and
        where the correlation is below `MIN_CORRELATION`.
    """
    structure = kept - cv2.blur(kept, (BACKGROUND_SIDE, BACKGROUND_SIDE), borderType=cv2.BORDER_REFLECT)
    structure[np.abs(structure) < MIN_STRUCTURE] = 0
    np.clip(structure, -MAX_STRUCTURE, MAX_STRUCTURE, out=structure)
    squares = _sums(structure**2)
    enough = squares >= MIN_SQUARES
    if not enough.any():
        return np.zeros_like(kept), np.zeros_like(kept)
    root = np.sqrt(np.maximum(squares, MIN_SQUARES))
    products = _sums(removed * structure)
    by_chance = [(_sums(np.roll(removed, shift, (0, 1)) * structure) / root)[enough][::SAMPLING] for shift in SHIFTS]
    spread = max(float(np.sqrt(np.mean(np.square(by_chance)))), 1.0)
    z = products / (root * np.float32(spread))
    alarming = enough & (z >= MIN_CORRELATION) & (structure != 0)
    return np.where(alarming, z * np.sign(structure), 0), np.where(alarming, products / root**2 * structure, 0)


def _sums(image: Unit) -> Unit:
    return cv2.boxFilter(image, -1, (SIDE, SIDE), normalize=False, borderType=cv2.BORDER_REFLECT)
