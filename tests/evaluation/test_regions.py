import numpy as np
import pytest

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.evaluation.metrics import psnr, ssim
from napari_dental_denoise.evaluation.regions import (
    bounding_box,
    distances,
    ellipse_outline,
    on_one_scale,
    outline_mask,
    path_points,
    profile,
    region_score,
)
from napari_dental_denoise.pixels.intensity import to_unit_pair

BOX = np.array([[9.5, 19.5], [9.5, 49.5], [39.5, 49.5], [39.5, 19.5]])
RIGHT = np.array([0.0, 40.0])


def test_a_rectangle_between_pixels_takes_the_pixels_inside():
    mask = outline_mask([BOX], (60, 80))
    assert bounding_box(mask) == (slice(10, 40), slice(20, 50))
    assert mask.sum() == 30 * 30
    assert mask[10:40, 20:50].all()


def test_outlines_add_up_and_may_reach_beyond_the_image():
    mask = outline_mask([BOX, BOX + RIGHT], (60, 80))
    assert mask.sum() == 30 * (30 + 20)


def test_an_outline_beside_the_image_is_refused():
    with pytest.raises(InputError, match="The region holds no pixel of the image: draw a closed shape on it"):
        outline_mask([BOX + 500], (60, 80))


def test_an_ellipse_touches_the_sides_of_its_rectangle():
    outline = ellipse_outline(BOX)
    assert outline.min(axis=0) == pytest.approx([9.5, 19.5], abs=0.02)
    assert outline.max(axis=0) == pytest.approx([39.5, 49.5], abs=0.02)
    assert outline_mask([outline], (60, 80)).sum() == pytest.approx(np.pi * 15**2, rel=0.02)


def test_scores_equal_those_of_the_part(radiographs):
    clean = radiographs[0]
    noisy = np.random.default_rng(0).integers(0, 255, clean.shape, dtype=np.uint8)
    mask = outline_mask([ellipse_outline(BOX)], clean.shape)
    whole = region_score(clean, noisy, data_range=255)
    assert (whole.psnr, whole.ssim) == (psnr(clean, noisy, data_range=255), ssim(clean, noisy, data_range=255))
    part = region_score(clean, noisy, data_range=255, mask=mask)
    assert part.psnr == psnr(clean[mask], noisy[mask], data_range=255)
    box = bounding_box(mask)
    assert part.ssim == ssim(clean[box], noisy[box], data_range=255)


def test_a_region_too_small_for_ssim_has_a_psnr():
    image = np.random.default_rng(0).random((40, 40))
    mask = np.zeros((40, 40), bool)
    mask[3:10, 3:30] = True
    score = region_score(image, image + 0.1, data_range=1, mask=mask)
    assert score.psnr == pytest.approx(20)
    assert np.isnan(score.ssim)


def test_equal_types_are_left_as_they_are():
    images = [np.full((4, 4), 4095, np.uint16), np.full((4, 4), 70, np.uint16)]
    same, data_range = on_one_scale(images)
    assert same[0] is images[0]
    assert data_range == 4095


def test_different_types_meet_on_the_unit_range():
    (first, second), data_range = on_one_scale([np.full((4, 4), 255, np.uint8), np.full((4, 4), 1, np.float32)])
    assert data_range == 1
    assert np.array_equal(first, second)


@pytest.mark.parametrize("dtype", [np.uint16, np.float64])
def test_a_noisy_image_beyond_the_white_of_the_clean_one_scores_as_a_pair_does(dtype):
    clean = np.random.default_rng(0).integers(0, 4095, (40, 40)).astype(np.uint16)
    noisy = (clean + 30).astype(dtype)
    noisy[0, 0] = 4200
    images, data_range = on_one_scale([clean, noisy])
    one, other = to_unit_pair(clean, noisy)
    assert region_score(*images, data_range=data_range).psnr == pytest.approx(psnr(one, other, data_range=1), abs=1e-3)


def test_a_profile_is_linear_between_pixels_and_empty_outside():
    image = np.add.outer(10 * np.arange(20), np.arange(30)).astype(np.uint8)
    points = path_points(np.array([[2.0, 3.0], [2.0, 8.0], [7.5, 8.0]]))
    assert points[0] == pytest.approx([2, 3])
    assert points[-1] == pytest.approx([7.5, 8])
    assert profile(image, points) == pytest.approx(points @ [10, 1])
    assert np.isnan(profile(image, np.array([[-3.0, 4.0]]))).all()


def test_distances_are_in_the_units_of_the_spacing():
    corners = np.array([[0.0, 0.0], [0.0, 10.0], [10.0, 10.0]])
    assert distances(corners, (0.5, 2.0)) == pytest.approx([0, 20, 25])


def test_a_path_of_one_place_has_two_points():
    assert path_points(np.array([[3.0, 4.0], [3.0, 4.0]])).shape == (2, 2)
