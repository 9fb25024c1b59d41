"""Optional values of a DICOM file: what is missing, or cannot be made sense of, is none."""

from __future__ import annotations

import math
from collections.abc import MutableSequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def optional(dataset: Dataset, name: str) -> Any:
    """The value of an attribute that an image can be read without, or None."""
    try:
        return dataset.get(name)
    # Values are converted when they are asked for, each kind with errors of its own.
    except Exception:  # noqa: BLE001 (see above)
        return None


def numbers(dataset: Dataset, name: str) -> list[float]:
    """All numbers of an attribute; none where one of them is not finite or no number."""
    value = optional(dataset, name)
    try:
        found = [float(part) for part in (value if isinstance(value, MutableSequence) else [value])]
    except (TypeError, ValueError, OverflowError):
        return []
    return found if all(math.isfinite(number) for number in found) else []


def first_number(dataset: Dataset, name: str) -> float | None:
    """The first number of an attribute, or None."""
    found = numbers(dataset, name)
    return found[0] if found else None


def only_number(dataset: Dataset, name: str) -> float | None:
    """The number of an attribute that has one; None also where there are several."""
    found = numbers(dataset, name)
    return found[0] if len(found) == 1 else None


def parts(value: Any) -> list[Any]:
    """All values of an attribute, of which pydicom gives none, a single text or several."""
    return [value] if isinstance(value, str) else list(value or [])
