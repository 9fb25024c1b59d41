"""Read the header of a DICOM file: only the attributes named here, none of them of the patient."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

from napari_dental_denoise.config import LIMITS
from napari_dental_denoise.dicom.codes import item
from napari_dental_denoise.dicom.description import COLOUR, FLOATING, GREY, describe_pixels
from napari_dental_denoise.dicom.element import KEYWORDS, PixelElement, find_element
from napari_dental_denoise.dicom.file import DEFLATED, check_dicom_file
from napari_dental_denoise.dicom.frames import FUNCTIONAL_GROUPS, lift_shared_attributes
from napari_dental_denoise.dicom.geometry import acquisition_order, aspect_ratio, pixel_size, planes_of, series_digest
from napari_dental_denoise.dicom.grayscale import is_inverted, rescale, stored_limits
from napari_dental_denoise.dicom.values import only_number, optional
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.files import reading_errors
from napari_dental_denoise.pixels import ImageInfo, PixelEncoding, widest_limits
from napari_dental_denoise.progress import counted

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

PALETTE_TABLES = [
    f"{kind}PaletteColorLookupTable{part}"
    for colour in ("Red", "Green", "Blue")
    for kind, part in ((colour, "Descriptor"), (colour, "Data"), (f"Segmented{colour}", "Data"))
]
# An allow-list: whatever else a file holds never reaches this program, so it cannot leak. The functional groups of
# enhanced images have an allow-list of their own.
ATTRIBUTES = [
    *("SOPClassUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality", "SamplesPerPixel"),
    *("PhotometricInterpretation", "PlanarConfiguration", "Rows", "Columns", "NumberOfFrames", "BitsAllocated"),
    *("BitsStored", "HighBit"),
    *("PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit", "PixelSpacing", "ImagerPixelSpacing"),
    *("NominalScannedPixelSpacing", "WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence"),
    *("RescaleSlope", "RescaleIntercept", "ModalityLUTSequence", "PresentationLUTShape", "AcquisitionDateTime"),
    *("AcquisitionDate", "AcquisitionTime", "AcquisitionNumber", "InstanceNumber", "SeriesNumber"),
    *("ImagePositionPatient", "ImageOrientationPatient", "FrameOfReferenceUID", "PixelAspectRatio"),
    *(*PALETTE_TABLES, *FUNCTIONAL_GROUPS),
]
# The bit of the pixels that holds an overlay, for each of its groups.
OVERLAY_BITS = [group << 16 | 0x0102 for group in range(0x6000, 0x6020, 2)]
# Attributes of a frame that change how its values are shown.
FRAME_SCALES = ("RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth")
BYTE = 8
ALLOCATED = (1, 8, 16, 32)
DAMAGED = "is a truncated or damaged DICOM file"
MODALITIES = ("IO", "PX", "CR", "DX", "CT", "OT", "RG", "XC", "SC", "RF", "XA")


def read_dicom_info(path: Path, file: BinaryIO) -> ImageInfo:
    """Return what a DICOM file says of its image, without reading its pixels; raise ImageReadError if it holds none."""
    return image_info(path, *read_attributes(path, file))


class Header(NamedTuple):
    """The allowed attributes of a file, those that all frames share at the top, and where its pixels lie."""

    dataset: Dataset
    element: PixelElement | None
    # Attributes that differ between the frames.
    frames: list[Dataset]


def read_attributes(path: Path, file: BinaryIO) -> Header:
    """Return the header of an open file."""
    dataset, element = parse_file(path, file, [*ATTRIBUTES, *OVERLAY_BITS])
    with reading_errors(path, DAMAGED):
        return Header(dataset, element, lift_shared_attributes(dataset))


def parse_file(
    path: Path, file: BinaryIO, wanted: Sequence[str | int] | None = None
) -> tuple[Dataset, PixelElement | None]:
    """Return the wanted attributes of an open file, by default all, and where its pixels lie; they are not read.

    Whatever is behind the pixels is left alone: it could be damaged, and does not describe them.
    """
    import pydicom

    syntax = check_dicom_file(path, file)
    is_deflated = syntax == DEFLATED
    names = None if wanted is None else [*wanted, *(KEYWORDS.values() if is_deflated else ())]
    with reading_errors(path, DAMAGED):
        dataset = pydicom.dcmread(file, force=True, stop_before_pixels=not is_deflated, specific_tags=names)
        element = _inflated(dataset) if is_deflated else find_element(file)
        describe_pixels(dataset, element)
    return dataset, element


def _inflated(dataset: Dataset) -> PixelElement | None:
    """Take the pixels out of a dataset that was read with them."""
    for keyword in KEYWORDS.values():
        if keyword in dataset:
            data, kind = dataset[keyword].value or b"", dataset[keyword].VR
            del dataset[keyword]
            return PixelElement(keyword, kind, io.BytesIO(data), 0, len(data), is_encapsulated=False)
    return None


def image_info(
    path: Path, dataset: Dataset, element: PixelElement | None, per_frame: Sequence[Dataset] = ()
) -> ImageInfo:
    """Return what the attributes of a file say of its image; raise ImageReadError if it holds none that is read."""
    with reading_errors(path, DAMAGED):
        if "Rows" not in dataset or "Columns" not in dataset:
            raise ImageReadError(path, f"is a DICOM file without an image{_storage_class(dataset)}")
        if element is None:
            raise ImageReadError(path, "is a DICOM file without pixels, but for the header of an image")
        shape, frames = (int(dataset.Rows), int(dataset.Columns)), int(dataset.get("NumberOfFrames") or 1)
        if not dataset.get("BitsAllocated"):
            raise ImageReadError(path, "does not say how many bits its pixels have, nor do the pixels")
        allocated, stored = int(dataset.BitsAllocated), int(dataset.BitsStored)
        _check_size(path, shape, frames, allocated)
        photometric = str(dataset.PhotometricInterpretation)
        if photometric not in (*GREY, *COLOUR):
            raise ImageReadError(path, "has a photometric interpretation that is not read; expected monochrome or RGB")
        is_floating = element.keyword in FLOATING
        if not is_floating and (allocated not in ALLOCATED or not 1 <= stored <= allocated):
            raise ImageReadError(path, f"stores {stored} bits in {allocated}; expected up to 32 in 8, 16 or 32")
        dtype = np.dtype(f"f{allocated // BYTE}") if is_floating else _pixel_type(dataset, photometric, allocated)
        info = ImageInfo(path, "DICOM", shape, dtype, frames, PixelEncoding(bits=BYTE * dtype.itemsize))
        if photometric in GREY:
            encoding = PixelEncoding(is_inverted(dataset), stored, _padding_range(dataset, dtype))
            info = replace(info, encoding=encoding, **_scales(dataset, per_frame, frames, 2 ** (BYTE * dtype.itemsize)))
        size, spacing = pixel_size(dataset)
        planes = planes_of(dataset, per_frame, frames)
        modality = optional(dataset, "Modality")
        return replace(
            info,
            pixel_size=size,
            spacing=spacing,
            modality=modality if modality in MODALITIES else "OT",
            aspect=aspect_ratio(dataset),
            series=series_digest(path, dataset, planes),
            order=acquisition_order(dataset),
            planes=planes,
        )


def _scales(dataset: Dataset, per_frame: Sequence[Dataset], count: int, values: int) -> dict[str, Any]:
    """Return the rescale and the limits of an image, and those of its frames where they differ."""
    whole = {"limits": stored_limits(dataset, values), "rescales": (rescale(dataset),)}
    if len(per_frame) != count or not any(name in frame for frame in per_frame for name in FRAME_SCALES):
        return whole
    merged = [item() for _ in per_frame]
    for one, frame in zip(merged, per_frame, strict=True):
        one.update(dataset)
        one.update(frame)
    limits = [stored_limits(one, values) for one in merged]
    return {"limits": widest_limits(limits), "rescales": tuple(map(rescale, merged)), "page_limits": tuple(limits)}


def _storage_class(dataset: Dataset) -> str:
    from pydicom.uid import UID

    uid = UID(str(optional(dataset, "SOPClassUID")))
    # The name of a UID that the standard does not know is the UID itself, which could hold anything.
    return f" ({uid.name})" if uid.name != uid and "Storage" in uid.name else ""


def _check_size(path: Path, shape: tuple[int, int], frames: int, bits: int) -> None:
    height, width = shape
    claim = f"claims {width}x{height} pixels in {counted(frames, 'frame')}"
    if min(height, width, frames) < 1:
        raise ImageReadError(path, f"{claim}; expected at least one")
    if height * width > LIMITS.pixels:
        raise ImageReadError(path, f"{claim}; at most {LIMITS.pixels // 2**20} million are read")
    # A frame at a time fits into memory, and so do all of them.
    if height * width * frames * max(1, bits // BYTE) > LIMITS.dicom_bytes:
        raise ImageReadError(path, f"{claim}; at most {LIMITS.dicom_bytes // 2**20} MiB of pixels are read")


def _pixel_type(dataset: Dataset, photometric: str, allocated: int) -> np.dtype[np.generic]:
    """Return the type of stored monochrome values, or of the grey that colour becomes."""
    if photometric in GREY and allocated >= BYTE:
        return np.dtype(f"{'i' if dataset.get('PixelRepresentation') == 1 else 'u'}{allocated // BYTE}")
    if photometric == "PALETTE COLOR":
        allocated = 16 if int(dataset.RedPaletteColorLookupTableDescriptor[2]) > 8 else 8
    return np.dtype(f"u{max(1, allocated // BYTE)}")


def _padding_range(dataset: Dataset, dtype: np.dtype[np.generic]) -> tuple[int, int] | None:
    value = only_number(dataset, "PixelPaddingValue")
    if value is None:
        return None
    limit = only_number(dataset, "PixelPaddingRangeLimit")
    ends = [_as_stored(end, dtype) for end in (value, value if limit is None else limit)]
    return min(ends), max(ends)


def _as_stored(value: float, dtype: np.dtype[np.generic]) -> int:
    """Return padding as a stored value; some devices declare that of signed pixels as unsigned, by the same bits."""
    whole, count = int(value), 2 ** (BYTE * dtype.itemsize)
    highest = count // 2 - 1 if np.issubdtype(dtype, np.signedinteger) else count - 1
    return whole if highest - count < whole <= highest else whole % count - (count if whole % count > highest else 0)
