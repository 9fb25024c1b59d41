"""Read the header of a DICOM file: only the attributes named here, none of them of the patient."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from napari_dental_denoise.config import LIMITS
from napari_dental_denoise.dicom.description import COLOUR, FLOATING, GREY, describe_pixels
from napari_dental_denoise.dicom.element import KEYWORDS, PixelElement, find_element
from napari_dental_denoise.dicom.file import DEFLATED, check_dicom_file
from napari_dental_denoise.dicom.grayscale import is_inverted, stored_limits
from napari_dental_denoise.dicom.values import first_number, numbers, only_number, optional
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.files import reading_errors
from napari_dental_denoise.pixels import ImageInfo, PixelEncoding, PixelSize, Spacing, is_plausible

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

FUNCTIONAL_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
# Functional group macros and the attributes in them that are read, an allow-list like that below.
MACROS = {
    "PixelMeasuresSequence": ("PixelSpacing",),
    "FrameVOILUTSequence": ("WindowCenter", "WindowWidth", "VOILUTFunction"),
    "PixelValueTransformationSequence": ("RescaleSlope", "RescaleIntercept"),
}
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
    *("AcquisitionDate", "AcquisitionTime", "ContentDate", "ContentTime", "AcquisitionNumber", "InstanceNumber"),
    *(*PALETTE_TABLES, *FUNCTIONAL_GROUPS),
]
# The bit of the pixels that holds an overlay, for each of its groups.
OVERLAY_BITS = [group << 16 | 0x0102 for group in range(0x6000, 0x6020, 2)]
BYTE = 8
ALLOCATED = (1, 8, 16, 32)
DAMAGED = "is a truncated or damaged DICOM file"
MODALITIES = ("IO", "PX", "CR", "DX", "CT", "OT", "RG", "XC", "SC", "RF", "XA")


def read_dicom_info(path: Path, file: BinaryIO) -> ImageInfo:
    """Return what a DICOM file says of its image, without reading its pixels; raise ImageReadError if it holds none."""
    return image_info(path, *read_attributes(path, file))


def read_attributes(path: Path, file: BinaryIO) -> tuple[Dataset, PixelElement | None]:
    """Return the allowed attributes of an open file, shared ones at the top, and where its pixels lie."""
    dataset, element = parse_file(path, file, [*ATTRIBUTES, *OVERLAY_BITS])
    with reading_errors(path, DAMAGED):
        lift_shared_attributes(dataset)
    return dataset, element


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


def image_info(path: Path, dataset: Dataset, element: PixelElement | None) -> ImageInfo:
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
            info = replace(info, encoding=encoding, limits=stored_limits(dataset, 2 ** (BYTE * dtype.itemsize)))
        size, spacing = _pixel_size(dataset)
        modality = optional(dataset, "Modality")
        return replace(
            info,
            pixel_size=size,
            spacing=spacing,
            modality=modality if modality in MODALITIES else "OT",
            series=_series_digest(path, dataset),
            order=_acquisition_order(dataset),
        )


def _series_digest(path: Path, dataset: Dataset) -> str:
    study, series = (str(optional(dataset, name) or "") for name in ("StudyInstanceUID", "SeriesInstanceUID"))
    # An image without a series is a series of its own: it may be of any patient.
    together = f"{study}\n{series}" if series else f"\n{path}"
    # A UID may contain place and time, and whatever else was put there.
    return sha256(together.encode(errors="backslashreplace")).hexdigest()


def _storage_class(dataset: Dataset) -> str:
    from pydicom.uid import UID

    uid = UID(str(optional(dataset, "SOPClassUID")))
    # The name of a UID that the standard does not know is the UID itself, which could hold anything.
    return f" ({uid.name})" if uid.name != uid and "Storage" in uid.name else ""


def _check_size(path: Path, shape: tuple[int, int], frames: int, bits: int) -> None:
    height, width = shape
    claim = f"claims {width}x{height} pixels in {frames} frames"
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


def _pixel_size(dataset: Dataset) -> tuple[PixelSize | None, Spacing | None]:
    sources: Sequence[tuple[str, Spacing]] = (
        ("PixelSpacing", "calibrated"),
        ("ImagerPixelSpacing", "at the detector"),
        ("NominalScannedPixelSpacing", "of the film scanner"),
    )
    for name, spacing in sources:
        sides = numbers(dataset, name)
        if len(sides) == 2 and all(is_plausible(side) for side in sides):
            return (sides[0], sides[1]), spacing
    return None, None


def _acquisition_order(dataset: Dataset) -> tuple[str, int, int]:
    when = str(optional(dataset, "AcquisitionDateTime") or "")
    for date, time in (("AcquisitionDate", "AcquisitionTime"), ("ContentDate", "ContentTime")):
        when = when or f"{optional(dataset, date) or ''}{optional(dataset, time) or ''}"
    acquisition, instance = (int(first_number(dataset, name) or 0) for name in ("AcquisitionNumber", "InstanceNumber"))
    return when, acquisition, instance


def lift_shared_attributes(dataset: Dataset) -> None:
    """Copy attributes that all functional groups share to the top level, where its own prevail; delete the groups."""
    for groups in [optional(dataset, name) or [] for name in FUNCTIONAL_GROUPS]:
        for macro, names in MACROS.items():
            found = [_macro_values(group, macro, names) for group in groups]
            if not found or any(values != found[0] for values in found):
                continue
            for name, value in found[0].items():
                if optional(dataset, name) is None:
                    setattr(dataset, name, value)
    for name in FUNCTIONAL_GROUPS:
        dataset.pop(name, None)


def _macro_values(group: Dataset, macro: str, names: tuple[str, ...]) -> dict[str, Any]:
    items = optional(group, macro)
    values = {name: optional(items[0], name) for name in names} if items else {}
    return {name: value for name, value in values.items() if value is not None}
