"""Signals have the size, the contrast and the place that are asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_dental_denoise.detail.signals import (
    SIGNALS,
    disc,
    double_edge,
    ellipse,
    in_pixels,
    line,
    step,
    step_hole,
    trabeculae,
)
from napari_dental_denoise.errors import InputError

SHAPE = (65, 65)


@given(st.floats(2, 20))
def test_a_disc_has_its_radius_at_half_of_its_contrast(radius):
    signal = disc(SHAPE, radius)
    assert np.interp(-0.5, -signal[32, 32:], np.arange(33)) == pytest.approx(radius, abs=0.1)
    assert signal.sum() == pytest.approx(np.pi * radius**2, rel=0.3)
    np.testing.assert_allclose(signal, signal.T, atol=1e-6)
    np.testing.assert_allclose(signal, signal[::-1, ::-1], atol=1e-6)


def test_the_first_axis_of_an_ellipse_lies_at_its_angle():
    along_columns = ellipse(SHAPE, 12, 5, angle=0)
    assert along_columns[32, 32 + 9] > 0.99
    assert along_columns[32 + 9, 32] < 0.01
    along_rows = ellipse(SHAPE, 12, 5, angle=np.pi / 2)
    np.testing.assert_allclose(along_rows, along_columns.T, atol=1e-3)


@pytest.mark.parametrize("width", [0.5, 1.0, 2.0, 3.0])
def test_a_line_has_its_width(width):
    signal = line(SHAPE, width, length=200, angle=0.0)
    np.testing.assert_allclose(signal.sum(axis=0), width, rtol=1e-5)
    assert signal.max() == pytest.approx(min(width, 1))


def test_a_line_ends():
    signal = line(SHAPE, 2, angle=0.0)
    assert signal.sum() == pytest.approx(2 * 20, rel=1e-5)


def test_a_gap_is_dark_between_walls_and_changes_no_mean():
    signal = double_edge(SHAPE, 4, length=20, angle=0.0)
    assert signal[32, 32] == pytest.approx(-1)
    assert signal[32 - 4, 32] == signal[32 + 4, 32] == pytest.approx(0.5)
    assert signal.mean() == pytest.approx(0, abs=1e-6)


def test_a_hole_lies_in_a_step():
    np.testing.assert_array_equal(step_hole(SHAPE, 5), -disc(SHAPE, 5))
    whole = step(SHAPE, 21)
    assert whole.sum() == pytest.approx(21**2)
    assert whole[32, 32 + 9] == 1
    assert whole[32, 32 + 12] == 0


def test_trabeculae_are_the_same_for_a_seed_and_lie_in_the_middle():
    signal = trabeculae(SHAPE, 10, rng=1)
    np.testing.assert_array_equal(signal, trabeculae(SHAPE, 10, rng=1))
    assert not np.array_equal(signal, trabeculae(SHAPE, 10, rng=2))
    assert np.abs(signal).max() == 1
    assert np.abs(signal[:8]).max() < 0.02


@pytest.mark.parametrize("name", SIGNALS)
def test_each_signal_lies_in_the_middle_of_any_shape(name):
    signal = SIGNALS[name]((60, 81), 3.0)
    assert (signal.shape, signal.dtype) == ((60, 81), np.float32)
    assert np.abs(signal).max() > 0.9
    rows, columns = (np.abs(signal).sum(axis=axis) @ np.arange(side) for axis, side in ((1, 60), (0, 81)))
    assert rows / np.abs(signal).sum() == pytest.approx(30, abs=1.5)
    assert columns / np.abs(signal).sum() == pytest.approx(40, abs=1.5)


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("size", [0, -1, float("nan"), "4", True])
def test_sizes_have_to_be_positive_numbers(name, size):
    with pytest.raises(InputError, match="must be a number in"):
        SIGNALS[name](SHAPE, size)


def test_sizes_in_mm():
    assert in_pixels(0.5, 0.125) == 4
    with pytest.raises(InputError, match="pixel_size"):
        in_pixels(0.5, 0)
