"""What each of some files holds, found without keeping their pixels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.dicom import DicomHeader, is_dicom, read_dicom, read_dicom_header
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.images.header import Header, read_header
from napari_dental_denoise.images.pixel_size import read_pixel_size
from napari_dental_denoise.images.raster import read_image
from napari_dental_denoise.pixels import PLAIN, PixelEncoding, PixelSize, full_scale

Limits = tuple[float, float]

# So many files are unpacked to be sure of them; of more, the headers have to be believed.
FULLY_CHECKED = 500
# Of files that are only believed, so many are unpacked all the same to find their range of grey values.
SAMPLED = 8


class Kind(NamedTuple):
    """What images of one stack have in common."""

    shape: tuple[int, int]
    dtype: np.dtype[np.generic]
    encoding: PixelEncoding = PLAIN
    series: str = ""


@dataclass(frozen=True, slots=True)
class FoundImage:
    """What one file holds.

    Attributes
    ----------
    path : Path
    header : Header
        Size, type and number of pages.
    pixel_size : (height, width) in mm, optional
    limits : (low, high), optional
        Grey values to show it by; None where the pixels were not looked at and the header has none.
    dicom : DicomHeader, optional
        Of a DICOM file.
    """

    path: Path
    header: Header
    pixel_size: PixelSize | None
    limits: Limits | None
    dicom: DicomHeader | None = None

    @property
    def kind(self) -> Kind:
        """What images of one stack have in common."""
        if self.dicom is None:
            return Kind(self.header.shape, self.header.dtype)
        return Kind(self.header.shape, self.header.dtype, self.dicom.encoding, self.dicom.series)


@dataclass(frozen=True, slots=True)
class Survey:
    """The files that can be used, in the order given, and the errors of the others."""

    images: list[FoundImage]
    errors: list[ImageReadError]


def survey(paths: Sequence[Path]) -> Survey:
    """Look at files.

    Up to 500 files are unpacked once, several at a time, so that every bad one is known by name. Of
    more files only the headers are read, some thousand a second: what is damaged further on
    shows when it is read.

    Parameters
    ----------
    paths : sequence of Path

    Returns
    -------
    Survey
    """
    check = len(paths) <= FULLY_CHECKED
    sampled = set() if check else {int(index) for index in np.linspace(0, len(paths) - 1, SAMPLED)}

    def look(index: int) -> FoundImage | ImageReadError:
        try:
            return find_image(paths[index], unpack=check or index in sampled)
        except ImageReadError as error:
            return error

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(look, range(len(paths))))
    return Survey(
        [item for item in found if isinstance(item, FoundImage)],
        [item for item in found if isinstance(item, ImageReadError)],
    )


def find_image(path: Path, *, unpack: bool) -> FoundImage:
    """Look at one file.

    Parameters
    ----------
    path : Path
    unpack : bool
        Make sure of its pixels and find their range, instead of reading the header alone.

    Raises
    ------
    ImageReadError
        If it cannot be read.
    """
    if is_dicom(path):
        return _find_dicom(path, unpack=unpack)
    header = read_header(path)
    pixel_size = read_pixel_size(path)
    if not unpack:
        return FoundImage(path, header, pixel_size, None)
    image = read_image(path)
    # The pixels are right where a header lies about its type.
    header = Header((image.shape[0], image.shape[1]), image.dtype, header.pages)
    return FoundImage(path, header, pixel_size, grey_limits(image))


def _find_dicom(path: Path, *, unpack: bool) -> FoundImage:
    if unpack:
        dicom, pixels = read_dicom(path)
        limits: Limits | None = dicom.limits or stored_limits(pixels, dicom.encoding)
    else:
        dicom = read_dicom_header(path)
        limits = dicom.limits
    return FoundImage(path, Header(dicom.shape, dicom.dtype, dicom.frames), dicom.pixel_size, limits, dicom)


def stored_limits(pixels: NDArray[np.generic], encoding: PixelEncoding) -> Limits:
    """The smallest and the largest stored value inside the radiograph; black and white of 8 bit."""
    if pixels.dtype == np.uint8:
        return grey_limits(pixels)
    seen = pixels[~encoding.is_padding(pixels)]
    return _wide(float(seen.min()), float(seen.max())) if seen.size else (0.0, 1.0)


def grey_limits(image: NDArray[np.generic]) -> Limits:
    """Black and white to show an image by.

    Parameters
    ----------
    image : array of any shape; uint8, uint16 or floating

    Returns
    -------
    (float, float)
        8 and 16 bit: 0 and `full_scale`. Floating: the smallest and the largest finite value.
    """
    if np.issubdtype(image.dtype, np.integer):
        return 0.0, full_scale(image)
    finite = image[np.isfinite(image)]
    if finite.size == 0:
        return 0.0, 1.0
    return _wide(float(finite.min()), float(finite.max()))


def common_limits(images: Sequence[FoundImage]) -> Limits | None:
    """The limits that hold those of all images, or None where none is known."""
    known = [image.limits for image in images if image.limits is not None]
    if not known:
        return None
    return min(low for low, _ in known), max(high for _, high in known)


def common_pixel_size(images: Sequence[FoundImage]) -> PixelSize | None:
    """The pixel size that all images agree on to a thousandth, or None."""
    first = images[0].pixel_size
    if first is None:
        return None
    agree = all(image.pixel_size is not None and np.allclose(image.pixel_size, first, rtol=1e-3) for image in images)
    return first if agree else None


def _wide(low: float, high: float) -> Limits:
    """A range of one value would show nothing."""
    return (low, high) if low < high else (low, low + 1.0)
