"""Pixels of radiographs in DICOM: the stored values, in any transfer syntax."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.dicom.file import check_dicom_file
from napari_dental_denoise.dicom.header import COLOUR, image_info, parse_dataset
from napari_dental_denoise.dicom.values import only_number
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.files import CURE, claimed_shape, is_whole, reading_errors
from napari_dental_denoise.pixels import ImageInfo

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

RLE_LOSSLESS = "1.2.840.10008.1.2.5"
JPEG = "jpeg8_decode"
# Prevents a colour conversion that a JFIF header asks for and DICOM does not.
NO_CONVERSION = {"colorspace": "RGB", "outcolorspace": "RGB"}
# The decoder of imagecodecs for each compressed transfer syntax.
CODECS = {
    **dict.fromkeys(("JPEGBaseline8Bit", "JPEGExtended12Bit", "JPEGLossless", "JPEGLosslessSV1"), JPEG),
    **dict.fromkeys(("JPEGLSLossless", "JPEGLSNearLossless"), "jpegls_decode"),
    **dict.fromkeys(("JPEG2000Lossless", "JPEG2000", "HTJ2KLossless", "HTJ2KLosslessRPCL", "HTJ2K"), "jpeg2k_decode"),
}
# Photometric interpretations that these decoders do not convert to RGB.
YBR = ("YBR_FULL", "YBR_FULL_422")
# For 8-bit colour, which it converts as DICOM defines, and where imagecodecs is missing.
PILLOW = "pillow"


def read_dicom(path: Path, file: BinaryIO) -> tuple[ImageInfo, NDArray[np.generic]]:
    """Return what a DICOM file says of its image, and its pixels (H, W) or, of several frames, (N, H, W).

    Monochrome pixels are the stored values: neither the modality nor the VOI transformation nor the polarity is
    applied. Colour becomes grey by the standard weights (0.299 R + 0.587 G + 0.114 B). Raises ImageReadError if the
    file is damaged or too large, or no decoder for its pixels is installed.
    """
    check_dicom_file(path, file)
    # Once, so that the digest is that of the pixels.
    data = file.read()
    dataset = parse_dataset(path, data)
    info = replace(image_info(path, dataset), sha256=hashlib.sha256(data).hexdigest())
    with reading_errors(path, "is a DICOM file whose pixels are truncated or damaged"):
        pixels = _decode_frames(path, dataset, info)
    if pixels.shape != (info.pages, *info.shape) or pixels.dtype != info.dtype:
        raise ImageReadError(path, "is a DICOM file whose pixels are not what its header says")
    return info, pixels[0] if info.pages == 1 else pixels


def _decode_frames(path: Path, dataset: Dataset, info: ImageInfo) -> NDArray[np.generic]:
    """Return the stored values (N, H, W) of monochrome frames, or the grey of colour frames."""
    if "PixelData" not in dataset:
        what = "floating-point pixels" if "FloatPixelData" in dataset or "DoubleFloatPixelData" in dataset else "none"
        raise ImageReadError(path, f"is a DICOM file with {what} where pixels of 8 or 16 bits were expected")
    syntax = dataset.file_meta.get("TransferSyntaxUID") if hasattr(dataset, "file_meta") else None
    if syntax is None:
        from pydicom.uid import ImplicitVRLittleEndian

        syntax = dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    is_codestream = bool(syntax.is_encapsulated) and syntax != RLE_LOSSLESS
    pixels = (_decode_codestreams if is_codestream else _decode_native)(path, dataset, info, syntax)
    if dataset.PhotometricInterpretation not in COLOUR:
        pixels = pixels.reshape(-1, *pixels.shape[-2:])
        return _stored_bits(pixels, dataset, info.dtype, is_codestream=is_codestream)
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        from pydicom.pixels.processing import apply_color_lut

        pixels = apply_color_lut(pixels, dataset)[..., :3]
    frames = pixels.reshape(-1, *pixels.shape[-3:]).astype(info.dtype, casting="safe")
    return np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in np.ascontiguousarray(frames)])


def _decode_native(path: Path, dataset: Dataset, _info: ImageInfo, syntax: Any) -> NDArray[Any]:
    """Return the pixels of a transfer syntax that pydicom reads without another library."""
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.pixels.utils import pixel_array

    try:
        get_decoder(syntax)
    except NotImplementedError as error:
        raise ImageReadError(path, "is a DICOM file of a transfer syntax that is not read") from error
    plugin = "pydicom" if syntax == RLE_LOSSLESS else ""
    return pixel_array(dataset, decoding_plugin=plugin, correct_unused_bits=False)


def _decode_codestreams(path: Path, dataset: Dataset, info: ImageInfo, syntax: Any) -> NDArray[Any]:
    from pydicom.encaps import generate_frames
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.pixels.utils import pixel_array

    if syntax.keyword not in CODECS:
        raise ImageReadError(path, "is a DICOM file of a transfer syntax that is not read")
    frames = list(generate_frames(dataset.PixelData, number_of_frames=info.pages))
    samples = int(dataset.get("SamplesPerPixel") or 1)
    # A small frame that claims to be huge is refused before it is decoded.
    if any(claimed_shape(frame) != (*info.shape, samples) for frame in frames):
        raise ImageReadError(path, "is a DICOM file whose pixels are not of the size that its header says")
    if not all(is_whole(frame) for frame in frames):
        raise ImageReadError(path, "is a DICOM file whose pixels are truncated")
    codec = CODECS[syntax.keyword]
    decode = _codec(codec)
    available = get_decoder(syntax).available_plugins
    has_pillow = PILLOW in available and not (samples > 1 and info.dtype.itemsize > 1)
    if has_pillow and (samples > 1 or decode is None):
        return pixel_array(dataset, decoding_plugin=PILLOW, correct_unused_bits=False)
    if decode is None:
        raise ImageReadError(path, f"is compressed ({syntax.name}), and no decoder for that is installed: {CURE}")
    options = NO_CONVERSION if samples > 1 and codec == JPEG else {}
    pixels = np.stack([decode(frame, **options) for frame in frames])
    return _ybr_to_rgb(path, pixels) if dataset.PhotometricInterpretation in YBR else pixels


def _ybr_to_rgb(path: Path, pixels: NDArray[Any]) -> NDArray[Any]:
    from pydicom.pixels.processing import convert_color_space

    if pixels.dtype != np.uint8:
        raise ImageReadError(path, "is a DICOM file of YBR colours of more than 8 bits, which are not read")
    return convert_color_space(pixels, "YBR_FULL", "RGB")


def _codec(name: str) -> Any:
    try:
        import imagecodecs
    except ImportError:
        return None
    return getattr(imagecodecs, name)


def _stored_bits(pixels: NDArray[Any], dataset: Dataset, dtype: np.dtype[Any], *, is_codestream: bool) -> NDArray[Any]:
    """Return the stored bits, sign extended; old files keep overlays in the unused ones, codestreams have none."""
    allocated, stored = int(dataset.BitsAllocated), int(dataset.get("BitsStored") or dataset.BitsAllocated)
    declared = None if is_codestream else only_number(dataset, "HighBit")
    high = stored - 1 if declared is None or not stored - 1 <= declared < allocated else int(declared)
    pixels = pixels.astype(dtype, copy=False)
    shifted = np.left_shift(pixels, dtype.type(allocated - 1 - high))
    return np.right_shift(shifted, dtype.type(allocated - stored))
