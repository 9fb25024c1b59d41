"""Probe many files at once, and find what they have in common."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from napari_dental_denoise.config import GREY_LEVELS
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.images.formats import probe
from napari_dental_denoise.images.radiograph import FIRST_PAGE, read_radiograph
from napari_dental_denoise.pixels import ImageInfo, PixelSize

# So many of the files that do not say what is black and white are unpacked, to find their range of grey values.
SAMPLED = 8
# Up to so many files are unpacked where the values of all decide what is black.
MAX_UNPACKED = 500
EIGHT_BIT = (0.0, float(GREY_LEVELS))


@dataclass(frozen=True, slots=True)
class Survey:
    """The headers of the readable files, in the order given, and the errors of the others."""

    images: list[ImageInfo]
    errors: list[ImageReadError]


def probe_all(paths: Sequence[Path]) -> Survey:
    """Probe files in several threads, some thousand a second.

    Headers, ends and checksums are read, and the pixels of some files, to find the range of their grey values; other
    damage shows when a file is read.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(_tried(probe), paths))
        images = [replace(item, limits=_known_limits(item)) for item in found if isinstance(item, ImageInfo)]
        sampled = _to_unpack(images)
        unpacked = dict(zip(sampled, pool.map(_tried(_unpack), [images[index].path for index in sampled]), strict=True))
    results = [unpacked.get(index, image) for index, image in enumerate(images)]
    return Survey(
        [item for item in results if isinstance(item, ImageInfo)],
        [item for item in (*found, *results) if isinstance(item, ImageReadError)],
    )


def _to_unpack(images: Sequence[ImageInfo]) -> list[int]:
    """Return which images to unpack: some of those whose range is not known, and all whose black it decides."""
    unknown = [index for index, image in enumerate(images) if image.limits is None]
    # A stack has one black for all of its images only if the values of each are known.
    signed = [index for index, image in enumerate(images) if image.dtype.kind == "i" or image.encoding.inverted]
    some = {unknown[int(place)] for place in np.linspace(0, len(unknown) - 1, SAMPLED)} if unknown else set()
    return sorted(some | set(signed if len(signed) <= MAX_UNPACKED else ()))


def _tried(function: Callable[[Path], ImageInfo]) -> Callable[[Path], ImageInfo | ImageReadError]:
    """Return a function that returns the error of a file that cannot be read."""

    def tried(path: Path) -> ImageInfo | ImageReadError:
        try:
            return function(path)
        except ImageReadError as error:
            return error

    return tried


def _known_limits(image: ImageInfo) -> tuple[float, float] | None:
    """Return what the file names or, of 8 bit, the ends of the type."""
    return EIGHT_BIT if image.limits is None and image.dtype == np.uint8 else image.limits


def _unpack(path: Path) -> ImageInfo:
    radiograph = read_radiograph(path, FIRST_PAGE)
    info = radiograph.info
    limits = radiograph.limits if not info.page_limits else info.limits
    return replace(info, limits=limits, encoding=info.encoding.with_extent(radiograph.pixels))


def common_pixel_size(images: Sequence[ImageInfo]) -> PixelSize | None:
    """Return the pixel size that all images agree on to a thousandth, or None."""
    first = images[0].pixel_size
    if first is None:
        return None
    agree = all(image.pixel_size is not None and np.allclose(image.pixel_size, first, rtol=1e-3) for image in images)
    return first if agree else None
