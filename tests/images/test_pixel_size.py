"""The pixel size in mm comes back with the pixels; what no one meant as a size is not believed."""

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from napari_dental_denoise.errors import ImageReadError, InputError
from napari_dental_denoise.images.pixel_size import read_pixel_size, write_tiff_pages, write_with_pixel_size
from napari_dental_denoise.images.raster import read_image, read_pages

SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40)
TYPES = st.sampled_from([np.uint8, np.uint16])


def is_a_screen(size):
    return any(abs(25.4 / side - dpi) < 0.2 for side in size for dpi in (72, 96))


@settings(max_examples=30, deadline=None)
@given(
    image=TYPES.flatmap(lambda dtype: arrays.arrays(dtype, SHAPES)),
    size=st.tuples(st.floats(0.001, 0.2), st.floats(0.001, 0.2)).filter(lambda size: not is_a_screen(size)),
    suffix=st.sampled_from([".png", ".tif"]),
)
def test_pixels_and_their_size_come_back(tmp_path_factory, image, size, suffix):
    path = tmp_path_factory.mktemp("images") / f"image{suffix}"
    write_with_pixel_size(path, image, size)
    back = read_image(path)
    assert back.dtype == image.dtype
    np.testing.assert_array_equal(back, image)
    assert read_pixel_size(path) == pytest.approx(size, rel=1e-4)


@settings(max_examples=15, deadline=None)
@given(size=st.floats(0.001, 10).filter(lambda size: not is_a_screen((size,))))
def test_tiff_keeps_large_sizes_too(tmp_path_factory, size):
    path = tmp_path_factory.mktemp("images") / "image.tif"
    write_with_pixel_size(path, np.zeros((3, 4), np.uint8), (size, size))
    assert read_pixel_size(path) == pytest.approx((size, size), rel=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_floating_values_go_into_tiff(tmp_path, dtype):
    image = np.linspace(-1, 2, 12, dtype=dtype).reshape(3, 4)
    write_with_pixel_size(tmp_path / "image.tif", image, (0.1, 0.1))
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "image.tif"), image.astype(np.float32))
    np.testing.assert_array_equal(read_image(tmp_path / "image.tif"), image.astype(np.float32))
    with pytest.raises(InputError, match="write TIFF"):
        write_with_pixel_size(tmp_path / "image.png", image, (0.1, 0.1))


def test_pages_are_written_one_by_one_and_read_back(tmp_path):
    import dask.array as da

    pages = np.random.default_rng(0).integers(0, 65536, (4, 20, 30), dtype=np.uint16)
    write_tiff_pages(tmp_path / "stack.tif", da.from_array(pages, chunks=(1, 20, 30)), (0.02, 0.04))
    np.testing.assert_array_equal(read_pages(tmp_path / "stack.tif"), pages)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "stack.tif"), pages)
    assert read_pixel_size(tmp_path / "stack.tif") == pytest.approx((0.02, 0.04), rel=1e-4)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_no_size_is_none(tmp_path, suffix):
    write_with_pixel_size(tmp_path / f"image{suffix}", np.zeros((3, 4), np.uint8), None)
    assert read_pixel_size(tmp_path / f"image{suffix}") is None


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".bmp", ".pgm"])
def test_files_of_opencv_tell_no_size(tmp_path, suffix):
    cv2.imwrite(str(tmp_path / f"image{suffix}"), np.zeros((3, 4), np.uint8))
    assert read_pixel_size(tmp_path / f"image{suffix}") is None


@pytest.mark.parametrize("dpi", [72, 96, 0.1, 1e6])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_what_programs_write_by_default_is_not_believed(tmp_path, suffix, dpi):
    Image.new("L", (4, 3)).save(tmp_path / f"image{suffix}", dpi=(dpi, dpi))
    assert read_pixel_size(tmp_path / f"image{suffix}") is None


def test_the_density_of_jpeg_is_not_believed(tmp_path):
    Image.new("L", (4, 3)).save(tmp_path / "image.jpg", dpi=(300, 300))
    assert read_pixel_size(tmp_path / "image.jpg") is None


def test_inches_and_centimetres_of_other_programs(tmp_path):
    Image.new("L", (4, 3)).save(tmp_path / "inch.tif", dpi=(508, 254))
    tifffile.imwrite(
        tmp_path / "cm.tif", np.zeros((3, 4), np.uint8), resolution=(200, 100), resolutionunit="CENTIMETER"
    )
    tifffile.imwrite(tmp_path / "none.tif", np.zeros((3, 4), np.uint8), resolution=(200, 100), resolutionunit="NONE")
    assert read_pixel_size(tmp_path / "inch.tif") == pytest.approx((0.1, 0.05))
    assert read_pixel_size(tmp_path / "cm.tif") == pytest.approx((0.1, 0.05))
    assert read_pixel_size(tmp_path / "none.tif") is None


def test_a_size_turns_with_its_image(tmp_path):
    picture = Image.new("L", (4, 3))
    exif = picture.getexif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    picture.save(tmp_path / "turned.tif", dpi=(508, 254), exif=exif)
    assert read_image(tmp_path / "turned.tif").shape == (4, 3)
    assert read_pixel_size(tmp_path / "turned.tif") == pytest.approx((0.05, 0.1))


def test_nothing_is_replaced_unasked_and_nothing_impossible_written(tmp_path):
    image = np.zeros((3, 4), np.uint8)
    for suffix in (".png", ".tif"):
        write_with_pixel_size(tmp_path / f"image{suffix}", image, (0.1, 0.1))
        with pytest.raises(InputError, match="already exists"):
            write_with_pixel_size(tmp_path / f"image{suffix}", image + 1, (0.1, 0.1))
        assert read_image(tmp_path / f"image{suffix}").max() == 0
        write_with_pixel_size(tmp_path / f"image{suffix}", image + 1, (0.1, 0.1), overwrite=True)
        assert read_image(tmp_path / f"image{suffix}").max() == 1
    with pytest.raises(InputError, match=r"0\.001 to 10 mm"):
        write_with_pixel_size(tmp_path / "other.tif", image, (0.0, 0.1))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["image.png", "image.tif"]


def test_a_file_that_is_no_image_is_named(tmp_path):
    (tmp_path / "notes.png").write_text("tooth 36")
    with pytest.raises(ImageReadError, match=r"notes\.png: is not an image"):
        read_pixel_size(tmp_path / "notes.png")
