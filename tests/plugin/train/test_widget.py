"""The Train form: its plan, why it cannot run, and trainings that fail."""

import os
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from napari_dental_denoise import write_image
from napari_dental_denoise.cli.main import build_parser
from napari_dental_denoise.plugin.models.known import remember_model
from napari_dental_denoise.training.checkpoint import Checkpoint, save_checkpoint


def wait_for_the_end(form, qtbot):
    qtbot.waitUntil(lambda: form.process is None)


def test_epochs_are_counted_in_whole_numbers(form):
    axis = form.curves._psnr.getAxis("bottom")
    ticks = [value for lowest in (0.5, 3) for _, values in axis.tickValues(lowest, lowest + 1, 200) for value in values]
    assert ticks == [1, 3, 4]


def test_the_window_fits_a_small_screen(viewer, form, qtbot):
    qtbot.waitUntil(lambda: bool(form.plan.value))
    qtbot.waitUntil(lambda: viewer.window._qt_window.minimumSizeHint().height() <= 700)


def test_a_training_can_be_stopped_before_it_begins(form, qtbot):
    form.fields.amount.value, form.fields.unit.value = 100, "epochs"
    form.train(form.fields.request())
    ended = []
    form.process.ended.connect(ended.append)
    form.stop()
    wait_for_the_end(form, qtbot)
    assert ended == [130]
    assert form.status.value == "Stopped; no model was written"


def test_a_training_that_dies_of_a_fault_is_no_success(form, qtbot, tmp_path, monkeypatch):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "tensorflow.py").write_text("raise RuntimeError('no driver')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"), prepend=os.pathsep)
    form.train(form.fields.request())
    wait_for_the_end(form, qtbot)
    assert form.status.value.startswith("tensorflow cannot be imported (no driver)")


@pytest.mark.parametrize(
    ("minutes", "seconds", "used"),
    [(3, 197, "3 of 3 minutes"), (3, 210, "3.5 of 3 minutes"), (1, 68, "1 of 1 minute"), (1, 72, "1.2 of 1 minute")],
)
def test_a_training_has_used_its_minutes_unless_it_used_clearly_more(form, tmp_path, minutes, seconds, used):
    (tmp_path / "mine.keras").touch()
    save_checkpoint(tmp_path / "mine.checkpoint", Checkpoint([], [], [], {}, elapsed=seconds))
    form.fields.amount.value = minutes
    assert form.fields.request().problem() == f"{used} used: enter a larger total to continue"


def test_the_plan_in_one_line(form, qtbot):
    form.fields.amount.value = 5
    qtbot.waitUntil(lambda: "about 5 min here" in form.plan.value)
    assert form.plan.value.startswith("8 images, 100 patches of 32 px per epoch")


def test_the_plan_of_a_large_folder_counts_all_of_its_images(form, qtbot, tmp_path):
    for number in range(90):
        write_image(tmp_path / "many" / f"{number}.png", np.zeros((64, 80), np.uint8))
    form.fields.clean.value = tmp_path / "many"
    qtbot.waitUntil(lambda: form.plan.value.startswith(("90 images", "40 images")))
    assert form.plan.value.startswith("90 images")


def test_a_form_that_cannot_run_says_why(form, qtbot, tmp_path, folder, trained_model):
    def says(text):
        qtbot.waitUntil(lambda: form.plan.value == text)
        assert not form.start.enabled
        form.train(form.fields.request())
        assert form.process is None

    form.fields.learn_from.value = "noisy and clean pairs"
    says("Choose the folder of noisy images, with the same file names")
    form.fields.learn_from.value = "clean images"
    form.fields.lowest.value = 100
    says("The lowest noise level is above the highest")
    form.fields.lowest.value = 3
    form.fields.model.value = tmp_path / "mine.h5"
    says("Name the model to write; it ends in .keras")
    (tmp_path / "old.keras").write_bytes(b"precious")
    form.fields.model.value = tmp_path / "old.keras"
    says("old.keras already exists: choose another name")
    form.fields.model.value = tmp_path / "mine.keras"
    form.fields.config_fields["preset"].value = "classic"
    remember_model(trained_model)
    form.fields.start_from.reset_choices()
    form.fields.start_from.value = str(trained_model)
    says("model.keras is of the preset fast: choose that preset")
    form.fields.clean.value = None
    says("Choose a folder of clean images")
    form.fields.clean.value = tmp_path / "nowhere"
    qtbot.waitUntil(lambda: " is no folder: choose a folder of clean images" in form.plan.value)


def is_red(label):
    return bool(label.native.styleSheet())


def test_a_form_that_was_just_opened_complains_of_nothing(open_form, qtbot):
    form = open_form("Train")
    qtbot.waitUntil(lambda: form.plan.value == "Choose a folder of clean images")
    assert not is_red(form.plan)
    form.fields.learn_from.value = "noisy and clean pairs"
    form.fields.clean.value = Path.home()
    qtbot.waitUntil(lambda: form.plan.value.startswith("Choose the folder of noisy images"))
    assert not is_red(form.plan)


def test_a_problem_ends_with_its_cause(form, qtbot, tmp_path, radiographs):
    write_image(tmp_path / "one" / "scan.png", radiographs[0])
    form.fields.clean.value = tmp_path / "one"
    qtbot.waitUntil(lambda: "training needs at least 2" in form.plan.value)
    assert is_red(form.plan)
    write_image(tmp_path / "one" / "other.png", radiographs[1])
    qtbot.waitUntil(lambda: form.plan.value.startswith("2 images, "))
    assert not is_red(form.plan)
    assert form.start.enabled


def test_an_error_of_the_child_is_shown_and_the_form_comes_back(form, qtbot, folder):
    for path in folder.iterdir():
        path.unlink()
    for name in ("one", "two"):
        write_image(folder / f"{name}.tif", np.full((64, 80), np.nan, np.float32))
    form.train(form.fields.request())
    wait_for_the_end(form, qtbot)
    assert form.status.value.startswith("none of 2 files can be used: ")
    assert is_red(form.status)
    assert form.start.enabled
    form.fields.clean.value = folder.parent
    assert form.status.value == ""


def test_pairs_become_options_of_the_command_line(form, qtbot, tmp_path):
    form.fields.learn_from.value = "noisy and clean pairs"
    form.fields.noisy.value = tmp_path / "noisy"
    qtbot.waitUntil(lambda: form.start.enabled)
    options = build_parser().parse_args(["train", *form.fields.request().arguments()])
    assert options.noisy == [str(tmp_path / "noisy")]
    assert (options.learn_from, options.noise) == (None, None)


def test_only_noisy_images_have_no_clean_reference(form):
    form.fields.learn_from.value = "only noisy images"
    assert form.fields.metric_note.value == "No clean reference: use the dB values only to compare epochs."
    assert not form.fields.kind.visible
    assert not form.fields.sigmas.visible


def test_a_training_starts_from_a_model_of_the_package(form, qtbot):
    form.fields.start_from.value = "starter"
    for preset, first in (("standard", "starter"), ("fast", "starter-fast"), ("classic", "random weights")):
        form.fields.config_fields["preset"].value = preset
        qtbot.waitUntil(lambda first=first: form.plan.value.endswith(f"starts from {first}"))
    form.fields.start_from.value = "nothing"
    qtbot.waitUntil(lambda: form.plan.value.endswith("starts from random weights"))
    assert "--start-from nothing" in " ".join(form.fields.request().arguments())


def test_the_kind_of_noise_is_a_choice(form):
    assert form.fields.kind.value == "dental-xray"
    assert form.fields.sigmas.visible
    form.fields.kind.value = "quantum"
    assert not form.fields.sigmas.visible
    words = form.fields.request().arguments()
    assert words[words.index("--noise") + 1] == "quantum"
    assert "--sigma" not in words


def test_the_command_line_is_the_same_training(form, folder, tmp_path):
    form.copy_command()
    text = QApplication.clipboard().text()
    assert text.startswith(f"napari-dental-denoise train {folder} -o {tmp_path / 'mine.keras'} --preset fast")
    assert "--minutes 3" in text
    assert "--sigma 0 0.23529" in text


def test_no_command_is_copied_that_cannot_run(form, tmp_path, qtbot):
    assert form.copy.enabled
    form.fields.clean.value = tmp_path / "missing"
    qtbot.waitUntil(lambda: not form.copy.enabled)
