"""The model of the package, which works on images that nobody trained for, and is where trainings begin."""

from __future__ import annotations

from pathlib import Path

from napari_dental_denoise.core.config import PRESETS
from napari_dental_denoise.core.model_file import read_card

STARTER = Path(__file__).parents[1] / "models" / "starter.keras"
STARTER_NAME = "starter"
NOTHING = "nothing"


def first_model(name: str, preset: str) -> Path | None:
    """The model that a training of this preset begins with.

    Parameters
    ----------
    name : str
        A model file; "starter", the model of the package where such a training can begin with it; or "nothing".
    preset : str

    Returns
    -------
    Path or None
        None: random weights.
    """
    if name == NOTHING:
        return None
    if name == STARTER_NAME:
        return STARTER if STARTER.is_file() and can_begin(preset, read_card(STARTER).preset) else None
    return Path(name)


def can_begin(preset: str, first: str) -> bool:
    """Whether a training of one preset can begin with a model of another: the same, or the same with fewer channels."""
    return preset in PRESETS and first in PRESETS and PRESETS[preset].extends(PRESETS[first])
