"""Models that the forms offer: those of the package and recently used ones, and summaries of their cards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from napari_dental_denoise.config import GREY_LEVELS, PERCENT
from napari_dental_denoise.files import is_file
from napari_dental_denoise.models import STARTER_NAME, ModelCard, find_model, starter_models
from napari_dental_denoise.plugin.shared import preference, read_state, write_state

MAX_KNOWN = 50
RECENT = "recent_models"


def known_models() -> list[Path]:
    """Return the models that were trained or used, the last one first; the drive of some may be missing."""
    try:
        return [Path(name) for name in read_state(RECENT) or []]
    except TypeError:
        return []


def recent_models() -> list[Path]:
    """Return the models that were trained or used and exist, the last one first."""
    return [path for path in known_models() if is_file(path)]


def default_model() -> Path | None:
    """Return the default model of Preferences; where it has no file, the best model of the package."""
    chosen = find_model(preference("denoise", "model", STARTER_NAME))
    return chosen if chosen.is_file() else next(iter(starter_models()), None)


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
    """Put a model first in the list of known ones; failures to write the list are ignored."""
    path = path.resolve()
    if path not in starter_models() and is_file(path):
        _keep([path, *(other for other in known_models() if other != path)])


def forget_model(path: Path) -> None:
    """Remove a model from the list of known ones; its file stays."""
    _keep([other for other in known_models() if other != path])


def replace_model(path: Path, by: Path) -> None:
    """Give a model that was renamed the place of the old name in the list."""
    _keep([by if other == path else other for other in known_models() if other != by])


def _keep(models: list[Path]) -> None:
    write_state(RECENT, [str(path) for path in models[:MAX_KNOWN]])


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
