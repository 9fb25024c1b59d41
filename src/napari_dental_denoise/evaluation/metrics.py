"""Scores of an image against a clean one: PSNR, SSIM and accuracy."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import ACCURACY_TOLERANCE
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.pixels import ArrayLike, InputArray, check_values
from napari_dental_denoise.validation import check_number

SSIM_SIGMA = 1.5
SSIM_MIN_SIDE = 11


def psnr(clean: ArrayLike, denoised: ArrayLike, *, data_range: float) -> float:
    """Return the peak signal-to-noise ratio.

    Parameters
    ----------
    clean, denoised : array
        Of the same shape; pixels that are masked in one of them do not count.
    data_range : float
        Difference of white and black: 1 for images on [0, 1], 255 for 8 bit.

    Returns
    -------
    float
        Decibels; infinite for equal images.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_dental_denoise import psnr
    >>> clean = np.zeros((32, 32))
    >>> round(psnr(clean, clean + 0.1, data_range=1), 6)
    20.0
    """
    error = float(np.mean(np.square(_checked_pair(clean, denoised, data_range).differences())))
    return float("inf") if error == 0 else float(10 * np.log10(data_range**2 / error))


def ssim(clean: ArrayLike, denoised: ArrayLike, *, data_range: float) -> float:
    """Return the mean structural similarity with a Gaussian window of 1.5 pixels, as in the original paper.

    Parameters
    ----------
    clean, denoised : array, shape (..., H, W)
        Of the same shape, at least 11 pixels a side; pixels that are masked in one of them do not count.
    data_range : float
        Difference of white and black: 1 for images on [0, 1], 255 for 8 bit.

    Returns
    -------
    float
        1 for equal images; the mean over the images of a stack.

    References
    ----------
    Z. Wang et al., "Image quality assessment: from error visibility to structural similarity",
    IEEE Trans. Image Process. 13 (2004), doi 10.1109/TIP.2003.819861.

    Examples
    --------
    >>> from napari_dental_denoise import add_gaussian_noise, phantom, ssim
    >>> clean = phantom((64, 96), rng=0)
    >>> weak, strong = (ssim(clean, add_gaussian_noise(clean, sigma, rng=1), data_range=1) for sigma in (0.01, 0.1))
    >>> ssim(clean, clean, data_range=1) > weak > strong
    True
    """
    pair = _checked_pair(clean, denoised, data_range)
    shape = pair.clean.shape
    if len(shape) < 2 or min(shape[-2:]) < SSIM_MIN_SIDE:
        raise InputError(f"SSIM needs images (..., H, W) with at least {SSIM_MIN_SIDE} pixels a side; received {shape}")
    from skimage.metrics import structural_similarity

    planes = (part.reshape(-1, *shape[-2:]) for part in (pair.clean, pair.denoised, pair.counted))
    options = {"gaussian_weights": True, "sigma": SSIM_SIGMA, "use_sample_covariance": False, "full": True}
    scores = []
    # As in the original paper, only where the whole window is in the image.
    inner = (slice(SSIM_MIN_SIDE // 2, -(SSIM_MIN_SIDE // 2)),) * 2
    for one, other, counted in zip(*planes, strict=True):
        _, each = structural_similarity(
            one.astype(np.float64), other.astype(np.float64), data_range=data_range, **options
        )
        scores += [each[inner][counted[inner]].mean()] if counted[inner].any() else []
    return float(np.mean(scores)) if scores else math.nan


def ssim_or_nan(clean: NDArray[np.generic], denoised: NDArray[np.generic], *, data_range: float) -> float:
    """Return `ssim`, or NaN for images that are too small for it."""
    if min(clean.shape[-2:]) < SSIM_MIN_SIDE:
        return math.nan
    return ssim(clean, denoised, data_range=data_range)


def mean_score(scores: Iterable[float]) -> float:
    """Return the mean of the scores that are not NaN, or NaN if there are none."""
    known = [score for score in scores if not math.isnan(score)]
    return float(np.mean(known)) if known else math.nan


def accuracy(
    clean: ArrayLike,
    denoised: ArrayLike,
    *,
    data_range: float,
    tolerance: float = ACCURACY_TOLERANCE,
) -> float:
    """Return the share of the pixels whose grey value is right within a tolerance.

    Parameters
    ----------
    clean, denoised : array
        Of the same shape; pixels that are masked in one of them do not count.
    data_range : float
        Difference of white and black: 1 for images on [0, 1], 255 for 8 bit.
    tolerance : float
        As a share of `data_range`.

    Returns
    -------
    float
        0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_dental_denoise import accuracy
    >>> accuracy(np.zeros(4), np.array([0, 0.04, 0.06, 0.5]), data_range=1)
    0.5
    """
    check_number("tolerance", tolerance)
    error = np.abs(_checked_pair(clean, denoised, data_range).differences())
    return float(np.mean(error <= tolerance * data_range))


class _Pair(NamedTuple):
    """Two images of one shape, and which of their pixels count."""

    clean: NDArray[Any]
    denoised: NDArray[Any]
    counted: NDArray[np.bool_]

    def differences(self) -> NDArray[np.float64]:
        """Return the differences of the pixels that count."""
        return np.subtract(self.clean, self.denoised, dtype=np.float64)[self.counted]


def _checked_pair(clean: ArrayLike, denoised: ArrayLike, data_range: float) -> _Pair:
    sources = InputArray(clean), InputArray(denoised)
    one, other = (source.pixels for source in sources)
    if one.shape != other.shape:
        raise InputError(f"the two images must have the same shape; received {one.shape} and {other.shape}")
    if one.size == 0:
        raise InputError(f"the images must not be empty; received shape {one.shape}")
    for image in (one, other):
        if np.issubdtype(image.dtype, np.floating):
            check_values(image)
    check_number("data_range", data_range, above=0)
    counted = np.ones(one.shape, bool)
    for source in sources:
        counted &= True if source.mask is None else ~source.mask
    if not counted.any():
        raise InputError("each pixel is masked in one of the images: expected some that are not")
    return _Pair(one, other, counted)
