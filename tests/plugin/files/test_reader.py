"""Files and folders become layers that look right; what is bad is named once, and the rest goes on."""

import subprocess
import sys
import threading

import numpy as np
import pytest
from napari.utils.notifications import notification_manager
from PIL import Image

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.images.writer import write_image, write_tiff_pages
from napari_dental_denoise.plugin.files import lazy_stack
from napari_dental_denoise.plugin.files.reader import get_reader, read
from tests.dicom_files import radiograph, save
from tests.hostile import write_hostile


@pytest.fixture
def notified():
    """The messages that napari showed."""
    before = len(notification_manager.records)
    return lambda: [record.message for record in notification_manager.records[before:]]


def grey(level, shape=(20, 30), dtype=np.uint8):
    return np.full(shape, level, dtype)


@pytest.mark.parametrize("name", ["a.png", "A.PNG", "b.jpg", "b.JPEG", "c.tif", "c.tiff", "d.bmp", "e.pgm", "a.b.Png"])
def test_image_files_are_accepted_by_suffix_alone(name):
    assert get_reader(f"/nowhere/{name}") is read


@pytest.mark.parametrize(
    "path", ["", "notes.txt", "a.png.gz", "volume.zarr", [], ["a.png", "b.txt"], None, 7, b"a.png", "a\0.txt", [None]]
)
@pytest.mark.usefixtures("no_window")  # where it would ask for files in place of None
def test_everything_else_is_refused_without_an_error(path):
    assert get_reader(path) is None


def test_folders_are_accepted_whatever_they_hold(tmp_path, folder):
    (tmp_path / "none").mkdir()
    for path in (folder, folder.parent, tmp_path / "none"):
        assert get_reader(str(path)) is read
        assert get_reader([str(path)]) is read


def test_asking_is_cheap(folder):
    code = (
        "import sys\nfrom napari_dental_denoise.plugin.files.reader import get_reader\n"
        f"assert get_reader({str(folder)!r})\n"
        "print([n for n in ('napari', 'dask', 'qtpy', 'tensorflow', 'openvino', 'tifffile') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_one_file_is_one_layer(tmp_path, radiographs, viewer):
    write_image(tmp_path / "tooth 36.png", radiographs[0])
    (layer,) = viewer.open(str(tmp_path / "tooth 36.png"), plugin="napari-dental-denoise")
    assert layer.name == "tooth 36"
    np.testing.assert_array_equal(layer.data, radiographs[0])
    assert tuple(layer.contrast_limits) == (0, 255)
    assert [str(unit) for unit in layer.units] == ["pixel", "pixel"]
    assert layer.metadata["napari_dental_denoise"] == {"path": str(tmp_path / "tooth 36.png")}


@pytest.mark.parametrize(
    ("image", "limits"),
    [
        (grey(9), (0, 255)),
        (grey(3000, dtype=np.uint16), (0, 4095)),
        (grey(60000, dtype=np.uint16), (0, 65535)),
        (np.linspace(-0.5, 1.5, 600, dtype=np.float32).reshape(20, 30), (-0.5, 1.5)),
    ],
)
def test_contrast_limits_follow_the_type(tmp_path, image, limits):
    write_image(tmp_path / "image.tif", image)
    ((data, settings, kind),) = read(str(tmp_path / "image.tif"))
    assert data.dtype == image.dtype
    assert settings["contrast_limits"] == limits
    assert kind == "image"


def test_the_pixel_size_is_the_scale(tmp_path, viewer):
    for name in ("1.png", "2.png"):
        write_image(tmp_path / "sized" / name, grey(5), (0.05, 0.04))
    viewer.add_image(grey(1))  # a layer in pixels beside those in mm
    (single,) = viewer.open(str(tmp_path / "sized" / "1.png"), plugin="napari-dental-denoise")
    (stack,) = viewer.open(str(tmp_path / "sized"), plugin="napari-dental-denoise")
    assert tuple(single.scale) == pytest.approx((0.05, 0.04))
    assert [str(unit) for unit in single.units] == ["millimeter", "millimeter"]
    assert tuple(stack.scale) == pytest.approx((1, 0.05, 0.04))
    assert [str(unit) for unit in stack.units] == ["pixel", "millimeter", "millimeter"]


def test_an_image_of_three_columns_is_no_colour_image(tmp_path, viewer):
    for name in ("1.png", "2.png"):
        write_image(tmp_path / "narrow" / name, grey(5, (20, 3)))
    (layer,) = viewer.open(str(tmp_path / "narrow"), plugin="napari-dental-denoise")
    assert not layer.rgb
    assert layer.data.shape == (2, 20, 3)


def test_a_folder_is_one_lazy_stack_in_natural_order(tmp_path, viewer, monkeypatch, notified):
    for number in (10, 9, 1, 100):
        write_image(tmp_path / "scans" / f"tooth {number}.png", grey(number))
    (layer,) = viewer.open(str(tmp_path / "scans"), plugin="napari-dental-denoise")
    assert layer.name == "scans"
    assert layer.data.chunks == ((1, 1, 1, 1), (20,), (30,))
    assert layer.metadata["napari_dental_denoise"]["files"] == [f"tooth {n}.png" for n in (1, 9, 10, 100)]
    np.testing.assert_array_equal(layer.data[:, 0, 0].compute(), [1, 9, 10, 100])
    for step, level in enumerate((1, 9, 10, 100)):
        viewer.dims.set_point(0, step)
        assert layer.get_value((step, 5, 5)) == level
    read_names = []
    read = lazy_stack.read_radiograph
    monkeypatch.setattr(
        lazy_stack, "read_radiograph", lambda path, **named: read_names.append(path.name) or read(path, **named)
    )
    layer.data[2].compute()
    assert read_names == ["tooth 10.png"]
    assert notified() == []


def test_a_folder_opened_again_shows_what_is_in_it_now(tmp_path, viewer):
    for level in (10, 20):
        for name in ("1.png", "2.png"):
            write_image(tmp_path / "scans" / name, grey(level), overwrite=True)
        (layer,) = viewer.open(str(tmp_path / "scans"), plugin="napari-dental-denoise")
        assert layer.get_value((0, 5, 5)) == level
        viewer.layers.clear()


def test_mixed_sizes_are_separate_layers(tmp_path, viewer):
    write_image(tmp_path / "mixed" / "1.png", grey(1))
    write_image(tmp_path / "mixed" / "2.png", grey(2, (31, 17)))
    write_image(tmp_path / "mixed" / "3.png", grey(3, dtype=np.uint16))
    layers = viewer.open(str(tmp_path / "mixed"), plugin="napari-dental-denoise")
    assert [(layer.name, layer.data.shape, str(layer.dtype)) for layer in layers] == [
        ("1", (20, 30), "uint8"),
        ("2", (31, 17), "uint8"),
        ("3", (20, 30), "uint16"),
    ]


def test_images_of_mixed_sizes_are_a_stack_for_each_size(tmp_path):
    for number in range(4):
        write_image(tmp_path / "mixed" / f"{number}.png", grey(number, (20, 30 + number % 2)))
    layers = read(str(tmp_path / "mixed"))
    assert [(settings["name"], data.shape) for data, settings, _ in layers] == [
        ("mixed 30x20 uint8", (2, 20, 30)),
        ("mixed 31x20 uint8", (2, 20, 31)),
    ]


def test_bad_files_are_named_in_one_notification(folder, viewer, notified):
    expected = write_hostile(folder, 1)
    (folder / "Thumbs.db").write_bytes(b"x")
    (layer,) = viewer.open(str(folder), plugin="napari-dental-denoise")
    assert layer.data.shape == (8, 160, 200)
    (message,) = notified()
    assert message.startswith("20 of 28 files left out: bmp_half_0.bmp: is")
    assert all(name in message for name in expected)


@pytest.mark.usefixtures("no_window")
def test_a_folder_of_which_nothing_can_be_read_says_so(tmp_path, notified):
    (tmp_path / "a.png").write_text("not an image")
    with pytest.raises(InputError, match=r"None of 1 files can be read: a\.png: is not an image"):
        read(str(tmp_path))
    with pytest.raises(InputError, match=r"a\.png: is not an image"):
        read(str(tmp_path / "a.png"))
    assert notified() == []


def test_a_file_whose_pixels_are_damaged_is_a_black_frame(folder, viewer, notified):
    # Whole but for a hole in its pixels.
    Image.open(folder / "scan6.png").save(folder / "scan6.png", "JPEG", quality=95)
    image = bytearray((folder / "scan6.png").read_bytes())
    middle = len(image) // 2
    image[middle : middle + 200] = bytes(200)
    (folder / "scan6.png").write_bytes(image)
    (layer,) = viewer.open(str(folder), plugin="napari-dental-denoise")
    assert layer.data.shape == (8, 160, 200)
    assert notified() == []
    for step in (5, 6, 7, 6, 5):
        viewer.dims.set_point(0, step)
    assert layer.data[6].compute().max() == 0
    assert layer.data[7].compute().max() > 0
    assert notified() == ["Displayed as black: scan6.png: is truncated or damaged"]


def test_a_file_that_has_changed_is_a_black_frame(folder, notified):
    ((stack, _, _),) = read(str(folder))
    write_image(folder / "scan1.png", grey(9), overwrite=True)
    assert stack[1].compute().max() == 0
    assert notified() == ["Displayed as black: scan1.png: has changed since it was opened: open it again"]


def test_frames_are_read_from_many_threads(folder, radiographs):
    ((stack, _, _),) = read(str(folder))
    results = []
    threads = [threading.Thread(target=lambda: results.append(stack.compute())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(result, radiographs) for result in results)


def test_files_opened_as_a_stack(folder, radiographs, viewer):
    paths = [str(folder / f"scan{number}.png") for number in (5, 0, 3)]
    (layer,) = viewer.open(paths, stack=True, plugin="napari-dental-denoise")
    assert layer.name == "scans"
    np.testing.assert_array_equal(layer.data.compute(), np.stack(radiographs)[[5, 0, 3]])


def test_files_dropped_together_are_a_layer_each(folder, viewer):
    paths = [str(folder / f"scan{number}.png") for number in (5, 0)]
    layers = viewer.open(paths, plugin="napari-dental-denoise")
    assert [layer.name for layer in layers] == ["scan5", "scan0"]


def test_a_multi_page_tiff_is_a_stack(tmp_path):
    pages = np.random.default_rng(0).integers(0, 4096, (3, 20, 30), dtype=np.uint16)
    write_tiff_pages(tmp_path / "stack.tif", pages, (0.1, 0.1))
    ((data, settings, _),) = read(str(tmp_path / "stack.tif"))
    np.testing.assert_array_equal(data, pages)
    assert settings["scale"] == pytest.approx((1, 0.1, 0.1))
    assert settings["contrast_limits"] == (0, 4095)


def test_a_large_multi_page_tiff_is_lazy_and_shows_its_middle(tmp_path, monkeypatch):
    pages = np.zeros((5, 20, 30), np.uint16)
    pages[2] = np.arange(600).reshape(20, 30)
    write_tiff_pages(tmp_path / "stack.tif", pages)
    for name in ("LAZY_BYTES", "LARGE_FILE"):
        monkeypatch.setattr(f"napari_dental_denoise.plugin.files.image_layers.{name}", 1000)
    ((data, settings, _),) = read(str(tmp_path / "stack.tif"))
    assert data.chunks == ((1,) * 5, (20,), (30,))
    np.testing.assert_array_equal(data.compute(), pages)
    assert settings["contrast_limits"] == (0, 1023)


def test_pages_that_make_no_stack_are_said(tmp_path, notified):
    Image.new("L", (40, 30)).save(tmp_path / "thumb.tif", save_all=True, append_images=[Image.new("L", (4, 3))])
    ((data, _, _),) = read(str(tmp_path / "thumb.tif"))
    assert data.shape == (30, 40)
    assert notified() == ["First page only: thumb.tif: holds 2 pages of different sizes or types; expected equal ones"]


def test_in_a_folder_all_frames_of_a_dicom_file_are_shown(tmp_path, notified):
    frames = np.random.default_rng(0).integers(0, 256, (3, 20, 30), dtype=np.uint8)
    save(radiograph(frames), tmp_path / "frames" / "a.dcm")
    ((data, _, _),) = read(str(tmp_path / "frames"))
    np.testing.assert_array_equal(data, frames)
    assert notified() == []


def test_in_a_folder_the_first_page_is_shown_and_said(tmp_path, notified):
    write_tiff_pages(tmp_path / "pages" / "several.tif", np.zeros((3, 20, 30), np.uint8), None)
    write_image(tmp_path / "pages" / "one.tif", grey(1))
    ((data, _, _),) = read(str(tmp_path / "pages"))
    assert data.shape == (2, 20, 30)
    (message,) = notified()
    assert message.startswith("First page only of 1 file: several.tif")


def test_a_folder_of_real_radiographs(dental_data, viewer):
    (layer,) = viewer.open(str(dental_data / "periapical" / "test"), plugin="napari-dental-denoise")
    assert layer.data.shape == (20, 512, 748)
    assert layer.data[19].compute().max() > 0
