"""The attributes that describe the pixels; what a header leaves out is taken from the pixels where these are clear."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_dental_denoise.dicom.element import PixelElement
from napari_dental_denoise.dicom.values import only_number, optional

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

GREY = ("MONOCHROME1", "MONOCHROME2")
COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "XYB", "PALETTE COLOR")
# Bits of a value that are stored as floating numbers.
FLOATING = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}
WIDTHS = (8, 16, 32)


def describe_pixels(dataset: Dataset, element: PixelElement | None) -> None:
    """Fill in the attributes of the image that a header leaves out, or states otherwise than a compressed frame."""
    photometric = str(optional(dataset, "PhotometricInterpretation") or "").strip().upper()
    if element is not None and element.keyword in FLOATING:
        dataset.BitsAllocated = dataset.BitsStored = FLOATING[element.keyword]
        dataset.SamplesPerPixel, photometric = 1, photometric or GREY[1]
    elif element is not None and element.codestream is not None and is_compressed(dataset, element):
        _believe_frame(dataset, element)
    samples = _whole(dataset, "SamplesPerPixel") or (_samples(dataset, element) if not photometric else None)
    dataset.SamplesPerPixel = samples or (3 if photometric in COLOUR[:-1] else 1)
    if photometric in GREY and dataset.SamplesPerPixel == 3:
        photometric = ""
    dataset.PhotometricInterpretation = photometric or (GREY[1] if dataset.SamplesPerPixel == 1 else COLOUR[0])
    if dataset.SamplesPerPixel > 1 and _whole(dataset, "PlanarConfiguration") is None:
        dataset.PlanarConfiguration = 0
    if _whole(dataset, "PixelRepresentation") is None:
        dataset.PixelRepresentation = 0
    if not _whole(dataset, "BitsAllocated") and element is not None:
        dataset.BitsAllocated = _bits_allocated(dataset, element)
    if not _whole(dataset, "BitsStored") and _whole(dataset, "BitsAllocated"):
        dataset.BitsStored = dataset.BitsAllocated


def is_compressed(dataset: Dataset, element: PixelElement) -> bool:
    """Return whether pixels are in frames that have to be decoded, however the header calls them."""
    if element.is_encapsulated or element.codestream is None:
        return element.is_encapsulated
    return native_bytes(dataset) != element.length


def native_bytes(dataset: Dataset, frames: int | None = None) -> int:
    """Return the bytes of uncompressed frames, by default of all of them; 0 where the header leaves out a size."""
    count = (_whole(dataset, "NumberOfFrames") or 1) if frames is None else frames
    values = [_whole(dataset, name) or 0 for name in ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated")]
    bits = math.prod(values) * count
    # Two values of colour are shared by two pixels.
    is_shared = optional(dataset, "PhotometricInterpretation") == "YBR_FULL_422"
    return -(-(bits * 2 // 3 if is_shared else bits) // 8)


def _believe_frame(dataset: Dataset, element: PixelElement) -> None:
    """Describe the pixels as the header of the first frame does; the size only where the file leaves it out."""
    frame = element.codestream
    if frame is None or frame.colours not in (1, 3, None):
        return
    if frame.colours is not None:
        dataset.SamplesPerPixel = frame.colours
    for name, side in zip(("Rows", "Columns"), frame.shape, strict=True):
        if not _whole(dataset, name):
            setattr(dataset, name, side)
    if frame.bits is None:
        return
    allocated, stored = _whole(dataset, "BitsAllocated"), _whole(dataset, "BitsStored")
    if allocated is None or allocated < frame.bits <= WIDTHS[1]:
        dataset.BitsAllocated = WIDTHS[0] if frame.bits <= WIDTHS[0] else WIDTHS[1]
        dataset.BitsStored = frame.bits
    elif stored is None:
        dataset.BitsStored = frame.bits


def _samples(dataset: Dataset, element: PixelElement | None) -> int | None:
    """Return 3 where the pixels have three times the bytes of grey ones."""
    dataset.SamplesPerPixel = 1
    one = native_bytes(dataset)
    return 3 if element is not None and one > 0 and element.length // one == 3 else None


def _bits_allocated(dataset: Dataset, element: PixelElement) -> int | None:
    """Return the bits that fill the pixels exactly, but for a byte that makes the length even."""
    for bits in WIDTHS:
        dataset.BitsAllocated = bits
        if 0 < native_bytes(dataset) in (element.length, element.length - 1):
            return bits
    return None


def _whole(dataset: Dataset, name: str) -> int | None:
    value = only_number(dataset, name)
    return None if value is None else int(value)
