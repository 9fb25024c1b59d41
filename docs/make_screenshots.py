"""Make screenshots of napari with each form in each of its states, on synthetic radiographs.

xvfb-run -s "-screen 0 1400x900x24" python docs/make_screenshots.py
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import napari
import numpy as np
from napari._qt.dialogs.qt_notification import NapariQtNotification
from napari.settings import get_settings
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage
from qtpy.QtWidgets import QApplication

from napari_dental_denoise import add_gaussian_noise, phantom, phantoms, write_image

IMAGES = Path(__file__).parent / "images"
WIDTH, HEIGHT = 1280, 800
PLUGIN = "napari-dental-denoise"


class Window:
    """A napari viewer of the size of a small laptop's screen."""

    def __init__(self, theme: str = "dark") -> None:
        self.viewer = napari.Viewer(show=True)
        self.viewer.theme = theme
        self.viewer.window._qt_window.resize(WIDTH, HEIGHT)  # noqa: SLF001 (napari has no public way)
        self.wait(lambda: False, 0.5)

    def open(self, name: str) -> object:
        """Open a form by its name in the Plugins menu."""
        form = self.viewer.window.add_plugin_dock_widget(PLUGIN, name)[1]
        self.wait(lambda: False, 0.5)
        return form

    def wait(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        """Process events until the condition holds, or for some seconds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not condition():
            QApplication.processEvents()
            time.sleep(0.01)

    def picture(self, name: str) -> None:
        """Write a screenshot of the window."""
        self.wait(lambda: False, 0.6)
        window = self.viewer.window._qt_window  # noqa: SLF001 (its screenshot has no notifications)
        image = window.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
        if image.width() > WIDTH or image.height() > HEIGHT:
            print(f"{name}: the window has grown to {image.width()}x{image.height()}")
            image = image.scaled(WIDTH, HEIGHT, Qt.AspectRatioMode.KeepAspectRatio)
        image.save(str(IMAGES / f"{name}.png"))
        print(IMAGES / f"{name}.png")

    def dismiss(self) -> None:
        """Close all notifications."""
        for notification in self.viewer.window._qt_window.findChildren(NapariQtNotification):  # noqa: SLF001 (see above)
            notification.close()

    def close(self) -> None:
        """Close the viewer."""
        self.viewer.close()
        self.wait(lambda: False, 0.3)


def radiograph() -> tuple[np.ndarray, np.ndarray]:
    """Return a clean image and the same image with noise; 8 bit."""
    clean = np.rint(phantom((700, 640), rng=11) * 255).astype(np.uint8)
    return clean, add_gaussian_noise(clean, 25 / 255, rng=0)


def denoise_pictures(theme: str) -> None:
    """Make screenshots of the Denoise form: empty, running, done, and with an error."""
    _, noisy = radiograph()
    window = Window(theme)
    form = window.open("Denoise")
    window.picture(f"denoise-empty-{theme}")
    form.denoise()
    window.picture(f"denoise-error-{theme}")
    window.dismiss()
    window.viewer.add_image(
        np.tile(noisy, (30, 1, 1)), name="series", scale=(1, 0.03, 0.03), units=("pixel", "mm", "mm")
    )
    form.denoise()
    window.wait(lambda: form.work.progress.value > 5)
    window.picture(f"denoise-running-{theme}")
    form.work.stop()
    window.wait(lambda: form.start.enabled)
    window.viewer.layers.clear()
    window.viewer.add_image(noisy, name="scan 12", scale=(0.03, 0.03), units=("mm", "mm"))
    window.viewer.reset_view()
    form.denoise()
    window.wait(lambda: len(window.viewer.layers) == 2)
    window.picture(f"denoise-done-{theme}")
    window.close()


def map_picture(theme: str) -> None:
    """Make a screenshot of the detail map of a radiograph."""
    _, noisy = radiograph()
    window = Window(theme)
    window.viewer.add_image(noisy, name="scan 12", scale=(0.03, 0.03), units=("mm", "mm"))
    form = window.open("Denoise")
    form.map_detail()
    window.wait(lambda: len(window.viewer.layers) == 2)
    window.picture(f"detail-map-{theme}")
    window.close()


def noise_picture(theme: str) -> None:
    """Make a screenshot of the Add noise form with its live preview."""
    clean, _ = radiograph()
    window = Window(theme)
    window.viewer.add_image(clean, name="scan 12")
    form = window.open("Add noise")
    form.kind.value = "poisson-gaussian"
    form.preview.value = True
    window.wait(lambda: len(window.viewer.layers) == 2, 5)
    window.picture(f"add-noise-{theme}")
    form.preview.value = False
    window.close()


def training_pictures(theme: str, folder: Path) -> None:
    """Make screenshots of the Train form: empty, running and stopped."""
    window = Window(theme)
    form = window.open("Train")
    form.fields.model.value = "dental.keras"
    window.picture(f"train-empty-{theme}")
    form.fields.clean.value = folder / "scans"
    form.fields.model.value = folder / f"mine-{theme}.keras"
    # The fastest preset shows curves after a minute.
    form.fields.config_fields["preset"].value = "fast"
    window.wait(lambda: form.start.enabled, 5)
    form.train(form.fields.request())
    window.wait(lambda: len(form.curves.epochs) >= 6, 120)
    window.picture(f"train-running-{theme}")
    form.stop()
    window.wait(lambda: form.process is None)
    window.picture(f"train-stopped-{theme}")
    window.close()


def compare_picture(theme: str) -> None:
    """Make a screenshot of the Compare form with a wipe, scores and a line profile."""
    clean, noisy = radiograph()
    window = Window(theme)
    window.viewer.add_image(clean, name="scan 12 clean")
    window.viewer.add_image(noisy, name="scan 12")
    denoise = window.open("Denoise")
    denoise.image.value = window.viewer.layers["scan 12"]
    denoise.denoise()
    window.wait(lambda: len(window.viewer.layers) == 3)
    window.viewer.window.remove_dock_widget(denoise.native)
    form = window.open("Compare")
    window.wait(lambda: False, 1)
    form.wipe.setChecked(True)
    window.wait(lambda: False, 2)
    window.picture(f"compare-{theme}")
    window.close()


def main() -> None:
    """Make all screenshots, in the dark and in the light theme."""
    get_settings().application.ipy_interactive = False
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # The forms remember nothing of other windows.
        os.environ["XDG_STATE_HOME"] = str(folder / "state")
        for index, image in enumerate(phantoms(12, (300, 400))):
            write_image(folder / "scans" / f"{index}.png", np.rint(image * 255).astype(np.uint8))
        for theme in ("dark", "light"):
            denoise_pictures(theme)
            map_picture(theme)
            noise_picture(theme)
            training_pictures(theme, folder)
            compare_picture(theme)


if __name__ == "__main__":
    main()
