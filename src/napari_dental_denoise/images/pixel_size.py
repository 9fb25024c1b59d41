"""The size of a pixel in mm: read from TIFF and PNG, and written with the image."""

from __future__ import annotations

import math
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.dicom import is_dicom, read_dicom_header
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files import atomic_write, write_bytes
from napari_dental_denoise.images.header import DAMAGED, is_turned, open_header
from napari_dental_denoise.images.raster import check_writable, write_image
from napari_dental_denoise.images.tiff import is_tiff, read_tiff_header
from napari_dental_denoise.pixels import LARGEST_MM, SMALLEST_MM, PixelSize, is_plausible

MM_PER_INCH = 25.4
# What programs write where nobody told them a size; rounded by PNG to whole pixels per metre.
SCREEN_DPI = (72, 96)
DPI_TOLERANCE = 0.1

PNG_SUFFIX = ".png"
TIFF_SUFFIXES = (".tif", ".tiff")
# Signature and header chunk; pHYs has to stand before the pixels.
PNG_START = 33
PNG_METRE = 1
# Offsets in classic TIFF have 32 bits; the rest is left for the headers of the pages.
CLASSIC_TIFF_BYTES = 2**32 - 2**26


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


def write_with_pixel_size(
    path: str | Path,
    image: NDArray[np.generic],
    pixel_size_mm: PixelSize | None,
    *,
    overwrite: bool = False,
) -> None:
    """Write one grayscale image as PNG or TIFF, with the size of its pixels.

    PNG stores whole pixels per metre, so that sizes up to 0.2 mm are kept to 1e-4 of their value;
    TIFF keeps all. Sizes that happen to be 72 or 96 dpi are not believed when they are read again.

    Parameters
    ----------
    path : str or Path
        Ends in .png, .tif or .tiff; the other formats of `write_image` are written without a size.
    image : (H, W) array; uint8, uint16 or floating
        Floating values go into TIFF, as float32, like those of `write_image`.
    pixel_size_mm : (height, width), optional
        Of a pixel, 0.001 to 10 mm.
    overwrite : bool
        Replace a file of that name.

    Raises
    ------
    InputError
        If the format cannot hold the type, the size is impossible, or the file is there already.
    """
    path = Path(path)
    check_writable(path, image)
    _check_size(pixel_size_mm)
    suffix = path.suffix.lower()
    if suffix in TIFF_SUFFIXES:
        write_tiff_pages(path, image[np.newaxis], pixel_size_mm, overwrite=overwrite)
    elif suffix == PNG_SUFFIX and pixel_size_mm is not None:
        write_bytes(path, _png(path, image, pixel_size_mm), overwrite=overwrite)
    else:
        write_image(path, image, overwrite=overwrite)


def _check_size(pixel_size_mm: PixelSize | None) -> None:
    if pixel_size_mm is not None and not all(is_plausible(side) for side in pixel_size_mm):
        raise InputError(f"pixel size must be {SMALLEST_MM} to {LARGEST_MM:g} mm; received {pixel_size_mm}")


def _png(path: Path, image: NDArray[np.generic], pixel_size_mm: PixelSize) -> bytes:
    done, encoded = cv2.imencode(PNG_SUFFIX, image)
    if not done:
        raise InputError(f"{path.name}: the image of shape {image.shape} cannot be written in this format")
    vertical, horizontal = (round(1000 / side) for side in pixel_size_mm)
    chunk = b"pHYs" + struct.pack(">IIB", horizontal, vertical, PNG_METRE)
    resolution = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    data = encoded.tobytes()
    return data[:PNG_START] + resolution + data[PNG_START:]


def write_tiff_pages(path: Path, stack: Any, pixel_size_mm: PixelSize | None, *, overwrite: bool = False) -> None:
    """Write a stack as the pages of one TIFF file, page by page.

    Parameters
    ----------
    path : Path
        Ends in .tif or .tiff.
    stack : (N, H, W) array of numpy or dask; uint8, uint16 or floating
        Of a lazy one, a page at a time is computed. Floating values become float32.
    pixel_size_mm : (height, width), optional
        Of a pixel, 0.001 to 10 mm.
    overwrite : bool
        Replace a file of that name.

    Raises
    ------
    InputError
        If the size is impossible, or the file is there already or cannot be written.
    """
    import tifffile

    _check_size(pixel_size_mm)
    resolution = None if pixel_size_mm is None else (10 / pixel_size_mm[1], 10 / pixel_size_mm[0])
    dtype = np.dtype(np.float32) if np.issubdtype(stack.dtype, np.floating) else stack.dtype
    large = math.prod(stack.shape) * dtype.itemsize > CLASSIC_TIFF_BYTES
    with atomic_write(path, overwrite=overwrite) as temporary, tifffile.TiffWriter(temporary, bigtiff=large) as writer:
        for index in range(len(stack)):
            writer.write(
                np.asarray(stack[index], dtype),
                photometric="minisblack",
                resolution=resolution,
                resolutionunit=None if resolution is None else "CENTIMETER",
                metadata=None,
                software=False,
            )
