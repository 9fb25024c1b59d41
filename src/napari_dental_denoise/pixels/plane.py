"""The place of a slice in the patient."""

from __future__ import annotations

import math
from typing import NamedTuple

Vector = tuple[float, float, float]
# Cosines of directions that are the same but for rounding.
SAME_DIRECTION = 1e-3


class Plane(NamedTuple):
    """The centre of the first pixel in mm, and the directions in which columns and rows are counted."""

    position: Vector
    along_row: Vector
    along_column: Vector

    @property
    def normal(self) -> Vector:
        """The direction of further slices."""
        (a, b, c), (d, e, f) = self.along_row, self.along_column
        return b * f - c * e, c * d - a * f, a * e - b * d

    @property
    def origin(self) -> Vector:
        """The position on the axes of the slice itself: along the normal, down a column, along a row."""
        z, y, x = (_dot(self.position, axis) for axis in (self.normal, self.along_column, self.along_row))
        return z, y, x

    @property
    def direction(self) -> tuple[float, ...]:
        """The directions, equal for slices that are parallel but for rounding."""
        return tuple(round(cosine / SAME_DIRECTION / 10) / 100 for cosine in (*self.along_row, *self.along_column))


def plane_of(position: list[float], orientation: list[float]) -> Plane | None:
    """Return the plane of a slice by its position and its two directions, or None where they are none."""
    if len(position) != 3 or len(orientation) != 6:
        return None
    first, second = orientation[:3], orientation[3:]
    lengths = math.hypot(*first), math.hypot(*second)
    if not all(abs(length - 1) < 10 * SAME_DIRECTION for length in lengths) or abs(_dot(first, second)) > 0.01:
        return None
    x, y, z = position
    a, b, c = first
    d, e, f = second
    return Plane((x, y, z), (a, b, c), (d, e, f))


def _dot(one: list[float] | Vector, other: list[float] | Vector) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))
