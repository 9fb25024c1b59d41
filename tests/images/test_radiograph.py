"""Pixels come back as they were written, whatever the format; what cannot be read says why."""

import base64
import io

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from napari_dental_denoise import read_image, write_image
from napari_dental_denoise.config import LIMITS
from napari_dental_denoise.errors import ImageReadError, InputError
from napari_dental_denoise.images.radiograph import read_pages
from napari_dental_denoise.images.writer import write_tiff_pages
from tests.hostile import contents

pytestmark = pytest.mark.quick

SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff", ".bmp", ".pgm"])
@settings(max_examples=15)
@given(image=arrays.arrays(np.uint8, SHAPES))
def test_8_bit_round_trip(tmp_path_factory, suffix, image):
    path = tmp_path_factory.mktemp("images") / f"image{suffix}"
    write_image(path, image)
    back = read_image(path)
    assert back.dtype == np.uint8
    np.testing.assert_array_equal(back, image)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".pgm"])
@settings(max_examples=15)
@given(image=arrays.arrays(np.uint16, SHAPES))
def test_16_bit_round_trip(tmp_path_factory, suffix, image):
    path = tmp_path_factory.mktemp("images") / f"image{suffix}"
    write_image(path, image)
    back = read_image(path)
    assert back.dtype == np.uint16
    np.testing.assert_array_equal(back, image)


STACKS = arrays.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=20)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@settings(max_examples=15)
@given(data=st.data())
def test_multi_page_tiff_round_trip(tmp_path_factory, dtype, data):
    stack = data.draw(arrays.arrays(dtype, STACKS))
    path = tmp_path_factory.mktemp("pages") / "pages.tif"
    write_tiff_pages(path, stack, None)
    back = read_pages(path)
    assert (back.dtype, back.shape) == (stack.dtype, stack.shape)
    # Bit for bit, not a number included.
    assert back.tobytes() == stack.tobytes()


@settings(max_examples=15)
@given(image=arrays.arrays(np.float32, SHAPES, elements=st.floats(-10, 10, width=32)))
def test_float_tiff_round_trip(tmp_path_factory, image):
    path = tmp_path_factory.mktemp("images") / "image.tif"
    write_image(path, image)
    np.testing.assert_array_equal(read_image(path), image)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp", ".jpg"])
def test_grey_stored_as_rgb_comes_back_exactly(tmp_path, radiographs, suffix):
    cv2.imwrite(str(tmp_path / f"grey{suffix}"), radiographs[0])
    cv2.imwrite(str(tmp_path / f"rgb{suffix}"), cv2.merge([radiographs[0]] * 3))
    np.testing.assert_array_equal(read_image(tmp_path / f"rgb{suffix}"), read_image(tmp_path / f"grey{suffix}"))


def test_16_bit_grey_stored_as_rgb_comes_back_exactly(tmp_path):
    image = np.random.default_rng(0).integers(0, 65536, (30, 40), dtype=np.uint16)
    cv2.imwrite(str(tmp_path / "rgb.png"), cv2.merge([image] * 3))
    np.testing.assert_array_equal(read_image(tmp_path / "rgb.png"), image)


@pytest.mark.parametrize("mode", ["RGB", "P", "RGBA"])
def test_colour_becomes_grey_by_the_standard_weights(tmp_path, mode):
    colour = np.zeros((4, 3, 3), np.uint8)
    colour[:, 0], colour[:, 1], colour[:, 2] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    Image.fromarray(colour).convert(mode).save(tmp_path / "colour.png")
    # 0.299, 0.587 and 0.114 of 255, ITU-R BT.601
    np.testing.assert_array_equal(read_image(tmp_path / "colour.png"), [[76, 150, 29]] * 4)


def test_one_bit_becomes_black_and_white(tmp_path):
    Image.fromarray(np.array([[0, 255, 255, 0]], np.uint8)).convert("1").save(tmp_path / "line.png")
    np.testing.assert_array_equal(read_image(tmp_path / "line.png"), [[0, 255, 255, 0]])


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "TIFF"])
def test_exif_orientation_is_applied(tmp_path, radiographs, format_name):
    picture = Image.fromarray(radiographs[0])
    exif = picture.getexif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    path = tmp_path / "turned.img"
    picture.save(path, format_name, exif=exif)
    plain = tmp_path / "plain.img"
    picture.save(plain, format_name)
    np.testing.assert_array_equal(read_image(path), np.rot90(read_image(plain), -1))


def test_the_content_decides_not_the_suffix(tmp_path, radiographs):
    (tmp_path / "really.jpg").write_bytes(cv2.imencode(".png", radiographs[0])[1].tobytes())
    np.testing.assert_array_equal(read_image(tmp_path / "really.jpg"), radiographs[0])


def test_names_in_any_script(tmp_path, radiographs):
    path = tmp_path / "зуб 歯 ضرس é.png"
    write_image(path, radiographs[0])
    np.testing.assert_array_equal(read_image(path), radiographs[0])


@pytest.mark.parametrize("kind", list(contents(np.random.default_rng(0))))
def test_a_hostile_file_says_its_name_and_reason(tmp_path, kind, capfd):
    suffix, data, reason = contents(np.random.default_rng(0))[kind]
    path = tmp_path / f"bad{suffix}"
    path.write_bytes(data)
    with pytest.raises(ImageReadError, match=reason) as caught:
        read_image(path)
    assert str(caught.value).startswith(path.name)
    assert capfd.readouterr().err == ""


def test_a_png_without_pixels_is_refused(tmp_path):
    # Found by fuzzing: Pillow looks for its pixels in an empty list.
    data = "iVBORw0KGgoAAAANSUhEUgAAABEAAAAYCAQAAAC2a965AAAACXBIWXMAAC4jAAAuIwF4pT92AAAAAElFTkSuQmCC"
    (tmp_path / "a.png").write_bytes(base64.b64decode(data))
    with pytest.raises(ImageReadError, match=r"a\.png: is truncated or damaged"):
        read_image(tmp_path / "a.png")


def test_more_pixels_than_allowed_are_refused_before_they_are_unpacked(tmp_path):
    side = int(LIMITS.pixels**0.5) + 1
    Image.new("1", (side, side)).save(tmp_path / "huge.png")
    with pytest.raises(ImageReadError, match="claims"):
        read_image(tmp_path / "huge.png")


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(ImageReadError, match=r"nowhere\.png: no such file"):
        read_image(tmp_path / "nowhere.png")
    with pytest.raises(ImageReadError, match="is not a regular file"):
        read_image(tmp_path)


def test_writing_never_replaces_unasked(tmp_path, radiographs):
    path = tmp_path / "image.png"
    write_image(path, radiographs[0])
    with pytest.raises(InputError, match="already exists"):
        write_image(path, radiographs[1])
    np.testing.assert_array_equal(read_image(path), radiographs[0])
    write_image(path, radiographs[1], overwrite=True)
    np.testing.assert_array_equal(read_image(path), radiographs[1])
    assert [file.name for file in tmp_path.iterdir()] == ["image.png"]


@pytest.mark.parametrize(
    ("name", "dtype", "message"),
    [
        ("a.jpg", np.uint16, "holds 8 bits, the image has 16: write PNG or TIFF"),
        ("a.bmp", np.uint16, "holds 8 bits, the image has 16: write PNG or TIFF"),
        ("a.png", np.uint32, "cannot hold uint32 values: write TIFF"),
        ("a.png", np.int16, "cannot hold int16 values: write TIFF"),
        ("a.png", np.float32, "cannot hold float32 values: write TIFF"),
        ("a.gif", np.uint8, "expected a name that ends in .png"),
        ("a", np.uint8, "expected a name that ends in .png"),
    ],
)
def test_a_format_that_would_lose_is_refused(tmp_path, name, dtype, message):
    with pytest.raises(InputError, match=message):
        write_image(tmp_path / name, np.zeros((5, 5), dtype))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((5, 5), np.int64), "expected integers of 8 to 32 bit or floating values; received int64"),
        (np.zeros((5, 5, 3), np.uint8), r"expected a grey image \(H, W\) with pixels; received shape \(5, 5, 3\)"),
        (np.zeros((0, 5), np.uint8), r"received shape \(0, 5\)"),
    ],
)
def test_what_is_no_grey_image_is_not_written(tmp_path, image, message):
    with pytest.raises(InputError, match=message):
        write_image(tmp_path / "a.png", image)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiff_that_stores_white_as_zero(tmp_path, dtype):
    image = np.arange(200, dtype=dtype).reshape(10, 20)
    tifffile.imwrite(tmp_path / "inverted.tif", np.iinfo(dtype).max - image, photometric="miniswhite")
    np.testing.assert_array_equal(read_image(tmp_path / "inverted.tif"), image)


def test_a_damaged_write_leaves_the_old_file(tmp_path, radiographs, monkeypatch):
    path = tmp_path / "image.png"
    write_image(path, radiographs[0])

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(InputError, match="No space left on device"):
        write_image(path, radiographs[1], overwrite=True)
    monkeypatch.undo()
    np.testing.assert_array_equal(read_image(path), radiographs[0])
    assert [file.name for file in tmp_path.iterdir()] == ["image.png"]


def test_real_radiographs_are_read_as_pillow_reads_them(dental_data):
    for path in sorted((dental_data / "periapical" / "test").iterdir()):
        image = read_image(path)
        expected = np.asarray(Image.open(io.BytesIO(path.read_bytes())).convert("L"))
        assert image.dtype == np.uint8
        assert np.abs(image.astype(int) - expected).max() <= 1


@pytest.mark.parametrize(("kind", "white"), [("P5", 15), ("P5", 200), ("P6", 15), ("P5", 4095)])
def test_binary_and_textual_pgm_are_the_same(tmp_path, kind, white):
    grey = np.arange(64 * 64).reshape(64, 64) % (white + 1)
    (tmp_path / "text.pgm").write_text(f"P2\n64 64\n{white}\n{' '.join(map(str, grey.ravel()))}\n")
    pixels = grey if kind == "P5" else np.repeat(grey[..., None], 3, axis=2)
    header = f"{kind}\n# a comment of 7 words, 8 with this\n64 64\n{white}\n".encode()
    (tmp_path / "binary.pgm").write_bytes(header + pixels.astype(">u2" if white > 255 else "u1").tobytes())
    np.testing.assert_array_equal(read_image(tmp_path / "binary.pgm"), read_image(tmp_path / "text.pgm"))


def test_a_pgm_is_white_where_it_exceeds_its_own_white(tmp_path):
    (tmp_path / "a.pgm").write_bytes(b"P5\n4 1\n100\n" + bytes([0, 40, 100, 150]))
    assert read_image(tmp_path / "a.pgm").tolist() == [[0, 102, 255, 255]]


@pytest.mark.parametrize("kind", ["P2", "P5"])
def test_half_way_between_two_grey_levels_is_the_upper_one(tmp_path, kind):
    pixels = b"0 50 100\n" if kind == "P2" else bytes([0, 50, 100])
    (tmp_path / "a.pgm").write_bytes(f"{kind}\n3 1\n100\n".encode() + pixels)
    # 127.5
    assert read_image(tmp_path / "a.pgm").tolist() == [[0, 128, 255]]


@pytest.mark.parametrize("kind", ["P1", "P4"])
def test_bits_where_one_is_black(tmp_path, kind):
    pixels = b"0 1 # a comment\n1 0\n" if kind == "P1" else bytes([0b01000000, 0b10000000])
    (tmp_path / "a.pbm").write_bytes(f"{kind}\n2 2\n".encode() + pixels)
    assert read_image(tmp_path / "a.pbm").tolist() == [[255, 0], [0, 255]]


def test_text_with_too_few_values_is_refused(tmp_path):
    (tmp_path / "a.pgm").write_text("P2\n4 4\n255\n1 2 3\n")
    with pytest.raises(ImageReadError, match="truncated or damaged"):
        read_image(tmp_path / "a.pgm")
