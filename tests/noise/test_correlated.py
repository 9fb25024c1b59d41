"""Spatially correlated noise has the level, the correlation and the spectrum that are asked for."""

import math
from itertools import product

import numpy as np
import pytest

import napari_dental_denoise as ndd
from napari_dental_denoise.errors import InputError

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


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda image: ndd.add_correlated_noise(image, 0.1, 40), r"blur must be .*\[0, 32\]; received 40"),
        (
            lambda image: ndd.add_correlated_noise(image[0], 0.1),
            r"expected an image \(\.\.\., H, W\) .* shape \(400,\)",
        ),
        (
            lambda image: ndd.add_spectrum_noise(image, -np.ones((8, 8))),
            "spectrum must be an array .* received shape",
        ),
        (lambda image: ndd.add_spectrum_noise(image, "white"), "spectrum must be .* real numbers; received 'white'"),
        # The transform of an image in place of its power.
        (lambda image: ndd.add_spectrum_noise(image, np.fft.fft2(image)), "spectrum must be .* real numbers"),
        (
            lambda image: ndd.add_spectrum_noise(image, np.full((8, 8), 3.0)),
            r"spectrum must have a mean, .*, in \[0, 1\]; received 3",
        ),
        (lambda image: ndd.add_power_law_noise(image, 0.1, 9), r"exponent must be .*\[0, 4\]; received 9"),
    ],
)
def test_bad_levels_and_images_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call(flat())


@pytest.mark.parametrize("shape", [(20, 33), (21, 32)])
@pytest.mark.parametrize("size", [(64, 51), (45, 80), (16, 19)])
def test_a_spectrum_of_another_size_than_the_image_keeps_its_correlation(size, shape):
    blurs = (0.8, 1.6)
    rows, columns = (np.fft.fftfreq(side) for side in size)
    spectrum = 0.01 * np.exp(-((2 * np.pi) ** 2) * np.add.outer((blurs[0] * rows) ** 2, (blurs[1] * columns) ** 2))
    noise = ndd.add_spectrum_noise(np.zeros((600, *shape), np.float32), spectrum, rng=0)
    assert noise.var() == pytest.approx(spectrum.mean(), rel=0.05)
    for down, right in ((1, 0), (0, 1), (0, 2), (2, 1), *product(range(5), range(6, 9))):
        lagged = noise[:, down:, right:] * noise[:, : shape[0] - down, : shape[1] - right]
        expected = math.exp(-((down / blurs[0]) ** 2 + (right / blurs[1]) ** 2) / 4)
        assert lagged.mean() / noise.var() == pytest.approx(expected, abs=0.04)


def test_blurred_noise_is_as_strong_at_the_border_as_inside():
    noise = ndd.add_correlated_noise(np.zeros((60, 64, 64), np.float32), 0.1, 2.0, rng=0)
    for border in (noise[:, 0], noise[:, -1], noise[:, :, 0], noise[:, :, -1]):
        assert border.std() == pytest.approx(0.1, rel=0.08)


@pytest.mark.parametrize("exponent", [0.5, 2.0, 4.0])
def test_power_law_noise_does_not_change_the_brightness(exponent):
    noise = ndd.add_power_law_noise(np.zeros((8, 64, 96), np.float32), 0.2, exponent, rng=0)
    assert np.abs(noise.mean(axis=(1, 2))).max() < 1e-6
    assert noise.std() == pytest.approx(0.2, rel=0.2)
