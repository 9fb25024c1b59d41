"""Settings of a training: one field each, from which the command line, the form and the checks are made."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from numbers import Integral
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np

from napari_dental_denoise.config import PRECISIONS, PRESETS, Precision
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.validation import check_count, is_number, per_cent_question

T = TypeVar("T")
STEPS_PER_EPOCH = (50, 500)
MAX_SEED = 2**31


@dataclass(frozen=True, slots=True)
class Setting:
    """Help text, permitted values and form field of one setting.

    Attributes
    ----------
    kind : type
        int, float or str.
    text : str
        Help text of the command line's option and tooltip of the form's field.
    choices : tuple of str
        Permitted values of a str.
    brackets : str
        "[" or "]" where the bound itself is permitted, "(" or ")" where it is not.
    label : str
        Label of the form's field; without one, the form does not offer the setting.
    spin : (float, float, float)
        Lowest value, highest value and step of the form's field.
    fixed : bool
        A resumed training must have the value that it began with.
    """

    kind: type
    text: str
    choices: tuple[str, ...] = ()
    low: float = 0
    high: float = math.inf
    brackets: str = "[)"
    label: str = ""
    spin: tuple[float, float, float] = (0, 1, 0.05)
    fixed: bool = True

    @property
    def rule(self) -> str:
        """The permitted values in words."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        number = "a whole number" if self.kind is int else "a number"
        return f"{number} in {self.brackets[0]}{self.low:g}, {self.high:g}{self.brackets[1]}"

    def permits(self, value: Any) -> bool:
        """Return whether the setting may have this value."""
        if self.choices:
            return isinstance(value, str) and value in self.choices
        if not is_number(value) or (self.kind is int and not isinstance(value, Integral)):
            return False
        at_bound = (value == self.low and "[" in self.brackets) or (value == self.high and "]" in self.brackets)
        return at_bound or self.low < value < self.high


def setting(default: T, kind: type, text: str, **rules: Any) -> T:
    """Return a dataclass field that carries a `Setting`, typed like its default as `dataclasses.field` is."""
    made: Any = field(default=default, metadata={"setting": Setting(kind, text, **rules)})
    return made


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Settings of a training.

    `averaging` is the momentum of the moving average of the weights, which is what is validated and saved. The range
    bounds the steps in an epoch where `steps_per_epoch` is None. Of at most `validation_images` images, the middle is
    validated, with sides of at most `validation_side` pixels.
    """

    preset: str = setting(
        "standard",
        str,
        "design of the network: fast, standard and best cost more and give more; classic is the textbook U-Net",
        choices=tuple(PRESETS),
        label="Preset",
    )
    epochs: int = setting(
        100,
        int,
        "epochs to train for, in all if a training is resumed; in one epoch, random patches cover the images once, "
        f"in {STEPS_PER_EPOCH[0]} to {STEPS_PER_EPOCH[1]} batches",
        low=1,
        fixed=False,
    )
    minutes: float | None = setting(
        None, float, "train for this long instead, in all if a training is resumed", brackets="()", fixed=False
    )
    steps_per_epoch: int | None = setting(
        None,
        int,
        f"batches in an epoch; default: as many as cover the images, {STEPS_PER_EPOCH[0]} to {STEPS_PER_EPOCH[1]}",
        low=1,
    )
    batch_size: int = setting(16, int, "patches in one step", low=1, label="Batch size", spin=(1, 256, 1))
    patch_size: int = setting(96, int, "side of a patch in pixels", low=1, label="Patch size (px)", spin=(16, 512, 16))
    validation_split: float = setting(
        0.1,
        float,
        "share of the files that is kept for validation",
        high=1,
        brackets="()",
        label="Validation share",
        spin=(0.01, 0.9, 0.05),
    )
    learning_rate: float = setting(
        2e-3, float, "learning rate at the start; it falls to 0 along half a cosine", brackets="()"
    )
    detail: float = setting(
        0.3,
        float,
        "weight of faint details: they are put into the patches, and what is lost of their contrast counts this much; "
        "0 turns it off, 1 keeps more detail and more noise",
        label="Keep detail",
        spin=(0, 3, 0.1),
    )
    seed: int = setting(0, int, "the same seed gives the same result")
    precision: Precision = setting(  # noqa: RUF009 (it gives a dataclasses.field)
        "auto",
        str,
        "arithmetic of the network's body: auto takes bf16 where the processor has it, at half the time",
        choices=PRECISIONS,
        fixed=False,
    )
    averaging: float = 0.999
    steps_per_epoch_range: tuple[int, int] = STEPS_PER_EPOCH
    validation_images: int = 16
    validation_side: int = 320


TRAINING = TrainingConfig()
# Detail weighs more than by default, because the models of the package denoise images of every kind.
STARTER_TRAINING = TrainingConfig(epochs=36, steps_per_epoch=500, detail=0.4)
WORKFLOW_TRAINING = TrainingConfig(minutes=3.0)
SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {each.name: each.metadata["setting"] for each in fields(TrainingConfig) if each.metadata}
)


def check_setting(name: str, value: object) -> None:
    """Raise InputError unless the setting of this name may have this value."""
    if not SETTINGS[name].permits(value) and (value is not None or getattr(TRAINING, name) is not None):
        asked = per_cent_question(value, SETTINGS[name].permits) if SETTINGS[name].high <= 1 else ""
        raise InputError(f"{name} must be {SETTINGS[name].rule}; received {value!r}{asked}")


def check_settings(config: TrainingConfig) -> None:
    """Raise InputError unless a training can have these settings."""
    for name in SETTINGS:
        check_setting(name, getattr(config, name))


def config_of(settings: Mapping[str, Any], rng: int | np.random.Generator | None) -> TrainingConfig:
    """Return the configuration for settings by name, in which an epoch of few images is short.

    Raises InputError if there is no such setting, or it has an invalid value; the seed is `rng`.
    """
    unknown = sorted(name for name in settings if name not in SETTINGS or name == "seed")
    if unknown:
        raise InputError(f"there is no setting {', '.join(unknown)}: see help(CNNDenoiser)")
    if rng is None or isinstance(rng, np.random.Generator):
        rng = int(np.random.default_rng(rng).integers(MAX_SEED))
    check_count("rng", rng, 0)
    # A checkpoint and a card hold Python's numbers only.
    plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in settings.items()}
    config = TrainingConfig(**plain, seed=int(rng), steps_per_epoch_range=(1, STEPS_PER_EPOCH[1]))
    check_settings(config)
    return config


def option(name: str) -> str:
    """Return the command line's option for a setting or a noise level."""
    return f"--{name.replace('_', '-')}"


def given_options(config: TrainingConfig) -> list[str]:
    """Return the options of the command line for all settings that differ from their defaults."""
    given = {name: getattr(config, name) for name in SETTINGS if getattr(config, name) != getattr(TRAINING, name)}
    texts = {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in given.items()}
    return [word for name, text in texts.items() for word in (option(name), text)]
