"""Summary of a model card in a line or two."""

from __future__ import annotations

from napari_dental_denoise.config import GREY_LEVELS
from napari_dental_denoise.models import ModelCard


def card_text(card: ModelCard) -> str:
    """Return what a user must know of a model before using it."""
    parts = [card.preset, _noise(card)]
    images = card.data.get("training_images")
    if images:
        parts.append(f"{images} images")
    gained = card.metrics.get("validation_psnr")
    noisy = card.metrics.get("noisy_psnr")
    if card.metrics.get("reference") == "noisy":
        parts.append("never evaluated on clean images")
    elif isinstance(gained, float) and isinstance(noisy, float):
        parts.append(f"{noisy:.1f} to {gained:.1f} dB in validation")
    parts.append("not for diagnosis")
    return "; ".join(part for part in parts if part)


def _noise(card: ModelCard) -> str:
    kind = str(card.noise.get("kind", "unknown noise"))
    sigma = card.noise.get("sigma")
    if isinstance(sigma, list | tuple) and len(sigma) == 2:
        low, high = (float(level) * GREY_LEVELS for level in sigma)
        return f"{kind} noise, sigma {low:.0f} to {high:.0f} of {GREY_LEVELS}"
    return kind
