"""The size of a pixel: what can be one of a radiograph."""

from __future__ import annotations

PixelSize = tuple[float, float]

SMALLEST_MM, LARGEST_MM = 0.001, 10.0
MM_PER_INCH = 25.4
# What programs write where nobody told them a size; PNG rounds it to whole pixels per metre.
SCREEN_DPI = (72, 96)
DPI_TOLERANCE = 0.1


def is_plausible(size_mm: float) -> bool:
    """Whether a pixel of a radiograph can be of this size: 0.001 to 10 mm."""
    return SMALLEST_MM <= size_mm <= LARGEST_MM


def pixel_size_from_dpi(horizontal: float, vertical: float) -> PixelSize | None:
    """Return (height, width) in mm, or None where the resolution is that of a screen or of no radiograph.

    Parameters
    ----------
    horizontal, vertical : float
        In dots per inch.
    """
    dpi = vertical, horizontal
    if any(not side > 0 or any(abs(side - screen) < DPI_TOLERANCE for screen in SCREEN_DPI) for side in dpi):
        return None
    height, width = (MM_PER_INCH / side for side in dpi)
    return (height, width) if is_plausible(height) and is_plausible(width) else None
