"""Grey values go to [0, 1] and come back exactly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays

from napari_dental_denoise.core.errors import InputError
from napari_dental_denoise.core.intensity import from_unit, full_scale, to_unit

SHAPES = arrays.array_shapes(min_dims=2, max_dims=3, max_side=12)


@settings(deadline=None)
@given(image=arrays.arrays(np.uint8, SHAPES) | arrays.arrays(np.uint16, SHAPES))
def test_integers_come_back_exactly(image):
    scale = full_scale(image)
    unit = to_unit(image, scale)
    assert unit.dtype == np.float32
    assert unit.min() >= 0
    assert unit.max() <= 1
    np.testing.assert_array_equal(from_unit(unit, image.dtype, scale), image)


@pytest.mark.parametrize(
    ("peak", "scale"), [(3, 255), (255, 255), (256, 511), (1023, 1023), (4000, 4095), (4096, 8191), (65535, 65535)]
)
def test_16_bit_counts_the_bits_that_are_used(peak, scale):
    assert full_scale(np.array([[0, peak]], np.uint16)) == scale


@pytest.mark.parametrize(("values", "scale"), [([0, 1], 1), ([-0.4, 1.6], 1), ([0, 200.5], 255), ([0, 3000.0], 4095)])
def test_floating_images_are_on_0_1_or_in_grey_levels(values, scale):
    assert full_scale(np.array([values], np.float64)) == scale


def test_results_are_rounded_and_clipped():
    unit = np.float32([[-0.2, 0.0019, 0.0021, 0.5, 1.4]])
    assert from_unit(unit, np.uint8, 255).tolist() == [[0, 0, 1, 128, 255]]
    assert from_unit(unit, np.float32, 1).tolist() == unit.tolist()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused(value):
    with pytest.raises(InputError, match="must hold finite values"):
        full_scale(np.array([[0, value]]))


def test_other_types_are_refused():
    with pytest.raises(InputError, match="must be uint8, uint16 or floating; received complex128"):
        full_scale(np.zeros((2, 2), complex))
