"""Phantoms are reproducible, in range, and look like something."""

import numpy as np
import pytest

from napari_dental_denoise import phantom, phantoms
from napari_dental_denoise.core.errors import InputError


@pytest.mark.parametrize("shape", [(32, 32), (97, 301), (488, 748)])
def test_shape_type_and_range(shape):
    image = phantom(shape, rng=0)
    assert image.shape == shape
    assert image.dtype == np.float32
    assert image.min() >= 0
    assert image.max() <= 1


def test_the_same_seed_draws_the_same_mouth():
    np.testing.assert_array_equal(phantom((64, 64), rng=3), phantom((64, 64), rng=3))
    first, second = phantoms(2, (64, 64), seed=3)
    assert not np.array_equal(first, second)


def test_it_has_dark_background_and_bright_enamel():
    for image in phantoms(5, (244, 374)):
        assert np.quantile(image, 0.02) < 0.35
        assert np.quantile(image, 0.98) > 0.6


def test_too_small_is_refused():
    with pytest.raises(InputError, match=r"sides of 32 pixels and more; received \(31, 100\)"):
        phantom((31, 100))
