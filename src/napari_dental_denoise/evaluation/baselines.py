"""Classical denoisers to compare with; each takes an image on [0, 1] and the standard deviation of its noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from types import MappingProxyType

import numpy as np
from scipy.ndimage import median_filter
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle, denoise_wavelet

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.pixels import Unit, mirrored

Denoiser = Callable[[Unit, float], Unit]


def denoise_median(noisy: Unit, sigma: float) -> Unit:
    """Return the median of 3x3 pixels, from sigma 0.06 of 5x5, and from 0.15 of 7x7."""
    side = 3 if sigma < 0.06 else 5 if sigma < 0.15 else 7
    return median_filter(noisy, size=side, mode="reflect")


def denoise_non_local_means(noisy: Unit, sigma: float) -> Unit:
    """Return the weighted mean of similar patches of the neighbourhood (A. Buades et al., doi 10.1109/CVPR.2005.38)."""
    return denoise_nl_means(
        noisy, patch_size=5, patch_distance=6, h=NL_MEANS_STRENGTH * sigma, sigma=sigma, fast_mode=True
    ).astype(np.float32)


def denoise_wavelets(noisy: Unit, sigma: float) -> Unit:
    """Shrink the wavelet coefficients by a soft threshold for each subband (Chang et al., doi 10.1109/83.862633)."""
    larger = mirrored(noisy, MIN_SIDE, MIN_SIDE)
    denoised = denoise_wavelet(larger, sigma=sigma, method="BayesShrink", mode="soft", wavelet="db4")
    return denoised[: noisy.shape[0], : noisy.shape[1]].astype(np.float32)


def denoise_total_variation(noisy: Unit, sigma: float) -> Unit:
    """Minimise total variation plus distance to the input (A. Chambolle, doi 10.1023/B:JMIV.0000011325.36760.1e)."""
    return denoise_tv_chambolle(noisy, weight=TV_WEIGHT * sigma, max_num_iter=200).astype(np.float32)


def denoise_bm3d(noisy: Unit, sigma: float) -> Unit:
    """Filter groups of similar blocks; needs the `bm3d` extra (K. Dabov et al., doi 10.1109/TIP.2007.901238)."""
    if find_spec("bm3d") is None:
        raise InputError("BM3D is not installed: pip install 'napari-dental-denoise[bm3d]'")
    from bm3d import bm3d

    denoised = bm3d(mirrored(noisy, MIN_SIDE, MIN_SIDE), sigma_psd=sigma)
    return np.asarray(denoised, np.float32)[: noisy.shape[0], : noisy.shape[1]]


# These values and the patch distance of the non-local means gave the best mean PSNR over sigma 10, 25 and 50 of 255, on
# phantoms and CC0 panoramics.
NL_MEANS_STRENGTH = 0.8
TV_WEIGHT = 2.0
# One level of the wavelets and the blocks of BM3D need this many pixels a side.
MIN_SIDE = 16

BASELINES: Mapping[str, Denoiser] = MappingProxyType(
    {
        "median": denoise_median,
        "non-local means": denoise_non_local_means,
        "wavelets": denoise_wavelets,
        "total variation": denoise_total_variation,
        "BM3D": denoise_bm3d,
    }
)


def available_baselines() -> dict[str, Denoiser]:
    """Return the installed baselines: all, or all but BM3D."""
    return {name: denoiser for name, denoiser in BASELINES.items() if name != "BM3D" or find_spec("bm3d")}
