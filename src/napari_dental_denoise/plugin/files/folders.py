"""Commands that open files and folders with this plugin's reader, without napari's "Choose reader" dialog."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_dental_denoise.config import PROGRAM
from napari_dental_denoise.errors import InputError

if TYPE_CHECKING:
    import napari.viewer

# napari's pattern for all folders; the pattern of a single folder, which its dialog stores, takes precedence.
EVERY_FOLDER = "*/"
UNDO = f"To undo: Preferences > Plugins, remove the row {EVERY_FOLDER}"


def open_folder(viewer: napari.viewer.Viewer) -> None:
    """Ask for a folder of radiographs and open it with its subfolders."""
    open_path(viewer, ask_for_folder("Open a folder of radiographs"))


def open_path(viewer: napari.viewer.Viewer, folder: Path | None) -> None:
    """Open a folder with this plugin's reader; do nothing without one."""
    if folder is None:
        return
    try:
        viewer.open(str(folder), plugin=PROGRAM)
    except InputError as error:
        from napari.utils.notifications import show_error

        show_error(str(error))


def open_files() -> None:
    """Ask for radiographs and open each as a layer in the current viewer."""
    import napari

    viewer = napari.current_viewer()
    paths = ask_for_files("Open radiographs") if viewer is not None else []
    if viewer is not None and paths:
        viewer.open(paths, plugin=PROGRAM)


def prefer_for_folders() -> None:
    """Make this plugin's reader the default for folders, and notify the user how to undo it."""
    from napari.settings import get_settings
    from napari.utils.notifications import show_info

    plugins = get_settings().plugins
    before = plugins.extension2reader.get(EVERY_FOLDER)
    if before == PROGRAM:
        show_info(f"Folders already open with Dental Denoise. {UNDO}")
        return
    plugins.extension2reader = {**plugins.extension2reader, EVERY_FOLDER: PROGRAM}
    instead = f" instead of {before}" if before else ""
    show_info(f"Folders now open with Dental Denoise{instead}. {UNDO}")


def ask_for_folder(title: str) -> Path | None:
    """Return the folder that the user selects in a dialog with this title, or None if it is cancelled."""
    # The history of napari's own dialogs, so that all of them start in the same folder.
    from napari.utils.history import get_open_history, update_open_history
    from qtpy.QtWidgets import QApplication, QFileDialog

    chosen = QFileDialog.getExistingDirectory(QApplication.activeWindow(), title, get_open_history()[0])
    if not chosen:
        return None
    update_open_history(chosen)
    return Path(chosen)


def ask_for_files(title: str) -> list[str]:
    """Return the files that the user selects in a dialog with this title, none if it is cancelled."""
    from napari.utils.history import get_open_history, update_open_history
    from qtpy.QtWidgets import QApplication, QFileDialog

    chosen, _ = QFileDialog.getOpenFileNames(QApplication.activeWindow(), title, get_open_history()[0])
    if chosen:
        update_open_history(chosen[0])
    return [str(path) for path in chosen]
