"""TIFF: its pages, without thumbnails and masks, one at a time; also the stacks of ImageJ that have one header."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from napari_dental_denoise.config import LIMITS
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.files import reading_errors
from napari_dental_denoise.images.readers.format import DAMAGED, Format, Pages, encoding_of
from napari_dental_denoise.images.readers.tiff_page import Page, is_reduced
from napari_dental_denoise.images.readers.tiff_scale import pixel_size, step
from napari_dental_denoise.pixels import ImageInfo

if TYPE_CHECKING:
    from tifffile import TiffFile

SIGNATURES = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")


def _probe(path: Path, file: BinaryIO) -> ImageInfo:
    import tifffile

    with reading_errors(path, DAMAGED), tifffile.TiffFile(file) as tiff:
        return _info(path, tiff, _pages(path, tiff))


def _read(path: Path, file: BinaryIO, wanted: slice) -> tuple[ImageInfo, Pages]:
    """Return what the file says of its first page, and these of its pages (N, H, W), grey with white high.

    Raises ImageReadError if one of these is damaged or not read, they differ in size or type, or are too large in sum.
    """
    import tifffile

    with reading_errors(path, DAMAGED), tifffile.TiffFile(file) as tiff:
        pages = _pages(path, tiff)
        info = _info(path, tiff, pages)
        chosen = pages[wanted]
        _check_pages(path, chosen)
        # One black for all pages, whichever are read.
        black = max((page.highest() for page in (pages[0], *chosen) if page.is_inverted), default=0)
        return info, np.stack([page.grey(black) for page in chosen])


def _pages(path: Path, tiff: TiffFile) -> Sequence[Page]:
    """Return the pages that are images, or all if none is."""
    # Counted first: only then tifffile leaves a chain of pages that leads round.
    found = [tiff.pages[number].aspage() for number in range(len(tiff.pages))]
    chosen = [page for page in found if not is_reduced(page)] or found
    count = int((tiff.imagej_metadata or {}).get("images", 1)) if len(found) == 1 and tiff.is_imagej else 1
    return [Page(path, page, part) for page in chosen for part in range(count)]


def _info(path: Path, tiff: TiffFile, pages: Sequence[Page]) -> ImageInfo:
    first = pages[0]
    dtype = first.checked_type()
    size = pixel_size(tiff, first.page)
    between = step(tiff, len(pages)) if len(pages) > 1 else None
    return ImageInfo(path, "TIFF", first.shape, dtype, len(pages), encoding_of(dtype), pixel_size=size, step=between)


def _check_pages(path: Path, pages: Sequence[Page]) -> None:
    """Raise ImageReadError if the pages make no stack, before any of them is unpacked."""
    size = sum(math.prod(page.shape) * page.checked_type().itemsize for page in pages)
    if size > LIMITS.stack_bytes:
        raise ImageReadError(
            path, f"has {len(pages)} pages; at most {LIMITS.stack_bytes // 2**20} MiB are read at once"
        )
    kinds = {(page.shape, page.checked_type()) for page in pages}
    if len(kinds) > 1:
        raise ImageReadError(path, f"holds {len(pages)} pages of different sizes or types; expected equal ones")


TIFF = Format(lambda _path, start: start.startswith(SIGNATURES), _probe, _read)
