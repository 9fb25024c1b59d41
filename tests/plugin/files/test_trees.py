"""Folders of folders open whole, each set as one layer; a folder without images says so in one sentence."""

import numpy as np
import pytest
import zarr
from napari.utils.notifications import notification_manager
from qtpy.QtWidgets import QMessageBox

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.images.writer import write_image
from napari_dental_denoise.plugin.files import questions, reader
from napari_dental_denoise.plugin.files.canvas import TOGETHER_MS
from tests.dicom_files import radiograph, save

PLUGIN = "napari-dental-denoise"


@pytest.fixture
def notified():
    """The severity and text of the messages that napari showed."""
    before = len(notification_manager.records)
    return lambda: [(str(record.severity), record.message) for record in notification_manager.records[before:]]


def grey(level, shape=(20, 30)):
    return np.full(shape, level, np.uint8)


def save_slices(folder, series, levels):
    """Write a DICOM series without suffixes."""
    for number, level in enumerate(levels, start=1):
        uids = {"StudyInstanceUID": "1.2", "SeriesInstanceUID": series}
        save(radiograph(grey(level), InstanceNumber=number, **uids), folder / f"IM{number}")


def opened(viewer, folder):
    """The name, shape and mean of each layer that a folder becomes."""
    layers = viewer.open(str(folder), plugin=PLUGIN)
    return [(layer.name, layer.data.shape, float(np.asarray(layer.data).mean())) for layer in layers]


def test_dicom_files_in_nested_folders_are_a_layer(tmp_path, viewer, notified):
    save_slices(tmp_path / "PAT" / "ST", "1.2.3", (10, 20))
    assert opened(viewer, tmp_path) == [("PAT/ST", (2, 20, 30), 15)]
    assert notified() == []


def test_a_mixed_tree_opens_whole(tmp_path, viewer, notified):
    root = tmp_path / "PAT"
    for name in ("a", "b"):
        write_image(root / f"{name}.png", grey(1))
        write_image(root / "photos" / f"{name}.png", grey(2))
    write_image(root / "photos" / "wide.png", grey(3, (20, 40)))
    save_slices(root / "ST 10" / "SE", "1.2.10", (4, 4))
    save_slices(root / "ST 9" / "SE", "1.2.9", (5, 5, 5))
    save_slices(root / "ST 9" / "SE" / "scout", "1.2.8", (6,))
    assert opened(viewer, root) == [
        ("PAT", (2, 20, 30), 1),
        ("photos 30x20 uint8", (2, 20, 30), 2),
        ("photos/wide", (20, 40), 3),
        ("ST 9/SE", (3, 20, 30), 5),
        ("ST 9/SE/scout/IM1", (20, 30), 6),
        ("ST 10/SE", (2, 20, 30), 4),
    ]
    assert notified() == []


def test_a_series_in_a_folder_for_each_slice_is_one_layer(tmp_path, viewer):
    for number in (1, 2, 3):
        uids = {"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.2.3", "InstanceNumber": number}
        save(radiograph(grey(number), **uids), tmp_path / "PAT" / "SE" / f"{9 - number}" / "IM")
    (layer,) = viewer.open(str(tmp_path / "PAT"), plugin=PLUGIN)
    assert layer.name == "SE"
    np.testing.assert_array_equal(layer.data[:, 0, 0], [1, 2, 3])
    record = layer.metadata["napari_dental_denoise"]
    assert (record["path"], record["files"]) == (str(tmp_path / "PAT" / "SE"), ["8/IM", "7/IM", "6/IM"])


def test_bad_files_of_a_tree_are_named_with_their_folder(tmp_path, viewer, notified):
    for folder in ("left", "right"):
        write_image(tmp_path / folder / "a.png", grey(1))
    (tmp_path / "right" / "IM1.png").write_bytes(b"")
    assert len(viewer.open(str(tmp_path), plugin=PLUGIN)) == 2
    assert notified() == [("warning", "1 of 3 files left out: right/IM1.png: is empty (0 bytes)")]


def test_an_image_that_only_its_header_promised_is_named(tmp_path, viewer, monkeypatch, notified):
    for folder in ("a", "b"):
        write_image(tmp_path / folder / "1.png", np.arange(600, dtype=np.uint8).reshape(20, 30))
    data = (tmp_path / "b" / "1.png").read_bytes()
    (tmp_path / "b" / "1.png").write_bytes(data[: len(data) // 2])
    assert [layer.name for layer in viewer.open(str(tmp_path), plugin=PLUGIN)] == ["a/1"]
    assert notified() == [("warning", "1 of 2 files left out: b/1.png: is truncated or damaged")]


def test_a_folder_named_as_a_dicomdir_is_a_folder(tmp_path, viewer):
    save_slices(tmp_path / "DICOMDIR", "1.2.3", (10, 20))
    assert opened(viewer, tmp_path / "DICOMDIR") == [("DICOMDIR", (2, 20, 30), 15)]


@pytest.fixture
def many(tmp_path):
    """A tree of five images, where more than three layers are many."""
    for number in range(5):
        write_image(tmp_path / "many" / f"{number}" / "tooth.png", grey(number))
    return tmp_path / "many"


@pytest.fixture
def few_layers(monkeypatch):
    monkeypatch.setattr(questions, "MAX_LAYERS", 3)


@pytest.mark.parametrize("answer", [5, 3, 0])
def test_many_layers_are_a_question(many, few_layers, viewer, monkeypatch, notified, answer):
    asked = []
    monkeypatch.setattr(questions, "ask_number", lambda *question: asked.append(question[1:]) or answer)
    layers = viewer.open(str(many), plugin=PLUGIN)
    assert asked == [("many", 5)]
    assert [layer.name for layer in layers] == [f"{number}/tooth" for number in range(answer)]
    assert len(viewer.layers) == answer
    assert [message for _, message in notified()] == (["First 3 of 5 layers opened"] if answer == 3 else [])


@pytest.mark.parametrize(("button", "count"), [("Open all 5", 5), ("Open the first 3", 3), ("Cancel", 0)])
def test_the_question_has_an_answer_for_each_need(many, few_layers, viewer, monkeypatch, button, count):
    texts = []

    def press(box):
        texts.append(box.text())
        next(each for each in box.buttons() if each.text().replace("&", "") == button).click()

    monkeypatch.setattr(QMessageBox, "exec", press)
    assert len(viewer.open(str(many), plugin=PLUGIN)) == count
    assert texts == ["many would open as 5 layers, which makes napari slow."]


def test_without_a_window_the_first_layers_open(many, few_layers, make_napari_viewer, notified):
    assert len(make_napari_viewer().open(str(many), plugin=PLUGIN)) == 3
    assert notified() == [("warning", "First 3 of 5 layers opened")]


def test_very_many_files_are_a_question(many, viewer, monkeypatch):
    monkeypatch.setattr(reader, "MAX_FILES", 4)
    asked = []
    monkeypatch.setattr(reader, "confirm", lambda *question: asked.append(question))
    assert viewer.open(str(many), plugin=PLUGIN) == []
    assert asked == [("Open", "many holds more than 4 files. Open them all?")]


NO_IMAGE = "notes: no PNG, JPEG, TIFF, DICOM or other image found in this folder or its subfolders"


@pytest.fixture(params=["empty", "empty subfolders", "text"])
def notes(tmp_path, request):
    """A folder without an image."""
    (tmp_path / "notes" / "more").mkdir(parents=True)
    if request.param == "empty":
        (tmp_path / "notes" / "more").rmdir()
    if request.param == "text":
        (tmp_path / "notes" / "more" / "a.txt").write_text("no image")
    return tmp_path / "notes"


def test_a_folder_without_images_says_so_in_one_sentence(notes, viewer, notified):
    assert viewer.open(str(notes), plugin=PLUGIN) == []
    ((severity, message),) = notified()
    assert severity == "error"
    assert message.startswith(f"{NO_IMAGE} ({notes}: ")


def test_a_script_gets_the_sentence_as_an_error(notes, make_napari_viewer, notified):
    with pytest.raises(InputError, match=NO_IMAGE):
        make_napari_viewer().open(str(notes), plugin=PLUGIN)
    assert notified() == []


def test_a_damaged_image_is_no_missing_one(tmp_path, viewer, notified):
    (tmp_path / "sets" / "upper").mkdir(parents=True)
    (tmp_path / "sets" / "upper" / "a.png").write_bytes(b"")
    (tmp_path / "sets" / "notes.txt").write_text("x")
    assert viewer.open(str(tmp_path / "sets"), plugin=PLUGIN) == []
    ((_, message),) = notified()
    assert message.startswith("None of 2 files can be read: notes.txt: is not an image")
    assert message.endswith("upper/a.png: is empty (0 bytes) (in sets)")


def test_sizes_that_differ_lie_side_by_side(tmp_path, viewer):
    for folder in ("clean", "noisy"):
        for name in ("1", "2"):
            write_image(tmp_path / folder / f"{name}.png", grey(1), (0.1, 0.1))
    write_image(tmp_path / "other" / "tall.png", grey(3, (50, 10)), (0.2, 0.2))
    write_image(tmp_path / "other" / "wide.png", grey(3, (10, 50)), (0.1, 0.1))
    clean, noisy, tall, wide = viewer.open(str(tmp_path), plugin=PLUGIN)
    # A clean image is compared with the noisy one of its size on top of it.
    np.testing.assert_array_equal(clean.extent.world, noisy.extent.world)
    ends = [(layer.extent.world[0][-1], layer.extent.world[1][-1]) for layer in (clean, tall, wide)]
    assert ends[0][1] < ends[1][0] < ends[1][1] < ends[2][0]
    assert tall.extent.world[0][0] == pytest.approx(clean.extent.world[0][1], abs=0.2)


def test_files_of_one_folder_that_differ_lie_side_by_side(tmp_path, viewer):
    write_image(tmp_path / "1.png", grey(1))
    write_image(tmp_path / "2.png", grey(2, (31, 17)))
    one, two = viewer.open(str(tmp_path), plugin=PLUGIN)
    assert viewer.layers.extent.world[1][-1] > 30 + 17
    assert one.get_value((5, 5), world=True) == 1
    assert two.get_value((5, 30 + 10), world=True) == 2
    assert two.get_value((5, 5), world=True) is None


def test_files_that_are_dropped_together_lie_side_by_side(tmp_path, viewer, qtbot):
    shapes = {"a": (20, 30), "b": (31, 17), "c": (20, 30)}
    for level, (name, shape) in enumerate(shapes.items(), start=1):
        write_image(tmp_path / f"{name}.png", grey(70 * level, shape))
    files = [str(tmp_path / f"{name}.png") for name in shapes]
    a, b, c = viewer.open(files, plugin=PLUGIN)
    assert a.extent.world[1][-1] < b.extent.world[0][-1]
    np.testing.assert_array_equal(c.extent.world, a.extent.world)
    # Of those that lie on each other, the last one is on top.
    qtbot.waitUntil(lambda: visible_levels(viewer) >= {140, 210})
    # Only files are placed.
    derived = viewer.add_image(grey(9, (9, 9)), metadata={"napari_dental_denoise": {"path": "a", "operation": "x"}})
    assert not derived.translate.any()
    qtbot.wait(TOGETHER_MS + 100)
    # What is opened afterwards lies on what is there, as napari does it.
    (later,) = viewer.open(files[1], plugin=PLUGIN)
    assert later.extent.world[0][-1] == a.extent.world[0][-1]


def visible_levels(viewer):
    """The grey levels on the canvas."""
    return set(np.unique(viewer.screenshot(canvas_only=True, flash=False)[..., 0]))


def test_all_sizes_are_in_view(tmp_path, viewer):
    for number, width in enumerate((30, 40, 50), start=1):
        write_image(tmp_path / f"{number}.png", grey(70 * number, (20, width)))
    viewer.open(str(tmp_path), plugin=PLUGIN)
    assert visible_levels(viewer) >= {70, 140, 210}
    # What the user looks at stays in view when more is opened.
    viewer.scene.camera.zoom *= 4
    zoom = viewer.scene.camera.zoom
    viewer.open(str(tmp_path), plugin=PLUGIN)
    assert viewer.scene.camera.zoom == zoom


def file_on_canvas(viewer):
    overlay = viewer.canvas.overlays.file_name
    assert overlay.box == bool(overlay.text)
    return overlay.text if overlay.visible else None


def test_the_canvas_names_the_file_of_the_slice(tmp_path, make_napari_viewer):
    for number in (1, 9, 10):
        write_image(tmp_path / "scans" / f"tooth {number}.png", grey(number))
    viewer = make_napari_viewer()
    (stack,) = viewer.open(str(tmp_path / "scans"), plugin=PLUGIN)
    assert file_on_canvas(viewer) == "tooth 9.png"
    for step, name in enumerate(("tooth 1.png", "tooth 9.png", "tooth 10.png")):
        viewer.dims.set_current_step(0, step)
        assert file_on_canvas(viewer) == name
    # A result beside its input: the name stays.
    result = viewer.add_image(np.zeros((3, 20, 30), np.uint8))
    assert file_on_canvas(viewer) == "tooth 10.png"
    stack.visible = False
    assert file_on_canvas(viewer) == ""
    stack.visible = True
    viewer.layers.remove(result)
    assert file_on_canvas(viewer) == "tooth 10.png"
    # A single image is none of the stack.
    viewer.add_image(np.zeros((20, 30), np.uint8))
    assert file_on_canvas(viewer) == ""
    viewer.layers.clear()
    assert file_on_canvas(viewer) == ""
    # Arrays without a length, and a list in place of an array.
    viewer.add_image(zarr.zeros((3, 20, 30), dtype="uint8"), contrast_limits=(0, 255))
    viewer.add_shapes([[[1, 2, 2], [1, 2, 9], [1, 9, 9]]], shape_type="polygon")
    assert file_on_canvas(viewer) == ""


def test_of_several_stacks_the_selected_one_is_named(tmp_path, viewer):
    for folder in ("a", "b"):
        for number in (1, 2):
            write_image(tmp_path / folder / f"{folder}{number}.png", grey(number))
    first, second = viewer.open(str(tmp_path), plugin=PLUGIN)
    viewer.dims.set_current_step(0, 1)
    for layer, name in ((first, "a2.png"), (second, "b2.png")):
        viewer.layers.selection.active = layer
        assert file_on_canvas(viewer) == name


def test_a_user_can_take_the_name_off_the_canvas(tmp_path, make_napari_viewer):
    for number in (1, 2):
        write_image(tmp_path / "scans" / f"{number}.png", grey(number))
    viewer = make_napari_viewer()
    viewer.open(str(tmp_path / "scans"), plugin=PLUGIN)
    viewer.canvas.overlays.file_name.visible = False
    viewer.open(str(tmp_path / "scans"), plugin=PLUGIN)
    viewer.dims.set_current_step(0, 1)
    assert file_on_canvas(viewer) is None


def test_a_folder_that_is_a_file_to_others_is_left_to_them(tmp_path):
    (tmp_path / "volume.N5").mkdir()
    assert reader.get_reader(str(tmp_path / "volume.N5")) is None
    (tmp_path / "scans").mkdir()
    assert reader.get_reader(str(tmp_path / "scans")) is not None
