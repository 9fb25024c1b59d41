"""Raw pixels are read by the MetaImage header beside them."""

import numpy as np
import pytest

from napari_dental_denoise.cli import main
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.images.finder import find_files, list_files
from napari_dental_denoise.images.formats import probe
from napari_dental_denoise.images.radiograph import read_radiograph

PIXELS = np.arange(20 * 31, dtype=np.int16).reshape(20, 31) - 300


def header(folder, **fields):
    lines = {"ObjectType": "Image", "NDims": "2", "DimSize": "31 20", "ElementType": "MET_SHORT"} | fields
    (folder / "a.mhd").write_text("".join(f"{name} = {value}\n" for name, value in lines.items()))
    return folder / "a.raw"


@pytest.mark.parametrize(
    ("name", "dtype"), [("MET_UCHAR", "<u1"), ("MET_SHORT", "<i2"), ("MET_UINT", "<u4"), ("MET_FLOAT", "<f4")]
)
def test_the_header_tells_size_and_type(tmp_path, name, dtype):
    path = header(tmp_path, ElementType=name, ElementSpacing="0.1 0.2")
    stored = PIXELS.astype(dtype)
    path.write_bytes(stored.tobytes())
    info, read = probe(path), read_radiograph(path)
    assert (info.shape, info.dtype, info.pixel_size) == ((20, 31), np.dtype(dtype), (0.2, 0.1))
    np.testing.assert_array_equal(read.pixels, stored)


def test_a_volume_with_a_preamble_and_the_other_byte_order(tmp_path):
    fields = {"NDims": "3", "DimSize": "31 20 3", "HeaderSize": "-1", "BinaryDataByteOrderMSB": "True"}
    path = header(tmp_path, **fields)
    stack = np.stack([PIXELS, PIXELS + 1, PIXELS + 2])
    path.write_bytes(b"preamble" + stack.astype(">i2").tobytes())
    assert probe(path).pages == 3
    np.testing.assert_array_equal(read_radiograph(path).pixels, stack)
    np.testing.assert_array_equal(read_radiograph(path, slice(2, 3)).pixels, stack[2])


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"DimSize": "31 21"}, "has 1240 bytes; its header a.mhd needs 1302"),
        ({"DimSize": "31"}, "header a.mhd that is not understood; expected NDims 2 or 3"),
        ({"ElementType": "MET_LONG_DOUBLE"}, "header a.mhd that is not understood"),
        ({"DimSize": "310000 200000"}, "claims 310000x200000 pixels"),
        ({"DimSize": "31 -20"}, "truncated or damaged"),
        ({"CompressedData": "True"}, "holds compressed or colour pixels"),
    ],
)
def test_a_header_that_does_not_fit_says_why(tmp_path, fields, reason):
    path = header(tmp_path, **fields)
    path.write_bytes(PIXELS.tobytes())
    with pytest.raises(ImageReadError, match=reason):
        read_radiograph(path)


def test_raw_pixels_without_a_header_say_what_is_missing(tmp_path):
    (tmp_path / "a.raw").write_bytes(PIXELS.tobytes())
    with pytest.raises(ImageReadError, match=r"is raw data of unknown size; expected a header a\.mhd beside it"):
        probe(tmp_path / "a.raw")


def test_the_header_stands_for_the_pixels(tmp_path):
    path = header(tmp_path, ElementSpacing="0.1 0.2")
    with pytest.raises(ImageReadError, match=r"a\.mhd: is the header of raw data; expected a\.raw beside it"):
        probe(tmp_path / "a.mhd")
    path.write_bytes(PIXELS.tobytes())
    assert (probe(tmp_path / "a.mhd").shape, probe(tmp_path / "a.mhd").pixel_size) == ((20, 31), (0.2, 0.1))
    np.testing.assert_array_equal(read_radiograph(tmp_path / "a.mhd").pixels, PIXELS)
    # Both names are one image.
    assert list_files([tmp_path / "a.mhd", path]) == [path]


class TestHeaders:
    def written(self, folder, *options, shape=(20, 31)):
        return main(["raw-header", str(folder), "--shape", *map(str, shape), "--type", *options])

    def test_the_command_makes_raw_pixels_readable_and_folders_leave_its_headers_out(self, tmp_path):
        for name in ("a", "b"):
            (tmp_path / f"{name}.raw").write_bytes(PIXELS.tobytes())
        assert self.written(tmp_path, "int16", "--pixel-size", "0.0123456") == 0
        assert [found.path.name for found in find_files([tmp_path])] == ["a.raw", "b.raw"]
        assert [path.name for path in list_files([f"{tmp_path}/*"])] == ["a.raw", "b.raw"]
        np.testing.assert_array_equal(read_radiograph(tmp_path / "b.raw").pixels, PIXELS)
        assert probe(tmp_path / "b.raw").pixel_size == (0.0123456, 0.0123456)

    def test_the_number_of_images_follows_from_the_size_of_the_file(self, tmp_path):
        stack = np.stack([PIXELS, PIXELS + 1, PIXELS + 2])
        (tmp_path / "a.raw").write_bytes(b"preamble" + stack.astype(">i2").tobytes())
        options = ("--big-endian", "--skip", "8", "--pixel-size", "0.2", "--step", "0.5")
        assert self.written(tmp_path, "int16", *options) == 0
        info = probe(tmp_path / "a.raw")
        assert (info.pages, info.pixel_size, info.step) == (3, (0.2, 0.2), 0.5)
        np.testing.assert_array_equal(read_radiograph(tmp_path / "a.raw").pixels, stack)

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            (("uint32",), "a.raw: has 1240 bytes of pixels; images of 20x31 uint32 need multiples of 2480"),
            (("int16", "--step", "1"), "--step needs --pixel-size"),
            (("int16", "--pixel-size", "20"), "pixel size must be 0.001 to 10 mm"),
        ],
    )
    def test_what_does_not_fit_writes_no_header(self, tmp_path, options, reason, capsys):
        (tmp_path / "a.raw").write_bytes(PIXELS.tobytes())
        assert self.written(tmp_path, *options) == 2
        assert reason in capsys.readouterr().err
        assert not (tmp_path / "a.mhd").exists()

    def test_a_header_is_replaced_only_if_asked(self, tmp_path, capsys):
        path = header(tmp_path, DimSize="20 31")
        path.write_bytes(PIXELS.tobytes())
        assert self.written(tmp_path, "int16") == 2
        assert "already exists" in capsys.readouterr().err
        assert probe(path).shape == (31, 20)
        assert self.written(tmp_path, "int16", "--overwrite") == 0
        assert probe(path).shape == (20, 31)
