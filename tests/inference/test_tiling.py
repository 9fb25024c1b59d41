"""Every pixel is given once, from a window that holds all it depends on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.inference.tiling import plan_axis, plan_tiles

SIDES = st.integers(1, 300)
HALOS = st.integers(0, 70)
MULTIPLES = st.sampled_from([1, 2, 8, 16])


@given(length=SIDES, side=SIDES, halo=HALOS, multiple=MULTIPLES)
def test_cores_cover_once_and_windows_hold_the_halo(length, side, halo, multiple):
    spans = plan_axis(length, side, halo, multiple)
    covered = [pixel for span in spans for pixel in range(span.core_start, span.core_stop)]
    assert covered == list(range(length))
    padded = -(-length // multiple) * multiple
    for span in spans:
        assert span.window_start % multiple == span.window_stop % multiple == 0
        assert span.window_start <= max(span.core_start - halo, 0)
        assert span.window_stop >= min(span.core_stop + halo, padded)
        assert 0 <= span.window_start < span.window_stop <= padded
        assert span.core_stop - span.core_start <= -(-side // multiple) * multiple


@given(length=st.integers(1, 3000), side=st.integers(8, 1000))
def test_cores_are_of_about_equal_size(length, side):
    sizes = [-(-(span.core_stop - span.core_start) // 8) for span in plan_axis(length, side, 0, 8)]
    assert max(sizes) - min(sizes) <= 1


@given(height=st.integers(1, 60), width=st.integers(1, 60), side=st.integers(1, 40), halo=st.integers(0, 20))
def test_stitching_the_tiles_gives_the_image(height, width, side, halo):
    image = np.arange(height * width).reshape(height, width)
    result = np.full_like(image, -1)
    for tile in plan_tiles(image.shape, side, halo, 4):
        window = image[tile.rows.window, tile.columns.window]
        result[tile.rows.core, tile.columns.core] = window[tile.rows.inner, tile.columns.inner]
    np.testing.assert_array_equal(result, image)


@pytest.mark.parametrize("arguments", [(0, 8, 0, 8), (8, 0, 0, 8), (8, 8, -1, 8), (8, 8, 0, 0)])
def test_impossible_plans_are_refused(arguments):
    with pytest.raises(InputError, match="must be positive and halo not negative"):
        plan_axis(*arguments)
