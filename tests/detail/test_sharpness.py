"""The MTF of an edge and the power spectrum of noise are those of theory and of another program."""

import numpy as np
import pytest
from microct_iq_toolbox.helpers.radial import RadialProfile
from microct_iq_toolbox.mtf_calculator import get_MTF
from microct_iq_toolbox.nps_calculator import get_NPS
from scipy.ndimage import gaussian_filter

from napari_dental_denoise.detail.sharpness import edge_line, edge_mtf, slanted_edge
from napari_dental_denoise.detail.spectrum import noise_power_spectrum
from napari_dental_denoise.errors import InputError


@pytest.mark.parametrize("blur", [0.6, 1.0, 2.0])
@pytest.mark.parametrize("angle", [-7.0, 3.0, 5.0])
def test_the_mtf_of_a_gaussian_blur(blur, angle):
    mtf = edge_mtf(slanted_edge((128, 128), 0.2, 0.8, angle=angle, blur=blur))
    np.testing.assert_allclose(mtf.values, np.exp(-2 * (np.pi * blur * mtf.frequencies) ** 2), atol=0.02)


def test_the_mtf_does_not_depend_on_grey_values_or_direction():
    edge = slanted_edge((128, 128), 0.2, 0.8, blur=1.0)
    values = edge_mtf(edge).values
    np.testing.assert_allclose(edge_mtf(1 - edge).values, values, atol=1e-3)
    np.testing.assert_allclose(edge_mtf(1000 * edge + 5).values, values, atol=1e-3)
    np.testing.assert_allclose(edge_mtf(edge[:, ::-1]).values, values, atol=5e-3)


def test_the_frequency_of_half_the_contrast():
    mtf = edge_mtf(slanted_edge((128, 128), 0, 1, blur=1.0), pixel_size=0.1)
    # exp(-2 (pi f)^2) = 0.5 at f = 0.1874 cycles a pixel.
    assert mtf.frequency_at(0.5) == pytest.approx(1.874, rel=0.01)
    assert mtf.frequency_at(-1) == np.inf


def test_a_known_edge_is_measured_in_noise_and_freed_of_its_own_blur():
    edge = slanted_edge((96, 96), 0.3, 0.7, blur=0.5)
    noisy = gaussian_filter(edge + 0.1 * np.random.default_rng(0).standard_normal((400, 96, 96)), (0, 1, 1))
    mtf = edge_mtf(noisy.mean(axis=0), edge=edge_line((96, 96)), blur=0.5)
    np.testing.assert_allclose(mtf.values[:20], np.exp(-2 * (np.pi * mtf.frequencies[:20]) ** 2), atol=0.06)
    assert edge_mtf(edge, edge=edge_line((96, 96)), blur=0.5).values[-1] == pytest.approx(1, abs=0.1)


def test_an_image_without_an_edge_is_refused():
    with pytest.raises(InputError, match="one nearly vertical edge"):
        edge_mtf(np.full((64, 64), 0.5))
    with pytest.raises(InputError, match="too near its border"):
        edge_mtf(slanted_edge((128, 128), 0, 1, blur=1.0)[:, 60:])


def test_the_mtf_equals_that_of_another_program():
    """That one interpolates rows linearly and averages the profile over a pixel, for which its result is corrected."""
    edge = slanted_edge((200, 200), 0.2, 0.8, angle=5.0, blur=2.0)
    frequencies, values = get_MTF(edge.astype(float), [20, 180, 60, 140], False, edge_angle=5.0, high_to_low=False)
    # Where a tenth of the contrast and more is left.
    kept = (frequencies >= 0) & (frequencies < 0.17)
    theirs = values[kept] / np.sinc(frequencies[kept]) ** 3
    ours = edge_mtf(edge)
    np.testing.assert_allclose(np.interp(frequencies[kept], ours.frequencies, ours.values), theirs, rtol=0.02)


def noise(blur, count=40, side=256, seed=0):
    white = np.random.default_rng(seed).standard_normal((count, side, side))
    return gaussian_filter(white, (0, blur, blur), mode="wrap") if blur else white


@pytest.mark.parametrize("blur", [0, 0.7, 1.2])
def test_the_spectrum_of_blurred_noise(blur):
    spectrum = noise_power_spectrum(0.1 * noise(blur), side=128)
    expected = 0.01 * np.exp(-((2 * np.pi * blur * spectrum.frequencies) ** 2))
    # The lowest frequencies are lost with the trend that is subtracted; little power drowns in what leaks from more.
    inner = slice(6, 30)
    np.testing.assert_allclose(spectrum.radial[inner], expected[inner], rtol=0.05)
    assert spectrum.variance == pytest.approx(np.var(0.1 * noise(blur)), rel=0.03)


def test_the_spectrum_in_units_of_mm():
    in_pixels = noise_power_spectrum(noise(0), side=64)
    in_mm = noise_power_spectrum(noise(0), side=64, pixel_size=0.1)
    np.testing.assert_allclose(in_mm.frequencies, in_pixels.frequencies * 10)
    np.testing.assert_allclose(in_mm.radial, in_pixels.radial / 100)
    assert in_mm.variance == pytest.approx(in_pixels.variance)
    assert noise_power_spectrum(4 * noise(0), side=64, mean=4.0).variance == pytest.approx(in_pixels.variance)


def test_slow_shading_is_no_noise():
    rows, columns = np.mgrid[-1:1:256j, -1:1:256j]
    shaded = noise(0) + 50 * rows**2 - 20 * columns
    np.testing.assert_allclose(
        noise_power_spectrum(shaded, side=64).radial[2:], noise_power_spectrum(noise(0), side=64).radial[2:], rtol=1e-3
    )


def test_an_image_that_is_too_small_is_refused():
    with pytest.raises(InputError, match="128 pixels"):
        noise_power_spectrum([np.zeros((127, 300))])


def test_the_spectrum_equals_that_of_another_program():
    images = noise(0.7, count=60)
    starts = range(0, 193, 32)
    bounds = np.array([[row, row + 64, column, column + 64] for row in starts for column in starts])
    _, theirs = get_NPS(images, bounds, 1.0)
    # Of the same rings, which that program weighs by their overlap with pixels. The two subtract different trends,
    # which only the lowest frequencies tell.
    ours = RadialProfile(noise_power_spectrum(images, side=64).power, (32, 32), np.arange(32)).profile
    np.testing.assert_allclose(ours[4:28], theirs[4:28], rtol=0.01)
