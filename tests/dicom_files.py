"""DICOM files as devices write them, made of phantoms, for an invented patient whose name must never be seen again."""

import io
import struct

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

PATIENT = "ZQXPATIENT"
DIGITAL_XRAY = "1.2.840.10008.5.1.4.1.1.1.1"
INTRA_ORAL = "1.2.840.10008.5.1.4.1.1.1.3"
COMPUTED = "1.2.840.10008.5.1.4.1.1.1"
PIXELS = b"\xe0\x7f\x10\x00"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def code(value, scheme, meaning):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def personal(dataset):
    """Fill in who, where and when, with a word that can be searched for."""
    dataset.PatientName, dataset.PatientID = f"{PATIENT}^Ada", f"{PATIENT}1"
    dataset.PatientBirthDate, dataset.PatientSex, dataset.PatientAge = "19700102", "F", "056Y"
    dataset.StudyDate = dataset.SeriesDate = dataset.ContentDate = dataset.AcquisitionDate = "20250203"
    dataset.StudyTime = dataset.SeriesTime = dataset.ContentTime = dataset.AcquisitionTime = "101112"
    dataset.AccessionNumber, dataset.StudyID = PATIENT, f"{PATIENT}2"
    for name in (
        *(
            "ReferringPhysicianName",
            "PerformingPhysicianName",
            "OperatorsName",
            "OtherPatientNames",
            "RequestingPhysician",
        ),
        *("PatientMotherBirthName", "ResponsiblePerson", "NameOfPhysiciansReadingStudy"),
    ):
        setattr(dataset, name, f"{PATIENT}^X")
    for name in (
        *("InstitutionName", "InstitutionAddress", "StationName", "StudyDescription", "SeriesDescription"),
        *("PatientComments", "ImageComments", "PatientAddress", "OtherPatientIDs", "EthnicGroup", "Occupation"),
        *("AdditionalPatientHistory", "DeviceSerialNumber", "ProtocolName", "PerformedProcedureStepDescription"),
        *("InstitutionalDepartmentName", "RequestedProcedureDescription", "PatientTelephoneNumbers"),
    ):
        setattr(dataset, name, PATIENT)


# What `everything` writes into attributes of each kind; found again by `kinds_in`.
TOKENS = {
    **dict.fromkeys(("LO", "SH", "ST", "LT", "UT", "UC"), PATIENT),
    "PN": f"{PATIENT}^X",
    "AE": "ZQXTITLE",
    "CS": "ZQXCODE",
    "UR": "https://zqxplace.example",
    "UI": "1.2.7706055",
    "AS": "077Y",
    "DA": "19770723",
    "TM": "072359",
    "DT": "19770724072358",
    "IS": "7706077",
    "DS": "77060.77",
}
# Without these there is no image, or another one.
OF_THE_IMAGE = {
    *("SpecificCharacterSet", "SOPClassUID", "Modality", "PhotometricInterpretation", "NumberOfFrames"),
    *("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "WindowCenter", "WindowWidth"),
    *("VOILUTFunction", "RescaleSlope", "RescaleIntercept", "PresentationLUTShape"),
    "SegmentedAlphaPaletteColorLookupTableData",
}


def everything(dataset):
    """Fill in every attribute of the standard that takes words, numbers as text, dates or UIDs, thousands of them."""
    group = _filled(Dataset())
    group.PixelMeasuresSequence = [_filled(Dataset())]
    _filled(dataset)
    dataset.RequestAttributesSequence = [_filled(Dataset())]
    dataset.SharedFunctionalGroupsSequence = [group]
    return dataset


def _filled(dataset):
    from pydicom.datadict import DicomDictionary

    for tag, (kind, _, _, _, keyword) in DicomDictionary.items():
        if 0x0008 <= tag >> 16 < 0x6000 and kind in TOKENS and keyword and keyword not in OF_THE_IMAGE:
            dataset.add_new(tag, kind, TOKENS[kind])
    return dataset


def kinds_in(*things):
    """The kinds of attributes that show through anything, as text or as bytes."""
    texts = [(thing.decode("latin1") if isinstance(thing, bytes) else repr(thing)).lower() for thing in things]
    return {kind for kind, token in TOKENS.items() if any(token.lower() in text for text in texts)}


def radiograph(pixels, *, modality="DX", bits=None, photometric="MONOCHROME2", **attributes):
    """A dataset with pixels as stored values: (H, W), (N, H, W) or (H, W, 3)."""
    dataset = Dataset()
    personal(dataset)
    dataset.SOPClassUID = {"DX": DIGITAL_XRAY, "IO": INTRA_ORAL, "PX": DIGITAL_XRAY}.get(modality, COMPUTED)
    dataset.SOPInstanceUID, dataset.SeriesInstanceUID = generate_uid(None), generate_uid(None)
    dataset.StudyInstanceUID = generate_uid(None)
    dataset.Modality, dataset.Manufacturer = modality, "A maker of detectors"
    dataset.SeriesNumber = dataset.InstanceNumber = 1
    dataset.ImageType = ["ORIGINAL", "PRIMARY", ""]
    colour = photometric in ("RGB", "YBR_FULL", "YBR_FULL_422")
    frames = pixels.shape[0] if pixels.ndim == 3 and not colour else 1
    dataset.Rows, dataset.Columns = pixels.shape[:2] if colour else pixels.shape[-2:]
    if frames > 1:
        dataset.NumberOfFrames = frames
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = (3 if colour else 1), photometric
    if colour:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = 8 * pixels.dtype.itemsize
    dataset.BitsStored = bits or dataset.BitsAllocated
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(np.issubdtype(pixels.dtype, np.signedinteger))
    data = np.ascontiguousarray(pixels).tobytes()
    dataset.PixelData = data + b"\0" * (len(data) % 2)
    dataset["PixelData"].VR = "OW" if dataset.BitsAllocated > 8 else "OB"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    for name, value in attributes.items():
        setattr(dataset, name, value)
    return dataset


def complete(dataset):
    """Add what the Digital X-Ray and Intra-Oral IODs ask for, so that a validator finds nothing to say."""
    dataset.ImageType = ["ORIGINAL", "PRIMARY", ""]
    dataset.PresentationIntentType, dataset.PresentationLUTShape = "FOR PRESENTATION", "IDENTITY"
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        dataset.PresentationLUTShape = "INVERSE"
    dataset.PixelIntensityRelationship, dataset.PixelIntensityRelationshipSign = "LOG", 1
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = 0, 1, "US"
    dataset.LossyImageCompression, dataset.BurnedInAnnotation, dataset.DetectorType = "00", "NO", "DIRECT"
    dataset.ImagerPixelSpacing, dataset.PatientOrientation = [0.1, 0.1], ["L", "F"]
    dataset.ImageLaterality, dataset.AcquisitionContextSequence = "B", []
    dataset.AnatomicRegionSequence = [code("38199008", "SCT", "Tooth")]
    dataset.WindowCenter, dataset.WindowWidth = 2048, 4096
    dataset.PositionerType, dataset.KVP, dataset.ResponsiblePersonRole = "NONE", None, "OWNER"
    dataset.PrimaryAnatomicStructureSequence = [code("38199008", "SCT", "Tooth")]
    return dataset


def lookup_table(entries, first=0):
    """An item of a modality or VOI lookup table sequence."""
    table = Dataset()
    table.add_new("LUTDescriptor", "US", [len(entries) % 2**16, first, 16])
    table.add_new("LUTData", "OW", np.asarray(entries, "<u2").tobytes())
    return table


def spoil(path, name, kind, text):
    """Put into a file, before its pixels, an attribute with what must not stand there."""
    data, tag = path.read_bytes(), pydicom.datadict.tag_for_keyword(name)
    length = struct.pack("<HI", 0, len(text)) if kind == "UN" else struct.pack("<H", len(text))
    place = data.rindex(PIXELS)
    element = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + kind.encode() + length + text
    path.write_bytes(data[:place] + element + data[place:])
    return path


def compressed(dataset, syntax):
    """The same, its monochrome pixels compressed without loss."""
    bits, wide = dataset.BitsStored, dataset.BitsAllocated // 8
    shape = int(dataset.get("NumberOfFrames", 1)), dataset.Rows, dataset.Columns
    values = np.frombuffer(dataset.PixelData, f"<u{wide}")[: np.prod(shape)].reshape(shape) & (2**bits - 1)
    values = np.ascontiguousarray(values.astype(f"u{wide}"))
    frames = [_encoded(frame, syntax, bits) for frame in values]
    return encapsulated(dataset, syntax, *frames)


def _encoded(frame, syntax, bits):
    import imagecodecs

    if syntax == JPEG2000Lossless:
        return imagecodecs.jpeg2k_encode(frame, level=0, codecformat="j2k", reversible=True, bitspersample=bits)
    if syntax == JPEGLSLossless:
        return imagecodecs.jpegls_encode(frame)
    assert syntax == JPEGLosslessSV1
    return imagecodecs.jpeg8_encode(frame, lossless=True, predictor=1, bitspersample=bits)


def encapsulated(dataset, syntax, *frames):
    """The same with frames that are compressed already."""
    dataset.PixelData = encapsulate(list(frames))
    dataset["PixelData"].is_undefined_length = True
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = syntax
    return dataset


def run_length(dataset):
    """The same by pydicom's encoder."""
    dataset.compress(RLELossless, encoding_plugin="pydicom", generate_instance_uid=False)
    return dataset


def as_jpeg(dataset, pixels, quality=95):
    """The same, its 8-bit pixels as baseline JPEG."""
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "JPEG", quality=quality)
    return encapsulated(dataset, JPEGBaseline8Bit, data.getvalue())


def save(dataset, path, **options):
    meta = dataset.file_meta
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True, **options)
    return path


def patient_in(*things):
    """Return whether the invented patient shows through anything, as text or as bytes."""
    texts = (thing.decode("latin1") if isinstance(thing, bytes) else repr(thing) for thing in things)
    return any(PATIENT.lower() in text.lower() for text in texts)
