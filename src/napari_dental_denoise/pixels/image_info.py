"""What an image file says of itself, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from napari_dental_denoise.pixels.encoding import PLAIN, PixelEncoding
from napari_dental_denoise.pixels.spacing import PixelSize

Limits = tuple[float, float]
Spacing = Literal["calibrated", "at the detector", "of the film scanner"]


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What an image file says of itself; its pixels may still turn out to be damaged.

    Nothing here identifies a patient.

    Attributes
    ----------
    path : Path
    format : str
        Name of the format, such as "PNG" or "DICOM".
    shape : (height, width)
        Of one page, with its orientation applied.
    dtype : numpy.dtype
        Of the stored values; of colour, that of the grey it becomes.
    pages : int
        Number of pages or frames; more than one only in TIFF and DICOM.
    encoding : PixelEncoding
        How stored values stand for grey.
    pixel_size : (height, width) in mm, optional
    spacing : str, optional
        Where that size holds: in the patient, or only at the detector or on the film.
    limits : (low, high), optional
        Stored values to show as black and white, where the file names them.
    modality : str, optional
        IO, PX, CR, DX and so on, "OT" for any other; only of DICOM.
    series : str
        Digest that is equal for the images of one DICOM series; empty for other formats.
    order : tuple
        Sorts the images of a series by their acquisition.
    sha256 : str, optional
        Of the DICOM file whose pixels were read, to recognise it later.
    """

    path: Path
    format: str
    shape: tuple[int, int]
    dtype: np.dtype[np.generic]
    pages: int = 1
    encoding: PixelEncoding = PLAIN
    pixel_size: PixelSize | None = None
    spacing: Spacing | None = None
    limits: Limits | None = None
    modality: str | None = None
    series: str = ""
    order: tuple[str, int, int] = ("", 0, 0)
    sha256: str | None = None

    @property
    def is_dicom(self) -> bool:
        """Whether the file is DICOM."""
        return self.modality is not None

    @property
    def bits(self) -> int:
        """Number of bits that a stored value can have."""
        return min(self.encoding.bits, 8 * self.dtype.itemsize) if self.dtype.kind in "iu" else 8 * self.dtype.itemsize

    def record(self) -> dict[str, Any]:
        """Return what the metadata of a layer keeps of a DICOM file."""
        encoding = self.encoding.record()
        return {"modality": self.modality, "spacing": self.spacing, "encoding": encoding, "sha256": self.sha256}
