"""Text in the pixels: captions and names are found and covered, anatomy is none."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.images.radiograph import read_image
from napari_dental_denoise.images.text import TextLine, cover_text, find_text
from napari_dental_denoise.synthesis.scene import phantom

NAME = "Mueller, Juergen 1970"


def written(image, text=NAME, *, row=20, column=9, scale=0.5, thickness=1, value=255):
    """Return an image with text, and where its strokes are."""
    strokes = cv2.putText(
        np.zeros(image.shape, np.uint8),
        text,
        (column, row),
        cv2.FONT_HERSHEY_SIMPLEX,
        scale,
        255,
        thickness,
        cv2.LINE_AA,
    )
    share = strokes / 255
    return (image * (1 - share) + value * share).astype(image.dtype), strokes > 64


def is_in(lines, shape):
    inside = np.zeros(shape, bool)
    for line in lines:
        inside[line.top : line.bottom, line.left : line.right] = True
    return inside


def radiograph_of(seed, noise=4.0):
    """Return a synthetic radiograph on a dark ground, where white text can be read."""
    image = phantom((300, 400), seed) * 200 + np.random.default_rng(seed).normal(0, noise, (300, 400))
    image[:30] = image[-30:] = 20
    return np.rint(np.clip(image, 0, 255)).astype(np.uint8)


@pytest.mark.parametrize("scale", [0.4, 0.5, 0.7])
@pytest.mark.parametrize("row", [20, 290])
def test_a_name_in_a_margin_is_found_whole(scale, row):
    image, strokes = written(radiograph_of(3), row=row, scale=scale)
    assert is_in(find_text(image), image.shape)[strokes].mean() > 0.97


def test_a_large_name_of_thick_strokes_is_found():
    ground = np.pad(phantom((800, 1200), 0) * 200, ((100, 0), (0, 0)))
    image, strokes = written(ground, row=80, scale=2, thickness=5)
    assert is_in(find_text(image), image.shape)[strokes].mean() > 0.97


def test_black_text_on_white_is_found():
    ground = radiograph_of(1)
    ground[-30:] = 255
    image, strokes = written(ground, row=290, value=0)
    assert is_in(find_text(image), image.shape)[strokes].mean() > 0.97


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("noise", [0.0, 10.0, 25.0])
def test_anatomy_is_no_text(seed, noise):
    assert find_text(radiograph_of(seed, noise)) == []


def test_noise_is_no_text():
    assert find_text(np.random.default_rng(0).normal(0, 1, (400, 400))) == []


@pytest.mark.parametrize("image", [np.zeros((40, 40)), np.full((9, 9), np.nan), np.zeros((1, 1), np.uint8)])
def test_an_even_image_has_no_text(image):
    assert find_text(image) == []


@settings(max_examples=12)
@given(factor=st.sampled_from([1, 2, 100]), shift=st.integers(0, 4000), dtype=st.sampled_from(["u2", "i4", "f4"]))
def test_the_unit_does_not_matter(factor, shift, dtype):
    image, _ = written(radiograph_of(2))
    assert find_text(image.astype(dtype) * factor + shift) == find_text(image) != []


def test_colour_and_stacks_are_refused():
    for shape in ((9, 9, 3), (2, 9, 9)):
        with pytest.raises(InputError):
            find_text(np.zeros(shape))


def test_covered_text_is_gone_and_the_rest_is_untouched():
    image, strokes = written(radiograph_of(3))
    lines = find_text(image)
    covered = cover_text(image, lines)
    inside = is_in(lines, image.shape)
    np.testing.assert_array_equal(covered[~inside], image[~inside])
    assert np.abs(covered[strokes & inside].astype(int) - 20).max() <= 5
    assert find_text(covered) == []


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint32, np.float32])
def test_covered_pixels_keep_their_type(dtype):
    image = np.full((20, 30), 100, dtype)
    image[5:9, 5:20] = 7
    covered = cover_text(image, [TextLine(3, 11, 3, 22)])
    assert covered.dtype == dtype
    assert (covered == 100).all()
    assert (image[5:9, 5:20] == 7).all()


def test_captions_of_real_radiographs_are_found_and_nothing_else(dental_data):
    """A caption is a white strip in the last rows, with letters of the scanner."""
    for path in sorted((dental_data / "periapical" / "test").iterdir()):
        image = read_image(path)
        has_caption = image[-10:].mean() > 215
        lines = find_text(image)
        assert len(lines) == has_caption
        assert all(line.top > 488 for line in lines)
