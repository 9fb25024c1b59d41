"""Drive napari with mouse and keyboard through the first ten minutes of a new user, with a picture of each step.

    xvfb-run -s "-screen 0 1280x800x24" python benchmarks/first_minutes.py PICTURES --theme dark
    QT_SCALE_FACTOR=2 xvfb-run -s "-screen 0 2560x1600x24" python benchmarks/first_minutes.py PICTURES --theme light

Files are opened, one and then two layers are denoised, a result is saved, a tree of folders is opened, a model is
trained, used and compared. Everything is done through what is visible: menus, buttons, fields and dialogs. Each step
prints its time and the longest gap of a 50 ms timer; a step whose button is cut off or covered fails.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import napari
import numpy as np
from common import parser_for
from napari.settings import get_settings
from qtpy.QtCore import QPoint, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDialog,
    QDockWidget,
    QLabel,
    QLineEdit,
    QScrollArea,
    QWidget,
)
from window import Ticker

from napari_dental_denoise import add_gaussian_noise, phantoms, write_image

SIZE = (1280, 800)
LONG_NAME = "1.2.826.0.1.3680043.8.498.45787837912394887432145236789065123456.dcm"
SIGMA = 12 / 255

Answer = Callable[[QDialog], QAbstractButton | None]


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--theme", choices=("dark", "light"), default="dark")
    parser.add_argument("--minutes", type=float, default=0.5, help="time of the training")
    options = parser.parse_args()
    options.pictures.mkdir(parents=True, exist_ok=True)
    get_settings().application.ipy_interactive = False
    with tempfile.TemporaryDirectory() as folder:
        # The forms remember nothing of other windows.
        os.environ["XDG_STATE_HOME"] = str(Path(folder) / "state")
        make_files(Path(folder))
        user = User(options.pictures, options.theme)
        try:
            tour(user, Path(folder), options.minutes)
        finally:
            user.viewer.close()


def make_files(folder: Path) -> None:
    """Write scans with noise, clean images to learn from, and a tree as on a clinic's disc."""
    images = [np.rint(image * 255).astype(np.uint8) for image in phantoms(8, (488, 640), 77)]
    for number, image in enumerate(images):
        noisy = add_gaussian_noise(image, SIGMA, rng=number)
        write_image(folder / "clean" / f"{number}.png", image)
        write_image(folder / "scans" / ("scan.png" if number == 0 else f"scan-{number}.png"), noisy)
        write_image(folder / "PAT" / f"ST{number % 2}" / "IM" / f"{number}.png", noisy)
    write_image(folder / "scans" / LONG_NAME.replace(".dcm", ".png"), images[1])


def tour(user: User, folder: Path, minutes: float) -> None:
    layers = user.viewer.layers
    scans = folder / "scans"
    with user.step("open two files"):
        user.open_files(scans / "scan.png", scans / LONG_NAME.replace(".dcm", ".png"))
        user.wait(lambda: len(layers) == 2)
    with user.step("denoise the selected layer"):
        user.menu("Plugins", "Dental Denoise", "Denoise")
        user.select("scan")
        user.press("Denoise")
        user.wait(lambda: len(layers) == 3)
    with user.step("denoise two layers at once"):
        user.select("scan", LONG_NAME.removesuffix(".dcm"))
        user.press("Denoise")
        user.wait(lambda: len(layers) >= 5)
    with user.step("save the results"):
        user.press("Save result")
        user.wait(lambda: len(list(folder.rglob("*denoised*"))) >= 2)
    with user.step("open a tree of folders"):
        user.answer(lambda dialog: typed(dialog, folder / "PAT"))
        user.menu("File", "IO Utilities", "Open folder of radiographs ...")
        user.wait(lambda: len(layers) >= 6)
    with user.step("train"):
        user.menu("Plugins", "Dental Denoise", "Train")
        user.type_into("Train (", "Clean", str(folder / "clean"))
        user.type_into("Train (", "Model", str(folder / "mine.keras"))
        user.type_into("Train (", "Train for", str(minutes))
        user.press("Train")
        user.wait(lambda: user.is_enabled("Use now"), 60 * minutes + 120)
    with user.step("use the new model"):
        user.press("Use now")
        user.select("scan")
        count = len(layers)
        user.press("Denoise")
        user.wait(lambda: len(layers) > count)
    with user.step("compare"):
        user.menu("Plugins", "Dental Denoise", "Compare")
        user.press("Wipe")
        user.pause(1)
    with user.step("all forms, long names"):
        user.select(LONG_NAME.removesuffix(".dcm"))


class User:
    """Someone at mouse and keyboard, who sees only what the window shows."""

    def __init__(self, pictures: Path, theme: str) -> None:
        self.viewer = napari.Viewer(show=True)
        self.viewer.theme = theme
        self.window: QWidget = self.viewer.window._qt_window  # noqa: SLF001 (napari has no public way)
        self.window.setGeometry(0, 0, *SIZE)
        self._pictures, self._theme, self._steps = pictures, theme, 0
        self._answers: list[Answer] = []
        self._answered: QDialog | None = None
        self._timer = QTimer(self.window, interval=500)
        self._timer.timeout.connect(self._look)
        self._timer.start()
        self.pause(1)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Time a step and take its picture."""
        self._steps += 1
        ticker, begun = Ticker(), time.perf_counter()
        try:
            yield
        finally:
            print(f"{title}: {time.perf_counter() - begun:.1f} s, {ticker.longest()}", flush=True)
            ticker.stop()
            self.pause(0.7)
            name = f"{self._steps:02}-{title.replace(' ', '-')}-{self._theme}.png"
            QApplication.primaryScreen().grabWindow(0).save(str(self._pictures / name))

    def wait(self, condition: Callable[[], object], seconds: float = 30) -> None:
        """Process events until a condition holds; raise TimeoutError if it does not in time."""
        self.pause(seconds, condition)
        if not condition():
            raise TimeoutError(f"nothing happened in {seconds:.0f} s")

    def pause(self, seconds: float, until: Callable[[], object] = lambda: False) -> None:
        """Process events for a while, or until a condition holds."""
        end = time.monotonic() + seconds
        while not until() and time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.005)

    def menu(self, *path: str) -> None:
        """Click through menus."""
        bar = self.window.menuBar()
        place: QWidget = bar
        for text in path:
            action = next(each for each in place.actions() if plain(each.text()).startswith(text))
            QTest.mouseMove(place, place.actionGeometry(action).center())
            submenu = None if text == path[-1] else action.menu()
            # The mouse alone opens a submenu after a while; a click on an open one closes it.
            if submenu is not None:
                self.pause(0.5, submenu.isVisible)
            if submenu is None or not submenu.isVisible():
                QTest.mouseClick(place, Qt.MouseButton.LeftButton, pos=place.actionGeometry(action).center())
            self.pause(0.3)
            if submenu is not None:
                self.wait(submenu.isVisible)
                place = submenu

    def select(self, *names: str) -> None:
        """Click on layers in the list, the further ones with the control key."""
        view = self.viewer.window._qt_viewer.layers  # noqa: SLF001 (the list has no public way)
        model = view.model()
        rows = {model.data(model.index(row, 0)): model.index(row, 0) for row in range(model.rowCount())}
        for number, name in enumerate(names):
            view.scrollTo(rows[name])
            place = view.visualRect(rows[name]).center()
            key = Qt.KeyboardModifier.ControlModifier if number else Qt.KeyboardModifier.NoModifier
            QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, key, place)
            self.pause(0.2)

    def button(self, text: str) -> QAbstractButton | None:
        """Return a visible button of this text."""
        return with_text(self.window, text)

    def is_enabled(self, text: str) -> bool:
        """Return whether a button of this text is visible and can be pressed."""
        button = self.button(text)
        return button is not None and button.isEnabled()

    def press(self, text: str) -> None:
        """Scroll to a button and click on its middle, which must not be covered or cut off."""
        button = self.button(text)
        if button is None:
            raise LookupError(f"no button {text} is visible")
        self._click(button)

    def type_into(self, form: str, name: str, text: str) -> None:
        """Replace the text of a field of a form by their names."""
        docks = (each for each in self.window.findChildren(QDockWidget) if each.isVisible())
        dock = next(each for each in docks if each.windowTitle().startswith(form) or form in each.objectName())
        labels = [each for each in dock.findChildren(QLabel) if each.isVisible() and plain(each.text()) == name]
        if not labels:
            raise LookupError(f"no field {name} is visible")
        fields = [each for each in dock.findChildren(QLineEdit) if each.isVisible()]
        field = min(fields, key=lambda each: distance(labels[0], each))
        self._click(field)
        field.selectAll()
        QTest.keyClicks(field, text)
        QTest.keyClick(field, Qt.Key.Key_Tab)
        # The form checks what was typed.
        self.pause(1.5)

    def _click(self, widget: QWidget) -> None:
        parent = widget.parentWidget()
        while parent is not None:
            if isinstance(parent, QScrollArea):
                parent.ensureWidgetVisible(widget)
            parent = parent.parentWidget()
        self.pause(0.1)
        middle = widget.rect().center()
        for x in (2, middle.x(), widget.width() - 3):
            found = QApplication.widgetAt(widget.mapToGlobal(QPoint(x, middle.y())))
            if found is not widget and not widget.isAncestorOf(found):
                raise LookupError(f"{type(widget).__name__} {widget.objectName()} is covered or cut off")
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=middle)

    def answer(self, how: Answer) -> None:
        """Answer the next dialog: `how` fills it in, and returns the button to click on once it is there."""
        self._answers.append(how)

    def _look(self) -> None:
        """Answer a dialog that waits, and try again if it is still there."""
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, QDialog) or not dialog.isVisible():
            self._answered = None
            return
        if dialog is not self._answered and self._answers:
            self._answered, self._how = dialog, self._answers.pop(0)
        if dialog is self._answered:
            button = self._how(dialog)
            if button is not None and button.isEnabled():
                QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def open_files(self, *paths: Path) -> None:
        """Open files with this plugin's reader."""
        self.answer(lambda dialog: typed(dialog, *paths))
        self.answer(with_dental_denoise)
        self.menu("File", "Open File(s)")


def typed(dialog: QDialog, *paths: Path) -> QAbstractButton | None:
    """Type paths into a file dialog."""
    field = dialog.findChild(QLineEdit)
    # Pasted: under load, the completion of the dialog goes into what is typed.
    field.setText(str(paths[0]) if len(paths) == 1 else " ".join(f'"{path}"' for path in paths))
    return with_text(dialog, "Open", "Choose", "Save")


def with_dental_denoise(dialog: QDialog) -> QAbstractButton | None:
    """Choose this plugin in napari's dialog of readers."""
    choice = next(each for each in dialog.findChildren(QAbstractButton) if "Dental" in each.text())
    QTest.mouseClick(choice, Qt.MouseButton.LeftButton)
    return with_text(dialog, "OK")


def with_text(window: QWidget, *texts: str) -> QAbstractButton | None:
    """Return a visible button with one of these texts."""
    buttons = window.findChildren(QAbstractButton)
    return next((each for each in buttons if plain(each.text()) in texts and each.isVisible()), None)


def distance(label: QWidget, field: QWidget) -> float:
    """Return how far a field is from its label, first in rows, then in columns."""
    one, other = (each.mapToGlobal(each.rect().center()) for each in (label, field))
    return 100 * abs(one.y() - other.y()) + abs(one.x() - other.x())


def plain(text: str) -> str:
    """Return a text of a button or menu without the marks of its shortcut."""
    return text.replace("&", "")


if __name__ == "__main__":
    main()
