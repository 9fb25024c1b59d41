"""Polarity, sign, bits and padding are undone for the network and redone for the file, to the last bit."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from napari_dental_denoise.pixels.encoding import PLAIN, PixelEncoding, encoding_from
from napari_dental_denoise.pixels.intensity import from_unit, full_scale, keep_beyond_white, to_unit

pytestmark = pytest.mark.quick


@st.composite
def stored_images(draw):
    dtype = draw(st.sampled_from([np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32]))
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
    assert grey.dtype == f"u{pixels.itemsize}"
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


@pytest.mark.parametrize("dtype", [np.int32, np.uint32])
def test_32_bit_is_denoised_in_its_own_type_and_to_the_last_bit(dtype):
    stored = np.full((20, 20), 2_000_000_000, dtype)
    stored[:, 10:] += np.arange(100, 110, dtype=dtype)
    encoding, noise = PixelEncoding(bits=32).fit(stored), np.zeros(stored.shape, np.float32)
    np.testing.assert_array_equal(encoding.subtract(stored, noise, 1), stored)
    noise[:, 12:] = 2 / 109
    less = encoding.subtract(stored, noise, 1)
    assert less.dtype == dtype
    np.testing.assert_array_equal(stored.astype(int) - less, np.where(np.arange(20) >= 12, 2, 0) * np.ones((20, 1)))


def test_floating_images_stay_as_they_are():
    image = np.array([[-0.5, 2.0]], np.float32)
    assert PLAIN.to_grey(image) is image
    assert PLAIN.from_grey(image, image) is image


def test_an_encoding_is_found_again_from_its_record():
    encoding = PixelEncoding(inverted=True, bits=12, padding=(-1, 3))
    assert encoding_from(encoding.record()) == encoding
    assert encoding_from(None) is PLAIN


@given(stored_images())
@example((PixelEncoding(bits=27), np.array([[2**26 + 1]], np.uint32)))
@example((PixelEncoding(inverted=True, bits=25), np.array([[2**24, 2]], np.uint32)))
def test_apply_is_the_trip_to_grey_and_back(case):
    encoding, pixels = case
    # Beyond 24 bits, float32 does not hold all whole numbers: rounded as grey, on [0, 1] and on the way back.
    tolerance = 3 * 2 ** (encoding.bits - 25) if encoding.bits > 24 else 0
    np.testing.assert_allclose(encoding.apply(lambda unit: unit, pixels), pixels, rtol=0, atol=tolerance)
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


@st.composite
def radiographs(draw):
    """Stored values of any encoding, and a factor and an offset that keep them in their type."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    values = (300 + 200 * rng.random((12, 17))).astype(np.int32)
    factor, offset = draw(st.integers(1, 20)), draw(st.integers(-3000, 3000))
    dtype = draw(st.sampled_from([np.int16, np.uint16])) if offset >= 0 else np.int16
    return PixelEncoding(draw(st.booleans()), 16), values, factor, offset, dtype


@given(radiographs())
def test_a_network_sees_the_same_in_every_unit_and_encoding(case):
    encoding, values, factor, offset, dtype = case
    plain = encoding.normalise(values.astype(np.uint16))
    other = (factor * values + offset).astype(dtype)
    np.testing.assert_allclose(encoding.normalise(other), plain, atol=1e-5)
    if not encoding.inverted:
        np.testing.assert_allclose(PLAIN.normalise(3.6 * values - 1e8), plain, atol=1e-5)
        np.testing.assert_allclose(PLAIN.normalise(values.astype(np.float32) / 1e5), plain, atol=1e-5)
    assert plain.min() >= -1
    assert plain.max() <= 2


@pytest.mark.parametrize("padding", [-2000, 0, 20000])
@pytest.mark.parametrize("hot", [None, 30000])
def test_neither_padding_nor_hot_pixels_decide_what_is_black_and_white(padding, hot):
    values = (500 + 90 * np.random.default_rng(0).random((40, 50))).astype(np.int16)
    encoding = PixelEncoding(bits=16, padding=(padding, padding))
    expected = encoding.normalise(values)
    collimated = np.full((60, 80), padding, np.int16)
    collimated[10:50, 15:65] = values
    if hot is not None:
        collimated[20, 30] = collimated[11, 15:65] = hot
    seen = encoding.normalise(collimated)[10:50, 15:65]
    whole = np.ones(values.shape, bool)
    whole[10, 15] = whole[1] = False
    # Of the border, whose neighbourhoods hold padding, no median is known.
    np.testing.assert_allclose(seen[whole], expected[whole], atol=0.15)
    result = encoding.subtract(collimated, np.full(collimated.shape, 0.1, np.float32), 1.0)
    np.testing.assert_array_equal(result[collimated == padding], padding)


def test_subtracting_nothing_changes_nothing():
    rng = np.random.default_rng(0)
    for image in (
        rng.integers(0, 65536, (9, 9), dtype=np.uint16),
        rng.integers(-300, 300, (9, 9)).astype(np.int16),
        rng.normal(1e8, 1, (9, 9)),
        (1e4 * rng.normal(size=(9, 9))).astype(np.float16),
        np.array([[4e4, -4e4], [3e4, 0]], np.float16),
    ):
        before = image.copy()
        result = PLAIN.subtract(image, np.zeros(image.shape, np.float32), 1.0)
        assert result.dtype == image.dtype
        np.testing.assert_array_equal(result, before)


def test_whole_numbers_stay_between_the_lowest_and_the_highest_of_the_image():
    image = np.array([[10, 20], [30, 40]], np.uint8)
    noise = np.float32([[5, -5], [0, 0.1]])
    np.testing.assert_array_equal(PLAIN.subtract(image, noise, 1.0), [[10, 40], [30, 37]])
