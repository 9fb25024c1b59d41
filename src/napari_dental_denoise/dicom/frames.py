"""Attributes shared by all frames of an enhanced multi-frame image, moved to where single-frame images have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_dental_denoise.dicom.values import optional

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
# An allow-list, like that of the header.
MACROS = {
    "PixelMeasuresSequence": ("PixelSpacing",),
    "FrameVOILUTSequence": ("WindowCenter", "WindowWidth", "VOILUTFunction"),
    "PixelValueTransformationSequence": ("RescaleSlope", "RescaleIntercept"),
}


def lift_common(dataset: Dataset) -> None:
    """Copy the attributes that are equal in all functional groups into the dataset, and delete the groups.

    Parameters
    ----------
    dataset : Dataset
        Changed in place; its own attributes have precedence.
    """
    for groups in [optional(dataset, name) or [] for name in GROUPS]:
        for macro, names in MACROS.items():
            found = [_values(group, macro, names) for group in groups]
            if not found or any(values != found[0] for values in found):
                continue
            for name, value in found[0].items():
                if optional(dataset, name) is None:
                    setattr(dataset, name, value)
    for name in GROUPS:
        dataset.pop(name, None)


def _values(group: Dataset, macro: str, names: tuple[str, ...]) -> dict[str, Any]:
    items = optional(group, macro)
    values = {name: optional(items[0], name) for name in names} if items else {}
    return {name: value for name, value in values.items() if value is not None}
