"""A training that goes on without its form is found again: by another form, and by another session of napari."""

import subprocess
import sys

import numpy as np
import pytest

from napari_dental_denoise import add_gaussian_noise, read_image, write_image
from napari_dental_denoise.models.file import read_model_file
from napari_dental_denoise.plugin.models.known import card_text
from napari_dental_denoise.plugin.train.closing import Closing
from napari_dental_denoise.plugin.train.runs import new_run, runs_to_show
from napari_dental_denoise.training import to_line
from tests.plugin.conftest import PATIENCE_S
from tests.plugin.train.conftest import epoch, finished, started, step


class LeftRun:
    """A training that an earlier session has left, whose supervisor only sleeps."""

    def __init__(self, request):
        self.run = new_run()
        self.run.request.write_text(request.record())
        code = "import time; time.sleep(600)"
        self.process = subprocess.Popen([sys.executable, "-c", code, str(self.run.folder)])
        self.run.process.write_text(str(self.process.pid))

    def tell(self, *reports):
        with self.run.reports.open("a") as file:
            file.writelines(f"{to_line(report)}\n" for report in reports)

    def end(self, code=None):
        if code is not None:
            self.run.end.write_text(str(code))
        self.process.kill()
        self.process.wait()


@pytest.fixture
def left(form, viewer):
    """A training of the settings of a form, which has been closed since."""
    form.fields.amount.value, form.fields.unit.value = 7, "epochs"
    form.fields.highest.value = 40
    run = LeftRun(form.fields.request())
    viewer.window.remove_dock_widget(form.native)
    yield run
    run.end()


def test_a_form_shows_a_running_training_and_can_stop_it(open_form, left, qtbot, tmp_path):
    left.tell(started(), *(step(number) for number in range(1, 51)), epoch(1, 36.4, best=36.4))
    np.save(left.run.preview, np.zeros((3, 8, 8), np.float32))
    form = open_form("Train")
    qtbot.waitUntil(lambda: form.curves.epochs == [(1, 36.4)])
    assert len(form.curves.losses) == 50
    assert form.status.value.startswith("Epoch 3, step 50 of 50")
    assert form.stop_button.enabled
    assert not form.start.enabled
    assert form.fields.model.value == tmp_path / "mine.keras"
    assert (form.fields.amount.value, form.fields.unit.value) == (7, "epochs")
    assert form.fields.highest.value == pytest.approx(40)
    left.tell(step(51), epoch(2, 36.5, best=36.5))
    qtbot.waitUntil(lambda: form.curves.epochs[1:] == [(2, 36.5)])
    form.stop_button.native.click()
    assert left.run.stop.exists()
    left.end(130)
    qtbot.waitUntil(lambda: form.process is None)
    assert form.status.value.startswith("Stopped")
    assert not left.run.folder.exists()


def test_a_form_shows_the_result_of_a_training_that_has_ended_once(viewer, open_form, left, qtbot, tmp_path):
    (tmp_path / "mine.keras").write_bytes(b"a model")
    left.tell(started(), epoch(1, 36.4, best=36.4), finished(1, 36.4))
    left.end(0)
    form = open_form("Train")
    qtbot.waitUntil(lambda: form.process is not None)
    qtbot.waitUntil(lambda: form.process is None)
    assert form.status.value.endswith("better than starter by 0.2 dB on your validation images")
    assert form.use.enabled
    viewer.window.remove_dock_widget(form.native)
    form = open_form("Train")
    qtbot.waitUntil(lambda: bool(form.plan.value))
    assert form.status.value == ""


def test_a_training_that_died_is_no_success(open_form, left, qtbot):
    left.tell(started())
    left.end()
    form = open_form("Train")
    qtbot.waitUntil(lambda: form.process is not None)
    qtbot.waitUntil(lambda: form.process is None)
    assert form.status.value == "The training process crashed; a model that it saved before is kept"


def test_a_long_training_is_shown_piece_by_piece(open_form, left, qtbot):
    left.tell(started(), *(step(number) for number in range(1, 8001)))
    form = open_form("Train")
    qtbot.waitUntil(lambda: len(form.curves.losses) == 8000)
    assert form.process is not None


def test_settings_of_another_version_are_left_alone(open_form, left, qtbot):
    left.run.request.write_text('{"sources": 3}')
    form = open_form("Train")
    qtbot.waitUntil(lambda: bool(form.plan.value))
    assert form.process is None


def close_napari(folder, model, answer, learn_from="clean images"):
    """Train in another process, close its window after the first epoch, and answer the question."""
    code = f"""
import napari
from qtpy.QtCore import QTimer
from napari_dental_denoise.plugin.train import process, widget
from napari_dental_denoise.plugin.train.closing import Closing
process.KILL_AFTER_MS = {1000 * PATIENCE_S}
widget.ask_how_to_close = lambda _form, model: print('asked of', model) or {answer}
viewer = napari.Viewer(show=True)
form = viewer.window.add_plugin_dock_widget('napari-dental-denoise', 'Train')[1]
fields = form.fields
fields.start_from.value = 'nothing'
fields.config_fields['preset'].value = 'fast'
fields.config_fields['batch_size'].value, fields.config_fields['patch_size'].value = 2, 32
fields.learn_from.value = {learn_from!r}
fields.amount.value, fields.unit.value = {100 if answer is Closing.STOP else 2}, 'epochs'
fields.clean.value, fields.model.value = {str(folder)!r}, {str(model)!r}
timer = QTimer()
timer.timeout.connect(lambda: form.curves.epochs and (timer.stop(), viewer.window._qt_window.close()))
QTimer.singleShot(500, lambda: (form.train(form.fields.request()), timer.start(100)))
napari.run()
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "Error" not in result.stderr
    assert result.stdout == f"asked of {model.name}\n"


def test_stopped_as_napari_closes_a_training_leaves_its_model_and_another_session_resumes_it(
    viewer, open_form, folder, qtbot, tmp_path
):
    model = tmp_path / "m.keras"
    close_napari(folder, model, Closing.STOP)
    (runs,) = (tmp_path / "state").rglob("trainings")
    (run,) = runs.iterdir()
    qtbot.waitUntil((run / "exit").exists)
    assert (run / "exit").read_text() == "130"
    stopped = read_model_file(model).card.training["epoch"]
    assert stopped >= 1
    form = open_form("Train")
    qtbot.waitUntil(lambda: not run.exists())
    assert form.process is None

    form.fields.clean.value, form.fields.model.value = folder, model
    qtbot.waitUntil(lambda: form.resume.enabled and not form.start.enabled)
    form.resume.native.click()
    qtbot.waitUntil(lambda: len(form.curves.epochs) > stopped + 2)
    assert len(form.curves.losses) > 100
    noisy, denoised, clean = np.split(viewer.layers["training: noisy, denoised, clean"].data, 3, axis=1)
    assert np.abs(denoised - clean).mean() < np.abs(noisy - clean).mean()
    form.stop_button.native.click()
    qtbot.waitUntil(lambda: form.process is None)
    assert form.status.value == "Stopped; the best model so far has been saved"
    assert read_model_file(model).card.training["epoch"] >= stopped


def test_a_training_on_noisy_images_outlives_napari_and_another_session_shows_its_end(
    viewer, open_form, folder, qtbot, tmp_path
):
    for index, path in enumerate(sorted(folder.iterdir())):
        write_image(tmp_path / "noisy" / path.name, add_gaussian_noise(read_image(path), 0.1, rng=index))
    model = tmp_path / "m.keras"
    close_napari(tmp_path / "noisy", model, Closing.BACKGROUND, "only noisy images")
    assert len(list(runs_to_show())) == 1
    denoise_form = open_form("Denoise")
    form = open_form("Train")
    qtbot.waitUntil(lambda: form.process is not None)
    assert form.fields.model.value == model
    qtbot.waitUntil(lambda: form.process is None)
    assert form.status.value.startswith("Done: ")
    assert "against noisy images" in form.status.value
    assert [number for number, _ in form.curves.epochs] == [1, 2]
    assert [layer.name for layer in viewer.layers] == ["training: noisier, denoised, noisy target"]
    card = read_model_file(model).card
    assert card.noise["kind"] == "that of noisy images alone"
    assert "never evaluated on clean images" in card_text(card)
    assert model in denoise_form.model.choices
    assert list(runs_to_show()) == []
