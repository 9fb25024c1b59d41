"""Lookup tables of DICOM, which turn stored values into those that are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.dicom.values import numbers, optional

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# A table of all values of 16 bits says that it has none.
MOST_ENTRIES = 2**16


@dataclass(frozen=True, slots=True)
class LookupTable:
    """A lookup table.

    Attributes
    ----------
    first : int
        The value that the first entry stands for.
    entries : (N,) array
    """

    first: int
    entries: NDArray[Any]

    @property
    def descends(self) -> bool:
        """Whether high values become low ones; by its halves, for the ends may be of padding."""
        low, high = np.array_split(self.entries, 2)
        return bool(high.size and high.mean() < low.mean())


def lookup_table(dataset: Dataset, name: str) -> LookupTable | None:
    """The first table of a sequence; None where there is none, or it is damaged.

    Parameters
    ----------
    dataset : Dataset
    name : str
        Of the sequence.
    """
    items = optional(dataset, name)
    if not items:
        return None
    descriptor, data = numbers(items[0], "LUTDescriptor"), optional(items[0], "LUTData")
    if len(descriptor) != 3 or data is None:
        return None
    count, first = int(descriptor[0]) % MOST_ENTRIES or MOST_ENTRIES, int(descriptor[1])
    entries = _entries(data, count)
    if entries.size != count:
        return None
    if dataset.get("PixelRepresentation") == 1 and first >= MOST_ENTRIES // 2:
        first -= MOST_ENTRIES
    return LookupTable(first, entries)


def _entries(data: Any, count: int) -> NDArray[Any]:
    if not isinstance(data, bytes):
        return np.atleast_1d(np.asarray(data))[:count]
    wide = len(data) >= 2 * count
    return np.frombuffer(data[: 2 * count if wide else count], "<u2" if wide else "<u1")
