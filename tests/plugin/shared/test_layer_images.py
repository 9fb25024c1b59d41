"""Data of result layers: of the kind of the input, and never black for an image that is missing."""

import copy

import dask.array as da
import numpy as np
import pytest
import zarr
from napari.layers import Image

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.pixels import PLAIN, Planes
from napari_dental_denoise.plugin.shared import LayerImages, stack_of
from napari_dental_denoise.plugin.shared.metadata import to_grey

STACK = np.arange(3 * 40 * 50, dtype=np.uint16).reshape(3, 40, 50)
MASK = np.indices(STACK.shape)[1] < 9


def one_is_missing(index):
    if index == 1:
        raise InputError("scan1.png: no such file")
    return STACK[index]


@pytest.mark.parametrize("source", [STACK[..., np.newaxis], np.ma.MaskedArray(STACK, MASK)], ids=["channel", "mask"])
def test_the_black_of_a_missing_image_is_refused(source):
    result = LayerImages(Image(source)).layer_data(stack_of(one_is_missing, STACK.shape, STACK.dtype))
    assert result.shape == source.shape
    values = result.compute()
    np.testing.assert_array_equal(np.ma.getmaskarray(values), np.ma.getmaskarray(source) & (values != 0))
    images = Planes(result)
    assert images.shape == STACK.shape
    np.testing.assert_array_equal(images[2][9:], STACK[2, 9:])
    with pytest.raises(InputError, match=r"scan1\.png: no such file"):
        images[1]


@pytest.mark.parametrize("change", [copy.deepcopy, lambda stack: stack[:, 5:], lambda stack: stack + 1])
def test_what_dask_makes_of_a_stack_refuses_its_black(change):
    images = Planes(change(stack_of(one_is_missing, STACK.shape, STACK.dtype)))
    for _ in range(2):
        with pytest.raises(InputError, match=r"scan1\.png: no such file"):
            images[1]
    np.testing.assert_array_equal(images[2], change(STACK)[2])


def test_an_image_that_is_there_again_is_taken():
    missing = {1}

    def image(index):
        if index in missing:
            raise InputError("scan1.png: no such file")
        return STACK[index]

    images = Planes(copy.deepcopy(stack_of(image, STACK.shape, STACK.dtype)))
    with pytest.raises(InputError, match=r"scan1\.png: no such file"):
        images[1]
    missing.clear()
    np.testing.assert_array_equal(images[1], STACK[1])


@pytest.mark.parametrize("library", [np.asarray, lambda masked: da.from_array(masked, chunks=(1, -1, -1))])
def test_a_result_keeps_the_mask_that_the_source_had_when_it_was_read(library):
    source = np.ma.MaskedArray(np.where(MASK, 65535, STACK), MASK.copy())
    images = LayerImages(Image(source if library is np.asarray else library(source)))
    assert [image.max() for image in images] == list(STACK.max((1, 2)))
    source.mask[:] = False
    result = images.layer_data(stack_of(lambda index: STACK[index], STACK.shape, STACK.dtype))
    np.testing.assert_array_equal(np.ma.getmaskarray(result.compute()), MASK)
    np.testing.assert_array_equal(np.ma.getmaskarray(images.layer_data(STACK)), MASK)


def test_an_image_of_a_lazy_stack_by_itself_is_made_grey():
    one = to_grey(da.from_array(STACK)[1], PLAIN)
    np.testing.assert_array_equal(one.compute(), STACK[1])


def test_a_wholly_masked_image_of_a_stack_decides_nothing():
    values = np.ma.masked_invalid(np.where(np.arange(3)[:, None, None] == 1, np.nan, STACK))
    assert not Planes(values)[1].any()
    np.testing.assert_array_equal(Planes(values)[2], STACK[2])
    with pytest.raises(InputError, match="all pixels are masked"):
        Planes(values[1])[0]


def test_a_damaged_chunk_is_an_error_of_its_image(tmp_path):
    data = zarr.create_array(tmp_path / "scans.zarr", data=STACK, chunks=(1, 40, 50))
    images = LayerImages(Image(data, name="scans", contrast_limits=(0, 4095)))
    (tmp_path / "scans.zarr" / "c" / "1" / "0" / "0").write_bytes(b"damaged")
    with pytest.raises(InputError, match="scans, image 2, cannot be read: "):
        images[1]
    np.testing.assert_array_equal(images[2], STACK[2])
