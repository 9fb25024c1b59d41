"""Properties that the header of an image file of any format states, and plausible sizes of its pixels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.pixels.encoding import PLAIN, PixelEncoding
from napari_dental_denoise.pixels.plane import Plane

Limits = tuple[float, float]
# (height, width) in mm.
PixelSize = tuple[float, float]
Spacing = Literal["calibrated", "at the detector", "of the film scanner"]

MIN_MM, MAX_MM = 0.001, 10.0
MM_PER_INCH = 25.4
# The default resolution of many programs; PNG rounds it to whole pixels per metre.
SCREEN_DPI = (72, 96)
DPI_TOLERANCE = 0.1


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """Properties that the header of an image file states; its pixels may still turn out to be damaged.

    Nothing here identifies a patient.
    """

    path: Path
    # Name of the format, such as "PNG" or "DICOM".
    format: str
    # (height, width) of one page, with its orientation applied.
    shape: tuple[int, int]
    # Type of the stored values, or of the grey that colour becomes.
    dtype: np.dtype[np.generic]
    # Number of pages or frames; more than one only in TIFF and DICOM.
    pages: int = 1
    encoding: PixelEncoding = PLAIN
    pixel_size: PixelSize | None = None
    # Between neighbouring pages in mm, where the file of a volume names it.
    step: float | None = None
    # Where that size holds: in the patient, or only at the detector or on the film.
    spacing: Spacing | None = None
    # Height of a pixel divided by its width, where only that is known.
    aspect: float | None = None
    # Stored values to show as black and white, where the file names them.
    limits: Limits | None = None
    # IO, PX, CR, DX and so on, "OT" for any other; only of DICOM.
    modality: str | None = None
    # Digest that is equal for the images of one DICOM series; empty for other formats.
    series: str = ""
    # Sorts the images of a series without positions: acquisition, number, and time of the acquisition.
    order: tuple[int, int, str] = (0, 0, "")
    # The place of each page in the patient; empty where one is not known.
    planes: tuple[Plane, ...] = ()
    # Slope and intercept that turn stored values into those of the series, of each page or of all of them.
    rescales: tuple[tuple[float, float], ...] = ((1.0, 0.0),)
    # The limits of each page, where they differ.
    page_limits: tuple[Limits | None, ...] = ()
    # Digest of the DICOM file whose pixels were read, to recognise it later.
    sha256: str | None = None

    @property
    def is_dicom(self) -> bool:
        """True if the file is DICOM."""
        return self.modality is not None

    @property
    def bits(self) -> int:
        """Number of bits that a stored value can have."""
        bits = 8 * self.dtype.itemsize
        return min(self.encoding.bits, bits) if self.dtype.kind in "iu" else bits

    def record(self) -> dict[str, Any]:
        """Return what the metadata of a layer keeps of a DICOM file."""
        encoding = self.encoding.record()
        return {"modality": self.modality, "spacing": self.spacing, "encoding": encoding, "sha256": self.sha256}


def widest_limits(limits: Iterable[Limits | None]) -> Limits | None:
    """Return the limits that hold all of those that are known, or None where none is."""
    known = [each for each in limits if each is not None]
    return (min(low for low, _ in known), max(high for _, high in known)) if known else None


def is_plausible(size_mm: float) -> bool:
    """Return whether a pixel of a radiograph can be of this size: 0.001 to 10 mm."""
    return MIN_MM <= size_mm <= MAX_MM


def check_pixel_size(pixel_size_mm: Iterable[float] | None) -> None:
    """Raise InputError if a side of a pixel, or a step between slices, is not plausible."""
    sides = tuple(pixel_size_mm or ())
    if not all(map(is_plausible, sides)):
        raise InputError(f"pixel size must be {MIN_MM} to {MAX_MM:g} mm; received {sides}")


def pixel_size_from_dpi(horizontal: float, vertical: float) -> PixelSize | None:
    """Return (height, width) in mm, or None where the resolution is that of a screen or of no radiograph."""
    dpi = vertical, horizontal
    if any(not side > 0 or any(abs(side - screen) < DPI_TOLERANCE for screen in SCREEN_DPI) for side in dpi):
        return None
    height, width = (MM_PER_INCH / side for side in dpi)
    return (height, width) if is_plausible(height) and is_plausible(width) else None
