"""Folders open from the menu without a question, and from a drop once the user said so."""

import napari.settings
import numpy as np
import pytest
from napari._app_model import get_app_model
from napari.utils.history import get_open_history
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QDialog, QFileDialog

from napari_dental_denoise.images.writer import write_image
from napari_dental_denoise.plugin.files.folders import EVERY_FOLDER

PLUGIN = "napari-dental-denoise"


@pytest.fixture(autouse=True)
def own_settings(tmp_path_factory, monkeypatch):
    """Settings of napari that are no user's."""
    settings = napari.settings.NapariSettings(config_path=tmp_path_factory.mktemp("settings") / "settings.yaml")
    monkeypatch.setattr(napari.settings, "_SETTINGS", settings)
    return settings


@pytest.fixture
def notified():
    before = len(notification_manager.records)
    return lambda: [(str(record.severity), record.message) for record in notification_manager.records[before:]]


@pytest.fixture
def choose(monkeypatch):
    """Answer the next dialog for a folder."""

    def answer(folder):
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_, **__: str(folder))

    return answer


def run(command):
    """Run a command as a click on its menu entry does."""
    return get_app_model().commands.execute_command(f"{PLUGIN}.{command}").result()


def grey(level, shape=(20, 30)):
    return np.full(shape, level, np.uint8)


def test_the_commands_are_in_the_file_menu(viewer):
    entries = get_app_model().menus.get_menu("napari/file/io_utilities")
    shown = {entry.command.id for entry in entries if hasattr(entry, "command")}
    assert {f"{PLUGIN}.{name}" for name in ("open_folder", "prefer_for_folders")} <= shown


def test_a_folder_opens_without_a_question(folder, viewer, choose, notified):
    choose(folder)
    run("open_folder")
    assert [(layer.name, layer.data.shape) for layer in viewer.layers] == [("scans", (8, 160, 200))]
    assert viewer.layers[0].source.reader_plugin == PLUGIN
    assert get_open_history()[0] == str(folder.parent)
    assert notified() == []


def test_the_reader_of_the_palette_asks_for_files(folder, viewer, monkeypatch, notified):
    files = sorted(str(path) for path in folder.iterdir())[:2]
    for answer in (files, []):
        monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_, answer=answer, **__: (answer, ""))
        run("get_reader")
    assert [layer.source.path for layer in viewer.layers] == files
    assert notified() == []


def test_the_palette_offers_no_writer(viewer):
    assert not get_app_model().registered_actions[f"{PLUGIN}.write_image"].enablement.eval({})


def test_a_cancelled_dialog_does_nothing(viewer, choose, notified):
    choose("")
    run("open_folder")
    assert len(viewer.layers) == 0
    assert notified() == []


def test_a_folder_of_subfolders_opens_each_of_them(folder, viewer, choose, notified):
    choose(folder.parent)
    run("open_folder")
    assert [layer.name for layer in viewer.layers] == [folder.name]
    assert viewer.layers[0].data.shape == (8, 160, 200)
    # As it is dropped.
    viewer.open(str(folder.parent), plugin="napari-dental-denoise")
    assert len(viewer.layers) == 2
    assert notified() == []


def test_a_folder_without_images_says_so(tmp_path, viewer, choose, notified):
    (tmp_path / "notes" / "more").mkdir(parents=True)
    (tmp_path / "notes" / "more" / "a.txt").write_text("no image")
    choose(tmp_path / "notes")
    run("open_folder")
    assert len(viewer.layers) == 0
    ((severity, message),) = notified()
    assert severity == "error"
    assert message.startswith("notes: no PNG, JPEG, TIFF, DICOM or other image found in this folder or its subfolders")


def test_subfolders_are_a_stack_each_and_a_bad_file_is_named(tmp_path, viewer, choose, notified):
    for dataset, level in {"upper 10": 10, "upper 9": 9}.items():
        for number in range(2):
            write_image(tmp_path / "sets" / dataset / f"{number}.png", grey(level))
    write_image(tmp_path / "sets" / "mixed" / "a.png", grey(1))
    write_image(tmp_path / "sets" / "mixed" / "b.png", grey(2, (31, 17)))
    (tmp_path / "sets" / "upper 10" / "bad.png").write_bytes(b"")
    (tmp_path / "sets" / "notes").mkdir()
    (tmp_path / "sets" / "notes" / "readme.txt").write_text("x")
    choose(tmp_path / "sets")
    run("open_folder")
    assert [(layer.name, layer.data.shape) for layer in viewer.layers] == [
        ("mixed/a", (20, 30)),
        ("mixed/b", (31, 17)),
        ("upper 9", (2, 20, 30)),
        ("upper 10", (2, 20, 30)),
    ]
    np.testing.assert_array_equal(viewer.layers["upper 9"].data[:, 0, 0].compute(), [9, 9])
    ((severity, message),) = notified()
    assert severity == "warning"
    assert message.startswith("2 of 8 files left out: notes/readme.txt: is not an image")
    assert message.endswith("upper 10/bad.png: is empty (0 bytes)")


def test_empty_folders_say_so(tmp_path, viewer, choose, notified):
    (tmp_path / "empty").mkdir()
    choose(tmp_path)
    run("open_folder")
    assert len(viewer.layers) == 0
    ((severity, message),) = notified()
    assert severity == "error"
    assert "image found in this folder or its subfolders" in message
    assert "the folder holds no files" in message


def drop(viewer, path):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    event = QDropEvent(
        QPointF(9, 9),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    viewer.window._qt_viewer.dropEvent(event)


def test_a_drop_asks_until_the_user_prefers_this_plugin(folder, viewer, own_settings, notified, monkeypatch):
    asked = []
    monkeypatch.setattr(QDialog, "exec_", lambda dialog: asked.append(type(dialog).__name__) or 0, raising=False)
    drop(viewer, folder)
    assert asked == ["QtReaderDialog"]
    assert len(viewer.layers) == 0

    run("prefer_for_folders")
    assert own_settings.plugins.extension2reader == {EVERY_FOLDER: PLUGIN}
    drop(viewer, folder)
    assert asked == ["QtReaderDialog"]
    assert [(layer.name, layer.data.shape) for layer in viewer.layers] == [("scans", (8, 160, 200))]

    run("prefer_for_folders")
    (severity, first), (_, second) = notified()
    assert severity == "info"
    assert first.startswith("Folders now open with Dental Denoise")
    assert second.startswith("Folders already open with Dental Denoise")
    assert "To undo: Preferences > Plugins, remove the row */" in first


def test_a_dropped_folder_without_images_says_so(tmp_path, viewer, notified):
    run("prefer_for_folders")
    (tmp_path / "notes").mkdir()
    drop(viewer, tmp_path / "notes")
    assert len(viewer.layers) == 0
    _, (severity, message) = notified()
    assert severity == "error"
    assert message.startswith("notes: no PNG, ")


def test_other_preferences_stay(own_settings, notified):
    from napari_dental_denoise.plugin.files.folders import prefer_for_folders

    own_settings.plugins.extension2reader = {"*.tif": "napari", EVERY_FOLDER: "another"}
    prefer_for_folders()
    assert own_settings.plugins.extension2reader == {"*.tif": "napari", EVERY_FOLDER: PLUGIN}
    assert "instead of another" in notified()[0][1]
