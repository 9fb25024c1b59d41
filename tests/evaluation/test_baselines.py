"""The baselines make a noisy radiograph better, or comparing with them would be idle."""

import numpy as np
import pytest

from napari_dental_denoise import add_gaussian_noise, psnr
from napari_dental_denoise.evaluation.baselines import BASELINES


@pytest.mark.parametrize("name", list(BASELINES))
@pytest.mark.parametrize("sigma", [0.04, 0.1, 0.2])
def test_each_baseline_gains_three_decibels(name, sigma, radiographs):
    clean = (radiographs[0] / 255).astype(np.float32)
    noisy = add_gaussian_noise(clean, sigma, rng=0)
    before = noisy.copy()
    denoised = BASELINES[name](noisy, sigma)
    assert denoised.dtype == np.float32
    assert psnr(clean, denoised, data_range=1) > psnr(clean, noisy, data_range=1) + (3 if sigma > 0.04 else 1)
    np.testing.assert_array_equal(noisy, before)
