"""The pixel size in mm comes back with the pixels; what no one meant as a size is not believed."""

import struct

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from napari_dental_denoise.errors import ImageReadError, InputError
from napari_dental_denoise.images.formats import probe
from napari_dental_denoise.images.radiograph import read_image, read_pages
from napari_dental_denoise.images.writer import write_image, write_tiff_pages
from napari_dental_denoise.images.zarr_writer import write_ome_zarr

SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40)
TYPES = st.sampled_from([np.uint8, np.uint16])


def is_a_screen(size):
    return any(abs(25.4 / side - dpi) < 0.2 for side in size for dpi in (72, 96))


@settings(max_examples=30)
@given(
    image=TYPES.flatmap(lambda dtype: arrays.arrays(dtype, SHAPES)),
    size=st.tuples(st.floats(0.001, 0.2), st.floats(0.001, 0.2)).filter(lambda size: not is_a_screen(size)),
    suffix=st.sampled_from([".png", ".tif"]),
)
def test_pixels_and_their_size_come_back(tmp_path_factory, image, size, suffix):
    path = tmp_path_factory.mktemp("images") / f"image{suffix}"
    write_image(path, image, size)
    back = read_image(path)
    assert back.dtype == image.dtype
    np.testing.assert_array_equal(back, image)
    assert probe(path).pixel_size == pytest.approx(size, rel=1e-4)


@settings(max_examples=15)
@given(size=st.floats(0.001, 10).filter(lambda size: not is_a_screen((size,))))
def test_tiff_keeps_large_sizes_too(tmp_path_factory, size):
    path = tmp_path_factory.mktemp("images") / "image.tif"
    write_image(path, np.zeros((3, 4), np.uint8), (size, size))
    assert probe(path).pixel_size == pytest.approx((size, size), rel=1e-4)


@pytest.mark.parametrize("side", [0.001, 10.0])
def test_the_smallest_and_the_largest_size_come_back(tmp_path, side):
    write_image(tmp_path / "image.tif", np.zeros((3, 4), np.uint8), (side, side))
    assert probe(tmp_path / "image.tif").pixel_size == pytest.approx((side, side))


def phys_chunk(data):
    """Horizontal and vertical pixels per metre, as the PNG specification (11.3.4.3) lays them out."""
    assert data.index(b"pHYs") < data.index(b"IDAT")
    *density, unit = struct.unpack_from(">IIB", data, data.index(b"pHYs") + 4)
    return [value / 1000 for value in density if unit == 1]


def jfif_density(data):
    """Horizontal and vertical dots per inch, as JFIF 1.02 lays them out."""
    unit, *density = struct.unpack_from(">BHH", data, data.index(b"JFIF") + 7)
    return [value / 25.4 for value in density if unit == 1]


def bitmap_density(data):
    """Horizontal and vertical pixels per metre of the BITMAPINFOHEADER."""
    return [value / 1000 for value in struct.unpack_from("<II", data, 38)]


@pytest.mark.parametrize(
    ("suffix", "density"), [(".png", phys_chunk), (".jpg", jfif_density), (".bmp", bitmap_density)]
)
def test_the_size_stands_where_the_format_has_it(tmp_path, radiographs, suffix, density):
    path = tmp_path / f"image{suffix}"
    write_image(path, radiographs[0], (0.05, 0.04))
    # Width before height, in pixels per mm; a JPEG holds whole dots per inch.
    assert density(path.read_bytes()) == pytest.approx([25, 20], rel=1e-3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("suffix", [".png", ".bmp", ".pgm", ".jpg", ".tif"])
def test_other_programs_read_the_same_pixels_with_and_without_a_size(tmp_path, radiographs, suffix, dtype):
    image = radiographs[0].astype(dtype) * (257 if dtype == np.uint16 else 1)
    if dtype == np.uint16 and suffix in (".jpg", ".bmp"):
        pytest.skip("holds 8 bits")
    # OpenCV's encoder was the writer of releases before; a JPEG of quality 95 has the same pixels too.
    expected = cv2.imdecode(cv2.imencode(suffix, image)[1], cv2.IMREAD_UNCHANGED)
    for size in (None, (0.05, 0.04)):
        write_image(tmp_path / f"image{suffix}", image, size, overwrite=True)
        back = cv2.imread(str(tmp_path / f"image{suffix}"), cv2.IMREAD_UNCHANGED)
        assert back.dtype == dtype
        np.testing.assert_array_equal(back, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_floating_values_go_into_tiff(tmp_path, dtype):
    image = np.linspace(-1, 2, 12, dtype=dtype).reshape(3, 4)
    write_image(tmp_path / "image.tif", image, (0.1, 0.1))
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "image.tif"), image.astype(np.float32))
    np.testing.assert_array_equal(read_image(tmp_path / "image.tif"), image.astype(np.float32))
    with pytest.raises(InputError, match="write TIFF"):
        write_image(tmp_path / "image.png", image, (0.1, 0.1))


@pytest.mark.parametrize("write", [write_image, write_tiff_pages, write_ome_zarr])
def test_values_beyond_32_bit_floating_point_are_not_written_as_infinity(tmp_path, write):
    stack = np.stack([np.full((20, 30), np.finfo(np.float32).max, np.float64), np.full((20, 30), np.inf)])
    is_zarr, is_stack = write is write_ome_zarr, write is not write_image
    path, image = tmp_path / ("a.zarr" if is_zarr else "a.tif"), stack if is_stack else stack[0]
    sizes = (0.1, 0.1, 0.1) if is_zarr else (0.1, 0.1)
    write(path, image, sizes)
    image[-1, -1] = -1e300
    with pytest.raises(InputError, match=r"up to 3e\+38; received 1e\+300"):
        write(path, image, sizes, overwrite=True)
    np.testing.assert_array_equal(read_pages(path)[0].max(), np.finfo(np.float32).max)


def test_pages_are_written_one_by_one_and_read_back(tmp_path):
    import dask.array as da

    pages = np.random.default_rng(0).integers(0, 65536, (4, 20, 30), dtype=np.uint16)
    write_tiff_pages(tmp_path / "stack.tif", da.from_array(pages, chunks=(1, 20, 30)), (0.02, 0.04))
    np.testing.assert_array_equal(read_pages(tmp_path / "stack.tif"), pages)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "stack.tif"), pages)
    assert probe(tmp_path / "stack.tif").pixel_size == pytest.approx((0.02, 0.04), rel=1e-4)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_no_size_is_none(tmp_path, suffix):
    write_image(tmp_path / f"image{suffix}", np.zeros((3, 4), np.uint8), None)
    assert probe(tmp_path / f"image{suffix}").pixel_size is None


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".bmp", ".pgm"])
def test_files_of_opencv_tell_no_size(tmp_path, suffix):
    cv2.imwrite(str(tmp_path / f"image{suffix}"), np.zeros((3, 4), np.uint8))
    assert probe(tmp_path / f"image{suffix}").pixel_size is None


@pytest.mark.parametrize("dpi", [72, 96, 0.1, 1e6])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_what_programs_write_by_default_is_not_believed(tmp_path, suffix, dpi):
    Image.new("L", (4, 3)).save(tmp_path / f"image{suffix}", dpi=(dpi, dpi))
    assert probe(tmp_path / f"image{suffix}").pixel_size is None


def test_the_density_of_jpeg_is_not_believed(tmp_path):
    Image.new("L", (4, 3)).save(tmp_path / "image.jpg", dpi=(300, 300))
    assert probe(tmp_path / "image.jpg").pixel_size is None


def test_inches_and_centimetres_of_other_programs(tmp_path):
    Image.new("L", (4, 3)).save(tmp_path / "inch.tif", dpi=(508, 254))
    tifffile.imwrite(
        tmp_path / "cm.tif", np.zeros((3, 4), np.uint8), resolution=(200, 100), resolutionunit="CENTIMETER"
    )
    tifffile.imwrite(tmp_path / "none.tif", np.zeros((3, 4), np.uint8), resolution=(200, 100), resolutionunit="NONE")
    assert probe(tmp_path / "inch.tif").pixel_size == pytest.approx((0.1, 0.05))
    assert probe(tmp_path / "cm.tif").pixel_size == pytest.approx((0.1, 0.05))
    assert probe(tmp_path / "none.tif").pixel_size is None


def test_a_resolution_without_a_unit_is_in_inches(tmp_path):
    # TIFF 6.0, section 8: the default of ResolutionUnit is 2, the inch.
    Image.new("L", (4, 3)).save(tmp_path / "a.tif", tiffinfo={282: 508.0, 283: 254.0})
    with Image.open(tmp_path / "a.tif") as written:
        assert 296 not in written.tag_v2
    assert probe(tmp_path / "a.tif").pixel_size == pytest.approx((0.1, 0.05))


def test_a_size_turns_with_its_image(tmp_path):
    picture = Image.new("L", (4, 3))
    exif = picture.getexif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    picture.save(tmp_path / "turned.tif", dpi=(508, 254), exif=exif)
    assert read_image(tmp_path / "turned.tif").shape == (4, 3)
    assert probe(tmp_path / "turned.tif").pixel_size == pytest.approx((0.05, 0.1))


def test_nothing_is_replaced_unasked_and_nothing_impossible_written(tmp_path):
    image = np.zeros((3, 4), np.uint8)
    for suffix in (".png", ".tif"):
        write_image(tmp_path / f"image{suffix}", image, (0.1, 0.1))
        with pytest.raises(InputError, match="already exists"):
            write_image(tmp_path / f"image{suffix}", image + 1, (0.1, 0.1))
        assert read_image(tmp_path / f"image{suffix}").max() == 0
        write_image(tmp_path / f"image{suffix}", image + 1, (0.1, 0.1), overwrite=True)
        assert read_image(tmp_path / f"image{suffix}").max() == 1
    with pytest.raises(InputError, match=r"0\.001 to 10 mm"):
        write_image(tmp_path / "other.tif", image, (0.0, 0.1))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["image.png", "image.tif"]


def test_a_file_that_is_no_image_is_named(tmp_path):
    (tmp_path / "notes.png").write_text("tooth 36")
    with pytest.raises(ImageReadError, match=r"notes\.png: is not an image"):
        probe(tmp_path / "notes.png")


class TestVolumes:
    STACK = np.arange(3 * 4 * 5, dtype=np.uint16).reshape(3, 4, 5)

    @pytest.mark.parametrize(
        ("options", "step"),
        [
            # In ImageJ's unit; a negative spacing is one of slices that were turned over.
            ({"imagej": True, "metadata": {"axes": "ZYX", "spacing": 300, "unit": "um"}}, 0.3),
            ({"imagej": True, "metadata": {"axes": "ZYX", "spacing": -0.5, "unit": "mm"}}, 0.5),
            ({"imagej": True, "metadata": {"axes": "ZYX", "spacing": 0.5, "unit": "pixel"}}, None),
            ({"imagej": True, "metadata": {"axes": "ZYX", "spacing": 50, "unit": "mm"}}, None),
            # Neither times nor channels are slices.
            ({"imagej": True, "metadata": {"axes": "TYX", "spacing": 0.5, "unit": "mm"}}, None),
            ({"ome": True, "metadata": {"axes": "ZYX", "PhysicalSizeZ": 250.0}}, 0.25),
            ({"ome": True, "metadata": {"axes": "ZYX", "PhysicalSizeZ": 0.2, "PhysicalSizeZUnit": "mm"}}, 0.2),
            ({"ome": True, "metadata": {"axes": "TYX", "PhysicalSizeZ": 250.0}}, None),
            ({"photometric": "minisblack"}, None),
        ],
    )
    def test_the_step_of_imagej_and_ome(self, tmp_path, options, step):
        tifffile.imwrite(tmp_path / "a.tif", self.STACK, **options)
        assert probe(tmp_path / "a.tif").step == (None if step is None else pytest.approx(step))

    @pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint32, np.float32])
    def test_a_step_comes_back_and_other_programs_read_it(self, tmp_path, dtype):
        stack = self.STACK.astype(dtype)
        write_tiff_pages(tmp_path / "a.tif", stack, (0.02, 0.04), step_mm=0.3)
        info = probe(tmp_path / "a.tif")
        assert (info.pixel_size, info.step, info.pages) == (pytest.approx((0.02, 0.04)), 0.3, 3)
        np.testing.assert_array_equal(read_pages(tmp_path / "a.tif"), stack)
        with tifffile.TiffFile(tmp_path / "a.tif") as other:
            assert other.series[0].axes == "ZYX"
            np.testing.assert_array_equal(other.series[0].asarray(), stack)
            assert 'PhysicalSizeZ="0.3" PhysicalSizeZUnit="mm"' in other.ome_metadata
