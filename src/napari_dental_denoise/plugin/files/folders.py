"""Menu commands that open folders with this plugin's reader, past napari's "Choose reader" dialog."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.plugin.files.reader import get_reader, read_datasets
from napari_dental_denoise.plugin.shared import PLUGIN

if TYPE_CHECKING:
    import napari.viewer

# napari's pattern for every folder; a pattern for one folder, which its dialog remembers, goes before it.
EVERY_FOLDER = "*/"
UNDO = f"To undo: Preferences > Plugins, remove the row {EVERY_FOLDER}"


def open_folder(viewer: napari.viewer.Viewer) -> None:
    """Ask for a folder of radiographs and open it.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    """
    folder = ask_for_folder("Open a folder of radiographs")
    if folder is None:
        return
    try:
        _check_holds_images(folder)
        viewer.open(str(folder), plugin=PLUGIN)
    except InputError as error:
        _show(error)


def open_datasets(viewer: napari.viewer.Viewer) -> None:
    """Ask for a folder whose subfolders are datasets and open each of them.

    A dataset becomes a lazy stack of its name, or a layer for each image where sizes differ. What
    cannot be read is named in one notification, and the rest is opened.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    """
    root = ask_for_folder("Open a folder of datasets")
    if root is None:
        return
    try:
        layers = read_datasets(root)
    except InputError as error:
        _show(error)
        return
    for data, settings, _ in layers:
        viewer.add_image(data, **settings)


def prefer_for_folders() -> None:
    """Make this plugin's reader the one for all folders, and say so, and how to undo it."""
    from napari.settings import get_settings
    from napari.utils.notifications import show_info

    plugins = get_settings().plugins
    before = plugins.extension2reader.get(EVERY_FOLDER)
    if before == PLUGIN:
        show_info(f"Folders open with Dental Denoise already. {UNDO}")
        return
    plugins.extension2reader = {**plugins.extension2reader, EVERY_FOLDER: PLUGIN}
    instead = f" instead of {before}" if before else ""
    show_info(f"Folders open with Dental Denoise now{instead}, without a question. {UNDO}")


def ask_for_folder(title: str) -> Path | None:
    """A folder that the user chooses, or None.

    Parameters
    ----------
    title : str
        Of the dialog.
    """
    # napari's own settings keep where images were opened last; both dialogs then start there.
    from napari.utils.history import get_open_history, update_open_history
    from qtpy.QtWidgets import QApplication, QFileDialog

    chosen = QFileDialog.getExistingDirectory(QApplication.activeWindow(), title, get_open_history()[0])
    if not chosen:
        return None
    update_open_history(chosen)
    return Path(chosen)


def _check_holds_images(folder: Path) -> None:
    if get_reader(str(folder)) is not None:
        return
    raise InputError(f"{folder.name}: no PNG, JPEG, TIFF, BMP, PGM or DICOM in this folder or its subfolders")


def _show(error: InputError) -> None:
    from napari.utils.notifications import show_error

    show_error(str(error))
