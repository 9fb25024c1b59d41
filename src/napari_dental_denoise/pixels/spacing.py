"""The size of a pixel: what can be one of a radiograph."""

from __future__ import annotations

PixelSize = tuple[float, float]

SMALLEST_MM, LARGEST_MM = 0.001, 10.0
MM_PER_INCH = 25.4


def is_plausible(size_mm: float) -> bool:
    """Whether a pixel of a radiograph can be of this size: 0.001 to 10 mm."""
    return SMALLEST_MM <= size_mm <= LARGEST_MM
