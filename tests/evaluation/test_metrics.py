"""Scores as computed by hand, and as scikit-image computes them."""

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from napari_dental_denoise import accuracy, psnr, ssim
from napari_dental_denoise.errors import InputError

pytestmark = pytest.mark.quick


def test_psnr_by_hand():
    clean = np.zeros((10, 10))
    assert psnr(clean, clean + 0.1, data_range=1) == pytest.approx(20)
    assert psnr(clean, clean + 25.5, data_range=255) == pytest.approx(20)
    assert psnr(clean, clean, data_range=1) == float("inf")


def test_psnr_of_unsigned_images_does_not_wrap_around():
    assert psnr(np.uint8([[0, 255]]), np.uint8([[255, 0]]), data_range=255) == pytest.approx(0)


def test_accuracy_by_hand():
    clean, denoised = np.zeros((1, 4)), np.array([[0, 0.04, 0.06, 0.5]])
    assert accuracy(clean, denoised, data_range=1) == 0.5
    assert accuracy(clean, denoised, data_range=1, tolerance=0.1) == 0.75
    assert accuracy(clean, denoised * 255, data_range=255) == 0.5


def test_as_scikit_image(radiographs):
    rng = np.random.default_rng(0)
    clean = radiographs[0]
    noisy = (clean + rng.normal(0, 20, clean.shape)).clip(0, 255).astype(np.uint8)
    assert psnr(clean, noisy, data_range=255) == pytest.approx(peak_signal_noise_ratio(clean, noisy, data_range=255))
    expected = structural_similarity(
        clean, noisy, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert ssim(clean, noisy, data_range=255) == pytest.approx(expected, abs=1e-6)
    assert ssim(clean, clean, data_range=255) == pytest.approx(1)


@pytest.mark.parametrize("score", [psnr, ssim, accuracy])
def test_bad_pairs_are_refused(score):
    image = np.zeros((20, 20))
    with pytest.raises(InputError, match=r"must have the same shape; received \(20, 20\) and \(20, 21\)"):
        score(image, np.zeros((20, 21)), data_range=1)
    with pytest.raises(InputError, match=r"data_range must be a number in \(0, inf\); received 0"):
        score(image, image, data_range=0)
    with pytest.raises(InputError, match="must not be empty"):
        score(np.zeros((0, 5)), np.zeros((0, 5)), data_range=1)


def test_ssim_of_a_stack_is_the_mean_of_its_images():
    clean = np.random.default_rng(0).random((3, 20, 30))
    noisy = clean + 0.1 * np.random.default_rng(1).standard_normal(clean.shape) * np.array([1, 2, 3])[:, None, None]
    each = [ssim(one, other, data_range=1) for one, other in zip(clean, noisy, strict=True)]
    assert ssim(clean, noisy, data_range=1) == pytest.approx(np.mean(each))


@pytest.mark.parametrize("score", [psnr, ssim, accuracy])
def test_a_list_is_refused(score):
    image = np.zeros((20, 20))
    with pytest.raises(InputError, match="expected an array; received list"):
        score(image, [image], data_range=1)


def test_ssim_of_a_tiny_image_is_refused():
    with pytest.raises(InputError, match=r"at least 11 pixels a side; received \(8, 30\)"):
        ssim(np.zeros((8, 30)), np.zeros((8, 30)), data_range=1)
