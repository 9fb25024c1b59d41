"""Progress and result of a training, the preview, and labels that can be read."""

import math

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractSpinBox, QPushButton

from napari_dental_denoise.plugin.shared.elision import shown_choice
from napari_dental_denoise.plugin.shared.form import MINIMUM_WIDTH
from tests.plugin.conftest import zoom_in
from tests.plugin.train.conftest import epoch, finished, save_preview, started, step


def test_the_step_within_an_epoch_and_the_time_left_are_shown(idle):
    idle.process.reported.emit(started())
    idle.process.reported.emit(step(12))
    assert idle.status.value == "Epoch 3, step 12 of 50, loss 0.0123, 80 s left"
    assert idle.display.progress.visible
    assert idle.display.progress.value == 250
    idle.process.reported.emit(step(13, eta=math.nan))
    assert idle.status.value == "Epoch 3, step 13 of 50, loss 0.0123"


@pytest.mark.parametrize(
    ("first", "best", "told"),
    [
        (36.2, 36.6, "better than starter by 0.4 dB on your validation images"),
        (36.2, 36.21, "no better than starter: train longer, or keep starter"),
        (36.2, 36.2, "no better than starter: train longer, or keep starter"),
    ],
)
def test_the_end_says_what_was_gained_over_the_start(idle, first, best, told):
    idle.process.reported.emit(started(first_psnr=first))
    idle.process.reported.emit(finished(4, best))
    idle.process.ended.emit(0)
    assert idle.status.value == f"Done: {best:.2f} dB, SSIM 0.910 (epoch 4); {told}"


def test_nothing_is_compared_with_random_weights(idle):
    idle.process.reported.emit(started(started_from=None, first_psnr=math.nan))
    idle.process.reported.emit(finished(4, 35))
    assert idle.status.value == "Done: 35.00 dB, SSIM 0.910 (epoch 4)"


def test_a_stopped_training_says_it_too_and_a_resumed_one_remembers(idle, tmp_path):
    idle.process.reported.emit(started())
    idle.process.reported.emit(epoch(1, 36.7, best=36.7))
    (tmp_path / "mine.keras").write_bytes(b"a model")
    idle.stop()
    idle.process.ended.emit(130)
    gained = "better than starter by 0.5 dB on your validation images"
    assert idle.status.value == f"Stopped; the best model so far has been saved; {gained}"

    (tmp_path / "mine.keras").unlink()
    (tmp_path / "mine.checkpoint").write_bytes(b"")
    idle.display.show(started(epoch=1, first_psnr=math.nan))
    assert idle.curves._start_line.value() == 36.2


def test_the_model_of_a_running_training_is_no_problem(idle, qtbot, tmp_path):
    (tmp_path / "mine.keras").write_bytes(b"a model")
    idle.fields.amount.value = 400
    qtbot.wait(500)
    assert "already exists" not in idle.plan.value


def test_the_preview_stands_beside_the_image_moves_no_camera_and_goes_with_the_form(viewer, idle, noisy, qtbot):
    layer = viewer.add_image(noisy, name="scan", scale=(0.05, 0.05), units=("mm", "mm"))
    zoom_in(viewer, layer, qtbot)
    before = viewer.scene.camera.zoom, viewer.scene.camera.center
    idle.process.reported.emit(started())
    for number, grey in enumerate((0.25, 0.5), start=1):
        save_preview(idle, grey)
        idle.process.reported.emit(epoch(number, 36.0, best=36.2))
        preview = viewer.layers["training: noisy, denoised, clean"]
        assert preview.data[0, 0] == grey
        assert preview.scale.tolist() == [0.05, 0.05]
        assert preview.extent.world[0][1] > layer.extent.world[1][1]
        assert (viewer.scene.camera.zoom, viewer.scene.camera.center) == before
    assert viewer.layers.selection.active is layer
    viewer.window.remove_dock_widget(idle.native)
    qtbot.waitUntil(lambda: [each.name for each in viewer.layers] == ["scan"])


def is_cut_off(field):
    """Return whether a number is wider than the space between the buttons of its field."""
    line = field.lineEdit()
    # Qt keeps two pixels free on each side.
    return line.fontMetrics().horizontalAdvance(line.text()) > line.contentsRect().width() - 4


def test_all_numbers_can_be_read_in_the_narrowest_form(viewer, form, qtbot):
    form.fields.highest.value, form.fields.amount.value = 255, 1440
    dock = form.native.parent()
    viewer.window._qt_window.resizeDocks([dock], [MINIMUM_WIDTH], Qt.Orientation.Horizontal)
    qtbot.waitUntil(lambda: form.native.width() <= MINIMUM_WIDTH + 2)
    fields = [field for field in form.native.findChildren(QAbstractSpinBox) if field.isVisible()]
    assert form.fields.highest.native in fields
    assert [field.text() for field in fields if is_cut_off(field)] == []


def test_the_text_of_each_button_can_be_read_in_the_narrowest_form(form, qtbot, viewer):
    dock = form.native.parent()
    viewer.window._qt_window.resizeDocks([dock], [MINIMUM_WIDTH], Qt.Orientation.Horizontal)
    qtbot.waitUntil(lambda: form.native.width() <= MINIMUM_WIDTH + 2)
    buttons = [button for button in form.native.findChildren(QPushButton) if button.isVisible()]
    assert form.copy.native in buttons
    assert shown_choice(form.fields.unit.native) == "minutes"
    # The mark of an accelerator takes no room.
    texts = {each: each.text().replace("&", "") for each in buttons}
    cut_off = [text for each, text in texts.items() if each.fontMetrics().horizontalAdvance(text) > each.width() - 4]
    assert cut_off == []


def test_a_training_that_begins_scrolls_to_its_curves(viewer, idle, qtbot):
    viewer.window._qt_window.resize(1000, 700)
    idle.process.reported.emit(started())
    qtbot.waitUntil(lambda: not idle.curves._legend.native.visibleRegion().isEmpty())


def test_labels(form):
    labels = [line.label for line in form.fields.lines]
    assert {"Train for", "Batch size", "Patch size (px)", "Validation share"} <= set(labels)
    texts = [button.text().replace("&", "") for button in form.native.findChildren(QPushButton)]
    assert texts.count("Browse ...") == 3
