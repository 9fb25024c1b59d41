"""BMP, GIF, WebP, PCX, TGA, JPEG 2000, JPEG XL, AVIF and NumPy arrays give the pixels that were written."""

import struct

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.images.formats import probe
from napari_dental_denoise.images.radiograph import read_image, read_pages, read_radiograph

GREY = np.random.default_rng(0).integers(0, 256, (20, 31), np.uint8)
DEEP = GREY.astype(np.uint16) * 16 + 5


def read_as_probed(path):
    info, read = probe(path), read_image(path)
    assert (info.shape, info.dtype) == (read.shape, read.dtype)
    return read


@pytest.mark.parametrize("suffix", [".bmp", ".gif", ".pcx", ".tga", ".webp", ".jp2", ".avif"])
@pytest.mark.parametrize("mode", ["1", "L", "RGB", "P"])
def test_pillow_and_this_program_read_the_same(tmp_path, suffix, mode):
    path = tmp_path / f"a{suffix}"
    picture = Image.fromarray(GREY).convert(mode)
    options = {"lossless": True} if suffix == ".webp" else {"quality": 100} if suffix == ".avif" else {}
    if suffix in {".jp2", ".avif", ".webp"} and mode in {"1", "P"}:
        pytest.skip("is not written with a palette or as bits")
    picture.save(path, **options)
    with Image.open(path) as opened:
        expected = np.asarray(opened.convert("RGB").convert("L")).astype(int)
    assert np.abs(read_as_probed(path).astype(int) - expected).max() <= (1 if suffix == ".avif" else 0)
    if suffix != ".avif" and mode != "1":
        np.testing.assert_array_equal(read_image(path), GREY)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".avif"])
def test_an_animation_gives_its_first_image(tmp_path, suffix):
    options = {".webp": {"lossless": True}, ".avif": {"quality": 100}}.get(suffix, {})
    others = [Image.fromarray(255 - GREY).convert("RGB")]
    first = Image.fromarray(GREY).convert("RGB" if options else "L")
    first.save(tmp_path / f"a{suffix}", save_all=True, append_images=others, **options)
    read = read_as_probed(tmp_path / f"a{suffix}")
    assert np.abs(read.astype(int) - GREY).max() <= (1 if suffix == ".avif" else 0)


@pytest.mark.parametrize("suffix", [".jp2", ".jxl"])
@pytest.mark.parametrize("image", [GREY, DEEP, np.dstack([GREY] * 3), np.dstack([GREY] * 4)], ids=str)
def test_lossless_codecs_keep_every_bit(tmp_path, suffix, image):
    encode = imagecodecs.jpeg2k_encode if suffix == ".jp2" else imagecodecs.jpegxl_encode
    options = {"level": 0, "reversible": True} if suffix == ".jp2" else {"lossless": True}
    (tmp_path / f"a{suffix}").write_bytes(encode(image, **options))
    read = read_as_probed(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(read, image if image.ndim == 2 else image[..., 0])


def test_jpeg_2000_with_the_inks_of_print(tmp_path):
    inks = np.dstack([GREY, 255 - GREY, GREY // 2, GREY // 3])
    Image.fromarray(inks, "CMYK").save(tmp_path / "a.jp2")
    expected = np.asarray(Image.fromarray(inks, "CMYK").convert("RGB").convert("L")).astype(int)
    assert np.abs(read_as_probed(tmp_path / "a.jp2") - expected).max() <= 1


def test_signed_jpeg_2000_keeps_its_type(tmp_path):
    image = DEEP.astype(np.int16) - 2000
    (tmp_path / "a.j2k").write_bytes(imagecodecs.jpeg2k_encode(image, level=0, reversible=True, codecformat="j2k"))
    np.testing.assert_array_equal(read_radiograph(tmp_path / "a.j2k").pixels, image)


def test_avif_of_more_than_8_bits(tmp_path):
    deep = (DEEP // 4)[..., None].repeat(3, 2)
    (tmp_path / "a.avif").write_bytes(imagecodecs.avif_encode(deep, level=100, bitspersample=10))
    read = read_as_probed(tmp_path / "a.avif")
    assert read.dtype == np.uint16
    assert np.abs(read.astype(int) - deep[..., 0]).max() <= 2


@pytest.mark.parametrize("shape", [(20, 31), (256, 256), (64, 48), (300, 400), (33, 700)])
def test_the_size_of_jpeg_xl_is_known_before_it_is_unpacked(tmp_path, shape):
    (tmp_path / "a.jxl").write_bytes(imagecodecs.jpegxl_encode(np.zeros(shape, np.uint16), lossless=True))
    assert probe(tmp_path / "a.jxl").shape == shape


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".jp2", ".jxl", ".avif", ".pcx", ".tga"])
def test_a_truncated_file_says_so(tmp_path, suffix, capfd):
    path = tmp_path / f"a{suffix}"
    if suffix == ".jxl":
        path.write_bytes(imagecodecs.jpegxl_encode(GREY, lossless=True))
    else:
        Image.fromarray(np.tile(GREY, (4, 4))).convert("RGB" if suffix in {".webp", ".avif"} else "L").save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ImageReadError, match="is truncated or damaged"):
        read_image(path)
    assert capfd.readouterr().err == ""


def run_length_bitmap(rows, width, *, absolute, last=b"\0\0"):
    """A BMP file whose rows are run lengths, of more pixels than it is wide; `last` ends the last row."""
    pixels = b""
    for row in rows[::-1]:
        packed = bytes([0, len(row), *row, *[0] * (len(row) % 2)])
        pixels += (packed if absolute else b"".join(bytes([1, value]) for value in row)) + b"\0\0"
    pixels = pixels[:-2] + last
    palette = b"".join(bytes([value, value, value, 0]) for value in range(256))
    start = 14 + 40 + len(palette)
    header = struct.pack("<IiiHHIIiiII", 40, width, len(rows), 1, 8, 1, len(pixels) + 2, 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", start + len(pixels) + 2, 0, 0, start) + header + palette + pixels + b"\0\1"


@pytest.mark.parametrize("absolute", [False, True], ids=["runs", "absolute"])
@pytest.mark.parametrize("padding", [0, 3])
@pytest.mark.parametrize("last", [b"\0\0", b""], ids=["row ends", "image ends"])
def test_run_lengths_with_rows_of_whole_groups_of_four_pixels(tmp_path, absolute, padding, last):
    rows = [[10 * row + column for column in range(5)] + [0] * padding for row in range(4)]
    (tmp_path / "a.bmp").write_bytes(run_length_bitmap(rows, 5, absolute=absolute, last=last))
    np.testing.assert_array_equal(read_image(tmp_path / "a.bmp"), [row[:5] for row in rows])


def test_white_of_5_bits_is_white(tmp_path):
    pixels = np.array([[0x7FFF, 0, 0x4210, 0x7FFF]], "<u2").tobytes()
    header = struct.pack("<IiiHHIIiiII", 40, 4, 1, 1, 16, 0, len(pixels), 0, 0, 0, 0)
    data = b"BM" + struct.pack("<IHHI", 54 + len(pixels), 0, 0, 54) + header + pixels
    (tmp_path / "a.bmp").write_bytes(data)
    # 16 of 31 is 131.6 of 255.
    assert read_image(tmp_path / "a.bmp").tolist() in ([[255, 0, 131, 255]], [[255, 0, 132, 255]])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.int16, np.float32, ">u2"])
@pytest.mark.parametrize("count", [None, 3])
def test_arrays_of_numpy_keep_their_type(tmp_path, dtype, count):
    image = (DEEP if count is None else np.stack([DEEP] * count)).astype(dtype)
    np.save(tmp_path / "a.npy", image)
    info, read = probe(tmp_path / "a.npy"), read_radiograph(tmp_path / "a.npy")
    assert (info.shape, info.pages) == (DEEP.shape, count or 1)
    assert info.dtype == read.pixels.dtype == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_array_equal(read.pixels, image)


def test_an_array_of_colours_and_one_of_two_values(tmp_path):
    np.save(tmp_path / "colour.npy", np.dstack([GREY] * 3))
    np.save(tmp_path / "two.npy", GREY > 100)
    np.testing.assert_array_equal(read_as_probed(tmp_path / "colour.npy"), GREY)
    np.testing.assert_array_equal(read_as_probed(tmp_path / "two.npy"), np.where(GREY > 100, 255, 0))


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros(5, np.uint8), r"shape \(5,\); expected \(H, W\) or \(N, H, W\)"),
        (np.zeros((2, 2), np.complex64), "holds complex64 values"),
        (np.zeros((0, 2, 2), np.uint8), "without an image"),
        (np.array([["a"]], object), "truncated or damaged"),
    ],
)
def test_an_array_that_is_no_image_says_why(tmp_path, array, reason):
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    with pytest.raises(ImageReadError, match=reason):
        read_pages(tmp_path / "a.npy")


def test_text_and_other_files_are_refused_by_what_they_are(tmp_path):
    files = {b"tooth 36\n" * 9: "but text", b"<html></html>": "but a web page", b"%PDF-1.4": "but a PDF document"}
    for number, (data, reason) in enumerate(files.items()):
        (tmp_path / f"{number}.png").write_bytes(data)
        with pytest.raises(ImageReadError, match=f"is not an image {reason}"):
            read_image(tmp_path / f"{number}.png")


@pytest.mark.parametrize(
    ("kind", "name"), [("ICO", "Windows Icon"), ("DDS", "DirectDraw Surface"), ("SGI", "SGI"), ("PDF", None)]
)
def test_an_image_in_a_format_that_is_not_read_is_named(tmp_path, kind, name):
    Image.fromarray(np.dstack([GREY] * 3)).save(tmp_path / "a.png", kind)
    reason = f"is in a format that is not read .{name}" if name else "is not an image but a PDF document"
    with pytest.raises(ImageReadError, match=reason):
        read_image(tmp_path / "a.png")


def test_a_bitmap_of_a_kind_that_is_not_read_is_not_called_damaged(tmp_path):
    header = struct.pack("<IiiHHIIiiII", 40, 4, 1, 1, 32, 3, 16, 0, 0, 0, 0)
    masks = struct.pack("<III", 0xFFE00000, 0x1FFC00, 0x3FF)
    (tmp_path / "a.bmp").write_bytes(b"BM" + struct.pack("<IHHI", 82, 0, 0, 66) + header + masks + bytes(16))
    with pytest.raises(ImageReadError, match=r"kind that is not read \(Unsupported BMP bitfields layout\)"):
        probe(tmp_path / "a.bmp")


@pytest.mark.parametrize(("kind", "name"), [("JPEG", "a.png"), ("TIFF", "a.jpg"), ("PNG", "a.tif"), ("BMP", "a")])
def test_a_file_is_what_its_content_says(tmp_path, kind, name):
    Image.fromarray(GREY).save(tmp_path / name, kind)
    np.testing.assert_array_equal(read_image(tmp_path / name), np.asarray(Image.open(tmp_path / name)))
