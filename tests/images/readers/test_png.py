"""PNG gives its default image and every depth, and says nothing on stderr."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.images.formats import probe
from napari_dental_denoise.images.radiograph import read_image

GREY = np.random.default_rng(0).integers(0, 256, (20, 31), np.uint8)


def test_an_animation_gives_its_default_image(tmp_path):
    first, *others = (Image.fromarray(image) for image in (GREY, 255 - GREY, GREY // 2))
    first.save(tmp_path / "a.png", save_all=True, append_images=others, default_image=True)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), GREY)


def test_damaged_metadata_of_an_animation_cost_no_image(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    frames = chunk(b"acTL", struct.pack(">II", 2**32 - 1, 0))
    (tmp_path / "a.png").write_bytes(data[:33] + frames + data[33:])
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), GREY)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_is_what_pillow_reads(tmp_path, mode):
    picture = Image.fromarray(GREY.astype(np.uint16) * 257 if mode == "I;16" else GREY)
    (picture if mode == "I;16" else picture.convert(mode)).save(tmp_path / "a.png")
    expected = picture if mode == "I;16" else Image.open(tmp_path / "a.png").convert("RGBA").convert("RGB").convert("L")
    read = read_image(tmp_path / "a.png")
    assert probe(tmp_path / "a.png").dtype == read.dtype
    np.testing.assert_array_equal(read, np.asarray(expected))


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_go_from_black_to_white(tmp_path, bits):
    white = 2**bits - 1
    index = GREY[:, :24] % (white + 1)
    packed = np.packbits(np.unpackbits(index[..., None], axis=2)[..., -bits:].reshape(20, -1), axis=1)
    rows = b"".join(b"\0" + row.tobytes() for row in packed)
    (tmp_path / "a.png").write_bytes(png(struct.pack(">IIBBBBB", 24, 20, bits, 0, 0, 0, 0), zlib.compress(rows)))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), index * (255 // white))


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(header, pixels):
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def test_pixels_that_do_not_unpack_are_refused_without_a_word(tmp_path, capfd):
    rows = bytearray(zlib.compress(np.insert(GREY, 0, 0, axis=1).tobytes()))
    rows[200:210] = bytes(10)
    # With a right checksum, so that only the decoder can tell.
    (tmp_path / "a.png").write_bytes(png(struct.pack(">IIBBBBB", 31, 20, 8, 0, 0, 0, 0), bytes(rows)))
    with pytest.raises(ImageReadError, match=r"a\.png: is truncated or damaged"):
        read_image(tmp_path / "a.png")
    assert capfd.readouterr().err == ""


def test_fewer_rows_than_the_header_says_are_refused(tmp_path):
    rows = zlib.compress(np.insert(GREY[:10], 0, 0, axis=1).tobytes())
    (tmp_path / "a.png").write_bytes(png(struct.pack(">IIBBBBB", 31, 20, 8, 0, 0, 0, 0), rows))
    with pytest.raises(ImageReadError, match=r"a\.png: is truncated or damaged"):
        read_image(tmp_path / "a.png")


def test_16_bit_colour_keeps_its_bits(tmp_path):
    wide = GREY.astype(np.uint16) * 200
    rows = b"".join(b"\0" + row.tobytes() for row in np.dstack([wide] * 3).astype(">u2"))
    (tmp_path / "a.png").write_bytes(png(struct.pack(">IIBBBBB", 31, 20, 16, 2, 0, 0, 0), zlib.compress(rows)))
    assert probe(tmp_path / "a.png").dtype == np.uint16
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), wide)


def test_a_truncated_animation_says_so(tmp_path):
    data = io.BytesIO()
    Image.fromarray(GREY).save(data, "PNG")
    (tmp_path / "a.png").write_bytes(data.getvalue()[:-30])
    with pytest.raises(ImageReadError, match="truncated"):
        probe(tmp_path / "a.png")
