"""Grey values go to [0, 1] and come back exactly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as arrays

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.noise.registry import NOISE_KINDS
from napari_dental_denoise.pixels.intensity import from_unit, full_scale, keep_beyond_white, to_unit, to_unit_pair
from napari_dental_denoise.synthesis.scene import phantom

pytestmark = pytest.mark.quick

SHAPES = arrays.array_shapes(min_dims=2, max_dims=3, max_side=12)


@given(image=arrays.arrays(np.uint8, SHAPES) | arrays.arrays(np.uint16, SHAPES))
def test_integers_come_back_exactly(image):
    scale = full_scale(image)
    unit = to_unit(image, scale)
    assert unit.dtype == np.float32
    assert unit.min() >= 0
    assert (unit <= 1).all() or image.max() > scale
    np.testing.assert_array_equal(keep_beyond_white(image, from_unit(unit, image.dtype, scale), scale), image)


@pytest.mark.parametrize(
    ("peak", "scale"), [(3, 255), (255, 255), (256, 511), (1023, 1023), (4000, 4095), (4096, 8191), (65535, 65535)]
)
def test_16_bit_counts_the_bits_that_are_used(peak, scale):
    assert full_scale(np.array([[0, peak]], np.uint16)) == scale
    assert full_scale(np.array([[0, peak]], np.uint32)) == scale


def test_32_bit_comes_back_within_what_a_network_can_tell():
    image = np.array([[0, 70_000, 2**32 - 1], [2**31, 5, 2**32 - 1]], np.uint32)
    scale = full_scale(image)
    assert scale == 2**32 - 1
    restored = from_unit(to_unit(image, scale), np.uint32, scale)
    assert restored.dtype == np.uint32
    np.testing.assert_allclose(restored, image.astype(float), rtol=2**-23, atol=2**9)


@pytest.mark.parametrize(("values", "scale"), [([0, 1], 1), ([-0.4, 1.6], 1), ([0, 200.5], 255), ([0, 3000.0], 4095)])
def test_floating_images_are_on_0_1_or_in_grey_levels(values, scale):
    assert full_scale(np.array([values], np.float64)) == scale


@pytest.mark.parametrize("white", [1, 255, 4095, 65535])
@pytest.mark.parametrize("kind", NOISE_KINDS)
def test_noise_that_was_not_clipped_does_not_change_white(white, kind):
    clean = phantom((256, 384), rng=3) * np.float32(white)
    noisy = NOISE_KINDS[kind].add(clean, rng=0)
    assert full_scale(noisy) == white
    np.testing.assert_allclose(to_unit_pair(clean, noisy)[1], noisy / white, atol=1e-5)


@pytest.mark.parametrize("peak", [700.5, 3000.5])
def test_white_of_a_small_bright_spot_is_at_least_half_of_it(peak):
    image = np.full((64, 64), 100.5)
    image[30:33, 30:33] = peak
    assert peak / 2 <= full_scale(image) < peak


@pytest.mark.parametrize("defect", [65535, 4096])
@pytest.mark.parametrize(
    "place", [np.s_[30, 30], np.s_[:, 17], np.s_[5, :], np.s_[1, :], np.s_[:, -2], np.s_[0, 0], np.s_[..., -1]]
)
@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.float64])
def test_hot_pixels_and_lines_do_not_decide_white(dtype, place, defect):
    image = np.rint(phantom((64, 96), rng=3) * 4095).astype(dtype)
    assert full_scale(image) == 4095
    image[place] = defect
    assert full_scale(image) == 4095


@pytest.mark.parametrize("peak", [300, 2090, 4095, 4200])
def test_whole_numbers_have_the_same_white_in_every_type(peak):
    image = np.rint(phantom((256, 384), rng=3) * peak).astype(np.uint16)
    assert full_scale(image) == full_scale(image.astype(np.float32)) == full_scale(image.astype(np.float64))


@pytest.mark.parametrize("dtype", [np.uint16, np.float64])
def test_white_of_a_pair_is_that_of_the_clean_one(dtype):
    photons = np.array([[30, 3900]], dtype), np.array([[28, 4400]], dtype)
    np.testing.assert_allclose(to_unit_pair(*photons)[1], [[28 / 4095, 4400 / 4095]], rtol=1e-6)


GREY = np.array([[0.0, 0.25, 1.0]])
IN_LEVELS = np.array([[0.0, 63.75, 255.0]])


@pytest.mark.parametrize("other", [GREY.astype(np.float32), IN_LEVELS, np.rint(GREY * 4095).astype(np.uint16)])
def test_a_pair_of_two_types_shows_the_same(other):
    pair = to_unit_pair(np.rint(IN_LEVELS).astype(np.uint8), other)
    np.testing.assert_allclose(*pair, atol=0.002)


def test_a_pair_of_one_type_is_on_one_scale():
    dark, bright = np.array([[0, 900]], np.uint16), np.array([[0, 1800]], np.uint16)
    one, other = to_unit_pair(dark, bright)
    assert 2 * one[0, 1] == other[0, 1]
    unclipped = np.add(IN_LEVELS, [[-9.0, 0.0, 12.0]])
    one, other = to_unit_pair(np.rint(IN_LEVELS).astype(np.uint8), unclipped)
    np.testing.assert_allclose(other - one, [[-9 / 255, 0, 12 / 255]], atol=0.002)


def test_results_are_rounded_and_clipped():
    unit = np.float32([[-0.2, 0.0019, 0.0021, 0.5, 1.4]])
    assert from_unit(unit, np.uint8, 255).tolist() == [[0, 0, 1, 128, 255]]
    assert from_unit(unit, np.float32, 1).tolist() == unit.tolist()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused(value):
    with pytest.raises(InputError, match="contains invalid pixels"):
        full_scale(np.array([[0, value]]))


def test_other_types_are_refused():
    with pytest.raises(InputError, match="whole or floating numbers; received complex128"):
        full_scale(np.zeros((2, 2), complex))
