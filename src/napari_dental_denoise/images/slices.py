"""Slices of one series: their order in the patient, the step between them, and one scale of grey values for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.pixels import ImageInfo, Limits, PixelEncoding, Plane, widest_limits

# Slices that are nearer to each other than this, in mm, lie at one place.
SAME_PLACE = 1e-3
# Share of the step by which steps may differ: positions are rounded.
TOLERANCE = 0.02
INTEGERS = ("u1", "i1", "u2", "i2", "u4", "i4")


@dataclass(frozen=True)
class Depth:
    """The places of slices along their normal."""

    # Between neighbours, in mm; None where the slices are no volume.
    step: float | None = None
    # The first pixel of the first slice, in mm along the axes of the slices.
    origin: tuple[float, float, float] | None = None
    # What is wrong with the places, in words.
    problem: str = ""


class Frame(NamedTuple):
    """A page of a file, and the conversion of its stored values to the scale of the stack."""

    image: ImageInfo
    page: int
    gain: float
    offset: float
    dtype: np.dtype[Any]
    # Of the pixels outside the radiograph, in the stack; None where they need no other value.
    padding: float | None = None

    @property
    def is_as_stored(self) -> bool:
        """True if the values of the stack are the stored ones."""
        return (self.gain, self.offset, self.padding) == (1, 0, None) and self.dtype == self.image.dtype

    def convert(self, stored: NDArray[Any]) -> NDArray[Any]:
        """Return the stored values of the page on the scale of the stack."""
        if self.is_as_stored:
            return stored.astype(self.dtype, copy=False)
        wide: Any = np.int64 if self.dtype.kind in "iu" else np.float64
        values: NDArray[Any] = stored.astype(wide) * wide(self.gain) + wide(self.offset)
        if self.padding is not None:
            values[self.image.encoding.is_padding(stored)] = self.padding
        return values.astype(self.dtype)


@dataclass(frozen=True)
class Slices:
    """The pages of a stack in order, and what they have in common."""

    frames: list[Frame]
    dtype: np.dtype[Any]
    encoding: PixelEncoding
    limits: Limits | None
    depth: Depth


def order_slices(images: Sequence[ImageInfo]) -> list[ImageInfo]:
    """Return the images of a series by their place along the normal, or by number and time where it is not known."""
    first = images[0].planes[0] if images[0].planes else None
    if first is None or any(len(image.planes) != 1 for image in images):
        return sorted(images, key=lambda image: image.order)
    return sorted(images, key=lambda image: (_place(image.planes[0], first), image.order))


def stack_slices(images: Sequence[ImageInfo]) -> Slices:
    """Return the pages of one file, or the first pages of several in order, on one scale of grey values."""
    # Of several files, the first page: those of rasters may be thumbnails, and DICOM of several frames is alone.
    pages = [(image, page) for image in images for page in range(image.pages if len(images) == 1 else 1)]
    planes = [image.planes[page] for image, page in pages if image.planes]
    depth = _depth(planes) if len(planes) == len(pages) else _named_depth(images)
    rescales = [_of_page(image.rescales, page) for image, page in pages]
    reference = min(rescales, key=lambda rescale: abs(rescale[0]))
    scales = [(slope / reference[0], (offset - reference[1]) / reference[0]) for slope, offset in rescales]
    is_whole = all(float(number).is_integer() for scale in scales for number in scale)
    if not is_whole:
        # Values in the unit of the series, which no type of whole numbers holds.
        scales, reference = rescales, (1.0, 0.0)
    ends = [_ends(image, *scale) for (image, _), scale in zip(pages, scales, strict=True)]
    low, high = min(end for end, _ in ends), max(end for _, end in ends)
    padding = _padding(images, high, same=len(set(scales)) == 1)
    dtype = _narrowest(low, max(high, padding or high), images) if is_whole else np.dtype(np.float32)
    limits = [
        _scaled(_of_page(image.page_limits, page) if image.page_limits else image.limits, *scale)
        for (image, page), scale in zip(pages, scales, strict=True)
    ]
    frames = [
        Frame(image, page, *scale, dtype, None if image.encoding.padding is None else padding)
        for (image, page), scale in zip(pages, scales, strict=True)
    ]
    return Slices(frames, dtype, _encoding(images, frames, dtype), widest_limits(limits), depth)


def _encoding(images: Sequence[ImageInfo], frames: Sequence[Frame], dtype: np.dtype[Any]) -> PixelEncoding:
    """Return the encoding of a stack, with one black and one white where those of all images are known."""
    encodings = [image.encoding for image in images]
    padding = next((each.padding for each in encodings if each.padding is not None), None)
    extents = [each.extent for each in encodings if each.extent is not None]
    if all(frame.is_as_stored for frame in frames):
        extent = (min(low for low, _ in extents), max(high for _, high in extents)) if extents else None
        extent = extent if len(extents) == len(images) else None
        return replace(encodings[0], bits=max(each.bits for each in encodings), padding=padding, extent=extent)
    outside = next((int(frame.padding) for frame in frames if frame.padding is not None), None)
    if outside is not None:
        padding = outside, outside
    return replace(encodings[0], bits=8 * dtype.itemsize, padding=padding, extent=None)


def _padding(images: Sequence[ImageInfo], high: float, *, same: bool) -> float | None:
    """Return a value beyond all others for the pixels outside, or None where all images have the same one."""
    found = {image.encoding.padding for image in images if image.encoding.padding is not None}
    return None if not found or (same and len(found) == 1) else high + 1


def _of_page(values: Sequence[Any], page: int) -> Any:
    return values[page if len(values) > 1 else 0]


def _ends(image: ImageInfo, gain: float, offset: float) -> Limits:
    """Return the lowest and the highest value that a page can have on the scale of the stack."""
    if image.dtype.kind == "f":
        return 0.0, 0.0
    bits = image.bits
    low = -(2 ** (bits - 1)) if image.dtype.kind == "i" else 0
    one, other = sorted((low * gain + offset, (low + 2**bits - 1) * gain + offset))
    return one, other


def _narrowest(low: float, high: float, images: Sequence[ImageInfo]) -> np.dtype[Any]:
    """Return the type of the images or, if that cannot hold the values, the narrowest one that can."""
    own = images[0].dtype
    if own.kind == "f" or (len({image.dtype for image in images}) == 1 and _holds(own, low, high)):
        return own
    return next((np.dtype(name) for name in INTEGERS if _holds(np.dtype(name), low, high)), np.dtype(np.float32))


def _holds(dtype: np.dtype[Any], low: float, high: float) -> bool:
    return np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max


def _scaled(limits: Limits | None, gain: float, offset: float) -> Limits | None:
    if limits is None:
        return None
    one, other = sorted(end * gain + offset for end in limits)
    return one, other


def _place(plane: Plane, first: Plane) -> float:
    """Return where a slice lies along the normal of the first one."""
    return sum(a * b for a, b in zip(plane.position, first.normal, strict=True))


def _named_depth(images: Sequence[ImageInfo]) -> Depth:
    """Return the step that the file of a volume names."""
    return Depth(images[0].step if len(images) == 1 and images[0].pages > 1 else None)


def _depth(planes: Sequence[Plane]) -> Depth:
    first = planes[0]
    places = [_place(plane, first) for plane in planes]
    steps = [after - before for before, after in pairwise(places)]
    if any(plane.direction != first.direction for plane in planes) or not any(abs(step) > SAME_PLACE for step in steps):
        return Depth()
    apart = [step for step in steps if abs(step) > SAME_PLACE]
    if min(apart) < 0 < max(apart):
        return Depth(problem="frames not in the order of their places")
    step = round(float(np.median(np.abs(apart))), 6)
    _, *across = first.origin
    # Frames that are stored against the normal count along its reverse.
    along = places[0] if apart[0] > 0 else -places[0]
    return Depth(step, (along, across[0], across[1]), _problem(steps, apart, step))


def _problem(steps: Sequence[float], apart: Sequence[float], step: float) -> str:
    double = len(steps) - len(apart)
    counts = [abs(each) / step for each in apart]
    missing = sum(round(count) - 1 for count in counts if abs(count - round(count)) <= TOLERANCE * count)
    uneven = sum(abs(count - round(count)) > TOLERANCE * count or round(count) == 0 for count in counts)
    least, most = min(map(abs, apart)), max(map(abs, apart))
    found = [
        f"slices at the place of another: {double}" if double else "",
        f"slices missing: {missing}" if missing > 0 else "",
        f"uneven steps between slices: {least:.3g} to {most:.3g} mm" if uneven else "",
    ]
    return ", ".join(filter(None, found))
