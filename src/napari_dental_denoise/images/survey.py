"""Probe many files at once, and find what they have in common."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.images.formats import probe
from napari_dental_denoise.images.radiograph import FIRST_PAGE, read_radiograph
from napari_dental_denoise.pixels import ImageInfo, PixelSize

# Up to so many files are unpacked to be sure of them; of more, the headers have to be believed.
MAX_UNPACKED = 500
# So many of those are unpacked all the same, to find their range of grey values.
SAMPLED = 8


@dataclass(frozen=True, slots=True)
class Survey:
    """The headers of the readable files, in the order given, and the errors of the others."""

    images: list[ImageInfo]
    errors: list[ImageReadError]


def probe_all(paths: Sequence[Path]) -> Survey:
    """Probe files in several threads.

    Up to 500 files are also unpacked, so that every bad one is known by name. Of more files only the
    headers are read, some thousand a second; other damage shows when such a file is read.
    """
    unpack_all = len(paths) <= MAX_UNPACKED
    sampled = set() if unpack_all else {int(index) for index in np.linspace(0, len(paths) - 1, SAMPLED)}

    def probe_one(index: int) -> ImageInfo | ImageReadError:
        try:
            return _unpack(paths[index]) if unpack_all or index in sampled else probe(paths[index])
        except ImageReadError as error:
            return error

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(probe_one, range(len(paths))))
    return Survey(
        [item for item in found if isinstance(item, ImageInfo)],
        [item for item in found if isinstance(item, ImageReadError)],
    )


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
