"""The models that the forms offer: those of the package, and those that were used lately."""

from __future__ import annotations

import json
from pathlib import Path

from platformdirs import user_state_path

from napari_dental_denoise.core.atomic import write_text
from napari_dental_denoise.core.errors import InputError
from napari_dental_denoise.core.starter import starter_models

REMEMBERED = 8


def recent_models() -> list[Path]:
    """Those that were used lately and are still there, the last one first."""
    try:
        names = json.loads(_list_file().read_text(encoding="utf-8"))
        return [Path(name) for name in names if Path(name).is_file()]
    except (OSError, ValueError, TypeError):
        return []


def remember_model(path: Path) -> None:
    """Put a model at the head of the recent ones; a list that cannot be written is not missed."""
    path = path.resolve()
    if path in starter_models():
        return
    recent = [path, *(other for other in recent_models() if other != path)][:REMEMBERED]
    try:
        write_text(_list_file(), json.dumps([str(item) for item in recent]), overwrite=True)
    except InputError:
        return


def _list_file() -> Path:
    return user_state_path("napari-dental-denoise") / "recent_models.json"
