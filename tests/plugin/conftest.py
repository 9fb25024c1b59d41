"""A real viewer, real forms, and a way to wait for what they do."""

import json

import numpy as np
import pytest

from napari_dental_denoise import add_gaussian_noise


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    """The list of recent models is that of the test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def viewer(make_napari_viewer):
    """A window that is shown."""
    return make_napari_viewer(show=True)


@pytest.fixture
def noisy(radiographs):
    """An 8-bit radiograph with noise that nobody trained on."""
    return add_gaussian_noise(radiographs[7], 0.1, rng=0)


@pytest.fixture
def open_form(viewer):
    """Open a form by its name in the Plugins menu."""

    def open_it(name):
        return viewer.window.add_plugin_dock_widget("napari-dental-denoise", name)[1]

    return open_it


@pytest.fixture
def denoise_form(open_form, trained_model):
    """The Denoise form with a model that was trained on phantoms."""
    form = open_form("Denoise")
    form.use_model(trained_model)
    return form


def record(layer):
    """The provenance of a layer, as it would be saved."""
    return json.loads(json.dumps(layer.metadata["napari_dental_denoise"]))


def same(one, other):
    return np.array_equal(np.asarray(one), np.asarray(other))
