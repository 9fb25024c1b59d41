"""A real viewer, real forms, and a way to wait for what they do."""

import gc
import json
import threading
from contextlib import suppress
from functools import cache, partial

import dask.array as da
import napari.settings
import numpy as np
import psutil
import pytest
from napari._qt.qthreading import wait_for_workers_to_quit
from npe2 import PluginManifest

from napari_dental_denoise import add_gaussian_noise
from tests.plugin.window import SharedWindow

# Longer than anything takes on a busy machine: tests wait for events, and only a hang ends so.
PATIENCE_S = 400


@pytest.fixture(scope="session", autouse=True)
def cheap_viewers():
    """Each viewer reads all manifests, saves settings, and searches all objects for garbage: half of its time."""
    gc.collect()
    gc.freeze()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(napari.settings.get_settings(), "_save_on_change", False)
        patch.setattr(PluginManifest, "from_file", cache(PluginManifest.from_file))
        yield
    # As napari does when it is quit: a worker that outlives its signals aborts the process.
    wait_for_workers_to_quit()


@pytest.fixture
def qtbot(qtbot):
    """The fixture of pytest-qt, which waits for an event however long it takes."""
    qtbot.waitUntil = partial(qtbot.waitUntil, timeout=1000 * PATIENCE_S)
    return qtbot


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    """The forms remember nothing but the test, and a training that a form started ends with it."""
    state = tmp_path / "state"
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
    # For a napari in a process of its own: a small window that another run left has no place for the canvas.
    monkeypatch.setenv("NAPARI_CONFIG", str(tmp_path / "napari.yaml"))
    yield
    # Only a form that trains makes such a folder.
    if any(state.rglob("trainings")):
        end_processes(str(state))


def end_processes(folder):
    """End the supervisors of the trainings whose files are in a folder, and the trainings."""
    for process in psutil.process_iter(["cmdline"]):
        if any(word.startswith(folder) for word in process.info["cmdline"] or ()):
            with suppress(psutil.NoSuchProcess):
                for each in (process, *process.children(recursive=True)):
                    each.kill()


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """The plugin's page in Preferences, in a file of the test."""
    monkeypatch.setattr(napari.settings, "_CFG_PATH", str(tmp_path / "settings.yaml"))
    monkeypatch.setattr(napari.settings, "_PLUGIN_SETTINGS", {})
    return napari.settings.get_plugin_settings("napari-dental-denoise")


@pytest.fixture(scope="session")
def shared_window(qapp):
    """The window of `viewer`, between tests."""
    window = SharedWindow()
    yield window
    window.close()


@pytest.fixture
def no_window(shared_window):
    """No window is open as the test begins."""
    shared_window.close()


@pytest.fixture
def make_napari_viewer(no_window, make_napari_viewer):
    """The fixture of napari, for the tests that need a window of their own, hidden ones or several."""
    return make_napari_viewer


@pytest.fixture
def viewer(request, shared_window, qtbot):
    """A window that is shown, without layers and forms."""
    viewer = shared_window.viewer()
    qtbot.wait_exposed(viewer.window._qt_window)
    yield viewer
    if request.node.rep_call.failed:
        shared_window.close()
    else:
        shared_window.tidy()


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


class HeldStack:
    """A lazy stack of eight images, of which the last three come only when they are released.

    So that work on it cannot end before a test stops it.
    """

    def __init__(self, images):
        self.images, self.released = np.stack(images), threading.Event()

    def read(self, index):
        assert int(index[0]) < 5 or self.released.wait(PATIENCE_S)
        return self.images[index]

    def array(self):
        sides = [(side,) for side in self.images.shape[1:]]
        meta = np.empty((0, 0, 0), self.images.dtype)
        return da.arange(8, chunks=1).map_blocks(
            self.read, dtype=meta.dtype, chunks=((1,) * 8, *sides), new_axis=(1, 2), meta=meta
        )


def zoom_in(viewer, layer, qtbot):
    """Show a quarter of the sides of what is on view, and wait until the layer knows."""

    def shown():
        return np.ptp(layer.corner_pixels, axis=0).max()

    qtbot.waitUntil(lambda: shown() > 0)
    before = shown()
    viewer.scene.camera.zoom *= 4
    qtbot.waitUntil(lambda: shown() < before)
