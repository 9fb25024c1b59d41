"""PNG: probed by Pillow, unpacked by libpng; of an animation, the default image."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image as PillowImage

from napari_dental_denoise.files import reading_errors
from napari_dental_denoise.images.readers.format import DAMAGED, Format, Pages, stored_type
from napari_dental_denoise.images.readers.grey import to_grey, turned
from napari_dental_denoise.images.readers.picture import opened, orientation_of, picture_info
from napari_dental_denoise.pixels import ImageInfo

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PIXEL_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
# Of a chunk beside its content: length, name, checksum.
CHUNK_BYTES = 12


def _probe(path: Path, file: BinaryIO) -> ImageInfo:
    return _header(path, file)[0]


def _header(path: Path, file: BinaryIO) -> tuple[ImageInfo, Any]:
    """Return what the header says, and the orientation; raise ImageReadError if a checksum is wrong."""
    with opened(path, file) as image:
        # Pillow would unpack a file whole to look for what is not in front of its pixels.
        orientation = orientation_of(image) if "exif" in image.info else None
        info = picture_info(path, image, _type(image), orientation)
        with reading_errors(path, DAMAGED):
            image.verify()
    return info, orientation


def _type(image: PillowImage.Image) -> Any:
    # Pillow opens 16-bit colour as 8 bit, and tells the depth only in how it would unpack it.
    return stored_type(
        16 if image.mode.startswith("I") or any(";16" in str(tile) for tile in getattr(image, "tile", ())) else 8
    )


def _read(path: Path, file: BinaryIO, _wanted: slice) -> tuple[ImageInfo, Pages]:
    import imagecodecs

    data = file.read()
    # Header and checksums first: a decoder would take the memory for whatever is claimed.
    info, orientation = _header(path, io.BytesIO(data))
    with reading_errors(path, DAMAGED):
        pixels = imagecodecs.png_decode(_plain(data))
        return info, turned(to_grey(pixels), orientation)[None]


def _plain(data: bytes) -> bytes:
    """Return the chunks that decide the pixels: those of an animation, or of metadata, may be damaged."""
    parts, position = [SIGNATURE], len(SIGNATURE)
    while position < len(data):
        end = position + CHUNK_BYTES + int.from_bytes(data[position : position + 4], "big")
        if data[position + 4 : position + 8] in PIXEL_CHUNKS:
            parts.append(data[position:end])
        position = end
    return b"".join(parts)


PNG = Format(lambda _path, start: start.startswith(SIGNATURE), _probe, _read)
