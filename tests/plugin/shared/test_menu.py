"""Entries of the Layers menu open the forms; Preferences give the forms their defaults."""

import pytest
from napari._app_model import get_app_model
from napari.settings import get_plugin_settings

PLUGIN = "napari-dental-denoise"


@pytest.mark.parametrize(
    ("command", "name"),
    [("denoise", "Denoise"), ("add_noise", "Add noise"), ("compare", "Compare"), ("train", "Train")],
)
def test_the_menu_opens_the_form(viewer, command, name):
    get_app_model().commands.execute_command(f"{PLUGIN}.show_{command}").result()
    assert list(viewer.window.dock_widgets) == [f"{name} (Dental Denoise)"]


def test_a_command_denoises_the_selected_layers(viewer, denoise_form, qtbot, radiographs):
    layers = [viewer.add_image(image, name=str(index)) for index, image in enumerate(radiographs[:3])]
    viewer.layers.selection = layers[:2]
    get_app_model().commands.execute_command(f"{PLUGIN}.denoise_selected").result()
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


@pytest.fixture
def settings():
    """The plugin's page in Preferences, left as it was: napari keeps it in the user's own file."""
    settings = get_plugin_settings(PLUGIN)
    before = settings.denoise.strength, settings.noise.kind, settings.train.preset
    yield settings
    settings.denoise.strength, settings.noise.kind, settings.train.preset = before


def test_preferences_are_the_defaults_of_the_forms(open_form, settings):
    settings.denoise.strength = 0.6
    settings.noise.kind = "speckle"
    settings.train.preset = "fast"
    assert open_form("Denoise").strength.value == 0.6
    assert open_form("Add noise").kind.value == "speckle"
    assert open_form("Train").fields.config_fields["preset"].value == "fast"
