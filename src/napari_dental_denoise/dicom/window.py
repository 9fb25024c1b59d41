"""The window of a DICOM image in its stored values: modality rescale and lookup tables are gone back through."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from napari_dental_denoise.dicom.lookup import LookupTable, lookup_table
from napari_dental_denoise.dicom.values import first_number, optional

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Limits = tuple[float, float]


def stored_limits(dataset: Dataset, values: int) -> Limits | None:
    """The first window, or the range of the first VOI lookup table, in stored values.

    As PS3.3 C.11.2.1.2 defines it, for the functions LINEAR, LINEAR_EXACT and SIGMOID (whose ends are
    those of LINEAR_EXACT).

    Parameters
    ----------
    dataset : Dataset
    values : int
        How many values a pixel can have.

    Returns
    -------
    (low, high) or None
        None where there is no window, or one that shows nothing.
    """
    shown = window(dataset) or _lookup_range(dataset)
    if shown is None:
        return None
    table = lookup_table(dataset, "ModalityLUTSequence")
    if table is not None:
        return _before_lookup(table, shown)
    intercept = first_number(dataset, "RescaleIntercept") or 0
    low, high = sorted((end - intercept) / rescale_slope(dataset) for end in shown)
    return (low, high) if -math.inf < low < min(high, values) and -values < high < math.inf else None


def window(dataset: Dataset) -> Limits | None:
    """The ends of the first window in values behind the modality rescale, or None."""
    center, width = first_number(dataset, "WindowCenter"), first_number(dataset, "WindowWidth")
    if center is None or width is None:
        return None
    if (optional(dataset, "VOILUTFunction") or "LINEAR") != "LINEAR":
        return (center - width / 2, center + width / 2) if width > 0 else None
    return (center - 0.5 - (width - 1) / 2, center - 0.5 + (width - 1) / 2) if width > 1 else None


def rescale_slope(dataset: Dataset) -> float:
    """The slope of the modality rescale; 1 where there is none."""
    return first_number(dataset, "RescaleSlope") or 1.0


def _lookup_range(dataset: Dataset) -> Limits | None:
    table = lookup_table(dataset, "VOILUTSequence")
    return None if table is None else (float(table.first), float(table.first + table.entries.size - 1))


def _before_lookup(table: LookupTable, shown: Limits) -> Limits | None:
    inside = np.flatnonzero((table.entries >= shown[0]) & (table.entries <= shown[1]))
    if inside.size < 2:
        return None
    return float(table.first + inside[0]), float(table.first + inside[-1])
