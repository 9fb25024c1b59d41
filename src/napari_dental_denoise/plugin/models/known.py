"""Models that the forms offer: those of the package and recently used ones, and summaries of their cards."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from platformdirs import user_state_path

from napari_dental_denoise.config import GREY_LEVELS, PERCENT, PROGRAM
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files import write_text
from napari_dental_denoise.models import ModelCard, starter_models

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
    if path in starter_models() or not path.is_file():
        return
    recent = [path, *(other for other in recent_models() if other != path)][:MAX_RECENT]
    try:
        write_text(_list_file(), json.dumps([str(item) for item in recent]), overwrite=True)
    except InputError:
        return


def _list_file() -> Path:
    return user_state_path(PROGRAM) / "recent_models.json"


def card_text(card: ModelCard) -> str:
    """Return what a user must know of a model before using it."""
    images = card.data.get("training_images")
    parts = [f"{card.preset.capitalize()} network{f', trained on {images} images' if images else ''}"]
    gained = card.metrics.get("validation_psnr")
    noisy = card.metrics.get("noisy_psnr")
    if card.metrics.get("reference") == "noisy":
        parts.append("never evaluated on clean images")
    elif isinstance(gained, float) and isinstance(noisy, float):
        parts.append(f"validation PSNR {noisy:.1f} dB noisy, {gained:.1f} dB denoised")
    kept = card.metrics.get("detail_kept")
    median = kept.get("median") if isinstance(kept, dict) else None
    if isinstance(median, float):
        parts.append(f"keeps {PERCENT * median:.0f} % of a faint spot's contrast")
    parts.append("with an error map" if card.calibration else "no error map")
    parts += [f"for {_noise_text(card)}", "not for diagnosis"]
    return "; ".join(parts)


def _noise_text(card: ModelCard) -> str:
    kind = str(card.noise.get("kind", "unknown noise"))
    sigma = card.noise.get("sigma")
    if isinstance(sigma, list | tuple) and len(sigma) == 2:
        low, high = (float(level) * GREY_LEVELS for level in sigma)
        return f"{kind} noise, sigma {low:.0f} to {high:.0f} grey levels"
    return kind
