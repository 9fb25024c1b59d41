"""Measure how responsive the window is: gaps of a 50 ms timer, time to open each form, time to the first result.

    xvfb-run -s "-screen 0 1400x900x24" python benchmarks/window.py

The first result is that of a new process, a second after the mouse came to the form. Each form is opened twice; the
first time includes imports.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import dask.array as da
import napari
import numpy as np
from common import parser_for
from dask import delayed
from qtpy.QtCore import QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_dental_denoise import add_gaussian_noise, phantom, phantoms, write_image

PLUGIN = "napari-dental-denoise"
TICK_MS = 50
SERIES = 1000
STEPS = (100, 101, 300, 301)
FORMS = ("Denoise", "Add noise", "Train", "Compare")


class Ticker:
    """Records the time between the ticks of a timer in the window's thread."""

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.timeout.connect(self._tick)
        self._timer.start(TICK_MS)

    def _tick(self) -> None:
        now = time.perf_counter()
        self.gaps.append(1000 * (now - self._last))
        self._last = now

    def stop(self) -> None:
        """Stop the timer."""
        self._timer.stop()

    def longest(self) -> str:
        """Return the longest and the median gap in words."""
        return f"longest gap {max(self.gaps):.0f} ms, median {np.median(self.gaps):.0f} ms, {len(self.gaps)} ticks"


def wait(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Process events until a condition holds or the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not condition():
        QApplication.processEvents()


def eight_bit(shape: tuple[int, int]) -> np.ndarray:
    """Return an 8-bit phantom."""
    return np.rint(phantom(shape, rng=0) * 255).astype(np.uint8)


def main() -> None:
    """Run all measurements."""
    parser_for(__doc__).parse_args()
    viewer = napari.Viewer(show=True)
    wait(lambda: False, 1)
    first_result(viewer)
    opening(viewer)
    gaps_while_denoising(viewer)
    gaps_while_training(viewer)
    scrolling(viewer)
    viewer.close()


def first_result(viewer: napari.Viewer) -> None:
    """Print the time from the first click to the result layer."""
    viewer.add_image(eight_bit((512, 512)))
    begun = time.perf_counter()
    form = viewer.window.add_plugin_dock_widget(PLUGIN, "Denoise")[1]
    QApplication.processEvents()
    print(f"opening Denoise, the first form of all: {time.perf_counter() - begun:.2f} s")
    # Hands come to a form before they press its button.
    QTest.mouseMove(form.start.native)
    wait(lambda: False, 1)
    begun = time.perf_counter()
    form.denoise()
    wait(lambda: len(viewer.layers) == 2)
    print(f"first result of a 512x512 layer: {time.perf_counter() - begun:.2f} s after the click")
    viewer.window.remove_dock_widget(form.native)
    viewer.layers.clear()


def opening(viewer: napari.Viewer) -> None:
    """Print the time to open each form for the first and the second time."""
    for name in FORMS:
        times = []
        for _ in range(2):
            begun = time.perf_counter()
            form = viewer.window.add_plugin_dock_widget(PLUGIN, name)[1]
            QApplication.processEvents()
            times.append(time.perf_counter() - begun)
            viewer.window.remove_dock_widget(getattr(form, "native", form))
            wait(lambda: False, 0.3)
        print(f"opening {name}: {times[0]:.2f} s the first time, {times[1]:.2f} s again")


def gaps_while_denoising(viewer: napari.Viewer) -> None:
    """Print the longest gaps of ten runs with a large image."""
    viewer.add_image(eight_bit((1300, 2900)))
    form = viewer.window.add_plugin_dock_widget(PLUGIN, "Denoise")[1]
    wait(lambda: False, 1)
    gaps = []
    for _ in range(10):
        ticker = Ticker()
        form.denoise()
        wait(lambda: len(viewer.layers) == 2 and form.start.enabled)
        wait(lambda: False, 0.3)
        gaps.append(max(ticker.gaps))
        ticker.stop()
        del viewer.layers[1]
        wait(lambda: False, 0.5)
    print(f"denoising 2900x1300, ten times: longest gaps {', '.join(f'{gap:.0f}' for gap in sorted(gaps))} ms")
    viewer.window.remove_dock_widget(form.native)
    viewer.layers.clear()


def gaps_while_training(viewer: napari.Viewer) -> None:
    """Print the gaps during some epochs on small images, with curves and preview."""
    with tempfile.TemporaryDirectory() as name:
        for index, image in enumerate(phantoms(10, (488, 748))):
            write_image(Path(name) / "scans" / f"{index}.png", np.rint(image * 255).astype(np.uint8))
        form = viewer.window.add_plugin_dock_widget(PLUGIN, "Train")[1]
        form.fields.clean.value = Path(name) / "scans"
        form.fields.model.value = Path(name) / "model.keras"
        wait(lambda: False, 1)
        ticker = Ticker()
        form.train(form.fields.request())
        wait(lambda: len(form.curves.epochs) >= 5, 120)
        print(f"training, {len(form.curves.epochs)} epochs: {ticker.longest()}")
        form.stop()
        wait(lambda: form.process is None)


def scrolling(viewer: napari.Viewer) -> None:
    """Print the times of a lazy stack of a thousand large images that is denoised on demand."""
    image = add_gaussian_noise(eight_bit((1300, 2900)), 25 / 255, rng=0)
    read: list[int] = []

    def one(index: int) -> np.ndarray:
        read.append(index)
        return np.roll(image, index, axis=1)

    frames = [da.from_delayed(delayed(one)(index), image.shape, image.dtype) for index in range(SERIES)]
    viewer.add_image(da.stack(frames), contrast_limits=(0, 255))
    form = viewer.window.add_plugin_dock_widget(PLUGIN, "Denoise")[1]
    form.lazy.value = True
    wait(lambda: False, 1)
    begun = time.perf_counter()
    form.denoise()
    wait(lambda: len(viewer.layers) == 2)
    wait(lambda: False, 1)
    print(f"lazy stack of {SERIES} images of 2900x1300: there after {time.perf_counter() - begun - 1:.2f} s")
    times = {kind: [seconds_to_show(viewer, step) for step in STEPS] for kind in ("new", "kept")}
    for kind, seconds in times.items():
        print(f"scrolling to an image that is {kind}: median {np.median(seconds):.2f} s")
    print(f"images read: {sorted(set(read))}")
    viewer.window.remove_dock_widget(form.native)
    viewer.layers.clear()


def seconds_to_show(viewer: napari.Viewer, step: int) -> float:
    """Return the time from the step of the slider to the picture."""
    begun = time.perf_counter()
    viewer.dims.set_current_step(0, step)
    wait(lambda: all(layer.loaded for layer in viewer.layers))
    QApplication.processEvents()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
