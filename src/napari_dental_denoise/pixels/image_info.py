"""Properties that the header of an image file of any format states, and plausible sizes of its pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from napari_dental_denoise.pixels.encoding import PLAIN, PixelEncoding

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
    # Where that size holds: in the patient, or only at the detector or on the film.
    spacing: Spacing | None = None
    # Stored values to show as black and white, where the file names them.
    limits: Limits | None = None
    # IO, PX, CR, DX and so on, "OT" for any other; only of DICOM.
    modality: str | None = None
    # Digest that is equal for the images of one DICOM series; empty for other formats.
    series: str = ""
    # Sorts the images of a series by their acquisition.
    order: tuple[str, int, int] = ("", 0, 0)
    # Digest of the DICOM file whose pixels were read, to recognise it later.
    sha256: str | None = None

    @property
    def is_dicom(self) -> bool:
        """Whether the file is DICOM."""
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


def is_plausible(size_mm: float) -> bool:
    """Return whether a pixel of a radiograph can be of this size: 0.001 to 10 mm."""
    return MIN_MM <= size_mm <= MAX_MM


def pixel_size_from_dpi(horizontal: float, vertical: float) -> PixelSize | None:
    """Return (height, width) in mm, or None where the resolution is that of a screen or of no radiograph."""
    dpi = vertical, horizontal
    if any(not side > 0 or any(abs(side - screen) < DPI_TOLERANCE for screen in SCREEN_DPI) for side in dpi):
        return None
    height, width = (MM_PER_INCH / side for side in dpi)
    return (height, width) if is_plausible(height) and is_plausible(width) else None
