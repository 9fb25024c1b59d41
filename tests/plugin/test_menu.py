"""Entries of the Layers menu open the forms; Preferences give the forms their defaults."""

import pytest
from napari._app_model import get_app_model
from napari.settings import get_plugin_settings

PLUGIN = "napari-dental-denoise"


@pytest.mark.parametrize(
    ("command", "name"), [("denoise", "Denoise"), ("add_noise", "Add noise"), ("compare", "Compare")]
)
def test_the_menu_opens_the_form(viewer, command, name):
    get_app_model().commands.execute_command(f"{PLUGIN}.show_{command}").result()
    assert f"{name} ({PLUGIN})" in viewer.window.dock_widgets


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
    assert open_form("Train").fields.preset.value == "fast"
