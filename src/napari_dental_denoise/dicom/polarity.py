"""Whether the lowest stored value of a DICOM image is shown black or white."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_dental_denoise.dicom.lookup import lookup_table
from napari_dental_denoise.dicom.values import optional
from napari_dental_denoise.dicom.window import rescale_slope, window

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

INVERTED = "MONOCHROME1"


def is_inverted(dataset: Dataset) -> bool:
    """Whether the lowest stored value is shown white.

    Photometric interpretation, modality rescale or lookup table, and VOI lookup table can each turn
    values round; two of them together leave them as they are.

    Parameters
    ----------
    dataset : Dataset
        Of a monochrome image.
    """
    return bool(_presentation_turns(dataset) ^ _modality_turns(dataset) ^ _voi_turns(dataset))


def _presentation_turns(dataset: Dataset) -> bool:
    # PS3.3 C.8.11.3: the shape says again what MONOCHROME1 says, not the contrary.
    return dataset.PhotometricInterpretation == INVERTED or optional(dataset, "PresentationLUTShape") == "INVERSE"


def _modality_turns(dataset: Dataset) -> bool:
    table = lookup_table(dataset, "ModalityLUTSequence")
    return rescale_slope(dataset) < 0 if table is None else table.descends


def _voi_turns(dataset: Dataset) -> bool:
    # A window and a table are two ways to show an image, of which the window is taken.
    table = lookup_table(dataset, "VOILUTSequence")
    return table is not None and table.descends and window(dataset) is None
