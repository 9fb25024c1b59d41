"""The models of the package, which work on images that nobody trained for, and are where trainings begin."""

from __future__ import annotations

from pathlib import Path

from napari_dental_denoise.config import MODEL_SUFFIX, PRESETS
from napari_dental_denoise.models.file import read_card

MODELS = Path(__file__).parents[1] / "models"
STARTER = MODELS / f"starter{MODEL_SUFFIX}"
FAST_STARTER = MODELS / f"starter-fast{MODEL_SUFFIX}"
# The best one first: a training begins with the first one that it can.
STARTERS = (STARTER, FAST_STARTER)
STARTER_NAME = "starter"
NOTHING = "nothing"


def starter_models() -> list[Path]:
    """Those of the package that are there, the best one first."""
    return [path for path in STARTERS if path.is_file()]


def find_model(name: str | Path) -> Path:
    """The file of a model.

    Parameters
    ----------
    name : str or Path
        A model file; or "starter" or "starter-fast", those of the package.

    Returns
    -------
    Path
    """
    return next((path for path in STARTERS if str(name) == path.stem), Path(name))


def first_model(name: str, preset: str) -> Path | None:
    """The model that a training of this preset begins with.

    Parameters
    ----------
    name : str
        A model file; "starter", the best model of the package that such a training can begin with; or "nothing".
    preset : str

    Returns
    -------
    Path or None
        None: random weights.
    """
    if name == NOTHING:
        return None
    if name != STARTER_NAME:
        return find_model(name)
    return next((path for path in starter_models() if can_initialise(preset, read_card(path).preset)), None)


def can_initialise(preset: str, first: str) -> bool:
    """Return whether a model of preset `first` has the design of `preset` with the same or fewer channels."""
    return preset in PRESETS and first in PRESETS and PRESETS[preset].extends(PRESETS[first])
