"""JPEG of every process gives its pixels; damage in a scan is an error, and harmless oddities are none."""

import io

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.images.formats import probe
from napari_dental_denoise.images.radiograph import read_image
from napari_dental_denoise.synthesis.scene import phantom

RNG = np.random.default_rng(0)
SMOOTH = np.add.outer(np.arange(80), np.arange(120)).astype(np.uint8)
NOISY = (SMOOTH + RNG.integers(0, 20, SMOOTH.shape)).astype(np.uint8)
DEEP = (NOISY.astype(np.uint16) * 16 + 7) % 4096


def encoded(image, **options):
    data = io.BytesIO()
    Image.fromarray(image).save(data, "JPEG", **options)
    return data.getvalue()


def written(path, data):
    path.write_bytes(data)
    read = read_image(path)
    assert (probe(path).shape, probe(path).dtype) == (read.shape, read.dtype)
    return read


@pytest.mark.parametrize("progressive", [False, True])
def test_grey_is_what_pillow_reads(tmp_path, progressive):
    data = encoded(NOISY, quality=90, progressive=progressive)
    np.testing.assert_array_equal(written(tmp_path / "a.jpg", data), np.asarray(Image.open(io.BytesIO(data))))


@pytest.mark.parametrize("place", [0.3, 0.5, 0.9])
@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_damaged_scan_is_refused_without_a_word(tmp_path, place, colours, progressive, capfd):
    image = NOISY if colours == 1 else np.dstack([NOISY] * 3)
    data = bytearray(encoded(image, quality=90, progressive=progressive))
    start = int(len(data) * place)
    data[start : start + 200] = bytes(200)
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(ImageReadError, match=r"a\.jpg: is truncated or damaged"):
        read_image(tmp_path / "a.jpg")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("share", np.linspace(0.5, 0.9, 5))
def test_a_hole_in_the_last_bits_of_a_progressive_scan_is_found(tmp_path, share):
    image = np.rint(phantom((300, 400), 1) * 255).astype(np.uint8)
    data = bytearray(encoded(image, quality=75, progressive=True))
    scan = data.rindex(b"\xff\xda")
    start = scan + int(share * (len(data) - scan - 200))
    data[start : start + 200] = bytes(200)
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(ImageReadError, match="truncated or damaged"):
        read_image(tmp_path / "a.jpg")


@pytest.mark.parametrize("quality", [50, 95])
@pytest.mark.parametrize("width", [1, 2, 4, 8, 400])
def test_flat_and_regular_images_are_whole(tmp_path, quality, width):
    image = (np.arange(800) // width % 2 * 200).astype(np.uint8)[None].repeat(800, 0)
    for progressive in (False, True):
        data = encoded(image, quality=quality, progressive=progressive)
        np.testing.assert_array_equal(written(tmp_path / "a.jpg", data), np.asarray(Image.open(io.BytesIO(data))))


@pytest.mark.parametrize("filling", [bytes(5), b"\xff" * 5])
def test_bytes_that_fill_the_space_before_the_end_cost_no_image(tmp_path, filling, capfd):
    data = encoded(NOISY)
    read = written(tmp_path / "a.jpg", data[:-2] + filling + data[-2:])
    np.testing.assert_array_equal(read, written(tmp_path / "b.jpg", data))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "oddity",
    [
        b"junk of a program",
        b"\xff\x00\x00\x02",
        b"\xff\xe2\x00\x17ICC_PROFILE\0\7\1no profile"[:25],
        b"\xff\xee\x00\x0dAdobe\0d\0\0\0\0",
    ],
    ids=["bytes", "stuffed byte", "bad profile", "short Adobe"],
)
def test_an_oddity_in_front_of_the_pixels_costs_no_image(tmp_path, oddity, capfd):
    data = encoded(NOISY)
    start = data.index(b"\xff\xdb")
    read = written(tmp_path / "a.jpg", data[:start] + oddity + data[start:])
    np.testing.assert_array_equal(read, written(tmp_path / "b.jpg", data))
    assert capfd.readouterr().err == ""


def test_bytes_behind_the_image_cost_no_image(tmp_path):
    data = encoded(NOISY)
    trailer = RNG.bytes(500) + b"\xff\xda\x00\x00"
    np.testing.assert_array_equal(written(tmp_path / "a.jpg", data + trailer), written(tmp_path / "b.jpg", data))


def test_a_thumbnail_inside_does_not_stand_for_the_end(tmp_path):
    exif = b"Exif\0\0" + encoded(SMOOTH[:8, :8])
    data = encoded(NOISY)
    segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    (tmp_path / "a.jpg").write_bytes(data[:2] + segment + data[2:-100])
    with pytest.raises(ImageReadError, match="truncated"):
        probe(tmp_path / "a.jpg")


def test_twelve_bits(tmp_path):
    data = imagecodecs.jpeg8_encode(DEEP, bitspersample=12, level=98)
    read = written(tmp_path / "a.jpg", data)
    assert read.dtype == np.uint16
    assert np.abs(read.astype(int) - DEEP).max() <= 40


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_lossless_jpeg(tmp_path, bits):
    image = NOISY if bits == 8 else DEEP * 16 + 3 if bits == 16 else DEEP
    data = imagecodecs.jpeg8_encode(image, bitspersample=bits, lossless=True)
    np.testing.assert_array_equal(written(tmp_path / "a.jpg", data), image)


@pytest.mark.parametrize("image", [NOISY, DEEP], ids=["8 bit", "12 bit"])
def test_jpeg_ls(tmp_path, image):
    np.testing.assert_array_equal(written(tmp_path / "a.jls", imagecodecs.jpegls_encode(image)), image)


@pytest.mark.parametrize("subsampling", [0, 2])
def test_the_inks_of_print_become_grey_as_pillow_converts_them(tmp_path, subsampling):
    inks = np.dstack([NOISY, 255 - NOISY, NOISY // 2, SMOOTH // 3])
    data = io.BytesIO()
    Image.fromarray(inks, "CMYK").save(data, "JPEG", quality=98, subsampling=subsampling)
    expected = np.asarray(Image.open(io.BytesIO(data.getvalue())).convert("RGB").convert("L")).astype(int)
    assert np.abs(written(tmp_path / "a.jpg", data.getvalue()) - expected).max() <= 1


def test_more_bits_than_there_are_are_damage(tmp_path):
    (tmp_path / "a.jpg").write_bytes(encoded(NOISY).replace(b"\xff\xc0\x00\x0b\x08", b"\xff\xc0\x00\x0b\x31", 1))
    with pytest.raises(ImageReadError, match="truncated or damaged"):
        probe(tmp_path / "a.jpg")


def test_inks_without_a_word_of_adobe_are_read_as_pillow_reads_them(tmp_path):
    data = io.BytesIO()
    Image.fromarray(np.dstack([NOISY, 255 - NOISY, NOISY // 2, SMOOTH // 3]), "CMYK").save(data, "JPEG", quality=98)
    start = data.getvalue().index(b"\xff\xee")
    plain = data.getvalue()[:start] + data.getvalue()[start + 16 :]
    expected = np.asarray(Image.open(io.BytesIO(plain)).convert("RGB").convert("L")).astype(int)
    assert np.abs(written(tmp_path / "a.jpg", plain) - expected).max() <= 1


def test_jpeg_ls_of_colours_of_several_sizes_is_not_called_damaged(tmp_path):
    data = bytearray(imagecodecs.jpegls_encode(np.dstack([NOISY] * 3)))
    # The sampling of the first colour.
    data[data.index(b"\xff\xf7") + 11] = 0x22
    (tmp_path / "a.jls").write_bytes(data)
    with pytest.raises(ImageReadError, match="JPEG-LS file of a kind that is not read"):
        read_image(tmp_path / "a.jls")


def test_a_process_that_no_decoder_knows_is_named(tmp_path):
    data = encoded(NOISY).replace(b"\xff\xc0\x00\x0b", b"\xff\xc5\x00\x0b", 1)
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(ImageReadError, match=r"is a JPEG file of a process \(0xc5\) that is not read"):
        probe(tmp_path / "a.jpg")
