"""Grayscale transformations of DICOM: lookup tables, polarity, and the window in stored values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.dicom.values import first_number, numbers, optional

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Limits = tuple[float, float]

INVERTED = "MONOCHROME1"
# A table of all values of 16 bits gives its length as 0.
MAX_ENTRIES = 2**16


@dataclass(frozen=True, slots=True)
class LookupTable:
    """A lookup table of grey values."""

    # Value that the first entry replaces.
    first: int
    entries: NDArray[Any]

    @property
    def descends(self) -> bool:
        """True if high values become low ones; the halves decide, because the ends may be padding."""
        low, high = np.array_split(self.entries, 2)
        return bool(high.size and high.mean() < low.mean())


def lookup_table(dataset: Dataset, name: str) -> LookupTable | None:
    """Return the first table of a sequence; None where there is none, or it is damaged."""
    items = optional(dataset, name)
    if not items:
        return None
    descriptor, data = numbers(items[0], "LUTDescriptor"), optional(items[0], "LUTData")
    if len(descriptor) != 3 or data is None:
        return None
    count, first = int(descriptor[0]) % MAX_ENTRIES or MAX_ENTRIES, int(descriptor[1])
    entries = _entries(data, count)
    if entries.size != count:
        return None
    if dataset.get("PixelRepresentation") == 1 and first >= MAX_ENTRIES // 2:
        first -= MAX_ENTRIES
    return LookupTable(first, entries)


def _entries(data: Any, count: int) -> NDArray[Any]:
    if not isinstance(data, bytes):
        return np.atleast_1d(np.asarray(data))[:count]
    wide = len(data) >= 2 * count
    return np.frombuffer(data[: 2 * count if wide else count], "<u2" if wide else "<u1")


def is_inverted(dataset: Dataset) -> bool:
    """Return whether the lowest stored value of a monochrome image is displayed as white.

    Photometric interpretation, modality rescale or lookup table, and VOI lookup table can each invert
    the values; two inversions cancel.
    """
    # PS3.3 C.8.11.3: INVERSE repeats MONOCHROME1, and does not cancel it.
    shape = optional(dataset, "PresentationLUTShape")
    presentation_inverts = dataset.PhotometricInterpretation == INVERTED or shape == "INVERSE"
    table = lookup_table(dataset, "ModalityLUTSequence")
    modality_inverts = rescale_slope(dataset) < 0 if table is None else table.descends
    # A window and a table are alternatives; the window is used.
    table = lookup_table(dataset, "VOILUTSequence")
    voi_inverts = table is not None and table.descends and window(dataset) is None
    return bool(presentation_inverts ^ modality_inverts ^ voi_inverts)


def stored_limits(dataset: Dataset, values: int) -> Limits | None:
    """Return the first window, or the range of the first VOI lookup table, in stored values.

    Follows PS3.3 C.11.2.1.2 for the functions LINEAR, LINEAR_EXACT and SIGMOID (whose ends are
    those of LINEAR_EXACT), and inverts the modality rescale or lookup table. Returns None if there is no window,
    or none of the `values` that a pixel can have is in it.
    """
    shown = window(dataset)
    if shown is None:
        voi = lookup_table(dataset, "VOILUTSequence")
        if voi is None:
            return None
        shown = float(voi.first), float(voi.first + voi.entries.size - 1)
    table = lookup_table(dataset, "ModalityLUTSequence")
    if table is not None:
        return _before_lookup(table, shown)
    intercept = first_number(dataset, "RescaleIntercept") or 0
    low, high = sorted((end - intercept) / rescale_slope(dataset) for end in shown)
    return (low, high) if -math.inf < low < min(high, values) and -values < high < math.inf else None


def window(dataset: Dataset) -> Limits | None:
    """Return the ends of the first window in values after the modality rescale, or None."""
    center, width = first_number(dataset, "WindowCenter"), first_number(dataset, "WindowWidth")
    if center is None or width is None:
        return None
    # The width of LINEAR counts values, which means nothing in units of which a value is a small part.
    if (optional(dataset, "VOILUTFunction") or "LINEAR") != "LINEAR" or abs(rescale_slope(dataset)) < 1:
        return (center - width / 2, center + width / 2) if width > 0 else None
    return (center - 0.5 - (width - 1) / 2, center - 0.5 + (width - 1) / 2) if width > 1 else None


def rescale_slope(dataset: Dataset) -> float:
    """Return the slope of the modality rescale; 1 by default."""
    return first_number(dataset, "RescaleSlope") or 1.0


def rescale(dataset: Dataset) -> tuple[float, float]:
    """Return slope and intercept of the modality rescale; a lookup table is left alone."""
    if lookup_table(dataset, "ModalityLUTSequence") is not None:
        return 1.0, 0.0
    return rescale_slope(dataset), first_number(dataset, "RescaleIntercept") or 0.0


def _before_lookup(table: LookupTable, shown: Limits) -> Limits | None:
    inside = np.flatnonzero((table.entries >= shown[0]) & (table.entries <= shown[1]))
    if inside.size < 2:
        return None
    return float(table.first + inside[0]), float(table.first + inside[-1])
