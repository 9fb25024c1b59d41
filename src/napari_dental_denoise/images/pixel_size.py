"""Read the size of a pixel in mm."""

from __future__ import annotations

from pathlib import Path

from napari_dental_denoise.dicom import is_dicom, read_dicom_header
from napari_dental_denoise.images.header import DAMAGED, is_turned, open_header
from napari_dental_denoise.images.tiff import is_tiff, read_tiff_header
from napari_dental_denoise.pixels import MM_PER_INCH, PixelSize, is_plausible

# What programs write where nobody told them a size; rounded by PNG to whole pixels per metre.
SCREEN_DPI = (72, 96)
DPI_TOLERANCE = 0.1


def read_pixel_size(path: str | Path) -> PixelSize | None:
    """Read the pixel size from the resolution of a PNG or TIFF file, or the spacing in a DICOM file.

    In DICOM, that in the patient where it was calibrated, else that at the detector.

    72 and 96 dpi are what programs write where nobody told them a size: they count as none, and so
    does what JPEG says, and sizes below 0.001 mm and above 10 mm.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    (height, width) of a pixel in mm, or None where the file does not tell

    Raises
    ------
    ImageReadError
        If there is no such file, or it is no image.
    """
    path = Path(path)
    if is_dicom(path):
        return read_dicom_header(path).pixel_size
    dpi = read_tiff_header(path).dpi if is_tiff(path) else _png_dpi(path)
    if dpi is None:
        return None
    height, width = (_from_dpi(side) for side in dpi)
    return None if height is None or width is None else (height, width)


def _png_dpi(path: Path) -> tuple[float, float] | None:
    """Vertical and horizontal, as the image is looked at; JPEG's is what the last program wrote for printers."""
    with open_header(path) as header:
        if header.format != "PNG":
            return None
        try:
            horizontal, vertical = (float(dpi) for dpi in header.info["dpi"])
            return (horizontal, vertical) if is_turned(header) else (vertical, horizontal)
        except (*DAMAGED, ZeroDivisionError):
            return None


def _from_dpi(dpi: float) -> float | None:
    if not dpi > 0 or any(abs(dpi - screen) < DPI_TOLERANCE for screen in SCREEN_DPI):
        return None
    size = MM_PER_INCH / dpi
    return size if is_plausible(size) else None
