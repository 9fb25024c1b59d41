"""Forms open with the settings that they had last; a preference that was changed since wins."""

import json
import shutil

import pytest
from magicgui.widgets import CheckBox, ComboBox, FileEdit, FloatSpinBox, SpinBox
from qtpy.QtCore import QObject

from napari_dental_denoise.plugin.models import remember_model
from napari_dental_denoise.plugin.shared import Memory, read_state, write_state


@pytest.fixture
def again(viewer, open_form):
    """Close a form and open it anew."""

    def close_and_open(form, name):
        viewer.window.remove_dock_widget(getattr(form, "native", form))
        return open_form(name)

    return close_and_open


def test_denoise_opens_as_it_was_closed(open_form, again, trained_model):
    remember_model(trained_model)
    form = open_form("Denoise")
    form.model.value = trained_model.resolve()
    form.strength.value, form.maps.share.value, form.radius.value = 0.8, 0.95, 2.5
    boxes = ("lazy", "self_ensemble", "visible_only")
    for name in boxes:
        getattr(form, name).value = True
    form.maps.removed.value = form.field.pin.value = form.new_images.box.value = form.in_shapes.value = True
    form = again(form, "Denoise")
    assert form.model.value == trained_model.resolve()
    assert (form.strength.value, form.maps.share.value, form.radius.value) == (0.8, 0.95, 2.5)
    assert all(getattr(form, name).value for name in boxes)
    assert (form.maps.removed.value, form.maps.error.value) == (True, False)
    assert form.new_images.box.value
    # They belong to what is open.
    assert not form.field.pin.value
    assert not form.in_shapes.value


def test_add_noise_opens_with_the_levels_of_its_kind(open_form, again):
    form = open_form("Add noise")
    form.kind.value = "poisson-gaussian"
    levels = form.levels.fields
    levels["photons"].value, levels["sigma"].value, form.seed.value = 40, 5.1, 7
    form.preview.value = True
    form = again(form, "Add noise")
    assert form.recipe().levels == pytest.approx({"photons": 40, "sigma": 0.02})
    assert (form.recipe().kind, form.recipe().seed) == ("poisson-gaussian", 7)
    assert not form.preview.value


def test_train_opens_with_its_folders_and_settings(open_form, again, tmp_path):
    form = open_form("Train")
    fields = form.fields
    fields.clean.value, fields.model.value = tmp_path, tmp_path / "mine.keras"
    fields.unit.value, fields.amount.value, fields.lowest.value = "epochs", 12, 3.0
    fields.config_fields["preset"].value, fields.start_from.value = "fast", "nothing"
    before = fields.request()
    assert again(form, "Train").fields.request() == before


def test_a_folder_that_is_gone_is_not_complained_of(open_form, again, tmp_path):
    form = open_form("Train")
    for name in ("clean", "models"):
        (tmp_path / name).mkdir()
    form.fields.clean.value, form.fields.model.value = tmp_path / "clean", tmp_path / "models" / "mine.keras"
    for name in ("clean", "models"):
        (tmp_path / name).rmdir()
    form = again(form, "Train")
    assert form.fields.clean.value is None
    assert form.fields.model.value.parent.is_dir()


def test_nothing_of_an_image_is_remembered(viewer, open_form, again, noisy, tmp_path):
    viewer.add_image(noisy, name="Mueller Juergen")
    for name in ("Denoise", "Add noise", "Compare"):
        again(open_form(name), name)
    kept = "".join(path.read_text() for path in (tmp_path / "state").rglob("*.json"))
    assert "Mueller" not in kept


def test_what_changed_last_holds(open_form, again, settings):
    form = open_form("Denoise")
    form.strength.value = 0.6
    settings.denoise.strength = 0.9
    form = again(form, "Denoise")
    assert form.strength.value == 0.9
    form.strength.value = 0.7
    assert again(form, "Denoise").strength.value == 0.7


def test_nothing_is_remembered_where_preferences_say_so(open_form, again, settings):
    form = open_form("Denoise")
    form.strength.value = 0.6
    settings.general.remember = False
    form = again(form, "Denoise")
    assert form.strength.value == 1
    form.strength.value = 0.3
    settings.general.remember = True
    assert again(form, "Denoise").strength.value == 0.6


def test_the_default_model_is_that_of_preferences(open_form, settings, trained_model, tmp_path):
    own = shutil.copy(trained_model, tmp_path / "own.keras")
    settings.denoise.model = str(own)
    assert open_form("Denoise").model.value == own


def test_a_default_model_that_is_gone_is_that_of_the_package(open_form, settings, tmp_path):
    settings.denoise.model = str(tmp_path / "gone.keras")
    assert open_form("Denoise").model.value.stem == "starter"


def fields():
    return {
        "number": FloatSpinBox(value=1, max=10),
        "whole": SpinBox(value=1, max=10),
        "box": CheckBox(value=False),
        "choice": ComboBox(choices=["a", "b"]),
        "folder": FileEdit(mode="d", nullable=True),
    }


def values(these):
    return {name: field.value for name, field in these.items()}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        "null",
        '{"number": 3, "box": [], "whole": [1]}',
        '{"number": [99, 1.0], "whole": ["x", 1], "box": ["yes", false], "choice": ["c", "a"], "folder": [3, null]}',
        '{"number": [true, 1.0], "whole": [2.5, 1], "box": [1, false], "choice": [null, "a"], "folder": [{}, null]}',
        '{"number": [5, 2.0], "whole": [2, 3], "box": [true, true], "choice": ["b", "b"], "folder": ["x", "y"]}',
    ],
)
def test_a_damaged_or_outdated_memory_is_ignored(qtbot, tmp_path, text):
    state = tmp_path / "state" / "napari-dental-denoise"
    state.mkdir(parents=True)
    (state / "form_test.json").write_text(text)
    these, owner = fields(), QObject()
    memory = Memory("test", owner, these)
    assert values(these) == values(fields())
    these["number"].value = 4
    memory.close()
    assert json.loads((state / "form_test.json").read_text())["number"] == [4.0, 1.0]


def test_a_change_is_written_without_closing(qtbot):
    these, others, owner = fields(), fields(), QObject()
    memory = Memory("test", owner, these)
    these["choice"].value = "b"
    qtbot.waitUntil(lambda: read_state("form_test") is not None)
    Memory("test", owner, others)
    assert others["choice"].value == "b"
    memory.close()


def test_a_state_that_cannot_be_written_stops_nothing(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    write_state("any", 1)
    assert read_state("any") is None
