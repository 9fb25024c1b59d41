"""The baselines make a noisy radiograph better, or comparing with them would be idle."""

import numpy as np
import pytest

from napari_dental_denoise import add_gaussian_noise, psnr
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.evaluation import baselines
from napari_dental_denoise.evaluation.baselines import BASELINES, available_baselines, denoise_median


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


@pytest.mark.parametrize(("sigma", "removed"), [(0.03, 2), (0.06, 3), (0.15, 4)])
def test_the_window_of_the_median_grows_with_the_noise(sigma, removed):
    """A window of 2 n - 1 pixels a side removes a white square of n - 1 and keeps the middle of a larger one."""
    for side in (removed, removed + 1):
        image = np.zeros((21, 21), np.float32)
        image[8 : 8 + side, 8 : 8 + side] = 1
        assert denoise_median(image, sigma).any() == (side > removed)


@pytest.mark.parametrize("shape", [(5, 40), (9, 7)])
def test_small_images_keep_their_shape(shape):
    image = np.random.default_rng(0).random(shape).astype(np.float32)
    for denoise in BASELINES.values():
        assert denoise(image, 0.1).shape == shape


def test_bm3d_is_only_offered_and_run_where_it_is_installed(monkeypatch):
    assert list(available_baselines()) == list(BASELINES)
    monkeypatch.setattr(baselines, "find_spec", lambda name: None)
    assert set(BASELINES) - set(available_baselines()) == {"BM3D"}
    with pytest.raises(InputError, match=r"BM3D is not installed: pip install 'napari-dental-denoise\[bm3d\]'"):
        BASELINES["BM3D"](np.zeros((20, 20), np.float32), 0.1)
