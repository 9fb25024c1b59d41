"""What stays of a DICOM file whose patient is left out: numbers, terms of the standard and public codes."""

from __future__ import annotations

import re
from collections.abc import MutableSequence
from typing import TYPE_CHECKING, Any

from napari_dental_denoise.dicom.codes import coded, only_public
from napari_dental_denoise.dicom.header import GREY, MODALITIES

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

# An allow-list, none of it of the patient, the staff or the place. Of the type that the standard
# gives them, so that no words stand there.
NUMBERS = [
    *("InstanceNumber", "SamplesPerPixel", "Rows", "Columns", "NumberOfFrames", "BitsAllocated", "BitsStored"),
    *("HighBit", "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit", "PixelAspectRatio"),
    *("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "WindowCenter", "WindowWidth"),
    *("RescaleSlope", "RescaleIntercept", "PixelIntensityRelationshipSign", "LossyImageCompressionRatio"),
    *("KVP", "ExposureTime", "XRayTubeCurrent", "Exposure", "FrameTime", "FrameTimeVector", "PageNumberVector"),
    "PixelData",
]
UNSPECIFIED = "US"
YES_OR_NO = "YES|NO"
# Only with the terms that PS3.3 defines: some devices put words of their own there, and a word may be a name.
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
    "BurnedInAnnotation": YES_OR_NO,
    "PresentationIntentType": "FOR PRESENTATION|FOR PROCESSING",
    "ImageLaterality": "[RLUB]",
    "Laterality": "[RL]",
    "BodyPartExamined": "TOOTH|TEETH|JAW|MANDIBLE|MAXILLA|TMJ|ZYGOMA|FACE|HEAD|SKULL|NECK|CSPINE|HAND|CHEST",
    "ViewPosition": "AP|PA|LL|RL|LLO|RLO|LLD|RLD",
    "DetectorType": "DIRECT|SCINTILLATOR|STORAGE|FILM",
    "PositionerType": "NONE|COLUMN|CARM|RIGID|PANORAMIC|CEPHALOSTAT",
}
# What stands in the place of words that are not kept: nothing, or the term for what is not known.
INSTEAD = {
    "Laterality": None,
    "BodyPartExamined": None,
    "ViewPosition": None,
    "Modality": "OT",
    "ConversionType": "WSD",
}
ALWAYS = {"Modality"}
# Of their items, only the numbers and what kind they are.
TABLES = {"ModalityLUTSequence": ("ModalityLUTType", TERMS["RescaleType"]), "VOILUTSequence": None}
CODED = ["AnatomicRegionSequence", "ViewCodeSequence", "PrimaryAnatomicStructureSequence"]
# They have to be there, and may be empty.
EMPTY = [
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID"),
    *("AccessionNumber", "ReferringPhysicianName", "Manufacturer", "PatientOrientation", "InstanceNumber"),
    "SeriesNumber",
]


def impersonal(dataset: Dataset) -> Dataset:
    """A new dataset without patient, staff, place, dates and identity of the study.

    Parameters
    ----------
    dataset : Dataset
        Of a derived image, its pixels grey and uncompressed; it is not changed.
    """
    from pydicom.dataset import Dataset as Item
    from pydicom.sr.codedict import codes

    kept = Item()
    for name in EMPTY:
        setattr(kept, name, None)
    kept.SOPClassUID = _public_class(dataset)
    for name in NUMBERS:
        if name in dataset and _is_of_its_type(dataset[name]):
            kept[name] = dataset[name]
    for name, terms in TERMS.items():
        if name in dataset and _has_only(dataset[name], terms):
            setattr(kept, name, dataset[name].value)
        elif name in INSTEAD and (name in dataset or name in ALWAYS):
            setattr(kept, name, INSTEAD[name])
    _keep_order_of_frames(kept, dataset)
    _keep_sequences(kept, dataset)
    if "AcquisitionContextSequence" in dataset:
        kept.AcquisitionContextSequence = []
    kept.PatientIdentityRemoved = "YES"
    kept.DeidentificationMethod = "Allow-list of attributes; text in the pixels was not examined"
    kept.DeidentificationMethodCodeSequence = [coded(codes.DCM.BasicApplicationConfidentialityProfile)]
    return kept


def _keep_order_of_frames(kept: Dataset, dataset: Dataset) -> None:
    """The attribute that tells the frames apart, where it is kept itself."""
    if "FrameIncrementPointer" in dataset and _is_of_its_type(dataset["FrameIncrementPointer"]):
        pointer = dataset.FrameIncrementPointer
        if all(tag in kept for tag in (pointer if isinstance(pointer, MutableSequence) else [pointer])):
            kept.FrameIncrementPointer = pointer


def _keep_sequences(kept: Dataset, dataset: Dataset) -> None:
    """Public codes, and lookup tables."""
    for name in CODED:
        if name in dataset:
            setattr(kept, name, [item for item in map(only_public, dataset[name].value or []) if item is not None])
    for name, kind in TABLES.items():
        if name in dataset:
            setattr(kept, name, [_table(item, kind) for item in dataset[name].value or []])


def _table(item: Dataset, kind: tuple[str, str] | None) -> Dataset:
    from pydicom.dataset import Dataset as Item

    kept = Item()
    for name in ("LUTDescriptor", "LUTData"):
        if name in item and _is_of_its_type(item[name]):
            kept[name] = item[name]
    if kind is not None:
        name, terms = kind
        # It has to be there; without units where the file has words of its own.
        setattr(kept, name, item[name].value if name in item and _has_only(item[name], terms) else UNSPECIFIED)
    return kept


def _public_class(dataset: Dataset) -> str:
    """A private UID may hold anything."""
    from pydicom.uid import UID, SecondaryCaptureImageStorage

    uid = UID(str(dataset.SOPClassUID))
    return uid if "Storage" in uid.keyword else SecondaryCaptureImageStorage


def _is_of_its_type(element: DataElement) -> bool:
    from pydicom.datadict import dictionary_VR

    standard = dictionary_VR(element.tag)
    return element.VR in (standard, *standard.split(" or "))


def _has_only(element: DataElement, terms: str) -> bool:
    values: Any = element.value
    values = [values] if isinstance(values, str) else list(values or [])
    return bool(values) and all(re.fullmatch(terms, str(value)) for value in values)
