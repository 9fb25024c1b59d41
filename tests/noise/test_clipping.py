"""The noise that clipping hides is put back, and nothing else is changed."""

import numpy as np
import pytest

from napari_dental_denoise.inference.denoising import denoise
from napari_dental_denoise.noise.clipping import clipping_bias
from napari_dental_denoise.noise.pointwise import add_gaussian_noise
from napari_dental_denoise.synthesis.scene import phantom

SIGMA = 0.1
SHAPE = (200, 200)


def noise():
    return SIGMA * np.random.default_rng(0).standard_normal(SHAPE, np.float32)


@pytest.mark.parametrize("deviations", [0, 0.5, 1, 2, 4])
def test_a_flat_area_has_its_grey_value_at_any_distance_from_black_and_white(deviations):
    for grey, sign in ((1 - deviations * SIGMA, 1), (deviations * SIGMA, -1)):
        noisy = np.clip(grey + sign * noise(), 0, 1)
        mean = noisy.mean()
        hidden = clipping_bias(noisy, noisy - mean)
        assert mean + hidden.mean() == pytest.approx(grey, abs=0.05 * SIGMA)
        assert np.abs(mean + hidden - grey).max() < 0.15 * SIGMA
        assert (sign * hidden).min() >= 0


def test_what_a_network_has_put_back_is_not_put_back_again():
    for deviations in (0, 0.5):
        grey = 1 - deviations * SIGMA
        noisy = np.clip(grey + noise(), 0, 1)
        assert np.abs(clipping_bias(noisy, noisy - grey)).mean() < 0.05 * SIGMA


def test_nothing_is_hidden_without_noise_or_without_clipping():
    squares = np.kron(np.indices((8, 8)).sum(axis=0) % 2, np.ones((25, 25))).astype(np.float32)
    np.testing.assert_allclose(clipping_bias(squares, np.zeros_like(squares)), 0, atol=1e-9)
    grey = 0.5 + noise()
    np.testing.assert_array_equal(clipping_bias(grey, noise()), 0)


def test_a_black_background_without_noise_does_not_darken_what_is_beside_it():
    noisy = 0.3 + noise() / 2
    noisy[:, :100] = 0
    clean = np.where(noisy == 0, 0, np.float32(0.3))
    assert np.abs(clipping_bias(noisy, noisy - clean)).max() < 1e-4


@pytest.mark.parametrize("model", ["starter", "starter-fast"])
@pytest.mark.parametrize("white", [255, 4095, 65535, 1.0])
def test_black_and_white_areas_come_out_black_and_white(model, white):
    """Noise of 25 grey levels takes 10 of them from a white area."""
    clean = 0.1 + 0.7 * phantom((200, 300), 5001)
    clean[40:140, 20:120], clean[40:140, 180:280] = 0, 1
    unit = np.clip(add_gaussian_noise(clean, 25 / 255, rng=1), 0, 1)
    dtype = np.float32 if white == 1 else np.uint8 if white == 255 else np.uint16
    noisy = unit if white == 1 else np.rint(unit * white).astype(dtype)
    denoised = denoise(noisy, model) / white
    black, bright = denoised[50:130, 30:110].mean(), denoised[50:130, 190:270].mean()
    assert noisy[50:130, 190:270].mean() < (1 - 9 / 255) * white
    assert black < 2.5 / 255
    assert bright > 1 - 2.5 / 255
