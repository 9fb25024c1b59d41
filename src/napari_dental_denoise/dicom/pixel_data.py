"""Pixels of radiographs in DICOM: the stored values, in any transfer syntax."""

from __future__ import annotations

import hashlib
import io
import re
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.dicom.codestream import codestream, decode_codestream
from napari_dental_denoise.dicom.description import COLOUR, is_compressed, native_bytes
from napari_dental_denoise.dicom.element import CODESTREAM_END, TAIL, PixelElement
from napari_dental_denoise.dicom.header import OVERLAY_BITS, image_info, read_attributes
from napari_dental_denoise.dicom.values import only_number
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.files import reading_errors
from napari_dental_denoise.pixels import ImageInfo

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

RLE_LOSSLESS = "1.2.840.10008.1.2.5"
# Transfer syntaxes of JPEG, JPEG-LS and JPEG 2000 that reproduce all bits.
LOSSLESS = {f"1.2.840.10008.1.2.4.{number}" for number in (57, 70, 80, 90, 110, 201, 202)}
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
# Of a frame of run lengths: where its one segment of bits begins.
RUNS_START = 64
# Keywords of the transfer syntaxes whose frames have a header of their own, by which they are read.
READ = ("JPEG", "HTJ2K")
YBR = ("YBR_FULL", "YBR_FULL_422")
ALL_FRAMES = slice(None)
GREY_WEIGHTS = (0.299, 0.587, 0.114)


def read_dicom(path: Path, file: BinaryIO, wanted: slice = ALL_FRAMES) -> tuple[ImageInfo, NDArray[np.generic]]:
    """Return what a DICOM file says of its image, and the pixels (N, H, W) of the wanted frames.

    Monochrome pixels are the stored values: neither the modality nor the VOI transformation nor the polarity is
    applied. Colour becomes grey by the standard weights (0.299 R + 0.587 G + 0.114 B). Raises ImageReadError if the
    file is damaged or too large, or no decoder for its pixels is installed. Only the wanted frames are read; the
    digest of the file is known if these are all.
    """
    digest = None
    if wanted == ALL_FRAMES:
        # Once, so that the digest is that of the pixels.
        data = file.read()
        file, digest = io.BytesIO(data), hashlib.sha256(data).hexdigest()
    header = read_attributes(path, file)
    dataset, element, _ = header
    info = replace(image_info(path, *header), sha256=digest)
    frames = range(info.pages)[wanted]
    with reading_errors(path, "is a DICOM file whose pixels are truncated or damaged"):
        # Without pixels there is no `info`.
        pixels = _decode_frames(path, dataset, element, info, frames) if element is not None else np.empty(0)
    if pixels.shape != (len(frames), *info.shape) or pixels.dtype != info.dtype:
        raise ImageReadError(path, "is a DICOM file whose pixels are not what its header says")
    return info, pixels


def _decode_frames(
    path: Path, dataset: Dataset, element: PixelElement, info: ImageInfo, frames: Sequence[int]
) -> NDArray[np.generic]:
    """Return the stored values (N, H, W) of monochrome frames, or the grey of colour frames."""
    is_lossy = False
    if is_compressed(dataset, element):
        parts = _compressed_frames(path, element, info, frames)
        if element.codestream is None:
            pixels = _decode_packed(path, dataset, element, parts)
        else:
            pixels = _decode_codestreams(path, dataset, info, parts)
            is_lossy = _syntax(dataset) not in LOSSLESS and not _has_overlay_bits(dataset)
    else:
        pixels = _decode_native(path, dataset, element, frames)
    if dataset.PhotometricInterpretation not in COLOUR:
        if info.dtype.kind == "f":
            return pixels.reshape(-1, *info.shape)
        pixels = pixels.reshape(-1, *pixels.shape[-2:])
        return _clipped(pixels, dataset, info.dtype) if is_lossy else _stored_bits(pixels, dataset, element, info.dtype)
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        from pydicom.pixels.processing import apply_color_lut

        pixels = apply_color_lut(pixels, dataset)[..., :3]
    return _grey(pixels.reshape(-1, *pixels.shape[-3:]).astype(info.dtype, casting="safe"))


def _grey(frames: NDArray[Any]) -> NDArray[Any]:
    if frames.dtype.itemsize > 2:
        return np.rint(frames @ np.array(GREY_WEIGHTS)).astype(frames.dtype)
    return np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in np.ascontiguousarray(frames)])


def _syntax(dataset: Dataset) -> str:
    return str(dataset.file_meta.get("TransferSyntaxUID") or "") if hasattr(dataset, "file_meta") else ""


def _decode_native(path: Path, dataset: Dataset, element: PixelElement, frames: Sequence[int]) -> NDArray[Any]:
    """Return uncompressed pixels."""
    total = native_bytes(dataset)
    if element.length < total:
        raise ImageReadError(path, f"is a truncated DICOM file: its pixels have {element.length} of {total} bytes")
    count, size = int(dataset.get("NumberOfFrames") or 1), native_bytes(dataset, 1)
    if len(frames) == count:
        return _unpack(dataset, element, element.read(0, total + total % 2), count)
    # Bits of several frames may share a byte, and so may their bytes a word.
    if int(dataset.BitsAllocated) == 1 or size % 2:
        pixels = _unpack(dataset, element, element.read(0, total + total % 2), count)
        return pixels[list(frames)]
    data = b"".join(element.read(index * size, size) for index in frames)
    return _unpack(dataset, element, data, len(frames))


def _unpack(dataset: Dataset, element: PixelElement, data: bytes, count: int) -> NDArray[Any]:
    """Return the pixels in the bytes of so many frames, as pydicom unpacks them."""
    from pydicom.pixels.utils import pixel_array
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

    _, is_little = dataset.original_encoding
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian if is_little is False else ExplicitVRLittleEndian
    dataset.add_new(element.keyword, element.vr, data + b"\0" * (len(data) % 2))
    dataset.NumberOfFrames = count
    return pixel_array(dataset, correct_unused_bits=False)


def _compressed_frames(path: Path, element: PixelElement, info: ImageInfo, frames: Sequence[int]) -> list[bytes]:
    places = element.frames(info.pages)
    if max(frames) >= len(places):
        raise ImageReadError(path, f"is a truncated DICOM file: it has {len(places)} of {info.pages} frames")
    found = [b"".join(element.read(*part) for part in places[index]) for index in frames]
    for index, frame in zip(frames, found, strict=True):
        # A codestream of JPEG 2000 can be decoded without its end, but not right.
        if len(frame) < sum(part.length for part in places[index]) and CODESTREAM_END not in frame[-TAIL:]:
            raise ImageReadError(path, f"is a truncated DICOM file: frame {index + 1} of {info.pages} is not whole")
    return found


def _decode_packed(path: Path, dataset: Dataset, element: PixelElement, frames: Sequence[bytes]) -> NDArray[Any]:
    """Return the pixels of the compressions that have no header of their own; refuse all other ones."""
    from pydicom.encaps import encapsulate
    from pydicom.pixels.utils import pixel_array
    from pydicom.uid import UID, RLELossless

    syntax = UID(_syntax(dataset))
    if syntax == DEFLATED_FRAMES:
        return _unpack_each(dataset, element, [_inflated(frame, native_bytes(dataset, 1)) for frame in frames])
    if syntax == RLE_LOSSLESS and int(dataset.BitsAllocated) == 1:
        import imagecodecs

        return _unpack_each(
            dataset, element, [bytes(imagecodecs.packbits_decode(frame[RUNS_START:])) for frame in frames]
        )
    if not syntax.is_transfer_syntax or not syntax.is_encapsulated or syntax.keyword.startswith(READ):
        raise ImageReadError(
            path, f"holds no frame of JPEG, JPEG-LS, JPEG 2000 or JPEG XL; its header says {_name(syntax)}"
        )
    if syntax != RLE_LOSSLESS:
        raise ImageReadError(path, f"is compressed in a way that is not read ({_name(syntax)})")
    dataset.file_meta.TransferSyntaxUID = RLELossless
    dataset.PixelData = encapsulate(list(frames))
    dataset.NumberOfFrames = len(frames)
    return pixel_array(dataset, decoding_plugin="pydicom", correct_unused_bits=False)


def _inflated(frame: bytes, size: int) -> bytes:
    """Return so many bytes of a deflated frame."""
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(frame, size)


def _unpack_each(dataset: Dataset, element: PixelElement, frames: Sequence[bytes]) -> NDArray[Any]:
    return np.stack([_unpack(dataset, element, frame, 1) for frame in frames])


def _name(syntax: Any) -> str:
    """Return the name of a transfer syntax or, of an unknown one, its numbers."""
    if syntax.name != syntax:
        return str(syntax.name)
    return f"transfer syntax {syntax}" if re.fullmatch(r"[0-9.]{1,64}", syntax) else "no valid transfer syntax"


def _decode_codestreams(path: Path, dataset: Dataset, info: ImageInfo, frames: Sequence[bytes]) -> NDArray[Any]:
    samples = int(dataset.SamplesPerPixel)
    for found in map(codestream, frames):
        # A small frame that claims to be huge is refused before it is decoded.
        if found is None or (found.shape, found.colours or samples) != (info.shape, samples):
            raise ImageReadError(path, "is a DICOM file whose pixels are not of the size that its header says")
    is_ybr = dataset.PhotometricInterpretation in YBR
    return np.stack([decode_codestream(path, frame, is_ybr=is_ybr) for frame in frames])


def _has_overlay_bits(dataset: Dataset) -> bool:
    """Return whether an overlay is stored in unused bits of the pixels, as old files do."""
    positions = [dataset[tag].value for tag in OVERLAY_BITS if tag in dataset]
    return any(isinstance(position, int) and position >= int(dataset.BitsStored) for position in positions)


def _clipped(pixels: NDArray[Any], dataset: Dataset, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return values of a lossy compression within the stored bits, which it may leave by a little."""
    stored = int(dataset.BitsStored)
    # An unsigned frame has the bits of a signed value.
    has_sign = dtype.kind == pixels.dtype.kind == "i"
    low = -(2 ** (stored - 1)) if has_sign else 0
    ends = np.iinfo(pixels.dtype)
    clipped = np.clip(pixels, max(low, ends.min), min(low + 2**stored - 1, ends.max)).astype(dtype, copy=False)
    unused = dtype.type(8 * dtype.itemsize - stored)
    return np.right_shift(np.left_shift(clipped, unused), unused)


def _stored_bits(pixels: NDArray[Any], dataset: Dataset, element: PixelElement, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the stored bits, sign extended; old files keep overlays in the unused ones, codestreams have none."""
    allocated, stored = 8 * dtype.itemsize, int(dataset.BitsStored)
    declared = only_number(dataset, "HighBit") if element.codestream is None else None
    high = stored - 1 if declared is None or not stored - 1 <= declared < allocated else int(declared)
    pixels = pixels.astype(dtype, copy=False)
    shifted = np.left_shift(pixels, dtype.type(allocated - 1 - high))
    return np.right_shift(shifted, dtype.type(allocated - stored))
