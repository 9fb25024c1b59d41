"""Derived images in DICOM: a new image of the same patient and study, or of nobody, that says what was done to it."""

from __future__ import annotations

import copy
import hashlib
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
from napari_dental_denoise.core.dicom_code import coded
from napari_dental_denoise.core.dicom_frames import lift_common
from napari_dental_denoise.core.dicom_header import (
    COLOUR,
    LIBRARY,
    LOOKUP_TABLES,
    DicomHeader,
    check_dicom_file,
    describe,
)
from napari_dental_denoise.core.dicom_impersonal import impersonal
from napari_dental_denoise.core.errors import ImageReadError, InputError
from napari_dental_denoise.core.refusal import refusing
from napari_dental_denoise.core.regular_file import read_file

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

PROGRAM = "napari-dental-denoise"
# Derived images come behind the original ones in a list.
SERIES_OFFSET = 1000
LONGEST_TEXT = 1024
LONGEST_TITLE = 64
# By transfer syntax, the method. JPEG as cameras have it always loses.
LOSSY = dict.fromkeys(("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"), "ISO_10918_1")
# May be without loss, where the file says so.
MAYBE_LOSSY = {
    "1.2.840.10008.1.2.4.81": "ISO_14495_1",
    "1.2.840.10008.1.2.4.91": "ISO_15444_1",
    "1.2.840.10008.1.2.4.203": "ISO_15444_15",
}
UTF_8 = "ISO_IR 192"
# Bytes in one number, by value representation.
WORDS = {"OW": 2, "OL": 4, "OF": 4, "OD": 8, "OV": 8}
# Of the pixels before, or signed with them.
STALE = [
    *("IconImageSequence", "DigitalSignaturesSequence", "MACParametersSequence", "ExtendedOffsetTable"),
    *("ExtendedOffsetTableLengths", "SmallestImagePixelValue", "LargestImagePixelValue", "PixelDataProviderURL"),
]
COLOUR_ONLY = [
    *("PlanarConfiguration", "PixelPaddingValue", "PixelPaddingRangeLimit", "ICCProfile", "ColorSpace"),
    *LOOKUP_TABLES,
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
    path: Path,
    source: Path,
    pixels: NDArray[np.generic],
    derivation: Derivation,
    *,
    sha256: str | None = None,
    overwrite: bool = False,
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
    sha256 : str, optional
        Of the source when its pixels were read, as its header has it: a file that took its place
        since then may be of another patient.
    overwrite : bool
        Replace a file of that name.

    Raises
    ------
    InputError
        If the source cannot be read any more or is another file now, the pixels are not of its shape
        and type, or the file is there already or cannot be written.
    """
    with refusing(source, "has attributes that cannot be copied: choose --format png or tif", LIBRARY):
        dataset = _read_whole(source, sha256)
        _check_pixels(describe(source, dataset), pixels)
        original = copy.deepcopy(dataset)
        _tell_loss(dataset)
        _turn_words(dataset)
        _set_pixels(dataset, pixels)
        if derivation.deidentify:
            lift_common(dataset)
            dataset = impersonal(dataset)
            dataset.StudyInstanceUID = derivation.uid(f"study {original.get('StudyInstanceUID')}")
        else:
            _refer_to(dataset, original)
        dataset.SeriesInstanceUID = derivation.uid(f"series {original.get('SeriesInstanceUID')}")
        _describe(dataset, original, derivation)
        _use_letters(dataset)
        data = _encoded(dataset)
    write_bytes(path, data, overwrite=overwrite)


def _read_whole(source: Path, sha256: str | None) -> Dataset:
    import pydicom

    check_dicom_file(source)
    data = read_file(source)
    if sha256 not in (None, hashlib.sha256(data).hexdigest()):
        raise ImageReadError(source, "was changed or replaced since its pixels were read: open it again")
    return pydicom.dcmread(io.BytesIO(data), force=True)


def _check_pixels(header: DicomHeader, pixels: NDArray[np.generic]) -> None:
    expected = (header.frames, *header.shape)
    shape = pixels.shape if pixels.ndim == 3 or header.frames > 1 else (1, *pixels.shape)
    if shape != expected or pixels.dtype != header.dtype:
        one = header.shape if header.frames == 1 else expected
        raise InputError(
            f"a derived image must be {one} {header.dtype} as its source; received {pixels.shape} {pixels.dtype}"
        )


def _tell_loss(dataset: Dataset) -> None:
    """What a lossy compression took away stays away, and uncompressed pixels do not show it any more."""
    syntax = dataset.file_meta.get("TransferSyntaxUID") if hasattr(dataset, "file_meta") else None
    method = LOSSY.get(str(syntax)) or MAYBE_LOSSY.get(str(syntax))
    told = dataset.get("LossyImageCompression")
    if method is None or told == "01" or (told == "00" and str(syntax) in MAYBE_LOSSY):
        return
    dataset.LossyImageCompression = "01"
    dataset.LossyImageCompressionMethod = [*_values(dataset.get("LossyImageCompressionMethod")), method]


def _turn_words(dataset: Dataset) -> None:
    """Of a big-endian file, the values that pydicom takes for mere bytes."""
    _, little = dataset.original_encoding
    if little is not False:
        return
    for element in dataset.iterall():
        size = WORDS.get(element.VR)
        if size is not None and isinstance(element.value, bytes):
            element.value = np.frombuffer(element.value, f">u{size}").astype(f"<u{size}").tobytes()
    dataset.set_original_encoding(is_implicit_vr=False, is_little_endian=True)


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
    item.PurposeOfReferenceCodeSequence = [coded(codes.DCM.SourceImageForImageProcessingOperation)]
    item.SpatialLocationsPreserved = "YES"
    dataset.SourceImageSequence = [item]


def _describe(dataset: Dataset, original: Dataset, derivation: Derivation) -> None:
    from pydicom.sr.codedict import codes
    from pydicom.uid import generate_uid

    now = datetime.now().astimezone()
    dataset.SOPInstanceUID = generate_uid(prefix=None)
    _, *rest = _values(dataset.get("ImageType")) or [""]
    dataset.ImageType = ["DERIVED", *(rest or ["PRIMARY"])]
    dataset.DerivationDescription = derivation.description[:LONGEST_TEXT]
    dataset.DerivationCodeSequence = [coded(codes.DCM.ImageProcessing)]
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


def _values(value: Any) -> list[Any]:
    """Of an attribute: pydicom gives none, a single one or a list."""
    return [value] if isinstance(value, str) else list(value or [])


def _algorithm(name: str, parameters: str) -> Dataset:
    """The Algorithm Identification Macro, PS3.3 table 10-19."""
    from pydicom.dataset import Dataset as Item
    from pydicom.sr.codedict import codes

    item = Item()
    item.AlgorithmFamilyCodeSequence = [coded(codes.DCM.ArtificialIntelligence)]
    item.AlgorithmName, item.AlgorithmVersion = _title(name), __version__
    item.AlgorithmParameters, item.AlgorithmSource = parameters, PROGRAM
    return item


def _title(text: str) -> str:
    """In DICOM, a backslash begins another value; and what cannot be printed is not allowed."""
    return "".join(letter if letter.isprintable() else " " for letter in text.replace("\\", "/"))[:LONGEST_TITLE]


def _use_letters(dataset: Dataset) -> None:
    """Go over to UTF-8 where a model's name needs it; else the letters of the source stay as they are encoded."""
    own = [dataset.DerivationDescription]
    for item in dataset.get("DerivationAlgorithmSequence", []):
        own += [item.AlgorithmName, item.AlgorithmParameters]
    if not all(text.isascii() for text in own) and dataset.get("SpecificCharacterSet") != UTF_8:
        dataset.decode()
        dataset.SpecificCharacterSet = UTF_8


def _equipment(derivation: Derivation, now: datetime) -> Dataset:
    """An item of the SOP Common module's Contributing Equipment Sequence, PS3.3 C.12.1."""
    from pydicom.dataset import Dataset as Item
    from pydicom.sr.codedict import codes

    item = Item()
    item.PurposeOfReferenceCodeSequence = [coded(codes.DCM.ProcessingEquipment)]
    item.Manufacturer = f"The {PROGRAM} developers"
    item.ManufacturerModelName, item.SoftwareVersions = PROGRAM, __version__
    item.ContributionDescription = derivation.description[:LONGEST_TEXT]
    if not derivation.deidentify:
        item.ContributionDateTime = now.strftime("%Y%m%d%H%M%S%z")
    return item


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
