"""Derived images in DICOM: a new image of the same patient and study, or of nobody, that says what was done to it."""

from __future__ import annotations

import copy
import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.dicom.deidentify import impersonal
from napari_dental_denoise.dicom.file import LIBRARY, check_dicom_file
from napari_dental_denoise.dicom.frames import lift_common
from napari_dental_denoise.dicom.header import COLOUR, LOOKUP_TABLES, DicomHeader, describe
from napari_dental_denoise.dicom.provenance import Derivation, describe_derivation, refer_to, use_letters
from napari_dental_denoise.dicom.values import parts
from napari_dental_denoise.errors import ImageReadError, InputError
from napari_dental_denoise.files import read_file, refusing, write_bytes

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# By transfer syntax, the method. JPEG as cameras have it always loses.
LOSSY = dict.fromkeys(("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"), "ISO_10918_1")
# May be without loss, where the file says so.
MAYBE_LOSSY = {
    "1.2.840.10008.1.2.4.81": "ISO_14495_1",
    "1.2.840.10008.1.2.4.91": "ISO_15444_1",
    "1.2.840.10008.1.2.4.203": "ISO_15444_15",
}
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
            refer_to(dataset, original)
        dataset.SeriesInstanceUID = derivation.uid(f"series {original.get('SeriesInstanceUID')}")
        describe_derivation(dataset, original, derivation)
        use_letters(dataset)
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
    dataset.LossyImageCompressionMethod = [*parts(dataset.get("LossyImageCompressionMethod")), method]


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
