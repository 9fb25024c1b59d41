"""TIFF as scanners and programs write it gives its grey values exactly, or a reason."""

import contextlib
import io
import struct

import imagecodecs
import numpy as np
import PIL
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from napari_dental_denoise import config
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.images.formats import probe
from napari_dental_denoise.images.radiograph import read_image, read_pages, read_radiograph
from napari_dental_denoise.images.readers import tiff

GREY = (np.arange(64 * 48).reshape(64, 48) % 256).astype(np.uint8)
WIDE = (np.arange(64 * 48).reshape(64, 48) * 20 % 4096).astype(np.uint16)


def written(folder, image, **options):
    path = folder / "a.tif"
    tifffile.imwrite(path, image, **options)
    header = probe(path)
    read = read_image(path)
    assert (header.shape, header.dtype) == (read.shape, read.dtype)
    return read


@pytest.mark.parametrize("image", [GREY, WIDE], ids=["8 bit", "16 bit"])
@pytest.mark.parametrize("tile", [None, (16, 16)], ids=["strips", "tiles"])
@pytest.mark.parametrize("compression", [None, "lzw", "deflate", "packbits", "zstd", "lzma", "jpeg2000", "png"])
def test_lossless_compressions(tmp_path, image, tile, compression):
    read = written(tmp_path, image, compression=compression, tile=tile, photometric="minisblack")
    np.testing.assert_array_equal(read, image)


@pytest.mark.parametrize(
    "options",
    [{"bigtiff": True}, {"byteorder": ">"}, {"compression": "lzw", "predictor": True}, {"imagej": True}, {"ome": True}],
    ids=str,
)
def test_layouts(tmp_path, options):
    np.testing.assert_array_equal(written(tmp_path, WIDE, **options), WIDE)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floating_values_become_float32(tmp_path, dtype):
    image = (WIDE / 4095).astype(dtype)
    read = written(tmp_path, image)
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, image.astype(np.float32))


def written_packed(folder, image, bits, photometric="minisblack"):
    """Write pixels of `bits` bits without gaps; each row begins with a new byte."""
    places = np.arange(bits - 1, -1, -1, dtype=image.dtype)
    rows = (image[..., np.newaxis] >> places & 1).astype(np.uint8).reshape(len(image), -1)
    options = {"shape": image.shape, "dtype": image.dtype, "rowsperstrip": len(image), "photometric": photometric}
    return written(folder, iter([np.packbits(rows, axis=1).tobytes()]), bitspersample=bits, **options)


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_packed_bits_keep_their_values(tmp_path, bits):
    image = WIDE % 2**bits
    np.testing.assert_array_equal(written_packed(tmp_path, image, bits), image)


@pytest.mark.parametrize("bits", range(2, 8))
def test_few_bits_go_from_black_to_white(tmp_path, bits):
    image = GREY % 2**bits
    read = written_packed(tmp_path, image, bits)
    assert read.max() == 255
    # To the nearest, upwards where there are two.
    np.testing.assert_array_equal(read, np.floor(image.astype(int) * 255 / (2**bits - 1) + 0.5))


@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_one_bit_becomes_black_and_white(tmp_path, photometric):
    lines = GREY > 100
    white = lines if photometric == "minisblack" else ~lines
    np.testing.assert_array_equal(written(tmp_path, lines, photometric=photometric), white * np.uint8(255))


def test_colour_planes_alpha_and_palettes(tmp_path):
    colours = np.dstack([GREY] * 3)
    planes = written(tmp_path, np.stack([GREY] * 3), photometric="rgb", planarconfig="separate")
    alpha = written(tmp_path, np.dstack([colours, GREY]), photometric="rgb", extrasamples=["unassalpha"])
    grey_alpha = written(
        tmp_path, np.dstack([GREY, GREY]), photometric="minisblack", extrasamples=["unassalpha"], planarconfig="contig"
    )
    ramp = np.stack([np.arange(255, -1, -1) * 257] * 3).astype(np.uint16)
    palette = written(tmp_path, GREY, photometric="palette", colormap=ramp)
    for read, expected in ((planes, GREY), (alpha, GREY), (grey_alpha, GREY), (palette, 255 - GREY)):
        np.testing.assert_array_equal(read, expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_applied_as_pillow_does(tmp_path, orientation):
    picture = Image.fromarray(GREY)
    exif = picture.getexif()
    exif[274] = orientation
    picture.save(tmp_path / "a.tif", exif=exif)
    # Of its own TIFF, Pillow mixes up the size.
    picture.save(tmp_path / "a.png", exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "a.png")))
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), expected)
    assert probe(tmp_path / "a.tif").shape == expected.shape


def test_pages_become_a_stack(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.stack([WIDE, WIDE + 1]), compression="lzw", photometric="minisblack")
    np.testing.assert_array_equal(read_pages(tmp_path / "a.tif"), [WIDE, WIDE + 1])
    assert probe(tmp_path / "a.tif").pages == 2


@pytest.mark.parametrize("dtype", [np.uint64, np.int64, np.complex64])
def test_other_numbers_are_refused_by_name(tmp_path, dtype):
    tifffile.imwrite(tmp_path / "a.tif", GREY.astype(dtype))
    with pytest.raises(ImageReadError, match=f"holds {np.dtype(dtype)} pixels; expected integers of 8 to 32 bit"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.uint32])
def test_signed_and_long_numbers_keep_their_type(tmp_path, dtype):
    ends = np.iinfo(dtype)
    image = np.linspace(ends.min, ends.max, 64 * 48).reshape(64, 48).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", image, photometric="minisblack")
    assert probe(tmp_path / "a.tif").dtype == dtype
    read = read_radiograph(tmp_path / "a.tif")
    assert read.pixels.dtype == dtype
    np.testing.assert_array_equal(read.pixels, image)
    # Black at 0: the order and the differences are those of the stored values.
    np.testing.assert_array_equal(read.grey.astype(np.int64) - read.grey.min(), image.astype(np.int64) - image.min())


COLOURS = np.dstack([GREY, GREY // 2, 255 - GREY])


@pytest.mark.parametrize(
    ("kind", "name"), [(4, "MASK"), (8, "CIELAB"), (9, "ICCLAB"), (32844, "LOGL"), (12345, "12345")]
)
def test_colours_that_are_not_red_green_and_blue_are_refused_by_name(tmp_path, kind, name):
    tifffile.imwrite(tmp_path / "good.tif", COLOURS, photometric="rgb", metadata=None)
    (tmp_path / "a.tif").write_bytes(with_tag((tmp_path / "good.tif").read_bytes(), 262, kind))
    for read in (probe, read_image, read_pages):
        with pytest.raises(ImageReadError, match=f"has {name} colours; expected grayscale or RGB"):
            read(tmp_path / "a.tif")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_colours_multiplied_with_their_opacity_are_divided_by_it(tmp_path, dtype):
    full = 1.0 if dtype == np.float32 else np.iinfo(dtype).max
    grey = GREY / 255 * full
    opacity = np.full(GREY.shape, 0.5)
    opacity[:10], opacity[10:20] = 1, 0
    stored = np.dstack([grey * opacity] * 3 + [opacity * full])
    stored = (np.rint(stored) if full > 1 else stored).astype(dtype)
    read = written(tmp_path, stored, photometric="rgb", extrasamples=["assocalpha"])
    np.testing.assert_allclose(read[:10], grey[:10].astype(dtype), rtol=1e-6)
    np.testing.assert_array_equal(read[10:20], 0)
    assert np.abs(read[20:] - grey[20:]).max() <= (2 if full > 1 else 1e-6)


def test_jpeg_inside_keeps_its_colours(tmp_path):
    smooth = np.dstack([np.linspace(0, 255, 64 * 48).reshape(64, 48)] * 3).astype(np.uint8)
    read = written(tmp_path, smooth, photometric="rgb", compression="jpeg", compressionargs={"level": 98})
    assert np.abs(read.astype(int) - smooth[..., 0]).max() < 6


@pytest.mark.parametrize(
    ("compression", "part"),
    [
        ("jpeg", imagecodecs.jpeg8_encode(np.zeros((2000, 3000), np.uint8))),
        ("jpeg2000", imagecodecs.jpeg2k_encode(np.zeros((2000, 3000), np.uint8), codecformat="j2k")),
        ("jpeg2000", imagecodecs.jpeg2k_encode(np.zeros((2000, 3000), np.uint8), codecformat="jp2")),
        ("png", imagecodecs.png_encode(np.zeros((2000, 3000), np.uint8))),
    ],
    ids=["JPEG", "JPEG 2000", "JP2", "PNG"],
)
@pytest.mark.parametrize("tile", [None, (64, 48)], ids=["strips", "tiles"])
def test_a_part_that_unpacks_to_more_than_its_place_is_refused(tmp_path, compression, part, tile):
    path, noise = tmp_path / "a.tif", np.random.default_rng(0).integers(0, 256, (64, 48), np.uint8)
    tifffile.imwrite(path, noise, compression=compression, tile=tile, photometric="minisblack", metadata=None)
    with tifffile.TiffFile(path, mode="r+") as file:
        tags = file.pages.first.tags
        tags[273 if tile is None else 324].overwrite([path.stat().st_size])
        tags[279 if tile is None else 325].overwrite([len(part)])
    path.write_bytes(path.read_bytes() + part)
    with pytest.raises(ImageReadError, match="claims 3000x2000 pixels in a part of 48x64"):
        read_image(path)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
@pytest.mark.parametrize(("tile", "code"), [(None, 279), ((32, 32), 325)], ids=["strips", "tiles"])
def test_jpeg_inside_that_was_cut_is_refused(tmp_path, tile, code, share):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, GREY, compression="jpeg", tile=tile, photometric="minisblack", metadata=None)
    assert read_image(path).shape == GREY.shape
    with tifffile.TiffFile(path, mode="r+") as file:
        counts = file.pages.first.tags[code]
        counts.overwrite([int(counts.value[0] * share), *counts.value[1:]])
    with pytest.raises(ImageReadError, match="is truncated or damaged"):
        read_image(path)


def with_tag(data, code, value):
    """The same classic little-endian TIFF with another number in a tag of its first directory."""
    (start,) = struct.unpack("<I", data[4:8])
    (count,) = struct.unpack("<H", data[start : start + 2])
    changed = bytearray(data)
    for place in range(start + 2, start + 2 + 12 * count, 12):
        if struct.unpack("<H", data[place : place + 2])[0] == code:
            changed[place + 2 : place + 12] = struct.pack("<HII", 4, 1, value)
            return bytes(changed)
    raise LookupError(code)


@pytest.mark.parametrize(
    ("code", "value", "reason"),
    [
        (256, 2**31, "claims|damaged|at most"),  # width
        (257, 2**31, "claims|damaged|at most"),  # height
        (277, 2**25, "claims 33554432 channels"),  # samples of a pixel: 300 bytes once took 13 GB
        (279, 0, "truncated or damaged"),  # bytes of the strip: no pixels, which would be black ones
    ],
)
def test_numbers_that_lie_take_no_memory(tmp_path, code, value, reason):
    tifffile.imwrite(tmp_path / "good.tif", GREY, metadata=None)
    path = tmp_path / "bad.tif"
    path.write_bytes(with_tag((tmp_path / "good.tif").read_bytes(), code, value))
    for read in (probe, read_image, read_pages):
        with pytest.raises(ImageReadError, match=reason):
            read(path)


@pytest.mark.parametrize(
    ("code", "value", "reason"),
    [
        (32997, 3, "holds a volume of 3 slices; expected one image for each page"),
        (259, 32809, "is compressed .*THUNDERSCAN.* in a way that is not read"),
    ],
    ids=["depth", "compression"],
)
def test_what_is_whole_but_not_read_is_not_called_damaged(tmp_path, code, value, reason):
    volume = {"volumetric": True, "tile": (16, 16, 16)} if code == 32997 else {}
    image = np.stack([GREY] * 3) if volume else GREY
    tifffile.imwrite(tmp_path / "good.tif", image, photometric="minisblack", metadata=None, **volume)
    (tmp_path / "a.tif").write_bytes(with_tag((tmp_path / "good.tif").read_bytes(), code, value))
    with pytest.raises(ImageReadError, match=reason):
        read_image(tmp_path / "a.tif")


def test_a_file_that_does_not_say_what_is_black_has_black_at_zero(tmp_path):
    tifffile.imwrite(tmp_path / "good.tif", GREY, metadata=None)
    data = (tmp_path / "good.tif").read_bytes()
    # Under a number that nobody knows.
    (tmp_path / "a.tif").write_bytes(data.replace(struct.pack("<HH", 262, 3), struct.pack("<HH", 263, 3), 1))
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), GREY)


def paged(path, *shapes):
    with tifffile.TiffWriter(path) as writer:
        for shape in shapes:
            writer.write(np.zeros(shape, np.uint8), photometric="minisblack", compression="deflate", metadata=None)
    return path


def test_pages_behind_a_small_one_count_with_their_own_size(tmp_path, monkeypatch):
    monkeypatch.setattr(tiff, "LIMITS", config.Limits(stack_bytes=20_000))
    with pytest.raises(ImageReadError, match="has 4 pages; at most"):
        read_pages(paged(tmp_path / "a.tif", (4, 4), (100, 100), (100, 100), (100, 100)))


def test_pages_that_differ_are_refused_before_they_are_unpacked(tmp_path, monkeypatch):
    path = paged(tmp_path / "a.tif", (4, 4), (100, 100))
    monkeypatch.setattr(tifffile.TiffPage, "asarray", lambda *_, **__: pytest.fail("unpacked"))
    with pytest.raises(ImageReadError, match="holds 2 pages of different sizes"):
        read_pages(path)


def test_a_chain_of_pages_that_leads_round_ends(tmp_path):
    tifffile.imwrite(tmp_path / "good.tif", GREY, metadata=None)
    data = bytearray((tmp_path / "good.tif").read_bytes())
    first = struct.unpack_from("<I", data, 4)[0]
    behind = first + 2 + 12 * struct.unpack_from("<H", data, first)[0]
    struct.pack_into("<I", data, behind, first)
    (tmp_path / "round.tif").write_bytes(data)
    np.testing.assert_array_equal(read_pages(tmp_path / "round.tif"), GREY[np.newaxis])


def test_tiles_beyond_measure_take_no_memory(tmp_path):
    tifffile.imwrite(tmp_path / "good.tif", GREY, tile=(16, 16), metadata=None)
    data = (tmp_path / "good.tif").read_bytes()
    (tmp_path / "bad.tif").write_bytes(with_tag(with_tag(data, 322, 2**20), 323, 2**20))
    with pytest.raises(ImageReadError, match="claims"):
        read_image(tmp_path / "bad.tif")


@given(cut=st.integers(0, 3200), place=st.integers(0, 3200), value=st.integers(0, 255))
def test_damage_is_an_error_or_an_image(tmp_path_factory, cut, place, value):
    path = tmp_path_factory.mktemp("damage") / "a.tif"
    tifffile.imwrite(path, GREY)
    data = bytearray(path.read_bytes())
    data[place % len(data)] = value
    path.write_bytes(data[: len(data) - cut % len(data)])
    with contextlib.suppress(ImageReadError):
        assert read_image(path).ndim == 2


def test_what_is_white_as_zero_is_black_at_the_fewest_bits_that_hold_it(tmp_path):
    # 12 bits in 16, as scanners write them: black is 4095.
    tifffile.imwrite(tmp_path / "a.tif", 4095 - WIDE, photometric="miniswhite", metadata=None)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), WIDE)


def test_the_pages_of_a_file_share_their_black(tmp_path):
    pages = 4095 - np.stack([WIDE, WIDE // 16 + 3800])
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="miniswhite", metadata=None)
    second = read_radiograph(tmp_path / "a.tif", slice(1, 2)).pixels
    np.testing.assert_array_equal(second, read_pages(tmp_path / "a.tif")[1])
    np.testing.assert_array_equal(second, WIDE // 16 + 3800)


@pytest.mark.parametrize("rows", [16, 64], ids=["strips", "one strip"])
def test_strips_that_are_said_to_be_too_short_are_refused(tmp_path, rows):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, GREY, rowsperstrip=rows, metadata=None)
    with tifffile.TiffFile(path, mode="r+") as file:
        counts = file.pages.first.tags[279]
        counts.overwrite([count // 2 for count in np.atleast_1d(counts.value)])
    for read in (probe, read_image):
        with pytest.raises(ImageReadError, match="names fewer bytes"):
            read(path)


def test_one_strip_that_is_said_to_be_longer_than_the_file_is_read(tmp_path):
    tifffile.imwrite(tmp_path / "good.tif", GREY, metadata=None)
    path = tmp_path / "a.tif"
    path.write_bytes(with_tag((tmp_path / "good.tif").read_bytes(), 279, 2**30))
    np.testing.assert_array_equal(read_image(path), GREY)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ImageReadError, match="truncated"):
        probe(path)


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_floating_colours_become_float32(tmp_path, dtype):
    image = np.dstack([GREY, GREY, GREY]).astype(dtype) / dtype(255)
    read = written(tmp_path, image, photometric="rgb")
    assert read.dtype == np.float32
    np.testing.assert_allclose(read, image[..., 0].astype(np.float32), rtol=1e-6)


def test_of_grey_with_extra_channels_the_first_counts(tmp_path):
    image = np.dstack([WIDE, WIDE // 2, WIDE // 3, WIDE // 4])
    read = written(tmp_path, image, photometric="minisblack", planarconfig="contig")
    np.testing.assert_array_equal(read, WIDE)


def test_colours_of_few_bits_are_as_exact_as_those_of_8(tmp_path):
    image = np.dstack([GREY % 4, GREY // 4 % 4, GREY // 16 % 4]).astype(np.uint8)
    read = written_packed(tmp_path, image, 2, "rgb")
    assert np.abs(read - image * 85.0 @ [0.299, 0.587, 0.114]).max() < 1


def test_video_of_fewer_colours_than_pixels_is_not_called_damaged(tmp_path):
    tags = [(530, 3, 2, (2, 2), True)]
    image = np.zeros((48, 64, 3), np.uint8)
    tifffile.imwrite(tmp_path / "good.tif", image, photometric="rgb", extratags=tags, metadata=None)
    (tmp_path / "a.tif").write_bytes(with_tag((tmp_path / "good.tif").read_bytes(), 262, 6))
    with pytest.raises(ImageReadError, match="has YCBCR colours"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("kind", [{"subfiletype": 1}, {"extratags": [(255, 3, 1, 2, True)]}], ids=["new", "old"])
def test_a_thumbnail_in_front_is_not_the_image(tmp_path, kind):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(GREY[::8, ::8], photometric="minisblack", metadata=None, **kind)
        writer.write(GREY, photometric="minisblack", metadata=None)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), GREY)
    assert read_pages(tmp_path / "a.tif").shape == (1, *GREY.shape)
    assert probe(tmp_path / "a.tif").pages == 1


def test_a_file_of_nothing_but_thumbnails_is_read(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY, subfiletype=1, metadata=None)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), GREY)


def test_the_inks_of_print_become_grey_as_pillow_converts_them(tmp_path):
    inks = np.random.default_rng(0).integers(0, 256, (40, 50, 4), np.uint8)
    inks[:10, :, :3] = 0
    tifffile.imwrite(tmp_path / "a.tif", inks, photometric="separated", metadata=None)
    expected = np.asarray(Image.fromarray(inks, "CMYK").convert("RGB").convert("L")).astype(int)
    read = read_image(tmp_path / "a.tif")
    assert np.abs(read - expected).max() <= 1
    np.testing.assert_array_equal(read[:10], 255 - inks[:10, :, 3])


@pytest.mark.skipif(PIL.__version__ < "13", reason="Pillow takes such files for truncated")
def test_colours_of_video_become_grey_as_pillow_converts_them(tmp_path):
    picture = Image.fromarray(COLOURS).convert("YCbCr")
    picture.save(tmp_path / "a.tif", compression="raw")
    expected = np.asarray(picture.convert("RGB").convert("L")).astype(int)
    assert np.abs(read_image(tmp_path / "a.tif") - expected).max() <= 1


def with_palette(path, index, ramp, **options):
    """Write what tifffile does not: a palette of few colours, or with opacity."""
    tags = [(320, 3, 3 * len(ramp), [*ramp] * 3, True)]
    tifffile.imwrite(path, index, photometric="minisblack", extratags=tags, metadata=None, **options)
    path.write_bytes(with_tag(path.read_bytes(), 262, 3))


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_palettes_of_few_colours(tmp_path, bits):
    index = GREY.astype(int) % 2**bits
    ramp = np.linspace(65535, 0, 2**bits).astype(np.uint16)
    options = {} if bits in {1, 8} else {"bitspersample": bits}
    if options:
        pytest.importorskip("imagecodecs", minversion="2026.3.6", reason="imagecodecs cannot write few bits")
    with_palette(tmp_path / "a.tif", index.astype(bool if bits == 1 else np.uint8), ramp, **options)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), (ramp >> 8)[index])


def test_a_palette_with_opacity(tmp_path):
    stored = np.dstack([GREY, np.full_like(GREY, 128)])
    ramp = np.arange(255, -1, -1) * 257
    with_palette(tmp_path / "a.tif", stored, ramp, planarconfig="contig", extrasamples=["unassalpha"])
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), 255 - GREY)


@pytest.mark.parametrize("tile", [None, (32, 32)], ids=["strips", "tiles"])
def test_jpeg_inside_with_a_damaged_scan_is_refused(tmp_path, tile, capfd):
    path, noise = tmp_path / "a.tif", np.random.default_rng(0).integers(0, 256, (64, 48), np.uint8)
    tifffile.imwrite(path, noise, compression="jpeg", tile=tile, photometric="minisblack", metadata=None)
    with tifffile.TiffFile(path) as file:
        middle = file.pages.first.dataoffsets[0] + file.pages.first.databytecounts[0] - 300
    data = bytearray(path.read_bytes())
    data[middle : middle + 200] = bytes(200)
    path.write_bytes(data)
    with pytest.raises(ImageReadError, match="is truncated or damaged"):
        read_image(path)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("unit", "size"), [("mm", 0.1), ("cm", 1.0), ("micron", 1e-4), ("inch", 2.54), ("um", 1e-4), ("pixel", None)]
)
def test_the_unit_of_imagej(tmp_path, unit, size):
    tifffile.imwrite(tmp_path / "a.tif", GREY, imagej=True, resolution=(10, 5), metadata={"unit": unit})
    found = probe(tmp_path / "a.tif").pixel_size
    plausible = size is not None and size >= 0.001
    assert found == (pytest.approx((2 * size, size)) if plausible else None)


@pytest.mark.parametrize(("unit", "side"), [("mm", 0.1), ("\u00b5m", 100), ("cm", 0.01)])
def test_the_physical_size_of_ome(tmp_path, unit, side):
    sizes = {"PhysicalSizeX": side, "PhysicalSizeXUnit": unit, "PhysicalSizeY": 2 * side, "PhysicalSizeYUnit": unit}
    tifffile.imwrite(tmp_path / "a.ome.tif", GREY, ome=True, metadata=sizes)
    assert probe(tmp_path / "a.ome.tif").pixel_size == pytest.approx((0.2, 0.1))


def test_a_resolution_in_centimetres(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY, resolution=(100, 50), resolutionunit="CENTIMETER", metadata=None)
    assert probe(tmp_path / "a.tif").pixel_size == pytest.approx((0.2, 0.1))


def test_a_large_stack_of_imagej_has_one_header(tmp_path):
    stack = np.stack([WIDE, WIDE + 1, WIDE + 2])
    # ImageJ writes such files above 4 GB: as this one, but for its length.
    description = "ImageJ=1.11a\nimages=3\nslices=3\n"
    tifffile.imwrite(tmp_path / "a.tif", WIDE, metadata=None, description=description, photometric="minisblack")
    data = (tmp_path / "a.tif").read_bytes()
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.pages.first.dataoffsets[0] + file.pages.first.nbytes == len(data)
    (tmp_path / "a.tif").write_bytes(data + stack[1:].tobytes())
    assert probe(tmp_path / "a.tif").pages == 3
    np.testing.assert_array_equal(read_pages(tmp_path / "a.tif"), stack)
    np.testing.assert_array_equal(read_radiograph(tmp_path / "a.tif", slice(2, 3)).pixels, stack[2])


def test_the_jpeg_of_old_files(tmp_path):
    smooth = np.add.outer(np.arange(64), np.arange(48)).astype(np.uint8)
    data = io.BytesIO()
    Image.fromarray(smooth).save(data, "JPEG", quality=95)
    jpeg = data.getvalue()
    # TIFF 6.0, section 22: JPEGProc, JPEGInterchangeFormat and its length.
    tags = [(256, 48), (257, 64), (258, 8), (259, 6), (262, 1), (273, None), (277, 1), (278, 64), (279, len(jpeg))]
    tags += [(512, 1), (513, None), (514, len(jpeg))]
    start = 8 + 2 + 12 * len(tags) + 4
    entries = b"".join(struct.pack("<HHII", code, 4, 1, start if value is None else value) for code, value in tags)
    header = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)
    (tmp_path / "a.tif").write_bytes(header + jpeg)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), np.asarray(Image.open(io.BytesIO(jpeg))))
