"""Layers are saved with their bits and their pixel size; what is there is replaced only where the user said so."""

from concurrent.futures import ThreadPoolExecutor

import dask.array as da
import numpy as np
import pytest
import tifffile
from napari.layers import Image, Labels
from qtpy.QtWidgets import QFileDialog, QMessageBox

from napari_dental_denoise.images.formats import probe
from napari_dental_denoise.images.radiograph import read_image, read_pages, read_radiograph
from napari_dental_denoise.images.writer import write_image
from napari_dental_denoise.plugin.files.reader import read
from napari_dental_denoise.plugin.files.writer import write_image_layer
from napari_dental_denoise.plugin.shared.metadata import METADATA
from tests.dicom_files import radiograph
from tests.dicom_files import save as save_dicom

RNG = np.random.default_rng(0)
EIGHT = RNG.integers(0, 256, (20, 30), dtype=np.uint8)
SIXTEEN = RNG.integers(0, 65536, (20, 30), dtype=np.uint16)
FLOATING = RNG.normal(size=(20, 30)).astype(np.float32)


def save(layer, path):
    """As napari calls a writer."""
    data, meta, _ = layer.as_layer_data_tuple()
    return write_image_layer(str(path), data, meta)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (EIGHT, "a.png"),
        (SIXTEEN, "a.PNG"),
        (EIGHT, "a.tif"),
        (SIXTEEN, "a.tiff"),
        (FLOATING, "a.tif"),
        (FLOATING.astype(np.float64), "a.tif"),
        (SIXTEEN.astype(">u2"), "a.png"),
        (SIXTEEN.astype(">u2"), "a.tif"),
    ],
)
def test_pixels_and_pixel_size_are_kept(tmp_path, data, name):
    layer = Image(data, scale=(0.05, 0.04), units=("mm", "mm"))
    assert save(layer, tmp_path / name) == [str(tmp_path / name)]
    back = read_image(tmp_path / name)
    np.testing.assert_array_equal(back, data.astype(back.dtype))
    assert back.dtype.itemsize == min(data.dtype.itemsize, 4)
    assert probe(tmp_path / name).pixel_size == pytest.approx((0.05, 0.04), rel=1e-4)


def test_signed_values_are_kept(tmp_path):
    signed = SIXTEEN.view(np.int16)
    save(Image(signed), tmp_path / "a")
    back = tifffile.imread(tmp_path / "a.tif")
    assert back.dtype == np.int16
    np.testing.assert_array_equal(back, signed)


def test_other_units_of_length_become_mm(tmp_path):
    save(Image(EIGHT, scale=(50, 40), units=("um", "um")), tmp_path / "a.tif")
    assert probe(tmp_path / "a.tif").pixel_size == pytest.approx((0.05, 0.04), rel=1e-4)


def test_pixels_are_no_length(tmp_path):
    save(Image(EIGHT, scale=(0.05, 0.04)), tmp_path / "a.png")
    assert probe(tmp_path / "a.png").pixel_size is None


def test_the_step_of_a_volume_comes_back(tmp_path):
    volume = np.stack([SIXTEEN, SIXTEEN[::-1], SIXTEEN // 2])
    save(Image(volume, scale=(300, 50, 40), units=("um", "um", "um"), rgb=False), tmp_path / "a.tif")
    ((data, settings, _),) = read(str(tmp_path / "a.tif"))
    np.testing.assert_array_equal(data, volume)
    assert settings["scale"] == pytest.approx((0.3, 0.05, 0.04))
    assert (settings["units"], settings["axis_labels"]) == (("mm", "mm", "mm"), ("z", "y", "x"))


@pytest.mark.parametrize("scale", [(2, 2), (2, 0.0001), (0.0001, 2)])
def test_an_impossible_size_is_left_out_and_said(tmp_path, scale):
    from napari.utils.notifications import notification_manager

    save(Image(EIGHT, scale=scale, units=("m", "m")), tmp_path / "a.tif")
    assert probe(tmp_path / "a.tif").pixel_size is None
    message = notification_manager.records[-1].message
    assert (
        message == f"Pixel size not saved: {1000 * scale[0]:g} x {1000 * scale[1]:g} mm is implausible for a radiograph"
    )


def test_a_mirrored_layer_has_the_size_of_its_pixels(tmp_path):
    save(Image(EIGHT, scale=(-0.05, 0.04), units=("mm", "mm")), tmp_path / "a.tif")
    assert probe(tmp_path / "a.tif").pixel_size == pytest.approx((0.05, 0.04), rel=1e-4)


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.uint32, np.float32])
def test_a_stack_is_the_pages_of_a_tiff(tmp_path, dtype, lazy):
    pages = RNG.integers(0, 256, (4, 20, 30)).astype(dtype)
    data = da.from_array(pages, chunks=(1, 20, 30)) if lazy else pages
    save(Image(data, scale=(1, 0.05, 0.04), units=("pixel", "mm", "mm"), rgb=False), tmp_path / "a.tif")
    back = tifffile.imread(tmp_path / "a.tif")
    np.testing.assert_array_equal(back, pages)
    assert back.dtype == dtype
    assert probe(tmp_path / "a.tif").pixel_size == pytest.approx((0.05, 0.04), rel=1e-4)


@pytest.mark.parametrize("lazy", [False, True])
def test_the_pages_are_the_images_of_all_axes(tmp_path, lazy):
    images = RNG.integers(0, 65536, (2, 3, 20, 30), dtype=np.uint16)
    data = da.from_array(images, chunks=(1, 1, 20, 30)) if lazy else images
    units = ("pixel", "pixel", "mm", "mm")
    save(Image(data, scale=(1, 1, 0.05, 0.04), units=units, rgb=False), tmp_path / "a.tif")
    np.testing.assert_array_equal(read_pages(tmp_path / "a.tif"), images.reshape(6, 20, 30))
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), images)
    assert probe(tmp_path / "a.tif").pixel_size == pytest.approx((0.05, 0.04), rel=1e-4)


def test_a_channel_is_no_axis_of_images(tmp_path):
    save(Image(EIGHT[..., np.newaxis], scale=(0.05, 0.04, 1), units=("mm", "mm", "pixel"), rgb=False), tmp_path / "a")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), EIGHT)
    assert probe(tmp_path / "a.png").pixel_size == pytest.approx((0.05, 0.04), rel=1e-4)


def test_of_a_lazy_stack_one_page_at_a_time_is_computed(tmp_path):
    at_once = []

    def page(block):
        at_once.append(block.shape[0])
        return block

    data = da.zeros((6, 20, 30), chunks=(1, 20, 30), dtype=np.uint8).map_blocks(page, dtype=np.uint8)
    layer = Image(data, contrast_limits=(0, 255), rgb=False)
    at_once.clear()
    save(layer, tmp_path / "a.tif")
    assert at_once == [1] * 6


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (FLOATING, "a.png", "PNG cannot hold floating values: choose TIFF"),
        (np.stack([EIGHT] * 5), "a.png", "PNG cannot hold a stack: choose TIFF"),
        (EIGHT, "a.jpg", "is not written: choose .png, .tif, .zarr or .dcm"),
        (EIGHT.astype(np.int64), "a.tif", "holds int64: expected integers of 8 to 32 bit"),
        (EIGHT > 9, "a.tif", "holds bool"),
    ],
)
def test_what_cannot_be_kept_is_refused(tmp_path, data, name, message):
    with pytest.raises(OSError, match=message):
        save(Image(data, rgb=False), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_colour_and_labels_are_refused(tmp_path):
    with pytest.raises(OSError, match="is a colour image"):
        save(Image(np.zeros((20, 30, 3), np.uint8), rgb=True), tmp_path / "a.tif")
    with pytest.raises(OSError, match="labels go into napari's own writer"):
        save(Labels(EIGHT.astype(np.int64)), tmp_path / "a.tif")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "name", "written"),
    [
        (EIGHT, "scan", "scan.png"),
        (SIXTEEN, "scan 0.5 denoised", "scan 0.5 denoised.png"),
        (FLOATING, "scan", "scan.tif"),
        (np.stack([EIGHT] * 5), "scan.36", "scan.36.tif"),
    ],
)
def test_a_name_without_a_suffix_gets_one_that_fits(tmp_path, data, name, written):
    assert save(Image(data, rgb=False), tmp_path / name) == [str(tmp_path / written)]
    assert [file.name for file in tmp_path.iterdir()] == [written]


def worked_out(path):
    """The layer that some work on a DICOM file gives."""
    ((data, settings, _),) = read(str(path))
    record = settings["metadata"][METADATA]
    return Image(data, name="result", metadata={METADATA: {**record, "operation": "denoise", "model": "M"}})


def test_a_result_is_never_saved_as_of_another_patient(tmp_path):
    path = save_dicom(radiograph(SIXTEEN, PatientID="ALICE"), tmp_path / "a.dcm")
    layer = worked_out(path)
    save_dicom(radiograph(SIXTEEN, PatientID="BOB"), path)
    with pytest.raises(OSError, match=r"a\.dcm: was changed or replaced since its pixels were read: open it again"):
        save(layer, tmp_path / "out.dcm")
    assert not (tmp_path / "out.dcm").exists()


def test_one_frame_is_no_result_of_three(tmp_path):
    layer = worked_out(save_dicom(radiograph(np.stack([SIXTEEN] * 3)), tmp_path / "a.dcm"))
    save(layer, tmp_path / "whole.dcm")
    assert len(read_radiograph(tmp_path / "whole.dcm").pixels) == 3
    layer.data = layer.data[0]
    with pytest.raises(OSError, match=r"must be \(3, 20, 30\) uint16 like its source; received \(20, 30\)"):
        save(layer, tmp_path / "out.dcm")


@pytest.fixture
def answer(monkeypatch):
    """Answer the question whether to replace a file; gives the questions that were asked."""
    asked = []

    def set_answer(button):
        monkeypatch.setattr(QMessageBox, "question", lambda parent, title, text: asked.append(text) or button)
        return asked

    return set_answer


def save_over(path, viewer):
    write_image(path, EIGHT)
    viewer.add_image(255 - EIGHT)
    viewer.layers.save(str(path), plugin="napari-dental-denoise")


def test_a_script_never_replaces_a_file(tmp_path, make_napari_viewer, answer):
    asked = answer(QMessageBox.StandardButton.Yes)
    with pytest.raises(OSError, match=r"a\.png already exists: choose another name"):
        save_over(tmp_path / "a.png", make_napari_viewer(show=False))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), EIGHT)
    assert asked == []


def test_a_file_is_replaced_if_the_user_says_so(tmp_path, viewer, answer):
    asked = answer(QMessageBox.StandardButton.Yes)
    save_over(tmp_path / "a.png", viewer)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), 255 - EIGHT)
    assert asked == ["a.png already exists. Replace it?"]


def test_a_file_is_kept_if_the_user_says_so(tmp_path, viewer, answer):
    answer(QMessageBox.StandardButton.No)
    with pytest.raises(OSError, match=r"a\.png already exists: choose another name"):
        save_over(tmp_path / "a.png", viewer)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), EIGHT)


def test_a_thread_asks_nobody(tmp_path, viewer, answer):
    asked = answer(QMessageBox.StandardButton.Yes)
    write_image(tmp_path / "a.png", EIGHT)
    with ThreadPoolExecutor() as pool, pytest.raises(OSError, match="already exists"):
        pool.submit(save, Image(255 - EIGHT), tmp_path / "a.png").result()
    assert asked == []


def test_a_derived_file_is_replaced_if_the_user_says_so(tmp_path, make_napari_viewer, answer):
    layer = worked_out(save_dicom(radiograph(SIXTEEN), tmp_path / "a.dcm"))
    save(layer, tmp_path / "out.dcm")
    layer.data = layer.data ^ 1
    with pytest.raises(OSError, match=r"out\.dcm already exists"):
        save(layer, tmp_path / "out.dcm")
    make_napari_viewer(show=True)
    answer(QMessageBox.StandardButton.Yes)
    save(layer, tmp_path / "out.dcm")
    np.testing.assert_array_equal(read_radiograph(tmp_path / "out.dcm").pixels, SIXTEEN ^ 1)


@pytest.fixture
def save_dialog(monkeypatch):
    """Answer napari's Save dialog with a name and this plugin's kind of file."""

    def choose(path):
        def dialog(*args, **kwargs):
            ours = [kind for kind in kwargs["filter"].split(";;") if kind.startswith("Dental Denoise")]
            return str(path), ours[0]

        monkeypatch.setattr(QFileDialog, "getSaveFileName", dialog)

    return choose


def test_the_save_dialog_writes_with_this_plugin(tmp_path, viewer, save_dialog):
    viewer.add_image(SIXTEEN, scale=(0.05, 0.05), units=("mm", "mm"))
    save_dialog(tmp_path / "saved.tif")
    viewer.window._qt_viewer._save_layers_dialog(selected=True)
    np.testing.assert_array_equal(read_image(tmp_path / "saved.tif"), SIXTEEN)
    assert probe(tmp_path / "saved.tif").pixel_size == pytest.approx((0.05, 0.05), rel=1e-4)


def test_napari_offers_the_writer_for_images_only(viewer):
    from napari.plugins._npe2 import file_extensions_string_for_layers

    def offers(layer):
        return "Dental Denoise" in file_extensions_string_for_layers([layer])[0]

    assert offers(Image(EIGHT))
    assert not offers(Labels(EIGHT.astype(np.int64)))
