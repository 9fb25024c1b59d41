"""Functional groups of enhanced images: attributes that all frames share, and those of each frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from napari_dental_denoise.dicom.codes import item
from napari_dental_denoise.dicom.values import optional

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

FUNCTIONAL_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
# Functional group macros and the attributes in them that are read, an allow-list like that below.
MACROS = {
    "PixelMeasuresSequence": ("PixelSpacing",),
    "FrameVOILUTSequence": ("WindowCenter", "WindowWidth", "VOILUTFunction"),
    "PixelValueTransformationSequence": ("RescaleSlope", "RescaleIntercept"),
    "PlanePositionSequence": ("ImagePositionPatient",),
    "PlaneOrientationSequence": ("ImageOrientationPatient",),
}


def lift_shared_attributes(dataset: Dataset) -> list[Dataset]:
    """Copy attributes that all functional groups share to the top level, where its own prevail; delete the groups.

    Return those of each frame that differ, or nothing if none does.
    """
    frames = [item() for _ in optional(dataset, FUNCTIONAL_GROUPS[1]) or []]
    differ = False
    for groups in [optional(dataset, name) or [] for name in FUNCTIONAL_GROUPS]:
        for macro, names in MACROS.items():
            found = [_macro_values(group, macro, names) for group in groups]
            if any(values != found[0] for values in found):
                differ = True
                # The group that all frames share has one item.
                for frame, values in zip(frames, found, strict=False):
                    frame.update(item(**values))
            elif found:
                dataset.update(item(**{k: v for k, v in found[0].items() if optional(dataset, k) is None}))
    for name in FUNCTIONAL_GROUPS:
        dataset.pop(name, None)
    return frames if differ else []


def groups_of(frames: Sequence[Dataset]) -> list[Dataset]:
    """Return the functional groups with the numbers of each frame, and nothing else."""
    groups = []
    for frame in frames:
        group = item()
        for macro, names in MACROS.items():
            values = {name: frame[name].value for name in names if name in frame and frame[name].VR != "CS"}
            if values:
                setattr(group, macro, [item(**values)])
        groups.append(group)
    return groups


def _macro_values(group: Dataset, macro: str, names: tuple[str, ...]) -> dict[str, Any]:
    items = optional(group, macro)
    values = {name: optional(items[0], name) for name in names} if items else {}
    return {name: value for name, value in values.items() if value is not None}
