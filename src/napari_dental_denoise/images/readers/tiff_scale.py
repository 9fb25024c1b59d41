"""The size of a pixel of a TIFF file, and the step of its volume: of OME, of ImageJ, or of the tags of a resolution."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from napari_dental_denoise.images.readers.tiff_page import is_turned, tag
from napari_dental_denoise.pixels import MM_PER_INCH, PixelSize, is_plausible, pixel_size_from_dpi

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 282, 283, 296
INCH, CENTIMETRE = 2, 3
INCHES = ("inch", "inches", "in")
MM = {
    **dict.fromkeys(("mm", "millimeter", "millimeters", "millimetre"), 1.0),
    **dict.fromkeys(("cm", "centimeter", "centimetre"), 10.0),
    **dict.fromkeys(("m", "meter", "metre"), 1000.0),
    **dict.fromkeys(("um", "\u00b5m", "\u03bcm", "\\u00b5m", "micron", "microns", "micrometer", "micrometre"), 1e-3),
    **dict.fromkeys(("nm", "nanometer", "nanometre"), 1e-6),
    **dict.fromkeys(INCHES, MM_PER_INCH),
}
# The start of the element of OME-XML that describes the first image.
OME_PIXELS = re.compile(r"<(?:\w+:)?Pixels\s[^>]*>")
OME_UNIT = "\u00b5m"


def pixel_size(tiff: TiffFile, page: TiffPage) -> PixelSize | None:
    """Return (height, width) in mm of a pixel as the page is viewed, or None."""
    size = _of_ome(tiff.ome_metadata) if tiff.is_ome and tiff.ome_metadata else None
    if size is None:
        unit = _imagej_unit(tiff)
        size = _of_imagej(page, unit) if unit is not None else _of_tags(page)
    if size is None or not all(map(is_plausible, size)):
        return None
    return size[::-1] if is_turned(page) else size


def step(tiff: TiffFile, count: int) -> float | None:
    """Return the distance in mm of the slices of a volume of so many pages, or None where the pages are no slices."""
    found = _step_of_ome(tiff, count) if tiff.is_ome else _step_of_imagej(tiff, count)
    return found if found is not None and is_plausible(found) else None


def _step_of_ome(tiff: TiffFile, count: int) -> float | None:
    pixels = OME_PIXELS.search(tiff.ome_metadata or "")
    is_volume = pixels is not None and re.search(rf'\bSizeZ="{count}"', pixels[0])
    return _ome_side(pixels[0], "PhysicalSizeZ") if pixels is not None and is_volume else None


def _step_of_imagej(tiff: TiffFile, count: int) -> float | None:
    found, unit = tiff.imagej_metadata or {}, _imagej_unit(tiff)
    if unit not in MM or found.get("slices") != count:
        return None
    try:
        # Negative where the slices were turned over.
        return abs(float(found["spacing"])) * MM[unit]
    except (KeyError, TypeError, ValueError):
        return None


def _of_ome(text: str) -> PixelSize | None:
    found = OME_PIXELS.search(text)
    if found is None:
        return None
    sides = [_ome_side(found[0], name) for name in ("PhysicalSizeY", "PhysicalSizeX")]
    height, width = sides
    return None if height is None or width is None else (height, width)


def _ome_side(element: str, name: str) -> float | None:
    value = re.search(rf'\b{name}="([^"]*)"', element)
    unit = re.search(rf'\b{name}Unit="([^"]*)"', element)
    scale = MM.get((unit[1] if unit else OME_UNIT).lower())
    try:
        return None if value is None or scale is None else float(value[1]) * scale
    except ValueError:
        return None


def _imagej_unit(tiff: TiffFile) -> str | None:
    """Return the unit that ImageJ names, in small letters, or None."""
    unit = (tiff.imagej_metadata or {}).get("unit") if tiff.is_imagej else None
    return None if unit is None else str(unit).lower()


def _resolution(page: TiffPage) -> tuple[float, float] | None:
    """Return pixels per unit, horizontal and vertical."""
    if tag(page, X_RESOLUTION) is None or tag(page, Y_RESOLUTION) is None:
        return None
    horizontal, vertical = page.resolution
    return (horizontal, vertical) if horizontal > 0 and vertical > 0 else None


def _of_imagej(page: TiffPage, unit: str) -> PixelSize | None:
    found = _resolution(page)
    if found is None or unit not in MM:
        return None
    if unit in INCHES:
        return pixel_size_from_dpi(*found)
    return MM[unit] / found[1], MM[unit] / found[0]


def _of_tags(page: TiffPage) -> PixelSize | None:
    found = _resolution(page)
    if found is None or tag(page, RESOLUTION_UNIT) not in (INCH, CENTIMETRE, None):
        return None
    return pixel_size_from_dpi(*page.get_resolution(INCH))
