"""Models that the forms offer: those of the package, and recently used ones."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from platformdirs import user_state_path

from napari_dental_denoise.config import PROGRAM
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files import write_text
from napari_dental_denoise.models import starter_models

MAX_RECENT = 8


def recent_models() -> list[Path]:
    """Return the recently used models that still exist, the last one first."""
    try:
        names = json.loads(_list_file().read_text(encoding="utf-8"))
        return [Path(name) for name in names if Path(name).is_file()]
    except (OSError, ValueError, TypeError):
        return []


def named_models(paths: Iterable[Path], taken: Iterable[str] = ()) -> list[tuple[str, Path]]:
    """Return each model with a unique name: that of its file, with its folder if the name is not unique or `taken`."""
    found = list(dict.fromkeys(paths))
    names = Counter([*taken, *(path.stem for path in found)])
    longer = Counter(_with_folder(path) for path in found)
    named = []
    for path in found:
        name = path.stem if names[path.stem] == 1 else _with_folder(path)
        named.append((name if longer[name] <= 1 else str(path), path))
    return named


def _with_folder(path: Path) -> str:
    return f"{path.stem} ({path.parent.name})"


def remember_model(path: Path) -> None:
    """Put a model first in the list of recent ones; failures to write the list are ignored."""
    path = path.resolve()
    if path in starter_models():
        return
    recent = [path, *(other for other in recent_models() if other != path)][:MAX_RECENT]
    try:
        write_text(_list_file(), json.dumps([str(item) for item in recent]), overwrite=True)
    except InputError:
        return


def _list_file() -> Path:
    return user_state_path(PROGRAM) / "recent_models.json"
