"""JPEG of 8 and 12 bits, lossless JPEG and JPEG-LS of up to 16."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image as PillowImage

from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.files import (
    JpegFrame,
    decode_jpeg,
    has_end,
    jpeg_frame,
    jpeg_segments,
    reading_errors,
    unseen,
)
from napari_dental_denoise.images.readers.format import DAMAGED, PILLOW_ERRORS, Format, Pages, check_size, stored_type
from napari_dental_denoise.images.readers.grey import (
    ORIENTATION,
    Pixels,
    full_range,
    inks_to_rgb,
    to_grey,
    turned,
    turned_shape,
)
from napari_dental_denoise.pixels import ImageInfo

START = b"\xff\xd8\xff"
JPEG_LS = 0xF7
# The processes that are read, by their markers: lossy, lossless, lossy of arithmetic codes, and JPEG-LS.
PROCESSES = (0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA, JPEG_LS)
EXIF = 0xE1
COLOURS = (1, 3, 4)
MAX_BITS = 16


def _probe(path: Path, file: BinaryIO) -> ImageInfo:
    data = file.read()
    return _info(path, data, _frame(path, data))


def _frame(path: Path, data: bytes) -> JpegFrame:
    """Return the header of the frame; raise ImageReadError if the image is cut off, too large or of another process."""
    frame = jpeg_frame(data)
    if frame is None or not has_end(data) or frame.bits > MAX_BITS:
        raise ImageReadError(path, DAMAGED)
    if frame.marker not in PROCESSES:
        raise ImageReadError(
            path, f"is a JPEG file of a process (0x{frame.marker:x}) that is not read: export it again"
        )
    if frame.colours not in COLOURS:
        raise ImageReadError(path, f"is a JPEG file of {frame.colours} colours; expected grayscale or RGB")
    check_size(path, frame.height, frame.width)
    return frame


def _info(path: Path, data: bytes, frame: JpegFrame) -> ImageInfo:
    shape = turned_shape(frame.height, frame.width, _orientation(data))
    return ImageInfo(path, "JPEG", shape, stored_type(frame.bits))


def _read(path: Path, file: BinaryIO, _wanted: slice) -> tuple[ImageInfo, Pages]:
    data = file.read()
    frame = _frame(path, data)
    with reading_errors(path, DAMAGED):
        return _info(path, data, frame), turned(to_grey(_decoded(path, data, frame)), _orientation(data))[None]


def _decoded(path: Path, data: bytes, frame: JpegFrame) -> Pixels:
    """Return grey (H, W), or red, green and blue (H, W, 3)."""
    import imagecodecs

    if frame.is_usual:
        pixels = decode_jpeg(data)
    elif frame.marker == JPEG_LS:
        pixels = _decoded_jpeg_ls(path, data)
    else:
        pixels = imagecodecs.jpeg8_decode(data)
    if frame.colours < 4:
        return full_range(pixels, frame.bits)
    # By the convention of Adobe, which other readers follow for all files, inks are the light that they leave.
    full = 2**frame.bits - 1
    return inks_to_rgb(full - pixels, full)


def _decoded_jpeg_ls(path: Path, data: bytes) -> Pixels:
    import imagecodecs

    try:
        return imagecodecs.jpegls_decode(data)
    except imagecodecs.JpeglsError as error:
        # Such as colours of fewer pixels than others.
        if "not supported" in str(error):
            raise ImageReadError(path, "is a JPEG-LS file of a kind that is not read: export it again") from None
        raise


def _orientation(data: bytes) -> Any:
    for marker, start, end in jpeg_segments(data):
        if marker == EXIF and data.startswith(b"Exif\0\0", start):
            exif = PillowImage.Exif()
            with unseen(), contextlib.suppress(*PILLOW_ERRORS):
                exif.load(data[start:end])
                return exif.get(ORIENTATION)
    return None


JPEG = Format(lambda _path, start: start.startswith(START), _probe, _read)
