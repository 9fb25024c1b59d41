"""Removal of the patient from a DICOM file: only numbers, defined terms and public codes are kept."""

from __future__ import annotations

import re
from collections.abc import MutableSequence
from enum import Enum
from typing import TYPE_CHECKING

from napari_dental_denoise.dicom.codes import dcm_code, item, public_code
from napari_dental_denoise.dicom.description import GREY
from napari_dental_denoise.dicom.header import MODALITIES
from napari_dental_denoise.dicom.values import parts

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

# An allow-list without attributes of patient, staff or place. Each is kept only with the value representation that the
# standard gives it, so that it cannot hold text.
NUMBERS = [
    *("InstanceNumber", "SamplesPerPixel", "Rows", "Columns", "NumberOfFrames", "BitsAllocated", "BitsStored"),
    *("HighBit", "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit", "PixelAspectRatio"),
    *("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "WindowCenter", "WindowWidth"),
    *("RescaleSlope", "RescaleIntercept", "PixelIntensityRelationshipSign", "LossyImageCompressionRatio"),
    *("KVP", "ExposureTime", "XRayTubeCurrent", "Exposure", "FrameTime", "FrameTimeVector", "PageNumberVector"),
    *("PixelData", "FloatPixelData", "DoubleFloatPixelData", "ImagePositionPatient", "ImageOrientationPatient"),
    *("SliceThickness", "SpacingBetweenSlices", "SliceLocation"),
]
# Kept only with the terms that PS3.3 defines: some devices write text of their own, which may contain a name.
TERMS = {
    "Modality": "|".join(MODALITIES),
    "ImageType": "ORIGINAL|DERIVED|PRIMARY|SECONDARY|",
    "ConversionType": "DV|DI|DF|WSD|SD|SI|DRW|SYN",
    "PatientOrientation": "[APRLHF]{1,3}",
    "PhotometricInterpretation": "|".join(GREY),
    "PixelSpacingCalibrationType": "GEOMETRY|FIDUCIAL",
    "VOILUTFunction": "LINEAR|LINEAR_EXACT|SIGMOID",
    "RescaleType": "OD|HU|US|PCT",
    "PixelIntensityRelationship": "LIN|LOG|DISP",
    "PresentationLUTShape": "IDENTITY|INVERSE",
    "LossyImageCompression": "00|01",
    "LossyImageCompressionMethod": "ISO_10918_1|ISO_14495_1|ISO_15444_1|ISO_15444_15",
    "BurnedInAnnotation": "YES|NO",
    "PresentationIntentType": "FOR PRESENTATION|FOR PROCESSING",
    "ImageLaterality": "[RLUB]",
    "Laterality": "[RL]",
    "BodyPartExamined": "TOOTH|TEETH|JAW|MANDIBLE|MAXILLA|TMJ|ZYGOMA|FACE|HEAD|SKULL|NECK|CSPINE|HAND|CHEST",
    "ViewPosition": "AP|PA|LL|RL|LLO|RLO|LLD|RLD",
    "DetectorType": "DIRECT|SCINTILLATOR|STORAGE|FILM",
    "PositionerType": "NONE|COLUMN|CARM|RIGID|PANORAMIC|CEPHALOSTAT",
}
# The value for terms that are not kept; None leaves the attribute empty.
REPLACEMENTS = {
    "Modality": "OT",
    "ConversionType": "WSD",
    "Laterality": None,
    "BodyPartExamined": None,
    "ViewPosition": None,
}
REQUIRED = {"Modality"}
# Type 2 of PS3.3: the attribute must be present and may be empty.
MAY_BE_EMPTY = [
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID"),
    *("AccessionNumber", "ReferringPhysicianName", "Manufacturer", "PatientOrientation", "InstanceNumber"),
    "SeriesNumber",
]
LUT_TYPE = "ModalityLUTType"
LUT_SEQUENCES = ("ModalityLUTSequence", "VOILUTSequence")
CODE_SEQUENCES = ("AnatomicRegionSequence", "ViewCodeSequence", "PrimaryAnatomicStructureSequence")


class BurnedText(Enum):
    """Text in the pixels, in words for the method of de-identification, of at most 64 characters with the rest."""

    NOT_EXAMINED = "text in the pixels was not examined"
    NOT_FOUND = "no text was found in the pixels"
    FOUND = "text in the pixels was left"
    COVERED = "text in the pixels was covered"


def tell_text(dataset: Dataset, text: BurnedText) -> None:
    """State whether text is burned into the pixels, as far as it was found."""
    if text in (BurnedText.FOUND, BurnedText.COVERED):
        dataset.BurnedInAnnotation = "YES" if text is BurnedText.FOUND else "NO"


def deidentify(dataset: Dataset, text: BurnedText = BurnedText.NOT_EXAMINED) -> Dataset:
    """Return a new dataset of a derived image without patient, staff, place, dates and identity of the study.

    Follows DICOM PS3.15, annex E: Attribute Confidentiality Profiles.
    """
    kept = item(**dict.fromkeys(MAY_BE_EMPTY), SOPClassUID=_public_class(dataset))
    for name in NUMBERS:
        if name in dataset and _has_standard_vr(dataset[name]):
            kept[name] = dataset[name]
    for name, terms in TERMS.items():
        if name in dataset and _has_only(dataset[name], terms):
            setattr(kept, name, dataset[name].value)
        elif name in REPLACEMENTS and (name in dataset or name in REQUIRED):
            setattr(kept, name, REPLACEMENTS[name])
    _keep_frame_pointer(kept, dataset)
    _keep_sequences(kept, dataset)
    if "AcquisitionContextSequence" in dataset:
        kept.AcquisitionContextSequence = []
    kept.PatientIdentityRemoved = "YES"
    kept.DeidentificationMethod = f"Allow-list of attributes; {text.value}"
    profiles = ["BasicApplicationConfidentialityProfile"] + ["CleanPixelDataOption"] * (text is BurnedText.COVERED)
    kept.DeidentificationMethodCodeSequence = [dcm_code(profile) for profile in profiles]
    return kept


def _keep_frame_pointer(kept: Dataset, dataset: Dataset) -> None:
    """Keep FrameIncrementPointer if the attributes that it points to were kept."""
    name = "FrameIncrementPointer"
    if name in dataset and _has_standard_vr(dataset[name]):
        value = dataset[name].value
        if all(tag in kept for tag in (value if isinstance(value, MutableSequence) else [value])):
            kept[name] = dataset[name]


def _keep_sequences(kept: Dataset, dataset: Dataset) -> None:
    """Keep public codes and lookup tables."""
    for name in CODE_SEQUENCES:
        if name in dataset:
            codes = map(public_code, dataset[name].value or [])
            setattr(kept, name, [code for code in codes if code is not None])
    for name in LUT_SEQUENCES:
        if name in dataset:
            setattr(kept, name, [_lookup_table(entry, name) for entry in dataset[name].value or []])


def _lookup_table(table: Dataset, sequence: str) -> Dataset:
    """Return the numbers of a lookup table and, for a modality LUT, the required unit of its output."""
    kept = item()
    for name in ("LUTDescriptor", "LUTData"):
        if name in table and _has_standard_vr(table[name]):
            kept[name] = table[name]
    if sequence == "ModalityLUTSequence":
        known = LUT_TYPE in table and _has_only(table[LUT_TYPE], TERMS["RescaleType"])
        kept.ModalityLUTType = table.ModalityLUTType if known else "US"  # unspecified
    return kept


def _public_class(dataset: Dataset) -> str:
    """Return the SOP class, or Secondary Capture for a private UID, which may contain anything."""
    from pydicom.uid import UID, SecondaryCaptureImageStorage

    uid = UID(str(dataset.SOPClassUID))
    return uid if "Storage" in uid.keyword else SecondaryCaptureImageStorage


def _has_standard_vr(element: DataElement) -> bool:
    """Return whether an element has the value representation of the standard's dictionary."""
    from pydicom.datadict import dictionary_VR

    standard = dictionary_VR(element.tag)
    return element.VR in (standard, *standard.split(" or "))


def _has_only(element: DataElement, terms: str) -> bool:
    """Return whether an element has values and all of them match the pattern `terms`."""
    values = parts(element.value)
    return bool(values) and all(re.fullmatch(terms, str(value)) for value in values)
