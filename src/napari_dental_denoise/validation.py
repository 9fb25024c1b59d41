"""Numbers and sides as a user gives them: whether they are any."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np


def is_number(value: Any) -> bool:
    """Whether a value is one finite number, of Python or of numpy."""
    return np.ndim(value) == 0 and np.issubdtype(np.asarray(value).dtype, np.number) and bool(np.isfinite(value))


def are_sides(value: Any, smallest: int = 1) -> bool:
    """Whether a value is a height and a width, whole numbers of so many pixels at least.

    Parameters
    ----------
    value : anything
    smallest : int
    """
    return np.shape(value) == (2,) and all(isinstance(side, Integral) and int(side) >= smallest for side in value)
