"""Noise that neighbours share has the correlation, level and polarity that its physics says."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import napari_dental_denoise as ndd
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.noise.detector import LATITUDE

SIDE = 400


def flat(level=0.5, side=SIDE):
    return np.full((side, side), level, np.float32)


def neighbours(noise, lag=1):
    """Correlation of pixels so many columns apart."""
    return np.corrcoef(noise[:, lag:].ravel(), noise[:, :-lag].ravel())[0, 1]


@pytest.mark.parametrize("blur", [0.5, 1.0, 2.0])
def test_correlated_noise_has_its_level_and_its_correlation(blur):
    noise = ndd.add_correlated_noise(flat(), 0.1, blur, rng=1) - 0.5
    assert noise.std() == pytest.approx(0.1, rel=0.05)
    assert neighbours(noise, 2) == pytest.approx(math.exp(-1 / blur**2), abs=0.03)
    assert neighbours(noise.T, 2) == pytest.approx(math.exp(-1 / blur**2), abs=0.03)


def test_correlation_falls_to_1_over_e_over_twice_the_blur():
    noise = ndd.add_correlated_noise(flat(), 0.1, 2.0, rng=1) - 0.5
    assert neighbours(noise, 4) == pytest.approx(1 / math.e, abs=0.03)


def test_without_blur_it_is_white_noise():
    image = flat()
    np.testing.assert_array_equal(
        ndd.add_correlated_noise(image, 0.1, 0, rng=3), ndd.add_gaussian_noise(image, 0.1, rng=3)
    )


def test_images_of_a_stack_have_noise_of_their_own():
    noise = ndd.add_correlated_noise(np.zeros((2, 200, 200), np.float32), 0.1, 2.0, rng=0)
    assert abs(np.corrcoef(noise[0].ravel(), noise[1].ravel())[0, 1]) < 0.1


@pytest.mark.parametrize("shape", [(64, 64), (300, 201)])
def test_noise_of_a_spectrum_has_that_spectrum(shape):
    frequency = np.hypot(np.fft.fftfreq(32)[:, np.newaxis], np.fft.fftfreq(32))
    spectrum = 0.01 * np.exp(-((frequency / 0.15) ** 2))
    noise = ndd.add_spectrum_noise(np.zeros((200, *shape), np.float32), spectrum, rng=0)
    assert noise.var() == pytest.approx(spectrum.mean(), rel=0.05)
    power = np.mean(np.abs(np.fft.fft2(noise[:, :64, :64])) ** 2, axis=0) / 64**2
    assert power[0, 0] > 5 * power[0, 16]
    assert power[2, 4] == pytest.approx(spectrum[1, 2], rel=0.3)


def test_power_law_noise_falls_with_its_exponent():
    noise = ndd.add_power_law_noise(np.zeros((20, 256, 256), np.float32), 0.1, 2.0, rng=0)
    assert noise.std() == pytest.approx(0.1, rel=0.1)
    power = np.mean(np.abs(np.fft.fft2(noise)) ** 2, axis=0)
    assert power[0, 4] / power[0, 32] == pytest.approx(8**2, rel=0.5)


def test_in_a_radiograph_bright_parts_are_noisier():
    """Few photons arrived there; the deviation of the logarithm of n photons is 1 / sqrt(n)."""
    for level in (0.2, 0.9):
        noise = ndd.add_quantum_noise(flat(level), 50, 0, 0, rng=1) - level
        photons = 50 * LATITUDE ** (1 - level)
        assert noise.std() == pytest.approx(1 / (math.log(LATITUDE) * math.sqrt(photons)), rel=0.05)
        assert abs(noise.mean()) < 0.005


def test_in_an_inverted_exposure_dark_parts_are_noisier():
    for level in (0.2, 0.9):
        noise = ndd.add_quantum_noise(flat(level), 50, 0, 0, response="inverted", rng=1) - level
        assert noise.std() == pytest.approx(math.sqrt((1 - level) / 50), rel=0.05)


def test_a_raw_exposure_is_that_of_counting():
    image = flat(0.3)
    np.testing.assert_allclose(
        ndd.add_quantum_noise(image, 50, 0, 0, response="linear", rng=2),
        ndd.add_poisson_noise(image, 50, rng=2),
        atol=1e-6,
    )


def test_the_detector_blurs_photons_and_not_electrons():
    counted = ndd.add_quantum_noise(flat(), 50, 1.0, 0.0, response="linear", rng=1) - 0.5
    assert neighbours(counted) == pytest.approx(math.exp(-1 / 4), abs=0.03)
    # What a blur leaves of white noise: 1 / (2 sqrt(pi) blur) of its deviation.
    assert counted.std() == pytest.approx(math.sqrt(0.5 / 50) / (2 * math.sqrt(math.pi)), rel=0.05)
    read = ndd.add_quantum_noise(flat(), 1e7, 1.0, 0.1, response="linear", rng=1) - 0.5
    assert abs(neighbours(read)) < 0.03
    assert read.std() == pytest.approx(0.1, rel=0.05)


def test_the_level_varies_between_its_ends():
    noise = ndd.add_varying_noise(flat(), 0.02, 0.2, rng=0) - 0.5
    levels = noise.reshape(20, 20, 20, 20).std(axis=(1, 3))
    assert 0.015 < levels.min() < 0.05
    assert 0.15 < levels.max() < 0.23


def test_lines_are_offsets_of_rows_and_columns():
    noise = ndd.add_line_noise(flat(), 0.05, rng=0) - 0.5
    assert noise.std() == pytest.approx(0.05, rel=0.1)
    rows, columns = noise.mean(axis=1, keepdims=True), noise.mean(axis=0, keepdims=True)
    np.testing.assert_allclose(noise, rows + columns - noise.mean(), atol=1e-5)


def test_jpeg_keeps_8_bit_and_loses_more_at_low_quality():
    image = ndd.phantom((160, 240), rng=0)
    good, poor = (ndd.add_jpeg_noise(image, 0.0, quality, rng=0) for quality in (95, 20))
    assert np.abs(good - image).mean() < np.abs(poor - image).mean() / 2
    np.testing.assert_allclose(poor * 255, np.rint(poor * 255), atol=1e-4)


@given(seed=st.integers(0, 2**31), sigma=st.floats(0.03, 0.2))
@settings(deadline=None, max_examples=60)
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
    clean = flat(side=64)
    np.testing.assert_array_equal(ndd.add_dental_xray_noise(clean, 0, rng=0), clean)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda image: ndd.add_correlated_noise(image, 0.1, 40), "blur must be between 0 and 32; received 40"),
        (
            lambda image: ndd.add_correlated_noise(image[0], 0.1),
            r"expected an image \(\.\.\., H, W\) .* shape \(400,\)",
        ),
        (lambda image: ndd.add_spectrum_noise(image, -np.ones((8, 8))), r"spectrum must be \(h, w\) powers from 0"),
        (lambda image: ndd.add_power_law_noise(image, 0.1, 9), "exponent must be between 0 and 4; received 9"),
        (lambda image: ndd.add_quantum_noise(image, 0), "photons must be a positive number"),
        (lambda image: ndd.add_quantum_noise(image, response="film"), "response must be one of logarithmic, .*'film'"),
        (lambda image: ndd.add_varying_noise(image, 0.2, 0.1), "sigma_high must be at least 0.2; received 0.1"),
        (lambda image: ndd.add_line_noise(image, -1), "sigma must be at least 0; received -1"),
        (lambda image: ndd.add_jpeg_noise(image, 0.1, 0), "quality must be between 1 and 100; received 0"),
        (lambda image: ndd.add_dental_xray_noise(image, math.nan), "sigma must be at least 0; received nan"),
    ],
)
def test_bad_levels_and_images_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call(flat())
