"""The contents of a folder are known before it is shown, by several threads at once and without a word on stderr."""

import sys
import threading
import warnings
from dataclasses import replace

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_dental_denoise.images import survey as survey_module
from napari_dental_denoise.images.folders import dataset_folders
from napari_dental_denoise.images.formats import probe
from napari_dental_denoise.images.radiograph import grey_limits, read_image, read_pages
from napari_dental_denoise.images.survey import common_pixel_size, probe_all
from napari_dental_denoise.images.writer import write_image, write_tiff_pages
from napari_dental_denoise.pixels import widest_limits
from tests.dicom_files import radiograph, save
from tests.hostile import write_hostile


def pictures():
    """Name to an image of each type that is read, and how it is written."""
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, (20, 30), dtype=np.uint8)
    wide = rng.integers(0, 65536, (20, 30), dtype=np.uint16)
    return {
        "grey.png": grey,
        "grey.jpg": grey,
        "grey.bmp": grey,
        "wide.png": wide,
        "wide.tif": wide,
        "wide.pgm": wide,
        "colour.png": cv2.merge([grey] * 3),
        "wide_colour.png": cv2.merge([wide] * 3),
        "wide_colour.tif": cv2.merge([wide] * 3),
        "float.tif": grey.astype(np.float32),
        "float.pfm": grey.astype(np.float32),
    }


@pytest.mark.parametrize("name", list(pictures()))
def test_the_header_says_what_reading_gives(tmp_path, name):
    cv2.imwrite(str(tmp_path / name), pictures()[name])
    header, image = probe(tmp_path / name), read_image(tmp_path / name)
    assert (header.shape, header.dtype, header.pages) == (image.shape, image.dtype, 1)


def test_the_header_of_a_turned_image(tmp_path):
    picture = Image.new("L", (4, 3))
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "turned.jpg", exif=exif)
    assert probe(tmp_path / "turned.jpg").shape == read_image(tmp_path / "turned.jpg").shape == (4, 3)


def test_pages_of_different_sizes_are_refused(tmp_path):
    Image.new("L", (4, 3)).save(tmp_path / "mixed.tif", save_all=True, append_images=[Image.new("L", (5, 3))])
    with pytest.raises(ValueError, match="2 pages of different sizes"):
        read_pages(tmp_path / "mixed.tif")


def test_every_bad_file_is_named_with_its_reason(tmp_path, capfd):
    expected = write_hostile(tmp_path, 3)
    write_image(tmp_path / "good.png", np.full((20, 30), 7, np.uint8))
    filters = list(warnings.filters)
    level = cv2.utils.logging.getLogLevel()
    found = probe_all(sorted(tmp_path.iterdir()))
    assert [image.path.name for image in found.images] == ["good.png"]
    assert {error.path.name for error in found.errors} == set(expected)
    for error in found.errors:
        assert expected[error.path.name] in error.reason
    assert capfd.readouterr().err == ""
    assert (warnings.filters, cv2.utils.logging.getLogLevel()) == (filters, level)


@pytest.fixture
def restless_threads():
    """Threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def test_reading_in_threads_leaves_warnings_and_logs_as_they_were(tmp_path, restless_threads):
    image = np.zeros((200, 300), np.uint8)
    write_image(tmp_path / "image.tif", image)
    write_image(tmp_path / "image.png", image)
    save(radiograph(image), tmp_path / "image.dcm")
    filters, level = list(warnings.filters), cv2.utils.logging.getLogLevel()
    threads = [
        # TIFF, PNG and DICOM are read by three libraries, which are silenced in turn.
        threading.Thread(target=lambda name=name: [read_image(tmp_path / name) for _ in range(40)])
        for name in ("image.tif", "image.png", "image.dcm") * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (warnings.filters, cv2.utils.logging.getLogLevel()) == (filters, level)


def test_of_many_files_only_some_are_unpacked(tmp_path):
    for number in range(30):
        write_image(tmp_path / f"{number:02}.png", np.full((20, 30), number, np.uint16))
    found = probe_all(sorted(tmp_path.iterdir()))
    assert {(image.shape, image.dtype) for image in found.images} == {((20, 30), np.dtype(np.uint16))}
    assert sum(image.limits is not None for image in found.images) == 8
    assert widest_limits(image.limits for image in found.images) == (0.0, 255.0)


def test_limits_follow_the_type():
    assert grey_limits(np.array([[3]], np.uint8)) == (0, 255)
    assert grey_limits(np.array([[3000]], np.uint16)) == (0, 4095)
    assert grey_limits(np.array([[-1.5, np.nan, 2.5]], np.float32)) == (-1.5, 2.5)
    assert grey_limits(np.array([[np.nan]], np.float32)) == (0, 1)
    assert grey_limits(np.zeros((2, 2), np.float32)) == (0, 1)


def test_common_limits_hold_those_of_all_images(tmp_path):
    for number, (low, high) in enumerate([(-1, 2), (0, 5), (-3, 1)]):
        write_image(tmp_path / f"{number}.tif", np.linspace(low, high, 12, dtype=np.float32).reshape(3, 4))
    found = probe_all(sorted(tmp_path.iterdir())).images
    assert widest_limits(image.limits for image in found) == (-3, 5)


def test_one_pixel_size_or_none(tmp_path):
    for name, size in {"a.tif": (0.1, 0.1), "b.tif": (0.1, 0.1), "c.tif": (0.2, 0.2), "d.tif": None}.items():
        write_tiff_pages(tmp_path / name, np.zeros((1, 20, 30), np.uint8), size)
    a, b, c, d = probe_all(sorted(tmp_path.iterdir())).images
    assert common_pixel_size([a, b]) == pytest.approx((0.1, 0.1))
    assert common_pixel_size([a, c]) is None
    # The sizes agree to a thousandth, which is coarser than files round them.
    assert common_pixel_size([a, replace(a, pixel_size=(0.1, 0.10005))]) == pytest.approx((0.1, 0.1))
    assert common_pixel_size([a, replace(a, pixel_size=(0.1, 0.1005))]) is None
    assert common_pixel_size([a, d]) is None
    assert common_pixel_size([d, a]) is None


def test_dataset_folders_in_natural_order_or_the_folder_itself(tmp_path):
    assert dataset_folders(tmp_path) == [tmp_path]
    for name in ("set 10", "set 9", ".hidden"):
        (tmp_path / name).mkdir()
    (tmp_path / "notes.txt").write_text("x")
    assert [folder.name for folder in dataset_folders(tmp_path)] == ["set 9", "set 10"]


def test_files_of_8_bit_are_not_unpacked(tmp_path, monkeypatch):
    for number in range(3):
        write_image(tmp_path / f"{number}.png", np.full((20, 30), number, np.uint8))
    monkeypatch.setattr(survey_module, "read_radiograph", lambda *_: pytest.fail("unpacked"))
    assert [image.limits for image in probe_all(sorted(tmp_path.iterdir())).images] == [(0.0, 255.0)] * 3


def test_the_values_of_all_signed_images_are_known(tmp_path):
    for number in range(12):
        tifffile.imwrite(tmp_path / f"{number:02}.tif", np.full((20, 30), -(2**number), np.int16))
    images = probe_all(sorted(tmp_path.iterdir())).images
    assert all(image.encoding.extent is not None for image in images)
