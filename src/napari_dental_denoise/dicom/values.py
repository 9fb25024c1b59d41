"""Optional attributes of DICOM datasets: missing or invalid values are None or empty."""

from __future__ import annotations

import math
from collections.abc import MutableSequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def optional(dataset: Dataset, name: str) -> Any:
    """Return the value of an attribute, or None if it is missing or cannot be converted."""
    try:
        return dataset.get(name)
    # pydicom converts values on access, and raises a different error for each kind.
    except Exception:  # noqa: BLE001 (see above)
        return None


def numbers(dataset: Dataset, name: str) -> list[float]:
    """Return the numbers of an attribute; none if one of them is not a finite number."""
    value = optional(dataset, name)
    try:
        given = value if isinstance(value, MutableSequence) else [value]
        found = [float(part) for each in given for part in (_written(each) if isinstance(each, str) else [each])]
    except (TypeError, ValueError, OverflowError):
        return []
    return found if all(math.isfinite(number) for number in found) else []


def _written(text: str) -> list[str]:
    """Return the numbers in a text; a comma is decimal where there is no point, and else between two numbers."""
    return text.split(",") if "." in text else [text.replace(",", ".")]


def first_number(dataset: Dataset, name: str) -> float | None:
    """Return the first number of an attribute, or None."""
    found = numbers(dataset, name)
    return found[0] if found else None


def only_number(dataset: Dataset, name: str) -> float | None:
    """Return the number of an attribute that has exactly one, or None."""
    found = numbers(dataset, name)
    return found[0] if len(found) == 1 else None


def parts(value: Any) -> list[Any]:
    """Return the values of an attribute as a list; pydicom returns None, one string or several."""
    return [value] if isinstance(value, str) else list(value or [])
