"""Derived DICOM images: new images of the same patient and study, or of none, that say what was done to them."""

from __future__ import annotations

import copy
import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.dicom.codestream import JPEG
from napari_dental_denoise.dicom.deidentify import BurnedText, deidentify, tell_text
from napari_dental_denoise.dicom.description import COLOUR
from napari_dental_denoise.dicom.element import PixelElement
from napari_dental_denoise.dicom.frames import groups_of, lift_shared_attributes
from napari_dental_denoise.dicom.header import PALETTE_TABLES, image_info, parse_file
from napari_dental_denoise.dicom.provenance import Derivation, add_derivation, add_source_image, use_utf8_if_needed
from napari_dental_denoise.dicom.values import parts
from napari_dental_denoise.errors import ImageReadError, InputError
from napari_dental_denoise.files import open_file, reading_errors, write_bytes
from napari_dental_denoise.pixels import ImageInfo

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# Transfer syntaxes that always lose information and those that may, with the defined term for the method.
LOSSY_JPEG = "ISO_10918_1"
LOSSY = dict.fromkeys((f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 111)), LOSSY_JPEG)
POSSIBLY_LOSSY = {
    "1.2.840.10008.1.2.4.81": "ISO_14495_1",
    "1.2.840.10008.1.2.4.91": "ISO_15444_1",
    "1.2.840.10008.1.2.4.112": "ISO_18181_1",
    "1.2.840.10008.1.2.4.203": "ISO_15444_15",
}
# Bytes per number, by value representation.
WORD_BYTES = {"OW": 2, "OL": 4, "OF": 4, "OD": 8, "OV": 8}
# Attributes that describe the original pixels or sign them.
STALE = [
    *("IconImageSequence", "DigitalSignaturesSequence", "MACParametersSequence", "ExtendedOffsetTable"),
    *("ExtendedOffsetTableLengths", "SmallestImagePixelValue", "LargestImagePixelValue", "PixelDataProviderURL"),
]
FLOATING_KEYWORDS = {4: "FloatPixelData", 8: "DoubleFloatPixelData"}
OVERLAY_GROUPS = range(0x6000, 0x6020, 2)
OVERLAY_ROWS, OVERLAY_DATA = 0x0010, 0x3000
COLOUR_ONLY = [
    *("PlanarConfiguration", "PixelPaddingValue", "PixelPaddingRangeLimit", "ICCProfile", "ColorSpace"),
    *PALETTE_TABLES,
]


def write_derived(
    path: Path,
    source: Path,
    pixels: NDArray[np.generic],
    derivation: Derivation,
    *,
    text: BurnedText = BurnedText.NOT_EXAMINED,
    sha256: str | None = None,
    overwrite: bool = False,
) -> list[str]:
    """Write a derived image of the same patient and study as the DICOM file `source`, in a new series.

    Return what could not be taken over, in words.

    The attributes of the source are kept, except those that a derivation changes by PS3.3: UIDs of
    image and series, image type DERIVED, description, code and algorithm of the derivation, source
    image, contributing equipment. Private attributes, which may describe the original pixels, are
    left out. Pixels are stored values of the type and shape of the source's, grey for a colour source, and are
    written uncompressed. `text` tells whether text is burned into `pixels`. `sha256` is the digest of the source when
    its pixels were read: a file that replaced it since then may be of another patient.
    """
    with reading_errors(source, "has attributes that cannot be copied: choose --format png or tif"):
        dataset, element, info = _read_whole(source, sha256)
        _check_pixels(info, pixels)
        original = copy.deepcopy(dataset)
        _record_loss(dataset, element)
        _make_little_endian(dataset)
        left_out = _leave_out_stale(dataset)
        _set_pixels(dataset, pixels)
        if derivation.deidentify:
            frames = lift_shared_attributes(dataset)
            dataset = deidentify(dataset, text)
            if frames:
                dataset.PerFrameFunctionalGroupsSequence = groups_of(frames)
            dataset.StudyInstanceUID = derivation.uid(f"study {original.get('StudyInstanceUID')}")
        else:
            add_source_image(dataset, original)
        tell_text(dataset, text)
        dataset.SeriesInstanceUID = derivation.uid(f"series {original.get('SeriesInstanceUID')}")
        add_derivation(dataset, original, derivation)
        use_utf8_if_needed(dataset)
        data = _encoded(dataset)
    write_bytes(path, data, overwrite=overwrite)
    return left_out


def _read_whole(source: Path, sha256: str | None) -> tuple[Dataset, PixelElement | None, ImageInfo]:
    """Return the attributes in front of the pixels, where these lie, and what the attributes say of the image."""
    with open_file(source) as file:
        data = file.read()
    if sha256 not in (None, hashlib.sha256(data).hexdigest()):
        raise ImageReadError(source, "was changed or replaced since its pixels were read: open it again")
    dataset, element = parse_file(source, io.BytesIO(data))
    info = image_info(source, dataset, element)
    if not dataset.get("SOPClassUID"):
        dataset.SOPClassUID = _storage_class(dataset)
    return dataset, element, info


def _storage_class(dataset: Dataset) -> str:
    """Return the class that only the meta information names or, without, that of images of any origin."""
    from pydicom.uid import SecondaryCaptureImageStorage

    return str(dataset.file_meta.get("MediaStorageSOPClassUID") or SecondaryCaptureImageStorage)


def _check_pixels(info: ImageInfo, pixels: NDArray[np.generic]) -> None:
    expected = (info.pages, *info.shape)
    shape = pixels.shape if pixels.ndim == 3 or info.pages > 1 else (1, *pixels.shape)
    if shape != expected or pixels.dtype != info.dtype:
        accepted = f"{info.shape if info.pages == 1 else expected} {info.dtype}"
        raise InputError(f"a derived image must be {accepted} like its source; received {pixels.shape} {pixels.dtype}")


def _record_loss(dataset: Dataset, element: PixelElement | None) -> None:
    """State the loss of a lossy compression, which uncompressed pixels no longer show."""
    syntax = str(dataset.file_meta.get("TransferSyntaxUID")) if hasattr(dataset, "file_meta") else ""
    method = LOSSY.get(syntax) or POSSIBLY_LOSSY.get(syntax)
    if element is not None and element.codestream is not None and element.codestream.kind == JPEG:
        # Whatever the transfer syntax says.
        method = LOSSY_JPEG
    stated = dataset.get("LossyImageCompression")
    if method is None or stated == "01" or (stated == "00" and syntax in POSSIBLY_LOSSY):
        return
    dataset.LossyImageCompression = "01"
    dataset.LossyImageCompressionMethod = [*parts(dataset.get("LossyImageCompressionMethod")), method]


def _make_little_endian(dataset: Dataset) -> None:
    """Swap the bytes of numbers that pydicom leaves as bytes."""
    _, little = dataset.original_encoding
    if little is not False:
        return
    for element in dataset.iterall():
        size = WORD_BYTES.get(element.VR)
        if size is not None and isinstance(element.value, bytes):
            element.value = np.frombuffer(element.value, f">u{size}").astype(f"<u{size}").tobytes()
    dataset.set_original_encoding(is_implicit_vr=False, is_little_endian=True)


def _leave_out_stale(dataset: Dataset) -> list[str]:
    """Leave out what describes or signs the original pixels; return what a user would miss of it."""
    for name in STALE:
        dataset.pop(name, None)
    dataset.remove_private_tags()
    overlays = 0
    for group in OVERLAY_GROUPS:
        # An overlay without data is stored in unused bits of the original pixels.
        if (group, OVERLAY_ROWS) in dataset and (group, OVERLAY_DATA) not in dataset:
            for element in dataset.group_dataset(group):
                del dataset[element.tag]
            overlays += 1
    return ["the overlay in unused bits of the pixels was left out"] if overlays else []


def _set_pixels(dataset: Dataset, pixels: NDArray[np.generic]) -> None:
    if dataset.PhotometricInterpretation in COLOUR:
        for name in COLOUR_ONLY:
            dataset.pop(name, None)
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PixelRepresentation = 1, "MONOCHROME2", 0
        dataset.BitsStored = 8 * pixels.dtype.itemsize
    dataset.BitsAllocated = 8 * pixels.dtype.itemsize
    data = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<")).tobytes()
    data += b"\0" * (len(data) % 2)
    if pixels.dtype.kind == "f":
        # These have no bits that are not used, and no sign.
        for name in ("BitsStored", "HighBit", "PixelRepresentation"):
            dataset.pop(name, None)
        setattr(dataset, FLOATING_KEYWORDS[pixels.dtype.itemsize], data)
        return
    dataset.HighBit = dataset.BitsStored - 1
    dataset.add_new("PixelData", "OW" if pixels.dtype.itemsize > 1 else "OB", data)


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
