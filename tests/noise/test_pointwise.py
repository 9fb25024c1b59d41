"""Noise has the moments that its physics says, the same for the same seed, and leaves the input alone."""

import numpy as np
import pytest

import napari_dental_denoise as ndd
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.noise.registry import NOISE_KINDS

pytestmark = pytest.mark.quick

SIDE = 400
GREY = 0.4
# Six standard errors: a false alarm in a billion.
SIGMAS = 6


def flat(level=GREY):
    return np.full((SIDE, SIDE), level, np.float32)


def assert_moments(noise, mean, deviation):
    count = noise.size
    assert abs(noise.mean() - mean) < SIGMAS * deviation / np.sqrt(count)
    # Of the standard deviation; the factor 2 is for noise with heavier tails than a Gaussian.
    assert abs(noise.std() / deviation - 1) < 2 * SIGMAS / np.sqrt(2 * count)


@pytest.mark.parametrize("sigma", [3 / 255, 0.1, 0.5, 1])
def test_gaussian_moments(sigma):
    assert_moments(ndd.add_gaussian_noise(flat(), sigma, rng=1) - GREY, 0, sigma)


def test_gaussian_noise_is_white():
    noise = ndd.add_gaussian_noise(flat(), 0.1, rng=1) - GREY
    for one, other in ((noise[1:], noise[:-1]), (noise[:, 1:], noise[:, :-1])):
        assert abs(np.mean(one * other)) / 0.01 < SIGMAS / SIDE


@pytest.mark.parametrize("photons", [30, 1000])
def test_poisson_variance_follows_the_grey_value(photons):
    for level in (0.1, 0.9):
        noise = ndd.add_poisson_noise(flat(level), photons, rng=1) - level
        assert_moments(noise, 0, np.sqrt(level / photons))


def test_poisson_noise_counts_whole_photons():
    counts = ndd.add_poisson_noise(flat(), 50, rng=1) * 50
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-3)


def test_values_below_black_count_no_photons():
    below = flat(-0.3)
    assert not ndd.add_poisson_noise(below, 50, rng=1).any()
    assert_moments(ndd.add_poisson_gaussian_noise(below, 50, 0.1, rng=1), 0, 0.1)


def test_poisson_gaussian_variances_add_up():
    noise = ndd.add_poisson_gaussian_noise(flat(), 100, 0.05, rng=1) - GREY
    assert_moments(noise, 0, np.sqrt(GREY / 100 + 0.05**2))


def test_speckle_is_in_proportion_to_the_grey_value():
    for level in (0.1, 0.8):
        assert_moments(ndd.add_speckle_noise(flat(level), 0.2, rng=1) - level, 0, 0.2 * level)


def test_salt_and_pepper_in_equal_shares():
    noisy = ndd.add_salt_and_pepper_noise(flat(), 0.1, rng=1)
    for value in (0, 1):
        assert abs(np.mean(noisy == value) - 0.05) < SIGMAS * np.sqrt(0.05 / noisy.size)
    assert np.mean(noisy == np.float32(GREY)) > 0.89


@pytest.mark.parametrize("kind", list(NOISE_KINDS))
class TestEachKind:
    def test_seed(self, kind):
        add = NOISE_KINDS[kind].add
        np.testing.assert_array_equal(add(flat(), rng=5), add(flat(), rng=np.random.default_rng(5)))
        assert not np.array_equal(add(flat(), rng=5), add(flat(), rng=6))

    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
    def test_type_shape_and_input_are_kept(self, kind, dtype):
        scale = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
        image = (np.linspace(0, 1, 3 * 40 * 30).reshape(3, 40, 30) * scale).astype(dtype)
        before = image.copy()
        noisy = NOISE_KINDS[kind].add(image, rng=0)
        assert noisy.shape == image.shape
        assert noisy.dtype == (np.float32 if np.issubdtype(dtype, np.floating) else dtype)
        np.testing.assert_array_equal(image, before)
        assert not np.array_equal(noisy, image)

    def test_clip(self, kind):
        noisy = NOISE_KINDS[kind].add(np.tile(np.float32([0, 0.5, 1]), (50, 20)), clip=True, rng=0)
        assert noisy.min() >= 0
        assert noisy.max() <= 1


def test_unclipped_noise_leaves_the_range():
    noisy = ndd.add_gaussian_noise(flat(1.0), 0.1, rng=0)
    assert abs(noisy.mean() - 1) < 0.01
    assert noisy.max() > 1.2


def test_12_bits_in_16_stay_12():
    image = np.repeat(np.uint16([[2000], [4000]]), 5000, axis=1)
    noisy = ndd.add_gaussian_noise(image, 0.1, rng=0)
    assert noisy.max() == 4095
    assert noisy[0].std() == pytest.approx(409.5, rel=0.06)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda image: ndd.add_gaussian_noise(image, -1), r"sigma must be .*\[0, 1\]; received -1"),
        (lambda image: ndd.add_gaussian_noise(image, float("nan")), r"sigma must be .*\[0, 1\]; received nan"),
        (lambda image: ndd.add_poisson_noise(image, 0), r"photons must be .*\(0, 1e\+09\]; received 0"),
        (lambda image: ndd.add_poisson_gaussian_noise(image, 10, -1), r"sigma must be .*\[0, 1\]; received -1"),
        (lambda image: ndd.add_gaussian_noise(image, 25), r"sigma must be .*\[0, 1\]; received 25 \(.* are 25/255\)"),
        (lambda image: ndd.add_gaussian_noise([image]), "expected an array; received list: process images of"),
        (lambda image: ndd.add_quantum_noise([image]), "expected an array; received list: process images of"),
        (lambda image: ndd.estimate_noise([image]), "expected an array; received list: process images of"),
        (lambda image: ndd.denoise([image]), "expected an array; received list: process images of several sizes"),
        (lambda image: ndd.denoise(image, None), "model must be a name, a file, an engine or a Keras model; .* None"),
        (lambda image: ndd.detail_map(image, 5), "model must be a name, a file, an engine or a Keras model; .* 5"),
        (lambda _image: ndd.read_image("/"), "^/: is not a regular file"),
        (lambda _image: ndd.denoise("scan.png"), "expected an array; received str: read the file with read_image"),
        (lambda _image: ndd.denoise(None), "expected an array; received NoneType$"),
        (lambda image: ndd.add_gaussian_noise(image, rng=-1), "rng must be a whole number from 0.*; received -1"),
        (lambda image: ndd.phantom((64, 64), rng="a"), "rng must be a whole number from 0.*; received 'a'"),
        (lambda image: ndd.phantom((64, 64), rng=True), "rng must be a whole number from 0.*; received True"),
        (lambda image: ndd.phantom(64), "shape must be .* at least 32 pixels each; received 64"),
        (lambda image: ndd.add_gaussian_noise(image, "a"), r"sigma must be .*\[0, 1\]; received 'a'"),
        (lambda image: ndd.denoise(image, strength="a"), r"strength must be .*\[0, 1\.5\]; received 'a'"),
        (lambda image: ndd.add_speckle_noise(image, float("inf")), r"sigma must be .*\[0, inf\); received inf"),
        (lambda image: ndd.add_salt_and_pepper_noise(image, 1.5), r"amount must be .*\[0, 1\]; received 1\.5"),
        (
            lambda image: ndd.add_gaussian_noise(image * np.complex64(1)),
            "whole or floating numbers; received complex64",
        ),
        (lambda image: ndd.add_gaussian_noise(image * np.nan), r"contains invalid pixels \(NaN\): replace them first"),
    ],
)
def test_bad_levels_and_images_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call(flat())
