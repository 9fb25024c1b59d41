"""The model card: what a network was trained on and for, stored as JSON in its model file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from napari_dental_denoise.config import Predicts, Sees
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.models.calibration import is_calibration

CARD = "card.json"
PURPOSE = "For research and teaching only; never for diagnosis."
NORMALISATION = "darkest part of the image at 0, brightest at 1, without single pixels"
MAX_MULTIPLE = 256
MAX_HALO = 4096


@dataclass(frozen=True)
class ModelCard:
    """Data, settings and purpose of the training of a model."""

    # Design of the network, or "foreign" for one that was made elsewhere.
    preset: str
    # The output is the noise to subtract, or the denoised image itself.
    predicts: Predicts
    # For tiles: their sides are multiples of so many pixels, and a pixel influences others up to a distance of `halo`.
    multiple: int
    halo: int
    # The input: the image itself, or its differences from the local mean; see `seen_by`.
    sees: Sees = "image"
    # Kind and ranges of the training noise.
    noise: Mapping[str, Any] = field(default_factory=dict)
    # Counts and types of the training images; never a file name.
    data: Mapping[str, Any] = field(default_factory=dict)
    # Settings and course of the training.
    training: Mapping[str, Any] = field(default_factory=dict)
    # Validation PSNR in dB and SSIM, of the noisy and of the denoised images.
    metrics: Mapping[str, Any] = field(default_factory=dict)
    # Of the error map, which is the second output of the network; empty where there is none. See `calibrate`.
    calibration: Mapping[str, Any] = field(default_factory=dict)
    # Versions of the software that made the model.
    versions: Mapping[str, str] = field(default_factory=dict)
    # ISO 8601, UTC.
    date: str = ""
    # Hash of the member `model.weights.h5`.
    weights_sha256: str = ""
    # Hash of the members `openvino.xml` and `openvino.bin`, one after the other.
    export_sha256: str = ""
    normalisation: str = NORMALISATION
    purpose: str = PURPOSE

    def to_json(self) -> str:
        """Return the card as the text in a model file."""
        return to_json(asdict(self), indent=2)


def parse_card(data: bytes, name: str) -> ModelCard:
    """Parse the text of a card; raise InputError if it is none, or one of its values is impossible for a U-Net."""
    try:
        values = json.loads(data)
        known = {item.name for item in fields(ModelCard)}
        card = ModelCard(**{key: value for key, value in values.items() if key in known})
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{name}: its {CARD} is not a model card ({error})") from error
    if not _is_valid(card):
        raise InputError(f"{name}: its {CARD} holds invalid values")
    return card


def _is_valid(card: ModelCard) -> bool:
    """Return whether every value is of its type, which JSON does not check; True would pass for 1."""
    return (
        card.predicts in ("residual", "image")
        and card.sees in ("image", "differences")
        and (type(card.multiple), type(card.halo)) == (int, int)
        and 1 <= card.multiple <= MAX_MULTIPLE
        and 0 <= card.halo <= MAX_HALO
        and all(isinstance(part, Mapping) for part in (card.noise, card.data, card.training, card.metrics))
        and isinstance(card.versions, Mapping)
        and is_calibration(card.calibration)
        and all(isinstance(text, str) for text in (card.preset, card.date, card.weights_sha256, card.export_sha256))
        and all(isinstance(text, str) for text in (card.normalisation, card.purpose))
    )


def to_json(value: Any, indent: int | None = None) -> str:
    """Return a value as JSON text; NaN and infinity, which JSON lacks, become null."""
    return json.dumps(_with_nulls(value), indent=indent, allow_nan=False)


def _with_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _with_nulls(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_nulls(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
