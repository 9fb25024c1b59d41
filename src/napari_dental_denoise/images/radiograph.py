"""Read image files: their pixels and what their headers say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.images.formats import read_stored
from napari_dental_denoise.pixels import ImageInfo, Limits, full_scale

ALL_PAGES, FIRST_PAGE = slice(None), slice(1)


@dataclass(frozen=True)
class Radiograph:
    """The pixels of a file and its header."""

    info: ImageInfo
    # As stored: (H, W) or, of several pages or frames, (N, H, W); 8 or 16 bit, or float32.
    pixels: NDArray[np.generic]

    @cached_property
    def grey(self) -> NDArray[np.generic]:
        """The pixels with black at 0 and white high, as every method here expects them."""
        return self.info.encoding.to_grey(self.pixels)

    @property
    def limits(self) -> Limits:
        """Stored values to show as black and white."""
        if self.info.limits is not None:
            return self.info.limits
        if not self.info.is_dicom or self.pixels.dtype == np.uint8:
            return grey_limits(self.pixels)
        # DICOM without a window often uses a small part of its 16 bits.
        seen = self.pixels[~self.info.encoding.is_padding(self.pixels)]
        return _not_empty(float(seen.min()), float(seen.max())) if seen.size else (0.0, 1.0)


def read_radiograph(path: str | Path, pages: slice = ALL_PAGES) -> Radiograph:
    """Read a file of any format with all its pages or frames, or with those of a slice.

    Raises ImageReadError if the file cannot be read, or the pages to read differ in size or type or are too large
    together.
    """
    info, found = read_stored(Path(path), pages)
    return Radiograph(info, found[0] if len(found) == 1 else found)


def read_image(path: str | Path) -> NDArray[np.generic]:
    """Read one radiograph as grayscale, white high; of several pages or frames, the first.

    Colour and palette become grey by the standard weights (0.299 R + 0.587 G + 0.114 B); grey that
    is stored as RGB comes back exactly. The EXIF orientation is applied, transparency is dropped.
    DICOM values come in the fewest bits that hold them; signed ones, and those of which the lowest is shown
    white (as in MONOCHROME1), become unsigned with black at 0.

    Parameters
    ----------
    path : str or Path
        A PNG, JPEG, TIFF, DICOM or other image file; the content decides, not the suffix.

    Returns
    -------
    (H, W) array; uint8, uint16, uint32 or floating

    Raises
    ------
    ImageReadError
        If there is no such file, or it is empty, truncated, too large or of another format.

    Examples
    --------
    >>> import tempfile
    >>> from napari_dental_denoise import phantom, read_image, write_image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_image(f"{folder}/scan.tif", phantom((64, 96), rng=0))
    ...     read_image(f"{folder}/scan.tif").shape
    (64, 96)
    """
    return read_radiograph(path, FIRST_PAGE).grey


def read_pages(path: str | Path) -> NDArray[np.generic]:
    """Read every page or frame of a file as grayscale, white high; see `read_image`.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    (N, H, W) array; uint8, uint16 or float32

    Raises
    ------
    ImageReadError
        If the file cannot be read, or its pages differ in size or type.

    Examples
    --------
    >>> import tempfile
    >>> from napari_dental_denoise import phantom, read_pages, write_image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_image(f"{folder}/scan.tif", phantom((64, 96), rng=0))
    ...     read_pages(f"{folder}/scan.tif").shape
    (1, 64, 96)
    """
    grey = read_radiograph(path).grey
    return grey if grey.ndim == 3 else grey[np.newaxis]


def grey_limits(image: NDArray[np.generic]) -> Limits:
    """Return the values to show as black and white: 0 and `full_scale`, or the ends of signed, long or finite ones."""
    if image.dtype in (np.uint8, np.uint16):
        return 0.0, full_scale(image)
    finite = image[np.isfinite(image)]
    return _not_empty(float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)


def _not_empty(low: float, high: float) -> Limits:
    return (low, high) if low < high else (low, low + 1.0)


def take_rows(image: NDArray[np.generic], rows: slice) -> NDArray[np.generic]:
    """Return these rows of an image or stack (..., H, W) as a view; raise InputError if it has none of them."""
    taken = image[..., rows, :]
    if taken.size == 0:
        raise InputError(f"has {image.shape[-2]} rows, none of them among those asked for")
    return taken
