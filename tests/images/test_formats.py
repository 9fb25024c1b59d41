"""One look at a file says all that is known of it."""

import numpy as np
import pytest

from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.images.formats import probe
from napari_dental_denoise.images.radiograph import read_image
from napari_dental_denoise.images.survey import probe_all
from napari_dental_denoise.images.writer import write_image, write_tiff_pages
from tests.dicom_files import radiograph, save
from tests.opens import counted_opens

GREY = np.arange(600, dtype=np.uint8).reshape(20, 30)


def write_dicom(folder, *names, frames=1, **attributes):
    pixels = np.stack([GREY.astype(np.uint16)] * frames) if frames > 1 else GREY.astype(np.uint16)
    for name in names:
        save(radiograph(pixels, bits=12, **attributes), folder / name)


def test_probing_opens_a_file_once_and_reads_no_pixels(tmp_path):
    for suffix in ("png", "tif"):
        write_image(tmp_path / f"a.{suffix}", np.zeros((2000, 3000), np.uint16), (0.1, 0.2))
    write_dicom(tmp_path, "a.dcm")
    for path in tmp_path.iterdir():
        with counted_opens() as opens:
            probe(path)
        assert opens[str(path)] == 1


def test_all_that_is_known_of_a_file_is_said(tmp_path):
    write_tiff_pages(tmp_path / "a.tif", np.stack([GREY, GREY]).astype(np.float32), (0.1, 0.2))
    tiff = probe(tmp_path / "a.tif")
    assert (tiff.format, tiff.shape, tiff.dtype, tiff.pages, tiff.bits) == ("TIFF", (20, 30), np.float32, 2, 32)
    assert tiff.pixel_size == pytest.approx((0.1, 0.2))
    assert (tiff.is_dicom, tiff.series, tiff.limits) == (False, "", None)
    write_dicom(
        *(tmp_path, "a.dcm", "b.dcm"),
        frames=3,
        photometric="MONOCHROME1",
        PixelSpacing=[0.1, 0.2],
        WindowCenter=100,
        WindowWidth=50,
        StudyInstanceUID="1.2",
        SeriesInstanceUID="1.2.3",
        InstanceNumber=7,
    )
    dicom, other = probe(tmp_path / "a.dcm"), probe(tmp_path / "b.dcm")
    assert (dicom.format, dicom.shape, dicom.dtype, dicom.pages, dicom.bits) == ("DICOM", (20, 30), np.uint16, 3, 12)
    assert (dicom.pixel_size, dicom.spacing, dicom.is_dicom) == ((0.1, 0.2), "calibrated", True)
    assert dicom.encoding.inverted
    assert dicom.limits == pytest.approx((75, 125), abs=1)
    assert dicom.series == other.series != ""
    assert dicom.order[1] == 7


def test_a_portable_float_map_is_said_to_be_floating(tmp_path):
    # PFM: "Pf", width and height, a negative scale for little-endian, rows from the bottom.
    pixels = np.linspace(0, 1, 600, dtype="<f4").reshape(20, 30)
    (tmp_path / "a.pfm").write_bytes(b"Pf\n30 20\n-1.0\n" + pixels[::-1].tobytes())
    assert probe(tmp_path / "a.pfm").dtype == np.float32
    np.testing.assert_array_equal(read_image(tmp_path / "a.pfm"), pixels)
    (found,) = probe_all([tmp_path / "a.pfm"]).images
    assert (found.shape, found.dtype, found.limits) == ((20, 30), np.float32, (0.0, 1.0))


def test_a_damaged_orientation_costs_no_image(tmp_path):
    write_image(tmp_path / "a.jpg", GREY)
    data = (tmp_path / "a.jpg").read_bytes()
    exif = b"Exif\0\0II*\0\xff\xff\xff\xff"
    (tmp_path / "b.jpg").write_bytes(data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:])
    assert probe(tmp_path / "b.jpg").shape == (20, 30)
    np.testing.assert_array_equal(read_image(tmp_path / "b.jpg"), read_image(tmp_path / "a.jpg"))


def test_a_file_that_cannot_be_read_says_why(tmp_path):
    (tmp_path / "a.dcm").write_bytes(b"\0" * 128 + b"DICM")
    with pytest.raises(ImageReadError, match="is a DICOM file without an image"):
        probe(tmp_path / "a.dcm")
    with pytest.raises(ImageReadError, match=r"nowhere\.png: no such file"):
        probe(tmp_path / "nowhere.png")
