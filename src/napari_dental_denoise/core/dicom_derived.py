"""Derived images in DICOM: a new image of the same patient and study, or of nobody, that says what was done to it."""

from __future__ import annotations

import copy
import io
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4, uuid5

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise import __version__
from napari_dental_denoise.core.atomic import write_bytes
from napari_dental_denoise.core.dicom_header import COLOUR, LIBRARY, check_dicom_file
from napari_dental_denoise.core.refusal import refusing

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

PROGRAM = "napari-dental-denoise"
# Derived images come behind the original ones in a list.
SERIES_OFFSET = 1000
LONGEST_TEXT = 1024
LONGEST_TITLE = 64
# Of the pixels before, or signed with them.
STALE = [
    *("IconImageSequence", "DigitalSignaturesSequence", "MACParametersSequence", "ExtendedOffsetTable"),
    *("ExtendedOffsetTableLengths", "SmallestImagePixelValue", "LargestImagePixelValue", "PixelDataProviderURL"),
]
COLOUR_ONLY = [
    *("PlanarConfiguration", "PixelPaddingValue", "PixelPaddingRangeLimit", "ICCProfile", "ColorSpace"),
    *(
        f"{'Segmented' * segmented}{colour}PaletteColorLookupTable{part}"
        for colour in ("Red", "Green", "Blue")
        for part, segmented in (("Descriptor", False), ("Data", False), ("Data", True))
    ),
]
# What is kept of a file whose patient is left out: an allow-list, none of it of the patient, the staff or the place.
IMPERSONAL = [
    *("SOPClassUID", "Modality", "ImageType", "ConversionType", "InstanceNumber", "PatientOrientation"),
    *("SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns", "NumberOfFrames", "BitsAllocated"),
    *("BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit"),
    *("PixelAspectRatio", "PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"),
    *("PixelSpacingCalibrationType", "WindowCenter", "WindowWidth", "VOILUTFunction", "RescaleSlope"),
    *("RescaleIntercept", "RescaleType", "PixelIntensityRelationship", "PixelIntensityRelationshipSign"),
    *("PresentationLUTShape", "LossyImageCompression", "LossyImageCompressionRatio"),
    *("LossyImageCompressionMethod", "BurnedInAnnotation", "PresentationIntentType", "ImageLaterality"),
    *("Laterality", "BodyPartExamined", "DetectorType", "KVP", "ExposureTime", "XRayTubeCurrent", "Exposure"),
    *("PositionerType", "PixelData"),
]
# Their standard codes alone.
CODED = ["AnatomicRegionSequence", "ViewCodeSequence", "PrimaryAnatomicStructureSequence"]
CODE = ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")
# They have to be there, and may be empty.
EMPTY = [
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID"),
    *("AccessionNumber", "ReferringPhysicianName", "Manufacturer", "PatientOrientation", "InstanceNumber"),
    "SeriesNumber",
]


@dataclass(frozen=True)
class Derivation:
    """What was done, for the files of one run.

    Attributes
    ----------
    verb : str
        "denoised", for the name of the series.
    description : str
        In words.
    algorithm : str, optional
        Name of the network, where one did it.
    parameters : str
        Settings.
    deidentify : bool
        Whether patient, staff, place, dates and the identity of the study are left out.
    run : UUID
        Of all files that are made together; drawn anew, so that nobody can find a source by it.
    """

    verb: str
    description: str
    algorithm: str | None = None
    parameters: str = ""
    deidentify: bool = False
    run: UUID = field(default_factory=uuid4)

    def uid(self, purpose: str) -> str:
        """A new UID for each purpose, the same for all files of the run, in whatever process they are made."""
        # PS3.5 B.2 makes a UID of a UUID so.
        return f"2.25.{uuid5(self.run, purpose).int}"


def write_derived(
    path: Path, source: Path, pixels: NDArray[np.generic], derivation: Derivation, *, overwrite: bool = False
) -> None:
    """Write a derived image beside its source: the same patient and study, a series of its own.

    The attributes of the source stay, but for those that PS3.3 has changed by a derivation: UIDs of
    image and series, image type DERIVED, description, code and algorithm of the derivation, the
    source image, the equipment that contributed. Private attributes, which may describe the pixels
    before, are left out. Pixels are written uncompressed.

    Parameters
    ----------
    path : Path
    source : Path
        The DICOM file from which the pixels were worked out.
    pixels : (H, W) or (N, H, W) array
        As stored values, of the type and shape of those of the source; of a colour source, grey.
    derivation : Derivation
    overwrite : bool
        Replace a file of that name.

    Raises
    ------
    InputError
        If the source cannot be read any more, or the file is there already or cannot be written.
    """
    with refusing(source, "has attributes that cannot be copied: choose --format png or tif", LIBRARY):
        dataset = _read_whole(source)
        original = copy.deepcopy(dataset)
        _set_pixels(dataset, pixels)
        if derivation.deidentify:
            dataset = _impersonal(dataset, original, derivation)
        else:
            _refer_to(dataset, original)
            dataset.SeriesInstanceUID = derivation.uid(f"series {original.get('SeriesInstanceUID')}")
        _describe(dataset, original, derivation)
        data = _encoded(dataset)
    write_bytes(path, data, overwrite=overwrite)


def _read_whole(source: Path) -> Dataset:
    import pydicom

    check_dicom_file(source)
    return pydicom.dcmread(source, force=True)


def _set_pixels(dataset: Dataset, pixels: NDArray[np.generic]) -> None:
    for name in STALE:
        dataset.pop(name, None)
    dataset.remove_private_tags()
    for group in range(0x6000, 0x6020, 2):
        # An overlay without data of its own stood in the unused bits of the pixels.
        if (group, 0x0010) in dataset and (group, 0x3000) not in dataset:
            for element in dataset.group_dataset(group):
                del dataset[element.tag]
    if dataset.PhotometricInterpretation in COLOUR:
        _make_grey(dataset, pixels)
    dataset.HighBit = dataset.BitsStored - 1
    data = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<")).tobytes()
    dataset.PixelData = data + b"\0" * (len(data) % 2)
    dataset["PixelData"].VR = "OW" if pixels.dtype.itemsize > 1 else "OB"
    # Set by the decoder, it would be written as undefined.
    dataset["PixelData"].is_undefined_length = False


def _make_grey(dataset: Dataset, pixels: NDArray[np.generic]) -> None:
    for name in COLOUR_ONLY:
        dataset.pop(name, None)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PixelRepresentation = 1, "MONOCHROME2", 0
    dataset.BitsAllocated = dataset.BitsStored = 8 * pixels.dtype.itemsize


def _refer_to(dataset: Dataset, original: Dataset) -> None:
    """The image that this one was made from."""
    from pydicom.dataset import Dataset as Item
    from pydicom.sr.codedict import codes

    if not original.get("SOPInstanceUID"):
        return
    item = Item()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = original.SOPClassUID, original.SOPInstanceUID
    item.PurposeOfReferenceCodeSequence = [_code(codes.DCM.SourceImageForImageProcessingOperation)]
    item.SpatialLocationsPreserved = "YES"
    dataset.SourceImageSequence = [item]


def _code(code: Any) -> Dataset:
    from pydicom.dataset import Dataset as Item

    item = Item()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code.value, code.scheme_designator, code.meaning
    return item


def _describe(dataset: Dataset, original: Dataset, derivation: Derivation) -> None:
    from pydicom.sr.codedict import codes
    from pydicom.uid import generate_uid

    now = datetime.now().astimezone()
    dataset.SOPInstanceUID = generate_uid(prefix=None)
    _, *rest = list(original.get("ImageType") or []) or ["", "PRIMARY"]
    dataset.ImageType = ["DERIVED", *rest]
    dataset.DerivationDescription = derivation.description[:LONGEST_TEXT]
    dataset.DerivationCodeSequence = [_code(codes.DCM.ImageProcessing)]
    if derivation.algorithm is not None:
        dataset.DerivationAlgorithmSequence = [_algorithm(derivation.algorithm, derivation.parameters)]
    dataset.ContributingEquipmentSequence = [
        *dataset.get("ContributingEquipmentSequence", []),
        _equipment(derivation, now),
    ]
    if not derivation.deidentify:
        dataset.InstanceCreationDate = dataset.SeriesDate = dataset.ContentDate = now.strftime("%Y%m%d")
        dataset.InstanceCreationTime = dataset.SeriesTime = dataset.ContentTime = now.strftime("%H%M%S")
        dataset.SeriesDescription = f"{original.get('SeriesDescription') or ''} {derivation.verb}".strip()[
            -LONGEST_TITLE:
        ]
    dataset.SeriesNumber = int(original.get("SeriesNumber") or 0) + SERIES_OFFSET


def _algorithm(name: str, parameters: str) -> Dataset:
    """The Algorithm Identification Macro, PS3.3 table 10-19."""
    from pydicom.dataset import Dataset as Item
    from pydicom.sr.codedict import codes

    item = Item()
    item.AlgorithmFamilyCodeSequence = [_code(codes.DCM.ArtificialIntelligence)]
    item.AlgorithmName, item.AlgorithmVersion = name[:LONGEST_TITLE], __version__
    item.AlgorithmParameters, item.AlgorithmSource = parameters, PROGRAM
    return item


def _equipment(derivation: Derivation, now: datetime) -> Dataset:
    """An item of the SOP Common module's Contributing Equipment Sequence, PS3.3 C.12.1."""
    from pydicom.dataset import Dataset as Item
    from pydicom.sr.codedict import codes

    item = Item()
    item.PurposeOfReferenceCodeSequence = [_code(codes.DCM.ProcessingEquipment)]
    item.Manufacturer = f"The {PROGRAM} developers"
    item.ManufacturerModelName, item.SoftwareVersions = PROGRAM, __version__
    item.ContributionDescription = derivation.description[:LONGEST_TEXT]
    if not derivation.deidentify:
        item.ContributionDateTime = now.strftime("%Y%m%d%H%M%S%z")
    return item


def _impersonal(dataset: Dataset, original: Dataset, derivation: Derivation) -> Dataset:
    from pydicom.dataset import Dataset as Item
    from pydicom.sr.codedict import codes

    kept = Item()
    for name in EMPTY:
        setattr(kept, name, None)
    for name in IMPERSONAL:
        if name in dataset:
            kept[name] = dataset[name]
    for name in CODED:
        if dataset.get(name):
            setattr(kept, name, [_only_code(item) for item in dataset[name].value])
    kept.StudyInstanceUID = derivation.uid(f"study {original.get('StudyInstanceUID')}")
    kept.SeriesInstanceUID = derivation.uid(f"series {original.get('SeriesInstanceUID')}")
    if "AcquisitionContextSequence" in original:
        kept.AcquisitionContextSequence = []
    kept.PatientIdentityRemoved = "YES"
    kept.DeidentificationMethod = "Allow-list of attributes; text in the pixels was not examined"
    kept.DeidentificationMethodCodeSequence = [_code(codes.DCM.BasicApplicationConfidentialityProfile)]
    return kept


def _only_code(item: Dataset) -> Dataset:
    from pydicom.dataset import Dataset as Item

    kept = Item()
    for name in CODE:
        if name in item:
            kept[name] = item[name]
    return kept


def _encoded(dataset: Dataset) -> bytes:
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta = meta
    data = io.BytesIO()
    dataset.save_as(data, enforce_file_format=True, little_endian=True, implicit_vr=False)
    return data.getvalue()
