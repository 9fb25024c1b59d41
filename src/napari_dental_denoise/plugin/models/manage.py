"""Rename and delete model files of the user, and choose the default one."""

from __future__ import annotations

from pathlib import Path

from napari_dental_denoise.config import MODEL_SUFFIX
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files import is_name, reason
from napari_dental_denoise.models import STARTER_NAME, read_card, starter_models
from napari_dental_denoise.plugin.models.known import forget_model, replace_model
from napari_dental_denoise.plugin.shared import preference, set_preference
from napari_dental_denoise.training import checkpoint_path


def check_own(model: Path) -> None:
    """Raise InputError unless a file is a model, and none of the package."""
    if model in starter_models():
        raise InputError(f"{model.stem} belongs to the package: it cannot be changed")
    read_card(model)


def rename_model(model: Path, name: str) -> Path:
    """Rename a model file and its checkpoint, and return the new path; the suffix need not be given."""
    check_own(model)
    file_name = name.strip().removesuffix(MODEL_SUFFIX) + MODEL_SUFFIX
    if file_name == MODEL_SUFFIX or Path(file_name).name != file_name or "\\" in file_name:
        raise InputError(f"{name.strip() or 'An empty text'} is no file name: give a name without a folder")
    renamed = model.with_name(file_name)
    moves = [(model, renamed), (checkpoint_path(model), checkpoint_path(renamed))]
    for _, target in moves:
        if is_name(target):
            raise InputError(f"{target.name} already exists: choose another name")
    try:
        for source, target in moves:
            if is_name(source):
                source.rename(target)
    except (OSError, ValueError) as error:
        raise InputError(f"{model.name} cannot be renamed ({reason(error)})") from error
    replace_model(model, renamed)
    if is_default(model):
        set_default(renamed)
    return renamed


def files_of(model: Path) -> list[Path]:
    """Return the model file, and its checkpoint if there is one."""
    return [model, *filter(is_name, [checkpoint_path(model)])]


def delete_model(model: Path) -> None:
    """Delete a model file and its checkpoint."""
    check_own(model)
    # The checkpoint first: a model that is left can be deleted again.
    for path in reversed(files_of(model)):
        try:
            path.unlink()
        except OSError as error:
            raise InputError(f"{path.name} cannot be deleted ({reason(error)})") from error
    forget(model)


def forget(model: Path) -> None:
    """Remove a model from the lists of the forms; its file stays."""
    forget_model(model)
    if is_default(model):
        set_default(starter_models()[0])


def set_default(model: Path) -> None:
    """Make a model the default one of Preferences, which new forms have."""
    set_preference("denoise", "model", model.stem if model in starter_models() else str(model))


def is_default(model: Path) -> bool:
    """Return whether Preferences name this model, which may be missing."""
    name = model.stem if model in starter_models() else str(model)
    return bool(preference("denoise", "model", STARTER_NAME) == name)
