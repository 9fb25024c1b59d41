"""Networks see differences from the local mean, which have no offset and end at the border as inside."""

import numpy as np
import pytest

from napari_dental_denoise.config import MEAN_SIDE
from napari_dental_denoise.pixels.local_mean import seen_by

pytestmark = pytest.mark.quick


def batch(shape=(2, 50, 70, 1)):
    return np.random.default_rng(0).random(shape, np.float32)


def test_an_image_is_seen_as_it_is():
    images = batch()
    assert seen_by("image", images) is images


def test_differences_are_those_from_the_mean_of_the_square():
    images, reach = batch(), MEAN_SIDE // 2
    seen = seen_by("differences", images)
    square = images[1, 24 - reach : 25 + reach, 30 - reach : 31 + reach, 0]
    assert seen[1, 24, 30, 0] == pytest.approx(images[1, 24, 30, 0] - square.mean(), abs=1e-5)
    mirrored = np.pad(images[0, :, :, 0], reach, mode="symmetric")[:MEAN_SIDE, :MEAN_SIDE]
    assert seen[0, 0, 0, 0] == pytest.approx(images[0, 0, 0, 0] - mirrored.mean(), abs=1e-5)


def test_an_offset_is_not_seen_and_a_factor_stays():
    images = batch()
    seen = seen_by("differences", images)
    np.testing.assert_allclose(seen_by("differences", images + 5), seen, atol=1e-5)
    np.testing.assert_allclose(seen_by("differences", 3 * images), 3 * seen, atol=1e-5)
    assert not seen_by("differences", np.full((1, 8, 8, 1), 0.5, np.float32)).any()


def test_images_smaller_than_the_square_are_seen_too():
    assert seen_by("differences", batch((1, 1, 3, 1))).shape == (1, 1, 3, 1)
