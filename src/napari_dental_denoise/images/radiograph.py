"""One file as it is: its values as stored, and how they are to be shown and understood."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.dicom import DicomHeader, is_dicom, read_dicom
from napari_dental_denoise.images.header import read_header
from napari_dental_denoise.images.pixel_size import read_pixel_size
from napari_dental_denoise.images.raster import read_image, read_pages
from napari_dental_denoise.pixels import PLAIN, PixelEncoding, PixelSize


@dataclass(frozen=True, slots=True)
class Radiograph:
    """What a file holds.

    Attributes
    ----------
    pixels : (H, W) or, of several pages or frames, (N, H, W) array; 8 or 16 bit, or float32
        As stored.
    pixel_size : (height, width) in mm, optional
    dicom : DicomHeader, optional
        Of a DICOM file.
    """

    pixels: NDArray[np.generic]
    pixel_size: PixelSize | None
    dicom: DicomHeader | None = None

    @property
    def encoding(self) -> PixelEncoding:
        """How the values stand for grey."""
        return PLAIN if self.dicom is None else self.dicom.encoding

    @property
    def grey(self) -> NDArray[np.generic]:
        """The pixels with black at 0 and white high, as every method here expects them."""
        return self.encoding.to_grey(self.pixels)


def read_radiograph(path: str | Path) -> Radiograph:
    """Read a file with all its pages or frames.

    Parameters
    ----------
    path : str or Path
        A PNG, JPEG, TIFF, BMP, PGM or DICOM file.

    Returns
    -------
    Radiograph

    Raises
    ------
    ImageReadError
        If it cannot be read.
    """
    path = Path(path)
    if is_dicom(path):
        header, pixels = read_dicom(path)
        return Radiograph(pixels, header.pixel_size, header)
    pixels = read_pages(path) if read_header(path).pages > 1 else read_image(path)
    return Radiograph(pixels, read_pixel_size(path))
