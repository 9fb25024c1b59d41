"""Entries of the Layers menu open the forms; Preferences give the forms their defaults."""

import pytest
from napari._app_model import get_app_model
from qtpy.QtCore import Qt

from tests.test_documents import ROOT, blocks

PLUGIN = "napari-dental-denoise"


@pytest.mark.parametrize(
    ("command", "name"),
    [("denoise", "Denoise"), ("add_noise", "Add noise"), ("compare", "Compare"), ("train", "Train")],
)
def test_the_menu_opens_the_form(viewer, command, name):
    get_app_model().commands.execute_command(f"{PLUGIN}.show_{command}").result()
    assert list(viewer.window.dock_widgets) == [f"{name} (Dental Denoise)"]


def test_the_documented_key_denoises_the_selected_layers(viewer, denoise_form, qtbot, radiographs):
    layers = [viewer.add_image(image, name=str(index)) for index, image in enumerate(radiographs[:3])]
    viewer.layers.selection = layers[:2]
    (startup,) = blocks(ROOT / "docs" / "napari.md", "python")
    exec(startup, {"viewer": viewer})  # noqa: S102 - what a reader runs
    keys = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
    qtbot.keyClick(viewer.window._qt_viewer, Qt.Key.Key_D, keys)
    qtbot.waitUntil(lambda: len(viewer.layers) == 5 and denoise_form.start.enabled)
    assert [layer.name[0] for layer in viewer.layers[3:]] == ["0", "1"]


def test_a_command_starts_and_ends_the_wipe(viewer, radiographs):
    for image in radiographs[:2]:
        viewer.add_image(image)
    counts = []
    for _ in range(2):
        get_app_model().commands.execute_command(f"{PLUGIN}.toggle_wipe").result()
        counts.append(len(viewer.layers))
    assert counts == [4, 2]


@pytest.mark.parametrize("first", ["menu of layers", "menu of plugins", "another program"])
def test_whatever_opens_a_form_there_is_one(viewer, first):
    commands = get_app_model().commands
    openers = {
        "menu of layers": lambda: commands.execute_command(f"{PLUGIN}.show_denoise").result(),
        "menu of plugins": lambda: commands.execute_command(f"{PLUGIN}.denoise").result(),
        "another program": lambda: viewer.window.add_plugin_dock_widget(PLUGIN, "Denoise"),
    }
    openers.pop(first)()
    assert len(viewer.window.dock_widgets) == 1
    commands.execute_command(f"{PLUGIN}.show_denoise").result()
    assert len(viewer.window.dock_widgets) == 1


def test_the_menu_brings_a_hidden_form_to_light_with_the_selected_layer(viewer, radiographs):
    layers = [viewer.add_image(image, name=str(index)) for index, image in enumerate(radiographs[:3])]
    for command, name in (("denoise", "Denoise"), ("add_noise", "Add noise")):
        viewer.layers.selection = {layers[1]}
        get_app_model().commands.execute_command(f"{PLUGIN}.show_{command}").result()
        form = viewer.window.dock_widgets[f"{name} (Dental Denoise)"]
        dock = form.native.parent()
        assert form.image.value is layers[1]
        dock.hide()
        viewer.layers.selection = {layers[2]}
        get_app_model().commands.execute_command(f"{PLUGIN}.show_{command}").result()
        assert dock.isVisible()
        assert form.image.value is layers[2]


def test_preferences_are_the_defaults_of_the_forms(open_form, settings):
    settings.denoise.strength = 0.6
    settings.noise.kind = "speckle"
    settings.noise.seed = 5
    settings.train.preset, settings.train.minutes = "fast", 20
    settings.denoise.lazy = settings.denoise.self_ensemble = settings.denoise.removed = True
    denoise, noise, train = (open_form(name) for name in ("Denoise", "Add noise", "Train"))
    assert denoise.strength.value == 0.6
    assert denoise.lazy.value
    assert denoise.self_ensemble.value
    assert (denoise.maps.removed.value, denoise.maps.error.value) == (True, False)
    assert (noise.kind.value, noise.seed.value) == ("speckle", 5)
    assert (train.fields.config_fields["preset"].value, train.fields.amount.value) == ("fast", 20)
