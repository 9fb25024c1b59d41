"""Checks of numbers and shapes that a user gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from reprlib import repr as shortened
from typing import Any

import numpy as np

from napari_dental_denoise.errors import InputError

# A share from here on is one in per cent, and no parameter with a larger bound is a share.
LEAST_PER_CENT, MAX_SHARE = 5, 2


def check_number(
    name: str, value: Any, low: float = 0.0, high: float = math.inf, *, above: float | None = None
) -> None:
    """Raise InputError unless `value` is one finite number of a range.

    Parameters
    ----------
    name : str
        The parameter, for the message.
    value : object
    low, high : float
        The smallest and the largest number allowed.
    above : float, optional
        A bound that is not allowed itself, instead of `low`.

    Raises
    ------
    InputError
        If `value` is not a number, as True, "1" and None are not, or is outside the range.
    """
    if above is not None:
        low = math.nextafter(above, math.inf)
    if not (is_number(value) and low <= value <= high):
        start = f"[{low:g}" if above is None else f"({above:g}"
        end = "inf)" if high == math.inf else f"{high:g}]"
        asked = per_cent_question(value, lambda share: high <= MAX_SHARE and low <= share <= high)
        raise InputError(f"{name} must be a number in {start}, {end}; received {shortened(value)}{asked}")


def per_cent_question(value: Any, is_permitted: Callable[[float], bool]) -> str:
    """Return a question about a share that was given in per cent, or an empty text if it was not."""
    is_meant = is_number(value) and value >= LEAST_PER_CENT and is_permitted(value / 100)
    return f": did you mean {value / 100:g}?" if is_meant else ""


def check_count(name: str, value: Any, least: int = 1) -> None:
    """Raise InputError unless `value` is a whole number of at least `least`."""
    if not is_count(value, least):
        raise InputError(f"{name} must be a whole number of at least {least}; received {shortened(value)}")


def check_flag(name: str, value: Any) -> None:
    """Raise InputError unless `value` is True or False: a text such as "no" would count as True."""
    if not isinstance(value, bool | np.bool_):
        raise InputError(f"{name} must be True or False; received {shortened(value)}")


def is_number(value: Any) -> bool:
    """Return whether a value is one finite real number, of Python or NumPy; True and False are not."""
    accepted = isinstance(value, Real | np.ndarray)
    return accepted and np.ndim(value) == 0 and np.asarray(value).dtype.kind in "iuf" and bool(np.isfinite(value))


def is_count(value: Any, least: int = 1) -> bool:
    """Return whether a value is a whole number of at least `least`; True and False are not."""
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least


def is_shape_2d(value: Any, least: int = 1) -> bool:
    """Return whether a value is (height, width) in whole pixels, at least `least` each."""
    sides = value.tolist() if isinstance(value, np.ndarray) else value
    return isinstance(sides, Sequence) and len(sides) == 2 and all(is_count(side, least) for side in sides)
