"""The mixture of noises of dental radiographs has its level and all of its parts."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import napari_dental_denoise as ndd
from napari_dental_denoise.errors import InputError


def neighbours(noise, lag=1):
    """Correlation of pixels so many columns apart."""
    return np.corrcoef(noise[:, lag:].ravel(), noise[:, :-lag].ravel())[0, 1]


@given(seed=st.integers(0, 2**31), sigma=st.floats(0.03, 0.2))
@settings(max_examples=60)
def test_the_mixture_has_the_level_that_is_asked_for(seed, sigma):
    clean = np.tile(np.linspace(0.3, 0.7, 128, dtype=np.float32), (128, 1))
    noise = ndd.add_dental_xray_noise(clean, sigma, rng=seed) - clean
    # Lines add up to a seventh; JPEG takes away some, most of the faintest, which is why sigma starts at 8 levels.
    assert 0.6 * sigma < np.sqrt(np.mean(noise**2)) < 1.2 * sigma


def test_the_mixture_is_of_many_kinds():
    clean = np.tile(np.linspace(0.1, 0.9, 128, dtype=np.float32), (128, 1))
    noises = [ndd.add_dental_xray_noise(clean, 0.1, rng=seed) - clean for seed in range(150)]
    correlation = np.array([neighbours(noise) for noise in noises])
    assert np.mean(np.abs(correlation) < 0.05) > 0.3
    assert np.mean(correlation > 0.2) > 0.25
    polarity = np.array([noise[:, 96:].std() / noise[:, :32].std() for noise in noises])
    assert np.mean(polarity > 1.3) > 0.05
    assert np.mean(polarity < 1 / 1.3) > 0.05


@pytest.mark.parametrize("grey", [0, 1])
def test_the_mixture_can_be_strong_where_a_patch_is_all_black_or_white(grey):
    patch = np.full((32, 32), grey, np.float32)
    for seed in range(100):
        assert np.isfinite(ndd.add_dental_xray_noise(patch, 60 / 255, rng=seed)).all()


def test_no_noise_is_no_noise():
    clean = np.full((64, 64), 0.5, np.float32)
    np.testing.assert_array_equal(ndd.add_dental_xray_noise(clean, 0, rng=0), clean)


@pytest.fixture(scope="module")
def noises():
    """Noise of sigma 0.1 on a flat image, for many seeds."""
    clean = np.full((96, 96), 0.5, np.float32)
    return np.stack([ndd.add_dental_xray_noise(clean, 0.1, rng=seed) - clean for seed in range(400)])


def test_a_third_of_the_mixture_is_stored_in_8_bit(noises):
    grey = (noises + 0.5) * 255
    stored = np.abs(grey - np.rint(grey)).max(axis=(1, 2)) < 1e-3
    assert 0.26 < stored.mean() < 0.38


def white(noises):
    return noises[[abs(neighbours(noise)) < 0.05 for noise in noises]]


def test_a_fifth_of_the_mixture_varies_over_the_image(noises):
    quarters = white(noises).reshape(-1, 2, 48, 2, 48).std(axis=(2, 4)).reshape(-1, 4)
    assert 0.08 < np.mean(quarters.max(axis=1) > 1.2 * quarters.min(axis=1)) < 0.3


def test_some_of_the_mixture_has_lines(noises):
    # Rows of white noise alone would have this deviation.
    expected = 0.1 / math.sqrt(noises.shape[2])
    lined = white(noises).mean(axis=2).std(axis=1) > 1.5 * expected
    assert 0.02 < lined.mean() < 0.15


@pytest.mark.parametrize("sigma", [math.nan, -0.1])
def test_a_bad_level_is_refused(sigma):
    with pytest.raises(InputError, match=rf"sigma must be .*\[0, 1\]; received {sigma}"):
        ndd.add_dental_xray_noise(np.zeros((40, 40), np.float32), sigma)
