"""The Models form: the models of the package and of the user, their cards, and what can be done with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QGridLayout,
    QInputDialog,
    QListWidget,
    QListWidgetItem,
    QMessageBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_dental_denoise.config import MODEL_SUFFIX
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files import is_file
from napari_dental_denoise.models import read_card, starter_models
from napari_dental_denoise.plugin.models.field import ModelField
from napari_dental_denoise.plugin.models.known import card_text, known_models, named_models, remember_model
from napari_dental_denoise.plugin.models.manage import (
    check_own,
    delete_model,
    files_of,
    forget,
    is_default,
    rename_model,
    set_default,
)
from napari_dental_denoise.plugin.shared import (
    MINIMUM_WIDTH,
    make_scrollable,
    open_form,
    report_error,
    show_text,
    text_label,
)

if TYPE_CHECKING:
    from napari.viewer import Viewer

PATH = Qt.ItemDataRole.UserRole
COLUMNS = 3


class ModelsWidget(QWidget):
    """List the models, show their cards, and rename, forget or delete those of the user."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self.list = QListWidget()
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.card = text_label("Summary of the model card")
        self.status = text_label()
        self._make_buttons()
        layout = QVBoxLayout(self)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.card.native)
        grid = QGridLayout()
        for number, button in enumerate(self._buttons):
            grid.addWidget(button, number // COLUMNS, number % COLUMNS)
        layout.addLayout(grid)
        layout.addWidget(self.status.native)
        self.setMinimumWidth(MINIMUM_WIDTH)
        make_scrollable(self)
        self.list.currentItemChanged.connect(self._show_chosen)
        self.reset_choices()

    def _make_buttons(self) -> None:
        self.use = self._button("Use", "Choose this model in the Denoise form", self._use)
        self.default = self._button("Set as default", "Open new Denoise forms with this model", self._set_default)
        self.reveal = self._button("Show in folder", "Open the folder of the file in the file manager", self._reveal)
        self.rename = self._button("Rename ...", "Give the file another name, and its checkpoint too", self._rename)
        self.forget = self._button("Forget", "Take the model off the list; its file stays", self._forget)
        self.delete = self._button("Delete ...", "Delete the model file and its checkpoint", self._delete)
        self.add = self._button("Add ...", "Add a model file to the list", self._add)
        self._buttons = (self.use, self.default, self.reveal, self.rename, self.forget, self.delete, self.add)

    def _button(self, text: str, tooltip: str, action: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tooltip)
        button.clicked.connect(lambda: self._run(action))
        return button

    def _run(self, action: Callable[[], None]) -> None:
        show_text(self.status, "")
        try:
            action()
        except InputError as error:
            report_error(self.status, error)

    def reset_choices(self, _event: object = None) -> None:
        """List the models anew; napari calls this when layers change, too."""
        chosen = self.model
        package = [(path.stem, path) for path in starter_models()]
        own = named_models(known_models(), taken=[name for name, _ in package])
        self.list.blockSignals(True)  # noqa: FBT003 (Qt's)
        self.list.clear()
        for title, models in (("Models of the package", package), ("Your models", own)):
            heading = QListWidgetItem(title if models else f"{title}: none yet, train one or add a file")
            heading.setFlags(Qt.ItemFlag.NoItemFlags)
            self.list.addItem(heading)
            for name, path in models:
                self._add_item(name, path)
        self.list.blockSignals(False)  # noqa: FBT003 (Qt's)
        self.choose(chosen if chosen is not None else starter_models()[0])

    def _add_item(self, name: str, path: Path) -> None:
        notes = [*["default"] * is_default(path), *["missing"] * (not is_file(path))]
        item = QListWidgetItem(f"    {name}" + (f" ({', '.join(notes)})" if notes else ""))
        item.setData(PATH, str(path))
        item.setToolTip(str(path))
        self.list.addItem(item)

    @property
    def model(self) -> Path | None:
        """The chosen model."""
        item = self.list.currentItem()
        return None if item is None or item.data(PATH) is None else Path(item.data(PATH))

    def choose(self, path: Path) -> None:
        """Choose a model of the list; the first one if it is not in it."""
        items = [self.list.item(row) for row in range(self.list.count())]
        named = [item for item in items if item.data(PATH) is not None]
        found = [item for item in named if item.data(PATH) == str(path)] or named
        self.list.setCurrentItem(found[0] if found else None)
        self._show_chosen()

    def _show_chosen(self, *_: Any) -> None:
        path = self.model
        is_own = path is not None and path not in starter_models()
        exists = path is not None and is_file(path)
        problem = ""
        text = ""
        try:
            text = "" if path is None else card_text(read_card(path))
        except InputError as error:
            problem = str(error)
        show_text(self.card, problem or text, problem=bool(problem))
        for button in (self.use, self.default):
            button.setEnabled(exists and not problem)
        for button in (self.rename, self.delete):
            button.setEnabled(is_own and exists and not problem)
        self.reveal.setEnabled(path is not None and path.parent.is_dir())
        self.forget.setEnabled(is_own)

    def _chosen(self) -> Path:
        if self.model is None:
            raise InputError("Choose a model first")
        return self.model

    def _use(self) -> None:
        model = self._chosen()
        open_form(self._viewer, "Denoise").use_model(model)
        show_text(self.status, f"The Denoise form uses {model.stem}")

    def _set_default(self) -> None:
        set_default(self._chosen())
        self.reset_choices()
        show_text(self.status, f"New Denoise forms open with {self._chosen().stem}")

    def _reveal(self) -> None:
        folder = self._chosen().parent
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            raise InputError(f"No file manager was found to open {folder}")

    def _rename(self) -> None:
        model = self._chosen()
        check_own(model)
        name, given = QInputDialog.getText(self, "Rename", "New name of the model file:", text=model.stem)
        if given:
            renamed = rename_model(model, name)
            self._renew(model, renamed)
            self.choose(renamed)
            show_text(self.status, f"{model.name} is now {renamed.name}")

    def _forget(self) -> None:
        model = self._chosen()
        forget(model)
        self._renew(model, None)
        show_text(self.status, f"{model.stem} is off the list; its file stays in {model.parent}")

    def _delete(self) -> None:
        model = self._chosen()
        check_own(model)
        names = " and ".join(path.name for path in files_of(model))
        question = f"Delete {names} from {model.parent}? It cannot be undone."
        if QMessageBox.question(self, "Delete", question) == QMessageBox.StandardButton.Yes:
            delete_model(model)
            self._renew(model, None)
            show_text(self.status, f"Deleted {names}")

    def _add(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Add a model", "", f"Models (*{MODEL_SUFFIX})")
        if name:
            read_card(name)
            remember_model(Path(name))
            self._renew(Path(name), Path(name))
            self.choose(Path(name).resolve())
            show_text(self.status, f"Added {Path(name).stem}, also to the list of Denoise")

    def _renew(self, model: Path, by: Path | None) -> None:
        """List the models anew in all forms that are open."""
        self.reset_choices()
        for form in list(self._viewer.window.dock_widgets.values()):
            field = getattr(form, "models", None)
            if isinstance(field, ModelField):
                field.replace(model, by)
