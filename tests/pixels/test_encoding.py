"""Polarity, sign, bits and padding are undone for the network and redone for the file, to the last bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from napari_dental_denoise.pixels.encoding import PLAIN, Storage, storage_from


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
    return Storage(draw(st.booleans()), bits, padding), pixels


@given(stored_images())
def test_restoring_what_was_turned_upright_gives_the_same_values(case):
    storage, pixels = case
    before = pixels.copy()
    upright = storage.upright(pixels)
    np.testing.assert_array_equal(pixels, before)
    assert upright.dtype in (np.uint8, np.uint16)
    restored = storage.restore(upright, pixels)
    assert restored.dtype == pixels.dtype
    np.testing.assert_array_equal(restored, pixels)


@given(stored_images())
def test_results_stay_within_the_stored_bits_and_leave_padding(case):
    storage, pixels = case
    brighter = np.full_like(storage.upright(pixels), np.iinfo(storage.upright(pixels).dtype).max)
    restored = storage.restore(brighter, pixels).astype(int)
    np.testing.assert_array_equal(restored[storage.is_padding(pixels)], pixels[storage.is_padding(pixels)])
    if storage.inverted or storage.padding or pixels.dtype.kind == "i":
        assert restored.max(initial=0) < 2**storage.bits
        assert restored.min(initial=0) >= -(2**storage.bits)


@pytest.mark.parametrize(
    ("pixels", "storage", "expected"),
    [
        (np.array([[0, 4095, 1000]], np.uint16), Storage(inverted=True, bits=12), [[4095, 0, 3095]]),
        # 12 bits of 16: the lowest value is as white as 12 bits go.
        (np.array([[0, 4000]], np.uint16), Storage(inverted=True, bits=16), [[4095, 95]]),
        (np.array([[-2048, 0, 2047]], np.int16), Storage(bits=12), [[0, 2048, 4095]]),
        (np.array([[0, 1000]], np.int16), Storage(bits=12), [[0, 1000]]),
        (np.array([[65535, 0, 4095]], np.uint16), Storage(inverted=True, padding=(65535, 65535)), [[0, 4095, 0]]),
        (np.array([[7, 250]], np.uint8), Storage(bits=8), [[7, 250]]),
    ],
)
def test_white_is_high_and_black_is_zero(pixels, storage, expected):
    np.testing.assert_array_equal(storage.upright(pixels), expected)


def test_floating_images_stay_as_they_are():
    image = np.array([[-0.5, 2.0]], np.float32)
    assert PLAIN.upright(image) is image
    assert PLAIN.restore(image, image) is image


def test_a_storage_is_found_again_from_its_record():
    storage = Storage(inverted=True, bits=12, padding=(-1, 3))
    assert storage_from(storage.record()) == storage
    assert storage_from(None) is PLAIN
