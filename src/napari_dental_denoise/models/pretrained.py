"""The models of the package, for any radiograph, with which trainings are initialised."""

from __future__ import annotations

from pathlib import Path

from napari_dental_denoise.config import MODEL_SUFFIX, PRESETS
from napari_dental_denoise.models.file import read_card

MODELS = Path(__file__).parents[1] / "models"
STARTER = MODELS / f"starter{MODEL_SUFFIX}"
FAST_STARTER = MODELS / f"starter-fast{MODEL_SUFFIX}"
# The best one first: a training is initialised with the first that fits.
STARTERS = (STARTER, FAST_STARTER)
STARTER_NAME = "starter"
NOTHING = "nothing"


def starter_models() -> list[Path]:
    """Return the model files of the package that exist, the best one first."""
    return [path for path in STARTERS if path.is_file()]


def find_model(name: str | Path) -> Path:
    """Return the file of a model; "starter" and "starter-fast" are those of the package."""
    return next((path for path in STARTERS if str(name) == path.stem), Path(name))


def first_model(name: str, preset: str) -> Path | None:
    """Return the model that initialises a training of this preset, or None for "nothing".

    "starter" is the best model of the package that fits the preset; other names are files.
    """
    if name == NOTHING:
        return None
    if name != STARTER_NAME:
        return find_model(name)
    return next((path for path in starter_models() if can_initialise(preset, read_card(path).preset)), None)


def can_initialise(preset: str, first: str) -> bool:
    """Return whether a model of preset `first` has the design of `preset` with the same or fewer channels."""
    return preset in PRESETS and first in PRESETS and PRESETS[preset].extends(PRESETS[first])
