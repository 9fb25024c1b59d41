"""Scores of an image against a clean one: PSNR, SSIM and accuracy."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from napari_dental_denoise.config import ACCURACY_TOLERANCE
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.pixels import check_array, check_values
from napari_dental_denoise.validation import check_number

SSIM_SIGMA = 1.5
SSIM_MIN_SIDE = 11


def psnr(clean: NDArray[np.generic], denoised: NDArray[np.generic], *, data_range: float) -> float:
    """Return the peak signal-to-noise ratio.

    Parameters
    ----------
    clean, denoised : ndarray
        Of the same shape.
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
    _check_pair(clean, denoised, data_range)
    error = float(np.mean(np.square(np.subtract(clean, denoised, dtype=np.float64))))
    return float("inf") if error == 0 else float(10 * np.log10(data_range**2 / error))


def ssim(clean: NDArray[np.generic], denoised: NDArray[np.generic], *, data_range: float) -> float:
    """Return the mean structural similarity with a Gaussian window of 1.5 pixels, as in the original paper.

    Parameters
    ----------
    clean, denoised : ndarray, shape (..., H, W)
        Of the same shape, at least 11 pixels a side.
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
    _check_pair(clean, denoised, data_range)
    if clean.ndim < 2 or min(clean.shape[-2:]) < SSIM_MIN_SIDE:
        raise InputError(
            f"SSIM needs images (..., H, W) with at least {SSIM_MIN_SIDE} pixels a side; received {clean.shape}"
        )
    planes = (image.reshape(-1, *image.shape[-2:]) for image in (clean, denoised))
    options = {"gaussian_weights": True, "sigma": SSIM_SIGMA, "use_sample_covariance": False}
    scores = [
        structural_similarity(one.astype(np.float64), other.astype(np.float64), data_range=data_range, **options)
        for one, other in zip(*planes, strict=True)
    ]
    return float(np.mean(scores))


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
    clean: NDArray[np.generic],
    denoised: NDArray[np.generic],
    *,
    data_range: float,
    tolerance: float = ACCURACY_TOLERANCE,
) -> float:
    """Return the share of the pixels whose grey value is right within a tolerance.

    Parameters
    ----------
    clean, denoised : ndarray
        Of the same shape.
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
    _check_pair(clean, denoised, data_range)
    check_number("tolerance", tolerance)
    error = np.abs(np.subtract(clean, denoised, dtype=np.float64))
    return float(np.mean(error <= tolerance * data_range))


def _check_pair(clean: NDArray[np.generic], denoised: NDArray[np.generic], data_range: float) -> None:
    check_array(clean)
    check_array(denoised)
    if clean.shape != denoised.shape:
        raise InputError(f"the two images must have the same shape; received {clean.shape} and {denoised.shape}")
    if clean.size == 0:
        raise InputError(f"the images must not be empty; received shape {clean.shape}")
    for image in (clean, denoised):
        if np.issubdtype(image.dtype, np.floating):
            check_values(image)
    check_number("data_range", data_range, above=0)
