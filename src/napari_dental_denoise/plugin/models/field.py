"""The model field of a form: a choice of the known models, with the card of the chosen one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from magicgui.widgets import ComboBox, PushButton, Widget

from napari_dental_denoise.config import MODEL_SUFFIX
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files import is_file
from napari_dental_denoise.models import starter_models
from napari_dental_denoise.plugin.models.known import default_model, named_models, recent_models
from napari_dental_denoise.plugin.shared import open_form, row, show_problem, show_text, text_label

if TYPE_CHECKING:
    from napari.viewer import Viewer

NO_MODEL = "No model yet: train one, or choose a file"


class ModelField:
    """A choice of a model, a button for another file, one for the Models form, and the summary of the card."""

    def __init__(
        self, viewer: Viewer, others: Callable[[], Sequence[tuple[str, Path]]], summary: Callable[[Path], str]
    ) -> None:
        """`others` are choices besides models, and `summary` describes any choice."""
        self._viewer, self._others, self._summary = viewer, others, summary
        self._browsed: list[Path] = []
        self.model = ComboBox(
            label="Model",
            choices=self._models,
            tooltip="Models of the package (starter-fast takes a quarter of the time), those that you trained or used "
            "recently, and classical methods to compare with",
        )
        self.model.value = default_model()
        self.browse = PushButton(text="Another &model ...", tooltip="Choose a .keras model file")
        self.manage = PushButton(text="Models ...", tooltip="Rename, forget or delete models, choose the default one")
        self.card = text_label("Summary of the model card")
        self.browse.clicked.connect(self._choose_file)
        self.manage.clicked.connect(lambda: open_form(self._viewer, "Models"))
        self.model.changed.connect(self._show_card)
        self._show_card()

    @property
    def widgets(self) -> list[Widget]:
        """The rows of the form."""
        return [self.model, row(self.browse, self.manage), self.card]

    def _models(self, *_: object) -> list[tuple[str, Path]]:
        package = {path: path.stem for path in starter_models()}
        found = [*filter(is_file, self._browsed), *recent_models(), default_model()]
        own = [path for path in found if path is not None and path not in package]
        models = named_models(own, taken=package.values())
        return [*((name, path) for path, name in package.items()), *models, *self._others()]

    def use(self, path: Path) -> None:
        """Add a model file to the choices and select it."""
        if path not in self._browsed:
            self._browsed.insert(0, path)
        self.model.reset_choices()
        self.model.value = path
        self._show_card()

    def replace(self, path: Path, by: Path | None) -> None:
        """Follow a model to its new name; None if it is no longer offered."""
        was_chosen = self.model.value == path
        self._browsed = [other for other in self._browsed if other != path]
        self.model.reset_choices()
        if was_chosen and by is not None:
            self.use(by)

    def chosen(self) -> Path:
        """Return the chosen model; raise InputError if there is none."""
        model: Path | None = self.model.value
        if model is None:
            raise InputError(NO_MODEL)
        return model

    def _choose_file(self) -> None:
        from qtpy.QtWidgets import QFileDialog

        name, _ = QFileDialog.getOpenFileName(self.model.native, "Choose a model", "", f"Models (*{MODEL_SUFFIX})")
        if name:
            self.use(Path(name))

    def _show_card(self) -> None:
        try:
            show_text(self.card, self._summary(self.chosen()))
        except InputError as error:
            show_problem(self.card, error)
