"""The two sides of an image, as a user gives them."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np


def are_sides(value: Any, smallest: int = 1) -> bool:
    """Whether a value is a height and a width, whole numbers of so many pixels at least.

    Parameters
    ----------
    value : anything
    smallest : int
    """
    return np.shape(value) == (2,) and all(isinstance(side, Integral) and int(side) >= smallest for side in value)
