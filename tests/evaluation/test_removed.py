"""Erased details are found in what was removed, and noise alone raises no alarm."""

import re

import cv2
import numpy as np
import pytest

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.evaluation.removed import removed_structure
from napari_dental_denoise.noise.correlated import add_correlated_noise
from napari_dental_denoise.noise.pointwise import add_gaussian_noise
from napari_dental_denoise.synthesis.scene import phantom

SHAPE = (300, 400)
SIGMA = 10 / 255
CLEAN = phantom(SHAPE, 3)


def spot(row, column, radius):
    rows, columns = np.indices(SHAPE)
    return np.clip(radius + 0.5 - np.hypot(rows - row, columns - column), 0, 1).astype(np.float32)


def line(row, column, half_length):
    image = np.zeros(SHAPE, np.float32)
    image[row - 1 : row + 1, column - half_length : column + half_length] = 1
    return image


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("detail", [spot(80, 130, 2), spot(80, 130, 4), spot(80, 130, 8), line(80, 130, 8)])
def test_an_erased_detail_is_found_where_it_was(detail, sign):
    image = add_gaussian_noise(CLEAN + sign * 3 * SIGMA * detail, SIGMA, rng=0)
    removed = removed_structure(image, CLEAN)
    (place,) = removed.places
    assert abs(place.row - 80) <= 4
    assert abs(place.column - 130) <= 8
    assert np.sign(place.z) == sign
    assert place.contrast == pytest.approx(sign * 3 * SIGMA, rel=0.4)
    assert str(removed).endswith(f"was removed at 1 place (row, column): {place.row}, {place.column}")
    assert str(removed).startswith(f"Structure of up to {abs(place.contrast):.2g} grey values")


def test_the_contrast_in_an_image_of_16_bits_has_no_exponent():
    images = [image * 60000 for image in (CLEAN + 5 * SIGMA * spot(80, 130, 4), CLEAN)]
    assert re.match(r"Structure of up to \d+ grey values was removed", str(removed_structure(*images)))


def test_the_most_conspicuous_of_several_comes_first():
    details = 3 * spot(60, 60, 3) + 6 * spot(200, 300, 5) - 4 * spot(100, 250, 4)
    removed = removed_structure(add_gaussian_noise(CLEAN + SIGMA * details, SIGMA, rng=0), CLEAN)
    assert [(round(place.row, -1), round(place.column, -1)) for place in removed.places] == [
        (200, 300),
        (100, 250),
        (60, 60),
    ]
    assert "at 3 places" in str(removed)
    assert all(abs(removed.z[place.row, place.column]) >= removed.threshold for place in removed.places)


@pytest.mark.parametrize("blur", [0, 0.7, 1.5])
def test_noise_alone_raises_an_alarm_in_few_images(blur):
    alarms = sum(
        bool(removed_structure(add_correlated_noise(CLEAN, SIGMA, blur, rng=seed), CLEAN).places) for seed in range(20)
    )
    assert alarms <= 2


def test_a_lower_rate_of_false_alarms_needs_a_higher_value():
    rates = [removed_structure(CLEAN, CLEAN, false_alarms=rate).threshold for rate in (0.5, 0.05, 0.001)]
    assert 4 < rates[0] < rates[1] < rates[2] < 7


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_types_and_units_do_not_matter(dtype):
    scale = {np.uint8: 255, np.uint16: 4095, np.float32: 7}[dtype]
    image = add_gaussian_noise(CLEAN + 4 * SIGMA * spot(150, 200, 4), SIGMA, rng=0).clip(0, 1) * scale
    stored = [(np.rint(each) if dtype is not np.float32 else each).astype(dtype) for each in (image, CLEAN * scale)]
    (place,) = removed_structure(*stored).places
    assert abs(place.row - 150) + abs(place.column - 200) <= 6


def test_places_of_a_part_can_be_told_in_the_whole_image():
    image = add_gaussian_noise(CLEAN + 4 * SIGMA * spot(150, 200, 4), SIGMA, rng=0)
    (place,) = removed_structure(image, CLEAN).places
    (moved,) = removed_structure(image[100:, 150:], CLEAN[100:, 150:]).shifted(100, 150).places
    assert (moved.row, moved.column) == (place.row, place.column)


@pytest.mark.parametrize("sigma", [2 / 255, 10 / 255])
def test_structure_that_was_weakened_everywhere_is_found(sigma):
    noisy = add_gaussian_noise(CLEAN, sigma, rng=0)
    assert removed_structure(noisy, CLEAN).places == ()
    removed = removed_structure(noisy, cv2.GaussianBlur(noisy, (0, 0), 1.5))
    assert abs(removed.places[0].z) > 6
    edges = cv2.GaussianBlur(CLEAN, (0, 0), 1.5) - CLEAN
    alarms = np.abs(removed.z) >= removed.threshold
    # Bright structure lost light, dark structure gained some, and both where the blur took most.
    assert np.mean(np.sign(removed.z[alarms]) == -np.sign(edges[alarms])) > 0.9
    assert np.abs(edges[alarms]).mean() > 3 * np.abs(edges).mean()


def test_what_is_told_of_weakened_structure_is_its_lost_contrast():
    structure = CLEAN - cv2.blur(CLEAN, (15, 15))
    removed = removed_structure(add_gaussian_noise(CLEAN, SIGMA, rng=0), CLEAN - 0.4 * structure)
    place = max(removed.places, key=lambda place: abs(place.contrast))
    assert place.contrast == pytest.approx(0.4 * structure[place.row, place.column], rel=0.35)
    assert place.contrast == pytest.approx(np.copysign(0.4 * np.abs(structure).max(), place.contrast), rel=0.5)


def test_nothing_removed_is_nothing_found():
    removed = removed_structure(CLEAN, CLEAN)
    np.testing.assert_array_equal(removed.z, 0)
    assert str(removed) == "What was removed looks like noise"


def test_images_that_cannot_be_compared_are_refused():
    with pytest.raises(InputError, match="differ in size"):
        removed_structure(CLEAN, CLEAN[1:])
    with pytest.raises(InputError, match=r"expected images of shape \(height, width\)"):
        removed_structure(CLEAN[np.newaxis], CLEAN[np.newaxis])
    for value in (np.nan, np.inf):
        with pytest.raises(InputError, match="contains invalid pixels"):
            removed_structure(np.where(CLEAN.max() == CLEAN, value, CLEAN), CLEAN)
    with pytest.raises(InputError, match="false_alarms"):
        removed_structure(CLEAN, CLEAN, false_alarms=0)
