"""Known noise is read back from the noisy image alone: its level, where it is stronger, how far it reaches."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.images.radiograph import read_image
from napari_dental_denoise.noise.detector import add_quantum_noise
from napari_dental_denoise.noise.estimation import NoiseEstimate, estimate_noise
from napari_dental_denoise.noise.pointwise import add_gaussian_noise, add_poisson_noise
from napari_dental_denoise.pixels.intensity import full_scale, to_unit
from napari_dental_denoise.synthesis.scene import phantom

pytestmark = pytest.mark.quick

GREY = 1 / 255


def blurred_noise(shape, sigma, blur, seed=0):
    noise = np.random.default_rng(seed).standard_normal(shape)
    if blur:
        noise = gaussian_filter(noise, blur)
    return (noise * sigma / noise.std()).astype(np.float32)


@pytest.fixture(scope="module")
def clean():
    return phantom((400, 500), rng=3)


@pytest.fixture(scope="module")
def noisy(clean):
    return clean + blurred_noise(clean.shape, 15 * GREY, 1.0)


@pytest.mark.parametrize("blur", [0, 0.5, 1, 1.5, 2])
@pytest.mark.parametrize("sigma", [6, 25, 60])
def test_level_and_correlation_are_read_back(clean, sigma, blur):
    estimate = estimate_noise(clean + blurred_noise(clean.shape, sigma * GREY, blur))
    assert estimate.sigma == pytest.approx(sigma * GREY, rel=0.1 if sigma > 6 else 0.25)
    assert estimate.correlation_length == pytest.approx(2 * blur, rel=0.2 if sigma > 6 else 0.35, abs=0.01)
    assert estimate.blur == estimate.correlation_length / 2


def test_the_noise_of_a_real_radiograph_adds_to_its_own(dental_data):
    path = min((dental_data / "periapical" / "test").iterdir())
    image = to_unit(read_image(path))
    own = estimate_noise(image).sigma
    for blur in (0, 1, 2):
        estimate = estimate_noise(image + blurred_noise(image.shape, 20 * GREY, blur))
        assert estimate.sigma == pytest.approx(np.hypot(20 * GREY, own), rel=0.1)
        assert estimate.correlation_length == pytest.approx(2 * blur, rel=0.2, abs=0.01)


@pytest.mark.parametrize("photons", [30, 200])
def test_photon_noise_is_stronger_in_the_bright_parts(clean, photons):
    estimate = estimate_noise(add_poisson_noise(clean, photons, rng=0))
    assert estimate.sigma == pytest.approx(np.sqrt(clean.mean() / photons), rel=0.1)
    assert estimate.sigma_bright == pytest.approx(np.sqrt(estimate.bright / photons), rel=0.15)
    assert estimate.text().endswith("stronger in the bright parts")
    implied = estimate.variance(clean)
    assert implied.shape == clean.shape
    assert implied.min() >= 0
    np.testing.assert_allclose(implied[clean > 0.5], clean[clean > 0.5] / photons, rtol=0.3)


@pytest.mark.parametrize("photons", [5, 20])
def test_a_logarithmic_response_makes_an_exponential_law(clean, photons):
    noisy = add_quantum_noise(clean, photons, 0.7, rng=0)
    estimate = estimate_noise(noisy)
    assert estimate.law == "exponential"
    assert estimate.sigma == pytest.approx(np.std(noisy - clean), rel=0.15)
    for grey, sigma in ((estimate.dark, estimate.sigma_dark), (estimate.bright, estimate.sigma_bright)):
        there = np.abs(clean - grey) < 0.04
        assert sigma == pytest.approx(np.std((noisy - clean)[there]), rel=0.25)
    assert estimate.sigma_bright > 2 * estimate.sigma_dark


@pytest.mark.parametrize("law", ["linear", "exponential"])
@pytest.mark.parametrize(("dark", "bright"), [(0.01, 0.05), (0.05, 0.01), (0.02, 0.02)])
def test_the_variance_goes_through_its_ends_and_is_bounded_beyond(law, dark, bright):
    estimate = NoiseEstimate(0.03, 0.0, dark, bright, 0.4, 0.6, law)
    np.testing.assert_allclose(estimate.variance(np.array([0.4, 0.6])), [dark**2, bright**2], rtol=1e-5)
    variance = estimate.variance(np.linspace(-1, 2, 301, dtype=np.float32))
    assert variance.dtype == np.float32
    assert variance.min() > 0
    steps = np.diff(variance) * np.sign(bright - dark)
    assert steps.min() >= 0 if dark != bright else np.ptp(variance) < 1e-9
    assert variance[0] == variance[100]
    assert variance[-1] == variance[200]


def test_a_crop_of_a_12_bit_image_has_the_variance_of_the_whole(clean):
    noisy = add_poisson_noise(clean, 200, rng=0)
    whole = np.rint(np.clip(noisy, 0, 1) * 4095).astype(np.uint16)
    estimate = estimate_noise(whole)
    dark = np.unravel_index(np.argmin(gaussian_filter(clean, 8)), clean.shape)
    window = tuple(slice(max(place - 16, 0), place + 16) for place in dark)
    assert full_scale(whole[window]) < full_scale(whole)
    part = to_unit(whole[window], full_scale(whole))
    np.testing.assert_array_equal(estimate.variance(part), estimate.variance(to_unit(whole))[window])
    np.testing.assert_allclose(estimate.variance(part).mean(), clean[window].mean() / 200, rtol=0.3)
    assert estimate.sigma == pytest.approx(np.sqrt(clean.mean() / 200), rel=0.1)


def test_a_negative_is_noisier_in_the_dark_parts(clean):
    estimate = estimate_noise(1 - add_poisson_noise(clean, 100, rng=0))
    assert estimate.sigma == pytest.approx(np.sqrt(clean.mean() / 100), rel=0.1)
    assert estimate.text().endswith("stronger in the dark parts")


def test_noise_that_varies_over_the_image_has_its_root_mean_square(clean):
    level = np.linspace(5, 40, clean.shape[1], dtype=np.float32) * GREY
    estimate = estimate_noise(clean + blurred_noise(clean.shape, 1, 0) * level)
    assert estimate.sigma == pytest.approx(np.sqrt(np.mean(level**2)), rel=0.12)


def test_a_saturated_background_does_not_draw_the_level_down(clean):
    image = clean.copy()
    image[:, :200] = 0
    noisy = np.clip(image + blurred_noise(image.shape, 10 * GREY, 0), 0, 1)
    assert estimate_noise(noisy).sigma == pytest.approx(10 * GREY, rel=0.15)
    assert estimate_noise(np.rint(noisy * 255).astype(np.uint8)).sigma == pytest.approx(10 * GREY, rel=0.15)


def test_16_bits_say_the_same_as_8(noisy):
    grey = np.rint(np.clip(noisy, 0, 1) * 255).astype(np.uint8)
    grey[0, 0] = 255
    low, high = estimate_noise(grey), estimate_noise(grey.astype(np.uint16) * 257)
    assert high.law == low.law
    for field in set(NoiseEstimate.__slots__) - {"law"}:
        assert getattr(high, field) == pytest.approx(getattr(low, field), rel=1e-3)


def test_the_same_image_gives_the_same_estimate_and_stays_as_it_is(noisy):
    before = noisy.copy()
    assert estimate_noise(noisy) == estimate_noise(noisy)
    np.testing.assert_array_equal(noisy, before)


@given(factor=st.floats(0.05, 1), offset=st.floats(-0.2, 0.2))
@settings(max_examples=10)
def test_the_level_follows_the_contrast(noisy, factor, offset):
    whole, part = estimate_noise(noisy), estimate_noise(noisy * np.float32(factor) + np.float32(offset))
    assert part.sigma == pytest.approx(factor * whole.sigma, rel=0.02)
    assert part.correlation_length == pytest.approx(whole.correlation_length, abs=0.11)


@given(quarters=st.integers(0, 3), mirror=st.booleans())
@settings(max_examples=8)
def test_it_does_not_matter_how_the_image_lies(noisy, quarters, mirror):
    turned = np.rot90(noisy[:, ::-1] if mirror else noisy, quarters)
    assert estimate_noise(turned).sigma == pytest.approx(estimate_noise(noisy).sigma, rel=0.1)


@pytest.mark.parametrize("side", [32, 64])
def test_small_images(side):
    noisy = add_gaussian_noise(np.full((side, side), 0.5, np.float32), 20 * GREY, rng=0)
    assert estimate_noise(noisy).sigma == pytest.approx(20 * GREY, rel=0.25)


@pytest.mark.parametrize("image", [np.zeros((40, 50), np.uint8), np.full((64, 64), 0.3, np.float32)])
def test_a_constant_image_has_no_noise(image):
    estimate = estimate_noise(image)
    assert estimate.sigma == estimate.sigma_dark == estimate.sigma_bright == estimate.correlation_length == 0
    assert not estimate.variance(to_unit(image)).any()
    assert estimate.text() == "no noise found"


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (NoiseEstimate(6.2 * GREY, 0.0, 0.02, 0.021), "about 6.2 grey levels, uncorrelated"),
        (
            NoiseEstimate(6.2 * GREY, 1.4, 0.01, 0.03),
            "about 6.2 grey levels, correlated over 1.4 px, stronger in the bright parts",
        ),
        (NoiseEstimate(6.2 * GREY, 0.0, 0.021, 0.02), "about 6.2 grey levels, uncorrelated"),
        (
            NoiseEstimate(6.2 * GREY, 0.0, 0.03, 0.01),
            "about 6.2 grey levels, uncorrelated, stronger in the dark parts",
        ),
        (NoiseEstimate(0.0, 0.0, 0.0, 0.0), "no noise found"),
        (NoiseEstimate(0.04 * GREY, 5.4, 0.03, 0.01), "no noise found"),
        (NoiseEstimate(0.06 * GREY, 0.0, 0.01, 0.01), "about 0.1 grey levels, uncorrelated"),
        (
            NoiseEstimate(3.3 * GREY, 5.4, 0.01, 0.01),
            "none that can be told from structure, which varies by about 3.3 grey levels",
        ),
        (NoiseEstimate(12 * GREY, 5.4, 0.05, 0.05), "about 12 grey levels, correlated over 5.4 px"),
    ],
)
def test_text(estimate, text):
    assert estimate.text() == text


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((31, 80), np.uint8), r"at least 32 pixels a side; received \(31, 80\)"),
        (np.zeros((64, 64, 3), np.uint8), r"one grey channel, .*; received shape \(64, 64, 3\)"),
        (np.full((64, 64), np.nan, np.float32), r"contains invalid pixels \(NaN\): replace them first"),
        (np.zeros((64, 64), np.complex64), "whole or floating numbers; received complex64"),
    ],
)
def test_images_that_cannot_be_used_are_refused(image, message):
    with pytest.raises(InputError, match=message):
        estimate_noise(image)
