"""Polarity, sign, bits and padding are undone for the network and redone for the file, to the last bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from napari_dental_denoise.pixels.encoding import PLAIN, PixelEncoding, encoding_from
from napari_dental_denoise.pixels.intensity import from_unit, full_scale, keep_beyond_white, to_unit

pytestmark = pytest.mark.quick


@st.composite
def stored_images(draw):
    dtype = draw(st.sampled_from([np.uint8, np.int8, np.uint16, np.int16]))
    bits = draw(st.integers(1, 8 * np.dtype(dtype).itemsize))
    signed = np.issubdtype(dtype, np.signedinteger)
    low = -(2 ** (bits - 1)) if signed else 0
    values = st.integers(low, low + 2**bits - 1)
    padding = draw(st.none() | st.tuples(values, values).map(sorted).map(tuple))
    shape = draw(st.sampled_from([(1, 1), (5, 7), (3, 4, 5)]))
    pixels = draw(arrays.arrays(dtype, shape, elements=values))
    return PixelEncoding(draw(st.booleans()), bits, padding), pixels


@given(stored_images())
def test_from_grey_undoes_to_grey(case):
    encoding, pixels = case
    before = pixels.copy()
    grey = encoding.to_grey(pixels)
    np.testing.assert_array_equal(pixels, before)
    assert grey.dtype in (np.uint8, np.uint16)
    restored = encoding.from_grey(grey, pixels)
    assert restored.dtype == pixels.dtype
    np.testing.assert_array_equal(restored, pixels)


@given(stored_images())
def test_results_stay_within_the_stored_bits_and_leave_padding(case):
    encoding, pixels = case
    brighter = np.full_like(encoding.to_grey(pixels), np.iinfo(encoding.to_grey(pixels).dtype).max)
    restored = encoding.from_grey(brighter, pixels).astype(int)
    np.testing.assert_array_equal(restored[encoding.is_padding(pixels)], pixels[encoding.is_padding(pixels)])
    if encoding.inverted or encoding.padding or pixels.dtype.kind == "i":
        assert restored.max(initial=0) < 2**encoding.bits
        assert restored.min(initial=0) >= -(2**encoding.bits)


@pytest.mark.parametrize(
    ("pixels", "encoding", "expected"),
    [
        (np.array([[0, 4095, 1000]], np.uint16), PixelEncoding(inverted=True, bits=12), [[4095, 0, 3095]]),
        # 12 bits of 16: the lowest value is as white as 12 bits go.
        (np.array([[0, 4000]], np.uint16), PixelEncoding(inverted=True, bits=16), [[4095, 95]]),
        (np.array([[-2048, 0, 2047]], np.int16), PixelEncoding(bits=12), [[0, 2048, 4095]]),
        (np.array([[0, 1000]], np.int16), PixelEncoding(bits=12), [[0, 1000]]),
        # The fewest signed bits: 12 hold -2048 to 2047, 13 hold -4096 to 4095.
        (np.array([[-2048, 0, 2047]], np.int16), PixelEncoding(bits=16), [[0, 2048, 4095]]),
        (np.array([[-2049, 0, 2047]], np.int16), PixelEncoding(bits=16), [[2047, 4096, 6143]]),
        (np.array([[-2048, 0, 2048]], np.int16), PixelEncoding(bits=16), [[2048, 4096, 6144]]),
        (np.array([[65535, 0, 4095]], np.uint16), PixelEncoding(inverted=True, padding=(65535, 65535)), [[0, 4095, 0]]),
        (np.array([[7, 250]], np.uint8), PixelEncoding(bits=8), [[7, 250]]),
    ],
)
def test_white_is_high_and_black_is_zero(pixels, encoding, expected):
    np.testing.assert_array_equal(encoding.to_grey(pixels), expected)


def test_floating_images_stay_as_they_are():
    image = np.array([[-0.5, 2.0]], np.float32)
    assert PLAIN.to_grey(image) is image
    assert PLAIN.from_grey(image, image) is image


def test_an_encoding_is_found_again_from_its_record():
    encoding = PixelEncoding(inverted=True, bits=12, padding=(-1, 3))
    assert encoding_from(encoding.record()) == encoding
    assert encoding_from(None) is PLAIN


@given(stored_images())
def test_apply_is_the_trip_to_grey_and_back(case):
    encoding, pixels = case
    np.testing.assert_array_equal(encoding.apply(lambda unit: unit, pixels), pixels)
    white = full_scale(encoding.to_grey(pixels))
    grey = encoding.to_grey(pixels)
    darker = keep_beyond_white(grey, from_unit(np.float32(0.5) * to_unit(grey, white), grey.dtype, white), white)
    expected = encoding.from_grey(darker, pixels)
    np.testing.assert_array_equal(encoding.apply(lambda unit: np.float32(0.5) * unit, pixels), expected)


@given(stored_images())
def test_a_crop_has_the_black_and_the_white_of_the_whole(case):
    encoding, pixels = case
    crop = np.s_[..., :1, :2]
    fitted = encoding.fit(pixels)
    np.testing.assert_array_equal(fitted.to_unit(pixels[crop]), encoding.to_unit(pixels)[crop])
    whole = encoding.apply(lambda unit: unit / 3, pixels)
    np.testing.assert_array_equal(fitted.apply(lambda unit: unit / 3, pixels[crop]), whole[crop])


@pytest.mark.parametrize(
    ("pixels", "encoding", "expected"),
    [
        (np.array([[0, 1023, 4095]], np.uint16), PLAIN, [[0, 1023 / 4095, 1]]),
        (np.array([[0, 1023, 4095]], np.uint16), PixelEncoding(inverted=True, bits=12), [[1, 3072 / 4095, 0]]),
        (np.array([[-2048, 0, 2047]], np.int16), PixelEncoding(bits=12), [[0, 2048 / 4095, 1]]),
        (np.array([[0, 255]], np.uint8), PLAIN, [[0, 1]]),
        (np.array([[0, 0.5, 1]], np.float32), PLAIN, [[0, 0.5, 1]]),
    ],
)
def test_white_is_1_and_black_is_0(pixels, encoding, expected):
    np.testing.assert_allclose(encoding.to_unit(pixels), expected, rtol=1e-6)


def test_the_pages_of_a_file_have_one_black_and_one_white():
    pages = np.stack([np.full((4, 4), 1000), np.full((4, 4), 4000)]).astype(np.uint16)
    unit = PixelEncoding(inverted=True, bits=12).to_unit(pages)
    np.testing.assert_allclose(unit[:, 0, 0], [3095 / 4095, 95 / 4095], rtol=1e-6)


def test_a_record_of_another_version_is_understood():
    assert encoding_from({"inverted": True, "bits": 12, "padding": [0, 3], "later": 1}) == PixelEncoding(
        True, 12, (0, 3)
    )
