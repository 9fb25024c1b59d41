"""The Models form: what it lists, and what it does to files, lists, Preferences and open forms."""

import shutil
from pathlib import Path

import pytest
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QFileDialog, QInputDialog, QMessageBox

from napari_dental_denoise.models.pretrained import STARTERS
from napari_dental_denoise.plugin.models.known import known_models, recent_models, remember_model


@pytest.fixture
def mine(trained_model, tmp_path):
    """A model of the user, in the list, with a checkpoint beside it."""
    path = Path(shutil.copy(trained_model, tmp_path / "mine.keras"))
    path.with_suffix(".checkpoint").write_bytes(b"checkpoint")
    remember_model(path)
    return path


@pytest.fixture
def form(settings, mine, open_form):
    return open_form("Models")


def shown(form):
    return [form.list.item(row).text().strip() for row in range(form.list.count())]


def answer(monkeypatch, button):
    """Answer each question so, and return the list of the questions."""
    asked = []

    def question(_form, _title, text):
        asked.append(text)
        return getattr(QMessageBox.StandardButton, button)

    monkeypatch.setattr(QMessageBox, "question", question)
    return asked


def test_the_models_of_the_package_and_of_the_user_are_listed_with_their_cards(form, mine):
    assert shown(form) == ["Models of the package", "starter (default)", "starter-fast", "Your models", "mine"]
    assert form.model == STARTERS[0]
    assert form.card.value.startswith("Standard network")
    for button in (form.rename, form.forget, form.delete):
        assert not button.isEnabled()
    form.choose(mine)
    assert form.card.value.startswith("Fast network")
    for button in (form.use, form.rename, form.forget, form.delete):
        assert button.isEnabled()


def test_use_chooses_the_model_in_the_denoise_form(viewer, form, mine):
    form.choose(mine)
    form.use.click()
    assert viewer.window.dock_widgets["Denoise (Dental Denoise)"].model.value == mine


def test_the_default_is_what_new_forms_open_with(form, mine, open_form, settings):
    form.choose(mine)
    form.default.click()
    assert "mine (default)" in shown(form)
    assert open_form("Denoise").model.value == mine
    form.forget.click()
    assert settings.denoise.model == "starter"
    assert mine.is_file()
    assert mine not in known_models()
    assert "mine" not in "".join(shown(form))


def test_a_renamed_model_keeps_its_checkpoint_its_place_and_its_forms(form, mine, open_form, settings, monkeypatch):
    denoise_form = open_form("Denoise")
    denoise_form.use_model(mine)
    form.choose(mine)
    form.default.click()
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: ("better", True))
    form.rename.click()
    renamed = mine.with_name("better.keras")
    assert not mine.exists()
    assert renamed.is_file()
    assert renamed.with_suffix(".checkpoint").read_bytes() == b"checkpoint"
    assert recent_models() == [renamed]
    assert form.model == denoise_form.model.value == renamed
    assert form.status.value == "mine.keras is now better.keras"
    assert settings.denoise.model == str(renamed)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("other", "other.keras already exists: choose another name"),
        ("busy", "busy.checkpoint already exists: choose another name"),
        ("mine", "mine.keras already exists: choose another name"),
        ("a/b", "a/b is no file name: give a name without a folder"),
        ("..\\b", "..\\b is no file name: give a name without a folder"),
        (" ", "An empty text is no file name: give a name without a folder"),
        ("x" * 300, "mine.keras cannot be renamed (File name too long)"),
    ],
)
def test_a_name_that_cannot_be_is_refused(form, mine, monkeypatch, name, message):
    mine.with_name("other.keras").write_bytes(b"other")
    mine.with_name("busy.checkpoint").write_bytes(b"other")
    form.choose(mine)
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: (name, True))
    form.rename.click()
    assert form.status.value == message
    assert mine.is_file()
    assert mine.with_name("other.keras").read_bytes() == b"other"


def test_delete_asks_first(form, mine, monkeypatch, open_form):
    denoise_form = open_form("Denoise")
    denoise_form.use_model(mine)
    form.choose(mine)
    answer(monkeypatch, "No")
    form.delete.click()
    assert mine.is_file()
    asked = answer(monkeypatch, "Yes")
    form.delete.click()
    assert asked == [f"Delete mine.keras and mine.checkpoint from {mine.parent}? It cannot be undone."]
    assert form.status.value == "Deleted mine.keras and mine.checkpoint"
    assert not list(mine.parent.glob("mine.*"))
    assert known_models() == []
    assert denoise_form.model.value == STARTERS[0]
    assert mine not in denoise_form.model.choices


def test_a_model_stays_if_its_checkpoint_cannot_be_deleted(form, mine, monkeypatch):
    checkpoint = mine.with_suffix(".checkpoint")
    checkpoint.unlink()
    # A folder cannot be unlinked.
    checkpoint.mkdir()
    form.choose(mine)
    answer(monkeypatch, "Yes")
    form.delete.click()
    assert form.status.value.startswith("mine.checkpoint cannot be deleted (")
    assert mine.is_file()
    assert known_models() == [mine]


def test_what_is_no_model_can_be_forgotten_and_not_deleted(form, mine, monkeypatch):
    answer(monkeypatch, "Yes")
    mine.write_bytes(b"a letter to a patient")
    form.reset_choices()
    form.choose(mine)
    assert "expected a .keras model file" in form.card.value
    for button in (form.use, form.default, form.rename, form.delete):
        assert not button.isEnabled()
    # It may have changed since it was listed.
    form.delete.setEnabled(True)
    form.delete.click()
    assert mine.read_bytes() == b"a letter to a patient"
    form.forget.click()
    assert known_models() == []


def test_a_model_on_a_drive_that_is_missing_stays_in_the_list(form, mine, open_form):
    mine.unlink()
    form.reset_choices()
    assert "mine (missing)" in shown(form)
    assert mine not in open_form("Denoise").model.choices
    remember_model(mine.with_name("another.keras"))
    assert mine in known_models()


def test_a_file_is_added_if_it_is_a_model(form, trained_model, tmp_path, monkeypatch, open_form):
    denoise_form = open_form("Denoise")
    other = Path(shutil.copy(trained_model, tmp_path / "other.keras"))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(other), ""))
    form.add.click()
    assert form.model == other
    assert form.status.value == "Added other, also to the list of Denoise"
    assert other in denoise_form.model.choices
    (tmp_path / "bad.keras").write_bytes(b"x")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "bad.keras"), ""))
    form.add.click()
    assert form.status.value == "bad.keras: expected a .keras model file, which is a zip; this one is not"
    assert tmp_path / "bad.keras" not in known_models()


def test_the_folder_is_shown(form, mine, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url) or len(opened) == 1)
    form.choose(mine)
    form.reveal.click()
    assert [Path(url.toLocalFile()) for url in opened] == [mine.parent]
    assert form.status.value == ""
    form.reveal.click()
    assert form.status.native.toolTip() == f"No file manager was found to open {mine.parent}"


def test_the_denoise_form_opens_the_models(viewer, open_form):
    open_form("Denoise").models.manage.native.click()
    assert "Models (Dental Denoise)" in viewer.window.dock_widgets
