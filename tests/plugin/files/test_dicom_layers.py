"""DICOM in napari: each file is that file, looks as its maker meant it, and says nothing of its patient."""

import numpy as np
import pydicom
import pytest
from napari.layers import Image

from napari_dental_denoise.noise.pointwise import add_gaussian_noise
from napari_dental_denoise.pixels import PixelEncoding
from napari_dental_denoise.plugin.add_noise.widget import NoiseWidget
from napari_dental_denoise.plugin.denoise.widget import DenoiseWidget
from napari_dental_denoise.plugin.files.reader import get_reader, read
from napari_dental_denoise.plugin.files.writer import write_image_layer
from napari_dental_denoise.plugin.shared.layers import matching_layer_kwargs
from napari_dental_denoise.plugin.shared.metadata import layer_encoding
from napari_dental_denoise.synthesis.scene import phantom
from tests.dicom_files import PATIENT, everything, kinds_in, patient_in, radiograph, save

PLUGIN = "napari-dental-denoise"


@pytest.fixture
def pixels():
    return add_gaussian_noise(np.rint(phantom((128, 160), 5) * 4095).astype(np.uint16), 0.1, rng=0)


def shown(viewer):
    """Mean brightness of the canvas, the layers alone."""
    return viewer.screenshot(canvas_only=True, flash=False)[..., :3].mean()


def test_files_are_accepted_with_any_name(tmp_path, pixels):
    for name in ("IM000001", "1.2.840.10008", "a.dcm", "a.DCM", "SMITH.JOHN", "x.nii.gz"):
        assert get_reader(str(save(radiograph(pixels), tmp_path / "names" / name))) is read
    assert get_reader(str(tmp_path / "names")) is read
    for name in ("README", "SMITH.JOHN", "volume.nii"):
        (tmp_path / name).write_text("x" * 200)
        assert get_reader(str(tmp_path / name)) is None
    save(radiograph(pixels), tmp_path / "disc" / "SMITH.JOHN")
    assert get_reader(str(tmp_path / "disc")) is read


def test_a_file_without_a_suffix_is_opened_by_napari_itself(tmp_path, pixels, viewer):
    path = save(radiograph(pixels, bits=12), tmp_path / "IM000001")
    (layer,) = viewer.open(str(path), plugin=None)  # as a drop does
    np.testing.assert_array_equal(layer.data, pixels)


@pytest.mark.parametrize(
    "name", ["a.IMA", "CT.1.2.840.113619.2", "DX.1.2.392.7", "1.2.840.113619.2.55", "IM0001;1", "a.dcm;1"]
)
def test_files_as_scanners_name_them_are_offered_and_keep_their_names(tmp_path, pixels, name, viewer):
    path = save(radiograph(pixels, bits=12), tmp_path / name)
    (layer,) = viewer.open(str(path), plugin=None)
    np.testing.assert_array_equal(layer.data, pixels)
    assert layer.name == name.replace(".IMA", "").replace(".dcm;1", "").replace(";1", "")


def test_a_layer_has_window_spacing_and_no_patient(tmp_path, pixels, viewer):
    dataset = radiograph(pixels, bits=12, PixelSpacing=[0.2, 0.1], WindowCenter=1000, WindowWidth=501)
    (layer,) = viewer.open(str(save(dataset, tmp_path / "a.dcm")), plugin=PLUGIN)
    np.testing.assert_array_equal(layer.data, pixels)
    assert tuple(layer.contrast_limits) == (749.5, 1249.5)
    np.testing.assert_allclose(layer.scale, [0.2, 0.1])
    assert [str(unit) for unit in layer.units] == ["millimeter", "millimeter"]
    assert not patient_in(layer.name, layer.metadata, layer.as_layer_data_tuple()[1])


def test_a_layer_shows_no_attribute_that_the_image_can_do_without(tmp_path, pixels):
    for name in ("one.dcm", "two.dcm"):
        save(everything(radiograph(pixels, bits=12)), tmp_path / "in" / name)
    for path in (tmp_path / "in", tmp_path / "in" / "one.dcm"):
        ((data, settings, _),) = read(str(path))
        assert kinds_in(settings) == set()
        np.testing.assert_array_equal(np.asarray(data).reshape(-1, *pixels.shape)[0], pixels)


def test_spacing_at_the_detector_is_marked(tmp_path, pixels, viewer):
    dataset = radiograph(pixels, ImagerPixelSpacing=[0.1, 0.1])
    (layer,) = viewer.open(str(save(dataset, tmp_path / "a.dcm")), plugin=PLUGIN)
    assert layer.axis_labels == ("y at the detector", "x at the detector")


def test_both_polarities_look_alike(tmp_path, pixels, make_napari_viewer):
    bright = np.full((100, 100), 3500, np.uint16)
    bright[:20] = 0
    seen = []
    for photometric, stored in (("MONOCHROME2", bright), ("MONOCHROME1", 4095 - bright)):
        dataset = radiograph(stored, bits=12, photometric=photometric, WindowCenter=2048, WindowWidth=4096)
        viewer = make_napari_viewer(show=True)
        (layer,) = viewer.open(str(save(dataset, tmp_path / f"{photometric}.dcm")), plugin=PLUGIN)
        np.testing.assert_array_equal(layer.data, stored)
        seen.append(shown(viewer))
        viewer.close()
    assert seen[0] == pytest.approx(seen[1], abs=1)
    assert seen[0] > 60


def test_a_layer_that_an_earlier_version_saved_keeps_its_polarity():
    storage = {"inverted": True, "bits": 12, "padding": [4095, 4095], "extent": None, "white": None}
    layer = Image(np.zeros((8, 9), np.uint16), metadata={"napari_dental_denoise": {"dicom": {"storage": storage}}})
    assert layer_encoding(layer) == PixelEncoding(inverted=True, bits=12, padding=(4095, 4095))


def test_series_become_stacks_in_the_order_of_acquisition(tmp_path, pixels):
    for series, count in (("1.2.3", 3), ("1.2.4", 2)):
        for index in range(count):
            dataset = radiograph(pixels + np.uint16(index), SeriesInstanceUID=series, InstanceNumber=index)
            dataset.StudyInstanceUID = "1.2"
            dataset.AcquisitionTime = f"10000{index}"
            # The names run against the time.
            save(dataset, tmp_path / "in" / f"{series}.{9 - index}")
    layers = read(str(tmp_path / "in"))
    assert [settings["name"] for _, settings, _ in layers] == ["in series 1", "in series 2"]
    assert [data.shape for data, _, _ in layers] == [(3, 128, 160), (2, 128, 160)]
    for data, _, _ in layers:
        for index in range(len(data)):
            np.testing.assert_array_equal(np.asarray(data[index]), pixels + np.uint16(index))


@pytest.mark.parametrize(
    "uids",
    [
        [("1.2.1", ""), ("1.2.2", "")],
        [("", ""), ("", "")],
        [("1.2.1", ""), ("1.2.1", "")],
        # A program that copied a series UID.
        [("1.2.1", "1.2.9"), ("1.2.2", "1.2.9")],
    ],
    ids=["no series", "no study either", "one study", "two studies"],
)
def test_patients_are_not_mixed_in_one_stack(tmp_path, pixels, uids):
    for index, (study, series) in enumerate(uids):
        dataset = radiograph(pixels + np.uint16(index), PatientID=f"{PATIENT}{index}", PatientName=f"{PATIENT}^{index}")
        for name, uid in (("StudyInstanceUID", study), ("SeriesInstanceUID", series)):
            if uid:
                setattr(dataset, name, uid)
            else:
                delattr(dataset, name)
        save(dataset, tmp_path / "in" / f"tooth{index}")
    layers = read(str(tmp_path / "in"))
    assert [settings["name"] for _, settings, _ in layers] == ["tooth0", "tooth1"]
    for index, (data, settings, _) in enumerate(layers):
        np.testing.assert_array_equal(data, pixels + np.uint16(index))
        assert not patient_in(settings)
        assert "1.2.9" not in repr(settings)


def test_several_patients_in_one_folder_are_a_stack_each(tmp_path, pixels):
    for patient in range(2):
        for index in range(2):
            dataset = radiograph(pixels + np.uint16(10 * patient + index), PatientID=f"{PATIENT}{patient}")
            dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"1.2.{patient}", "1.2.9"
            dataset.InstanceNumber = index
            save(dataset, tmp_path / "in" / f"{index}{patient}.dcm")
    layers = read(str(tmp_path / "in"))
    assert [settings["name"] for _, settings, _ in layers] == ["in series 1", "in series 2"]
    for patient, (data, _, _) in enumerate(layers):
        for index in range(2):
            np.testing.assert_array_equal(data[index].compute(), pixels + np.uint16(10 * patient + index))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"ImagerPixelSpacing": [0.1, 0.1]}, {"ImagerPixelSpacing": [0.2, 0.2]}),
        ({"ImagerPixelSpacing": [0.1, 0.1]}, {}),
        ({"PixelSpacing": [0.1, 0.1]}, {"ImagerPixelSpacing": [0.1, 0.1]}),
        ({"ImagerPixelSpacing": [0.1, 0.1]}, {"PixelSpacing": [0.1, 0.1]}),
    ],
    ids=["two sizes", "one size", "detector last", "detector first"],
)
def test_a_stack_of_several_spacings_has_none(tmp_path, pixels, first, second):
    for index, spacing in enumerate((first, second)):
        save(
            radiograph(pixels, SeriesInstanceUID="1.2.3", StudyInstanceUID="1.2", InstanceNumber=index, **spacing),
            tmp_path / "in" / f"{index}.dcm",
        )
    ((_, settings, _),) = read(str(tmp_path / "in"))
    assert settings["axis_labels"] == ("image", "y", "x")
    assert "scale" not in settings
    assert "units" not in settings
    assert settings["metadata"]["napari_dental_denoise"]["dicom"]["spacing"] is None


def test_a_stack_of_one_spacing_says_where_it_holds(tmp_path, pixels):
    for index in range(2):
        dataset = radiograph(pixels, SeriesInstanceUID="1.2.3", StudyInstanceUID="1.2", ImagerPixelSpacing=[0.1, 0.1])
        save(dataset, tmp_path / "in" / f"{index}.dcm")
    ((_, settings, _),) = read(str(tmp_path / "in"))
    assert settings["axis_labels"] == ("image", "y at the detector", "x at the detector")
    assert settings["scale"] == (1, 0.1, 0.1)


@pytest.mark.parametrize(
    "attributes", [{"RescaleSlope": -1, "RescaleIntercept": 4095}, {"PresentationLUTShape": "INVERSE"}]
)
def test_what_is_shown_white_is_denoised_and_saved_as_such(tmp_path, pixels, attributes, viewer):
    path = save(radiograph(4095 - pixels, bits=12, **attributes), tmp_path / "a.dcm")
    (layer,) = viewer.open(str(path), plugin=PLUGIN)
    assert layer.colormap.name == "gray_r"
    np.testing.assert_array_equal(layer_encoding(layer).to_grey(layer.data), pixels)
    layer.save(str(tmp_path / "a.tif"), plugin=PLUGIN)
    ((data, _, _),) = read(str(tmp_path / "a.tif"))
    np.testing.assert_array_equal(data, pixels)


def test_a_darker_result_keeps_the_black_and_the_white_of_its_input(tmp_path, pixels):
    path = save(radiograph(np.uint16(2100) + pixels // 4, bits=16, photometric="MONOCHROME1"), tmp_path / "a.dcm")
    ((data, settings, _),) = read(str(path))
    layer = Image(data, metadata=settings["metadata"])
    # As grey, 11 bits would hold it.
    result = Image(data // 2, **matching_layer_kwargs(layer, "denoised", {"operation": "denoise"}))
    np.testing.assert_array_equal(layer_encoding(result).to_grey(result.data), 4095 - data // 2)


def test_images_of_a_series_that_differ_are_a_layer_for_each_size(tmp_path, pixels):
    for index, shape in enumerate([(128, 160), (100, 90), (128, 160)]):
        dataset = radiograph(pixels[: shape[0], : shape[1]], SeriesInstanceUID="1.2.3", InstanceNumber=index)
        dataset.StudyInstanceUID = "1.2"
        save(dataset, tmp_path / "in" / f"tooth{index}.dcm")
    layers = read(str(tmp_path / "in"))
    assert [settings["name"] for _, settings, _ in layers] == ["in 160x128 uint16", "tooth1"]


def test_one_file_opened_is_that_file(tmp_path, pixels):
    for index in range(3):
        save(radiograph(pixels + np.uint16(index), SeriesInstanceUID="1.2.3"), tmp_path / f"{index}.dcm")
    ((data, settings, _),) = read(str(tmp_path / "1.dcm"))
    np.testing.assert_array_equal(data, pixels + np.uint16(1))
    assert settings["name"] == "1"


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_a_dicom_layer_is_denoised_and_saved_as_a_derived_file(tmp_path, pixels, photometric, viewer, qtbot):
    stored = 4095 - pixels if photometric == "MONOCHROME1" else pixels
    path = save(radiograph(stored, bits=12, photometric=photometric), tmp_path / "Mueller Juergen.dcm")
    (layer,) = viewer.open(str(path), plugin=PLUGIN)
    form = DenoiseWidget(viewer)
    viewer.window.add_dock_widget(form, name="Denoise")
    form.image.value = layer
    form.denoise()
    qtbot.waitUntil(lambda: len(viewer.layers) == 2)
    result = viewer.layers[1]
    assert result.dtype == np.uint16
    assert result.colormap.name == layer.colormap.name
    grey = 4095 - result.data if photometric == "MONOCHROME1" else result.data
    clean = np.rint(phantom((128, 160), 5) * 4095)
    assert np.abs(grey - clean).mean() < np.abs(pixels - clean).mean() / 2
    assert not patient_in(result.name, result.metadata)
    assert result.save(str(tmp_path / "out.dcm"), plugin=PLUGIN)
    saved = pydicom.dcmread(tmp_path / "out.dcm")
    assert saved.ImageType[0] == "DERIVED"
    assert saved.PatientID == pydicom.dcmread(path).PatientID
    np.testing.assert_array_equal(saved.pixel_array, result.data)
    # The name of the file stays in the window.
    assert "Mueller" not in str(saved)


def test_the_polarity_of_a_raster_copy_is_white_high(tmp_path, pixels, viewer):
    path = save(radiograph(4095 - pixels, bits=12, photometric="MONOCHROME1"), tmp_path / "a.dcm")
    (layer,) = viewer.open(str(path), plugin=PLUGIN)
    layer.save(str(tmp_path / "a.tif"), plugin=PLUGIN)
    ((data, _, _),) = read(str(tmp_path / "a.tif"))
    np.testing.assert_array_equal(data, pixels)
    with pytest.raises(OSError, match="was not made from one DICOM file"):
        layer.save(str(tmp_path / "again.dcm"), plugin=PLUGIN)


def test_signed_values_are_denoised_and_get_noise(tmp_path, pixels, viewer, qtbot):
    stored = pixels.astype(np.int16) - 2048
    (layer,) = viewer.open(str(save(radiograph(stored, bits=12), tmp_path / "a.dcm")), plugin=PLUGIN)
    form = NoiseWidget(viewer)
    viewer.window.add_dock_widget(form, name="Add noise")
    form.image.value = layer
    form.add_noise()
    qtbot.waitUntil(lambda: len(viewer.layers) == 2)
    noisy = viewer.layers[1].data
    assert noisy.dtype == np.int16
    assert noisy.min() >= -2048
    assert 200 < (noisy.astype(float) - stored).std() < 500


def save_slices(folder, pixels, places, **attributes):
    """Slices of a scan at these places, whose names say nothing of their order."""
    for index, place in enumerate(places):
        dataset = radiograph(pixels + np.uint16(index), modality="CT", PixelSpacing=[0.3, 0.3], **attributes)
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.InstanceNumber = "1.2", "1.2.3", 9 - index
        dataset.ImagePositionPatient, dataset.ImageOrientationPatient = [5, 7, place], [1, 0, 0, 0, 1, 0]
        save(dataset, folder / f"CT.1.2.{index * 3 % 5}")


def test_a_scan_is_a_volume_in_mm_where_it_lies_and_its_localizer_a_layer_beside(tmp_path, pixels, viewer):
    save_slices(tmp_path / "in", pixels, [0.4, 0, 0.2])
    localizer = radiograph(pixels[:, :90], modality="CT", StudyInstanceUID="1.2", SeriesInstanceUID="1.2.3")
    save(localizer, tmp_path / "in" / "localizer")
    volume, beside = sorted(viewer.open(str(tmp_path / "in"), plugin=PLUGIN), key=lambda layer: -layer.ndim)
    np.testing.assert_allclose(volume.scale, [0.2, 0.3, 0.3])
    np.testing.assert_allclose(volume.translate, [0, 7, 5])
    assert [str(unit) for unit in volume.units] == ["millimeter"] * 3
    assert volume.axis_labels == ("z", "y", "x")
    for index, offset in enumerate([1, 2, 0]):
        np.testing.assert_array_equal(np.asarray(volume.data[index]), pixels + np.uint16(offset))
    np.testing.assert_array_equal(beside.data, pixels[:, :90])
    assert beside.translate[-1] > 5 + 0.3 * 160


def test_a_missing_slice_is_told(tmp_path, pixels, viewer):
    from napari.utils.notifications import notification_manager

    save_slices(tmp_path / "in", pixels, [0, 0.2, 0.4, 0.8])
    viewer.open(str(tmp_path / "in"), plugin=PLUGIN)
    assert "in: slices missing: 1" in notification_manager.records[-1].message


def test_slices_of_several_bits_and_scales_are_one_layer(tmp_path, pixels):
    for index, (bits, offset) in enumerate([(12, 0), (16, -100)]):
        save_slices(tmp_path / "in" / str(index), pixels, [index], bits=bits, RescaleIntercept=offset, RescaleSlope=1)
    ((data, settings, _),) = read(str(tmp_path / "in"))
    assert settings["name"] == "in"
    np.testing.assert_array_equal(data[0].compute(), pixels)
    np.testing.assert_array_equal(data[1].compute(), pixels.astype(int) - 100)


def test_a_large_file_of_frames_stays_in_the_file_and_is_derived_from(tmp_path, pixels, monkeypatch):
    for name in ("LAZY_BYTES", "LARGE_FILE"):
        monkeypatch.setattr(f"napari_dental_denoise.plugin.files.image_layers.{name}", 1000)
    frames = np.stack([pixels, pixels // 2, pixels // 3])
    path = save(radiograph(frames, bits=12), tmp_path / "a.dcm")
    ((data, settings, _),) = read(str(path))
    assert not isinstance(data, np.ndarray)
    np.testing.assert_array_equal(data.compute(), frames)
    result = Image(
        data.compute(), **matching_layer_kwargs(Image(data, **settings), "denoised", {"operation": "denoise"})
    )
    pixels, meta, _ = result.as_layer_data_tuple()
    write_image_layer(str(tmp_path / "b.dcm"), pixels, meta)
    np.testing.assert_array_equal(pydicom.dcmread(tmp_path / "b.dcm").pixel_array, frames)
