"""The levels of the Add noise form; a standard deviation is entered in grey levels of 8 bit."""

from __future__ import annotations

from collections.abc import Mapping

from magicgui.widgets import FloatSlider, FloatSpinBox
from qtpy.QtWidgets import QDoubleSpinBox

from napari_dental_denoise.config import GREY_LEVELS
from napari_dental_denoise.noise import LEVEL_MEANINGS, is_in_grey_levels, noise_kind

MAX_SIGMA = 0.5
SIGMA_STEP = 0.1
# Minimum, maximum and step.
SPIN_RANGES = {"photons": (1, 1e6, 10), "blur": (0, 32, 0.1), "exponent": (0, 4, 0.1), "quality": (1, 100, 5)}
DECIMALS = 3


class LevelFields:
    """A field for each level by name, of which those of a kind of noise are shown."""

    def __init__(self) -> None:
        self.fields = {name: _field(name) for name in LEVEL_MEANINGS}

    def show(self, kind: str) -> None:
        """Show the levels of a kind, at their defaults."""
        used = noise_kind(kind).levels
        for name, field in self.fields.items():
            field.visible = name in used
            if name not in used:
                continue
            unit = _unit(kind, name)
            if isinstance(field, FloatSlider) and name != "amount":
                field.label = f"{_label(name)} ({'grey levels' if unit > 1 else 'share'})"
                # The step first, which decides on the rounding.
                field.step, field.max = (SIGMA_STEP if unit > 1 else SIGMA_STEP / 100), MAX_SIGMA * unit
            field.value = used[name].default * unit

    def values(self, kind: str) -> Mapping[str, float]:
        """Return the levels of a kind as its function takes them."""
        return {name: float(self.fields[name].value) / _unit(kind, name) for name in noise_kind(kind).levels}


def _unit(kind: str, name: str) -> int:
    return GREY_LEVELS if is_in_grey_levels(kind, name) else 1


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _field(name: str) -> FloatSlider | FloatSpinBox:
    tooltip = LEVEL_MEANINGS[name]
    if name in SPIN_RANGES:
        low, high, step = SPIN_RANGES[name]
        return FloatSpinBox(label=_label(name), min=low, max=high, step=step, tooltip=tooltip)
    slider = FloatSlider(label=_label(name), max=1, step=0.001, tooltip=tooltip)
    # As many decimals as the smallest step has; magicgui shows two.
    number: QDoubleSpinBox = slider.native.findChild(QDoubleSpinBox)
    number.setDecimals(DECIMALS)
    return slider
