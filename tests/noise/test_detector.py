"""Detector noise has the level and the polarity that its physics says, and JPEG loses what a file loses."""

import math

import numpy as np
import pytest

import napari_dental_denoise as ndd
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.noise.detector import LATITUDE, RESPONSES

pytestmark = pytest.mark.quick

SIDE = 400


def flat(level=0.5, side=SIDE):
    return np.full((side, side), level, np.float32)


def neighbours(noise, lag=1):
    """Correlation of pixels so many columns apart."""
    return np.corrcoef(noise[:, lag:].ravel(), noise[:, :-lag].ravel())[0, 1]


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


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda image: ndd.add_quantum_noise(image, 0), r"photons must be .*\(0, .*\]"),
        (lambda image: ndd.add_quantum_noise(image, response="film"), "response must be one of logarithmic, .*'film'"),
        (lambda image: ndd.add_varying_noise(image, 0.2, 0.1), r"sigma_high must be .*\[0\.2, 1\]; received 0\.1"),
        (lambda image: ndd.add_line_noise(image, -1), r"sigma must be .*\[0, 1\]; received -1"),
        (lambda image: ndd.add_jpeg_noise(image, 0.1, 0), r"quality must be .*\[1, 100\]; received 0"),
    ],
)
def test_bad_levels_and_images_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call(flat())


def test_a_pixel_without_a_photon_is_as_bright_as_one_with_half_a_photon():
    noisy = ndd.add_quantum_noise(flat(1.0), 1, 0, 0, rng=1)
    assert noisy.max() == pytest.approx(1 + math.log(2) / math.log(LATITUDE))


@pytest.mark.parametrize("response", RESPONSES)
@pytest.mark.parametrize(("outside", "end"), [(-0.3, 0.0), (1.3, 1.0)])
def test_values_outside_the_range_are_as_noisy_as_black_and_white(response, outside, end):
    beyond, at_end = (
        ndd.add_quantum_noise(flat(level, 64), 20, 0.7, 0.01, response=response, rng=3) - np.float32(level)
        for level in (outside, end)
    )
    np.testing.assert_allclose(beyond, at_end, atol=1e-6)


def test_each_image_of_a_stack_has_lines_of_its_own():
    noise = ndd.add_line_noise(np.zeros((2, 100, 120), np.float32), 0.05, rng=0)
    for axis in (1, 2):
        lines = noise.mean(axis=axis)
        assert lines.std() == pytest.approx(0.05 / math.sqrt(2), rel=0.2)
        assert abs(np.corrcoef(lines)[0, 1]) < 0.3


def test_jpeg_compresses_the_noise_that_was_added():
    clean = flat(side=64)
    noise = ndd.add_jpeg_noise(clean, 0.1, 100, rng=0) - clean
    assert noise.std() == pytest.approx(0.1, rel=0.05)
    expected = ndd.add_gaussian_noise(clean, 0.1, rng=0) - clean
    assert np.corrcoef(noise.ravel(), expected.ravel())[0, 1] > 0.99
