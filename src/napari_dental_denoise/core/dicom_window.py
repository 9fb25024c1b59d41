"""The window of a DICOM image in its stored values: modality rescale and lookup tables are gone back through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

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
    shown = _window(dataset) or _lookup_range(dataset)
    if shown is None or not np.all(np.isfinite(shown)):
        return None
    if dataset.get("ModalityLUTSequence"):
        return _before_lookup(dataset, shown)
    slope, intercept = float(dataset.get("RescaleSlope") or 1), float(dataset.get("RescaleIntercept") or 0)
    if slope == 0:
        return None
    low, high = sorted((end - intercept) / slope for end in shown)
    return (low, high) if low < high and low < values and high > -values else None


def _window(dataset: Dataset) -> Limits | None:
    center, width = _first(dataset.get("WindowCenter")), _first(dataset.get("WindowWidth"))
    if center is None or width is None:
        return None
    if dataset.get("VOILUTFunction", "LINEAR") != "LINEAR":
        return (center - width / 2, center + width / 2) if width > 0 else None
    return (center - 0.5 - (width - 1) / 2, center - 0.5 + (width - 1) / 2) if width > 1 else None


def _first(value: object) -> float | None:
    from pydicom.multival import MultiValue

    first = (value[0] if value else None) if isinstance(value, MultiValue | list) else value
    return None if first is None or first == "" else float(first)  # type: ignore[arg-type]


def _lookup_range(dataset: Dataset) -> Limits | None:
    if not dataset.get("VOILUTSequence"):
        return None
    count, first, _ = _descriptor(dataset.VOILUTSequence[0])
    return float(first), float(first + count - 1)


def _before_lookup(dataset: Dataset, shown: Limits) -> Limits | None:
    table = dataset.ModalityLUTSequence[0]
    count, first, bits = _descriptor(table)
    values = _table(table, bits)[:count]
    inside = np.flatnonzero((values >= shown[0]) & (values <= shown[1]))
    if inside.size < 2:
        return None
    return float(first + inside[0]), float(first + inside[-1])


def _descriptor(table: Dataset) -> tuple[int, int, int]:
    count, first, bits = (int(part) for part in table.LUTDescriptor)
    return count or 2**16, first, bits


def _table(table: Dataset, bits: int) -> NDArray[Any]:
    data = table.LUTData
    if isinstance(data, bytes):
        return np.frombuffer(data, "<u1" if bits <= 8 and len(data) == int(table.LUTDescriptor[0]) else "<u2")
    return np.asarray(data)
