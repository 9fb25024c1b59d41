"""Closing the form while a training runs asks what becomes of it."""

import shutil

import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QMessageBox

from napari_dental_denoise.plugin.models.known import recent_models
from napari_dental_denoise.plugin.train.closing import Closing, ask_how_to_close
from napari_dental_denoise.training import to_line
from tests.plugin.train.conftest import epoch, started


@pytest.fixture
def answer(monkeypatch):
    """Answer the question, and return the names of the models that it was asked about."""
    asked = []

    def give(answer):
        def ask(_form, model):
            asked.append(model)
            return answer

        monkeypatch.setattr("napari_dental_denoise.plugin.train.widget.ask_how_to_close", ask)
        return asked

    return give


def click_close(form):
    """Click the button of the dock that napari draws."""
    form.native.parent().title.close_button.click()


def is_open(viewer, form):
    return any(each is form for each in viewer.window.dock_widgets.values())


def test_a_form_that_does_not_train_closes_unasked(viewer, form, answer, qtbot):
    asked = answer(Closing.CANCEL)
    click_close(form)
    qtbot.waitUntil(lambda: not is_open(viewer, form))
    assert asked == []


def test_cancel_leaves_all_as_it_is(viewer, idle, answer, qtbot):
    asked = answer(Closing.CANCEL)
    process = idle.process
    click_close(idle)
    qtbot.wait(100)
    assert asked == ["mine.keras"]
    assert is_open(viewer, idle)
    assert idle.process is process
    assert not process.stopped


@pytest.mark.parametrize(
    ("has_model", "told"),
    [
        (True, "mine.keras was stopped, its best state is saved: choose it in Denoise"),
        (False, "mine.keras: no model was written"),
    ],
)
def test_stop_closes_ends_the_training_and_tells_what_is_kept(viewer, idle, answer, qtbot, tmp_path, has_model, told):
    answer(Closing.STOP)
    process = idle.process
    click_close(idle)
    qtbot.waitUntil(lambda: not is_open(viewer, idle))
    assert process.stopped
    if has_model:
        (tmp_path / "mine.keras").write_bytes(b"a model")
    process.ended.emit(0)
    assert notification_manager.records[-1].message == told


def test_a_training_that_is_being_stopped_is_not_asked_about(viewer, idle, answer, qtbot):
    asked = answer(Closing.CANCEL)
    idle.stop_button.native.click()
    click_close(idle)
    qtbot.waitUntil(lambda: not is_open(viewer, idle))
    assert asked == []


def test_cancel_leaves_napari_open(viewer, idle, answer):
    asked = answer(Closing.CANCEL)
    viewer.window._qt_window.close()
    assert asked == ["mine.keras"]
    assert viewer.window._qt_window.isVisible()
    assert not idle.process.stopped


def test_a_program_that_closes_the_viewer_is_not_asked(viewer, idle, answer):
    asked = answer(Closing.CANCEL)
    process = idle.process
    viewer.close()
    assert asked == []
    assert process.stopped


def test_a_form_opened_again_shows_the_training_of_the_background(viewer, idle, open_form, answer, qtbot):
    answer(Closing.BACKGROUND)
    process = idle.process
    process.run.process.write_text("0")
    process.run.reports.write_text(f"{to_line(started())}\n{to_line(epoch(1, 36.4, best=36.4))}\n")
    click_close(idle)
    qtbot.waitUntil(lambda: not is_open(viewer, idle))
    process.run.end.write_text("0")
    form = open_form("Train")
    qtbot.waitUntil(lambda: form.curves.epochs == [(1, 36.4)])
    qtbot.waitUntil(lambda: form.process is None)
    assert not process.run.folder.exists()


def test_a_floating_form_asks_too(viewer, idle, answer, qtbot):
    asked = answer(Closing.CANCEL)
    idle.native.parent().setFloating(True)
    click_close(idle)
    qtbot.wait(100)
    assert asked == ["mine.keras"]
    assert is_open(viewer, idle)


def test_the_model_of_a_training_in_the_background_is_offered(
    viewer, idle, open_form, answer, qtbot, tmp_path, trained_model
):
    denoise_form = open_form("Denoise")
    answer(Closing.BACKGROUND)
    process = idle.process
    click_close(idle)
    qtbot.waitUntil(lambda: not is_open(viewer, idle))
    model = shutil.copy(trained_model, tmp_path / "mine.keras")
    process.ended.emit(0)
    assert model in denoise_form.model.choices
    assert notification_manager.records[-1].message == "mine.keras is trained: choose it in Denoise"


def test_a_failure_in_the_background_is_told(viewer, idle, answer, qtbot):
    answer(Closing.BACKGROUND)
    process = idle.process
    click_close(idle)
    qtbot.waitUntil(lambda: not is_open(viewer, idle))
    assert not process.stopped
    process.complained.emit("left out: scan.png: is damaged")
    process.complained.emit("the training diverged in epoch 3")
    process.ended.emit(2)
    assert notification_manager.records[-1].message == "mine.keras: the training diverged in epoch 3"


def test_a_training_in_the_background_may_outlive_the_window(viewer, idle, answer, qtbot, tmp_path):
    answer(Closing.BACKGROUND)
    process = idle.process
    click_close(idle)
    qtbot.waitUntil(lambda: not is_open(viewer, idle))
    viewer.close()
    (tmp_path / "mine.keras").write_bytes(b"a model")
    process.ended.emit(0)
    assert [path.name for path in recent_models()] == ["mine.keras"]


@pytest.mark.parametrize("choice", list(Closing))
def test_the_question_has_the_three_answers(form, choice):
    def click():
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        assert [button.text().replace("&", "") for button in box.buttons()] == [each.value for each in Closing]
        next(button for button in box.buttons() if button.text().replace("&", "") == choice.value).click()

    QTimer.singleShot(200, click)
    assert ask_how_to_close(form.native, "mine.keras") is choice
