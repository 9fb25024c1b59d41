"""One window for all tests that need no fresh one, each of which finds it as it was opened: to open one takes 0.3 s."""

from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import napari
from app_model import Application
from napari._app_model._app import NapariApplication, _napari_names
from napari._qt._qapp_model.qactions import init_qactions
from napari._qt.dialogs.qt_notification import NapariQtNotification
from napari.plugins import _initialize_plugins
from napari.settings import get_settings
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication


class SharedWindow:
    """A window that is opened when a test needs it, and closed for a test that needs one of its own."""

    def __init__(self):
        self._open, self._viewer = ExitStack(), None

    def viewer(self):
        if self._viewer is None:
            self._viewer = self._open.enter_context(_open_viewer())
            self._size = self._viewer.window._qt_window.size()
        return self._viewer

    def tidy(self):
        """Leave nothing of a test in the window."""
        viewer = self._viewer
        if not is_open(viewer):
            self.close()
            return
        window = viewer.window._qt_window
        for toast in window.findChildren(NapariQtNotification):
            toast.close()
        viewer.window.remove_dock_widget("all")
        viewer.layers.clear()
        viewer.dims.reset()
        viewer.dims.ndisplay = 2
        viewer.canvas.grid.reset()
        viewer.scene.camera.reset()
        get_settings().reset()
        viewer.theme = get_settings().appearance.theme
        window.resize(self._size)
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    def close(self):
        self._viewer = None
        self._open.close()


def is_open(viewer):
    return hasattr(viewer.window, "_qt_window")


@contextmanager
def _open_viewer():
    """As the fixture `make_napari_viewer` of napari, whose viewers last for one test."""
    app = NapariApplication("shared")
    app.injection_store.namespace = _napari_names
    with (
        patch.object(NapariApplication, "get_app_model", return_value=app),
        patch("napari._qt.threads.status_checker.StatusChecker.start"),
        patch("napari._qt.qt_main_window.SHOW_QT_WARNING", new=False),
    ):
        get_settings().reset()
        _forget_plugins()
        viewer = napari.Viewer(show_welcome_screen=False)
        try:
            yield viewer
            if is_open(viewer):
                viewer.close()
        finally:
            Application.destroy("shared")
            _forget_plugins()


def _forget_plugins():
    """Make the next viewer tell its application of the plugins."""
    _initialize_plugins.cache_clear()
    init_qactions.cache_clear()
