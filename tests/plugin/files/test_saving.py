"""Results are saved in the format of their source, under new names; where the source is unknown, the user is asked."""

import os

import numpy as np
import pytest
from pydicom import dcmread
from qtpy.QtWidgets import QFileDialog

from napari_dental_denoise.images.formats import probe
from napari_dental_denoise.images.radiograph import read_image, read_pages
from napari_dental_denoise.images.writer import write_image
from tests.dicom_files import radiograph
from tests.dicom_files import save as save_dicom
from tests.plugin.conftest import same

PLUGIN = "napari-dental-denoise"


@pytest.fixture
def noisy_files(tmp_path, noisy):
    """Write the noisy radiograph under these names and return the folder."""

    def write(*names):
        for name in names:
            write_image(tmp_path / "scans" / name, noisy, (0.05, 0.04))
        return tmp_path / "scans"

    return write


@pytest.fixture
def denoise_form(open_form):
    """The Denoise form with the model of the package, for what it makes does not matter here."""
    return open_form("Denoise")


@pytest.fixture
def denoise_file(viewer, denoise_form, qtbot):
    """Open a file or a folder with a reader, denoise its layers and return the form and the results."""

    def run(*paths, plugin=PLUGIN):
        opened = [layer for path in paths for layer in viewer.open(str(path), plugin=plugin)]
        viewer.layers.selection = set(opened)
        denoise_form.start.native.click()
        qtbot.waitUntil(lambda: len(viewer.layers) == 2 * len(opened) and denoise_form.start.enabled)
        return denoise_form, list(viewer.layers)[len(opened) :]

    return run


def press_save(form, qtbot):
    """Press Save result and return the status when all is done."""
    form.saving.button.native.click()
    qtbot.waitUntil(lambda: form.start.enabled if hasattr(form, "start") else form.add.enabled)
    # Long words are elided in the line, and whole in its tooltip.
    return form.status.native.toolTip() or form.status.value


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def dialogs(monkeypatch):
    """Answer the dialogs for files and for folders; gives what they offered."""
    offered = []

    def answer(file="", kind="", folder=""):
        def for_file(_parent, _title, wanted, kinds):
            offered.append((wanted, kinds))
            return str(file), kind

        monkeypatch.setattr(QFileDialog, "getSaveFileName", for_file)
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: offered.append("folder") or str(folder))
        return offered

    return answer


@pytest.mark.parametrize(("source", "suffix"), [("scan.tif", ".tif"), ("scan.jpg", ".png")])
def test_a_result_is_saved_beside_its_source(noisy_files, denoise_file, qtbot, source, suffix):
    folder = noisy_files(source)
    before = (folder / source).read_bytes()
    form, (result,) = denoise_file(folder / source)
    told = press_save(form, qtbot)
    name = f"{result.name}{suffix}"
    assert names_in(folder) == sorted([source, name])
    assert told == f"Saved {name} in {folder}"
    assert (folder / source).read_bytes() == before
    assert same(read_image(folder / name), result.data)
    if suffix == ".tif":
        assert probe(folder / name).pixel_size == pytest.approx((0.05, 0.04), rel=1e-3)


def test_no_file_is_ever_replaced(noisy_files, denoise_file, qtbot):
    folder = noisy_files("scan.png")
    form, (result,) = denoise_file(folder / "scan.png")
    # The user may name the result like its source.
    form.image.value.name, result.name = "opened", "scan"
    form.strength.value = 0.5
    assert press_save(form, qtbot).startswith("Saved scan-2.png")
    form.strength.value = 1.0
    assert press_save(form, qtbot).startswith("Saved scan-3.png")
    assert names_in(folder) == ["scan-2.png", "scan-3.png", "scan.png"]
    assert same(read_image(folder / "scan-3.png"), result.data)
    assert not same(read_image(folder / "scan-2.png"), result.data)


def test_a_result_of_a_dicom_file_is_a_derived_image(tmp_path, noisy, denoise_file, qtbot):
    source = save_dicom(radiograph(noisy, PatientID="ALICE", PixelSpacing=[0.05, 0.04]), tmp_path / "in" / "IM1.dcm")
    form, (result,) = denoise_file(source)
    assert "Ctrl+S" in form.status.value
    press_save(form, qtbot)
    derived = dcmread(source.parent / f"{result.name}.dcm")
    assert same(derived.pixel_array, result.data)
    assert derived.PatientID == "ALICE"
    assert derived.ImageType[0] == "DERIVED"
    assert list(derived.PixelSpacing) == [0.05, 0.04]
    assert len(names_in(source.parent)) == 2


def test_a_part_of_a_dicom_image_is_no_derived_image(tmp_path, noisy, viewer, denoise_form, qtbot):
    source = save_dicom(radiograph(noisy), tmp_path / "in" / "IM1.dcm")
    (layer,) = viewer.open(str(source), plugin=PLUGIN)
    viewer.scene.camera.zoom *= 4
    qtbot.waitUntil(lambda: layer.corner_pixels[0, -1] > 0)
    denoise_form.visible_only.value = True
    denoise_form.start.native.click()
    qtbot.waitUntil(lambda: len(viewer.layers) == 2 and denoise_form.start.enabled)
    press_save(denoise_form, qtbot)
    (saved,) = (path for path in source.parent.iterdir() if path != source)
    assert saved.suffix == ".png"
    assert read_image(saved).size < noisy.size


def test_a_source_that_was_replaced_gives_no_derived_image(tmp_path, noisy, denoise_file, qtbot):
    source = save_dicom(radiograph(noisy, PatientID="ALICE"), tmp_path / "in" / "IM1.dcm")
    form, _ = denoise_file(source)
    save_dicom(radiograph(noisy, PatientID="BOB"), source)
    assert "was changed or replaced since its pixels were read" in press_save(form, qtbot)
    assert names_in(source.parent) == ["IM1.dcm"]


def test_a_stack_of_slices_is_saved_as_a_derived_series(tmp_path, noisy, viewer, denoise_file, qtbot):
    for number, place in enumerate((0.6, 0.0, 0.3)):
        pixels = np.roll(noisy, 5 * number, axis=1).astype(np.uint16) * 9
        dataset = radiograph(pixels, bits=12, PatientID="ALICE", PixelSpacing=[0.3, 0.3], SeriesInstanceUID="1.2.3")
        dataset.StudyInstanceUID, dataset.ImageOrientationPatient = "1.2", [1, 0, 0, 0, 1, 0]
        dataset.ImagePositionPatient = [1, 2, place]
        save_dicom(dataset, tmp_path / "in" / f"IM{number}")
    form, (result,) = denoise_file(tmp_path / "in")
    folder = tmp_path / result.name
    assert press_save(form, qtbot) == f"Saved 3 files in {folder}"
    assert names_in(folder) == ["IM0.dcm", "IM1.dcm", "IM2.dcm"]
    assert names_in(tmp_path / "in") == ["IM0", "IM1", "IM2"]
    derived = [dcmread(path) for path in folder.iterdir()]
    assert {each.PatientID for each in derived} == {"ALICE"}
    assert len({each.SeriesInstanceUID for each in derived} - {"1.2.3"}) == 1
    assert len({each.SOPInstanceUID for each in derived}) == 3
    (again,) = viewer.open(str(folder), plugin=PLUGIN)
    assert same(again.data, result.data)
    for name in ("scale", "translate", "units", "axis_labels"):
        assert list(getattr(again, name)) == list(getattr(result, name))
    # A slice of somebody else is left out, and told.
    save_dicom(radiograph(pixels, PatientID="BOB"), tmp_path / "in" / "IM1")
    assert "IM1: was changed or replaced since its pixels were read" in press_save(form, qtbot)
    assert names_in(tmp_path / f"{result.name}-2") == ["IM0.dcm", "IM2.dcm"]


def test_one_press_saves_all_results_of_the_last_press(noisy_files, denoise_file, qtbot):
    folder = noisy_files("a.png", "b.tif", "c.png")
    form, results = denoise_file(*sorted(folder.iterdir()))
    # A result that the user has deleted is wanted no more.
    form._viewer.layers.remove(results[2])
    assert press_save(form, qtbot) == f"Saved 2 files in {folder}"
    for result, suffix in zip(results, (".png", ".tif"), strict=False):
        assert same(read_image(folder / f"{result.name}{suffix}"), result.data)
    assert len(names_in(folder)) == 5


def test_one_that_cannot_be_saved_is_told_and_the_others_are_saved(tmp_path, noisy, noisy_files, denoise_file, qtbot):
    folder = noisy_files("a.png")
    source = save_dicom(radiograph(noisy, PatientID="ALICE"), folder / "b.dcm")
    form, results = denoise_file(folder / "a.png", source)
    save_dicom(radiograph(noisy, PatientID="BOB"), source)
    assert "was changed or replaced" in press_save(form, qtbot)
    assert names_in(folder) == sorted(["a.png", "b.dcm", f"{results[0].name}.png"])


def test_a_stack_of_files_is_saved_beside_its_folder(noisy_files, denoise_file, qtbot, tmp_path):
    folder = noisy_files("a.png", "b.png")
    form, (result,) = denoise_file(folder)
    press_save(form, qtbot)
    assert names_in(folder) == ["a.png", "b.png"]
    saved = folder.parent / f"{result.name}.tif"
    assert same(read_pages(saved), result.data)
    assert probe(saved).pixel_size == pytest.approx(tuple(result.scale[1:]), rel=1e-3)


def test_napari_s_own_reader_tells_the_source_too(noisy_files, denoise_file, qtbot):
    folder = noisy_files("scan.png")
    form, (result,) = denoise_file(folder / "scan.png", plugin="napari")
    press_save(form, qtbot)
    assert names_in(folder) == sorted(["scan.png", f"{result.name}.png"])


def test_without_a_source_the_user_is_asked(viewer, noisy, denoise_form, qtbot, dialogs, tmp_path):
    viewer.add_image(noisy, name="patient 1/scan: upper")
    denoise_form.start.native.click()
    qtbot.waitUntil(lambda: len(viewer.layers) == 2 and denoise_form.start.enabled)
    assert "Ctrl+S" not in denoise_form.status.value
    offered = dialogs()
    told = press_save(denoise_form, qtbot)
    wanted, kinds = offered[0]
    assert wanted.rpartition(os.sep)[2].startswith("scan_ upper denoised")
    assert wanted.endswith(".png")
    assert kinds == "PNG (*.png);;TIFF (*.tif *.tiff)"
    # Cancelled: nothing is done, and nothing told.
    assert told == denoise_form.status.value
    dialogs(file=tmp_path / "out", kind="TIFF (*.tif *.tiff)")
    assert press_save(denoise_form, qtbot) == f"Saved out.tif in {tmp_path}"
    assert same(read_image(tmp_path / "out.tif"), viewer.layers[1].data)
    # The dialog has not asked whether out.tif may be replaced, as it was not named.
    assert press_save(denoise_form, qtbot) == f"Saved out-2.tif in {tmp_path}"
    (tmp_path / "out.tif").write_bytes(b"other")
    dialogs(file=tmp_path / "out.tif")
    press_save(denoise_form, qtbot)
    assert same(read_image(tmp_path / "out.tif"), viewer.layers[1].data)


def test_where_the_source_is_gone_the_user_is_asked(noisy_files, denoise_file, qtbot, dialogs, tmp_path):
    folder = noisy_files("scan.tif")
    form, _ = denoise_file(folder / "scan.tif")
    folder.rename(tmp_path / "moved")
    dialogs(file=tmp_path / "out.tif")
    assert press_save(form, qtbot) == f"Saved out.tif in {tmp_path}"
    assert not folder.exists()


@pytest.mark.skipif(os.access("/", os.W_OK), reason="the superuser can write everywhere")
def test_where_nothing_can_be_written_the_user_is_asked(noisy_files, denoise_file, qtbot, dialogs, tmp_path):
    folder = noisy_files("scan.tif")
    form, _ = denoise_file(folder / "scan.tif")
    folder.chmod(0o500)
    dialogs(file=folder / "scan.tif")
    assert "is the image that was opened: choose another name" in press_save(form, qtbot)
    dialogs(file=tmp_path / "out.tif")
    assert press_save(form, qtbot) == f"Saved out.tif in {tmp_path}"


def test_several_results_without_a_source_go_into_one_folder(viewer, noisy, denoise_form, qtbot, dialogs, tmp_path):
    viewer.layers.selection = {viewer.add_image(noisy, name="a"), viewer.add_image(noisy, name="b")}
    denoise_form.start.native.click()
    qtbot.waitUntil(lambda: len(viewer.layers) == 4 and denoise_form.start.enabled)
    offered = dialogs(folder=tmp_path)
    assert press_save(denoise_form, qtbot) == f"Saved 2 files in {tmp_path}"
    assert offered == ["folder"]
    assert all((tmp_path / f"{layer.name}.png").exists() for layer in viewer.layers[2:])


def test_a_noisy_copy_is_saved_in_the_same_way(viewer, open_form, noisy_files, qtbot):
    folder = noisy_files("scan.tif")
    viewer.open(str(folder / "scan.tif"), plugin=PLUGIN)
    form = open_form("Add noise")
    assert not form.saving.button.enabled
    form.add.native.click()
    qtbot.waitUntil(lambda: len(viewer.layers) == 2 and form.add.enabled)
    name = f"{viewer.layers[1].name}.tif"
    assert press_save(form, qtbot) == f"Saved {name} in {folder}"
    assert same(read_image(folder / name), viewer.layers[1].data)


def test_a_deleted_result_is_told(viewer, noisy, denoise_form, qtbot):
    viewer.add_image(noisy)
    assert not denoise_form.saving.button.enabled
    denoise_form.start.native.click()
    qtbot.waitUntil(lambda: len(viewer.layers) == 2 and denoise_form.start.enabled)
    viewer.layers.pop()
    assert press_save(denoise_form, qtbot) == "The result was deleted: make a new one"


def test_the_menu_saves_what_is_selected(viewer, noisy, dialogs, tmp_path):
    from napari_dental_denoise.plugin.files.saving import save_selected

    viewer.add_image(noisy, name="a", scale=(0.05, 0.04), units=("mm", "mm"))
    viewer.add_labels(np.zeros((4, 4), np.uint8))
    dialogs(file=tmp_path / "a.tif")
    save_selected(viewer)
    assert names_in(tmp_path) == []
    viewer.layers.selection = {viewer.layers["a"]}
    save_selected(viewer)
    assert probe(tmp_path / "a.tif").pixel_size == pytest.approx((0.05, 0.04))
