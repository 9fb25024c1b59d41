"""One page of a TIFF file: strips and tiles, any compression, 1 to 32 bits, floating values, palettes, inks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as PillowImage

from napari_dental_denoise.config import LIMITS
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.files import claimed_shape, is_whole
from napari_dental_denoise.images.readers.format import DAMAGED, check_size
from napari_dental_denoise.images.readers.grey import (
    ORIENTATION,
    TURNED,
    Pixels,
    full_range,
    inks_to_rgb,
    to_grey,
    turned,
    turned_shape,
    unmultiplied,
)

if TYPE_CHECKING:
    from tifffile import TiffPage

# Photometric interpretations of TIFF 6.0.
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, SEPARATED, YCBCR = 0, 1, 2, 3, 5, 6
READ_COLOURS = (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, SEPARATED)
PHOTOMETRIC = 262
UNCOMPRESSED = 1
# Compressions with JPEG: the old one of TIFF 6.0, the current one, and two of other programs.
OLD_JPEG = 6
JPEG = (OLD_JPEG, 7, 33007, 34892)
# Compressions whose parts state their own size: JPEG, JPEG 2000, PNG.
SELF_DESCRIBING = (*JPEG, 33003, 33004, 33005, 34712, 34933)
# Some programs round the size of JPEG up to whole blocks.
BLOCK = 16
# Red, green, blue and alpha, or four inks and alpha.
MAX_CHANNELS = 5
INKS = 4
# The kind of an extra channel by which the colours were multiplied.
ASSOCIATED = 1
# Tags of the kind of a page; the newer one has a bit for images reduced in size and one for masks.
NEW_KIND, OLD_KIND = 254, 255
REDUCED_OR_MASK = 0b101
OLD_REDUCED = 2
INK_SET, CMYK = 332, 1
SUBSAMPLING = 530
# The planar configuration of channels that lie pixel by pixel.
CONTIGUOUS = 1


def tag(page: TiffPage, code: int) -> Any:
    """Return the value of a tag, or None."""
    found = page.tags.get(code)
    return None if found is None else found.value


def is_reduced(page: TiffPage) -> bool:
    """Return whether a page is a thumbnail or a mask of another one."""
    return bool(int(tag(page, NEW_KIND) or 0) & REDUCED_OR_MASK) or tag(page, OLD_KIND) == OLD_REDUCED


def is_turned(page: TiffPage) -> bool:
    """Return whether rows are stored as columns."""
    return tag(page, ORIENTATION) in TURNED


@dataclass(frozen=True)
class Page:
    """One image of a TIFF file: a page or, where ImageJ has one header for many images, a part of its data."""

    path: Path
    page: TiffPage
    part: int = 0

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width as the page is viewed."""
        return turned_shape(int(self.page.imagelength), int(self.page.imagewidth), tag(self.page, ORIENTATION))

    @property
    def kind(self) -> int:
        """The photometric interpretation; if it is missing, that which other programs assume."""
        page = self.page
        if PHOTOMETRIC in page.tags or page.photometric != WHITE_IS_ZERO:
            return int(page.photometric)
        return BLACK_IS_ZERO if page.samplesperpixel < 3 else RGB

    @property
    def is_inverted(self) -> bool:
        """True if the lowest integer is white."""
        return self.kind == WHITE_IS_ZERO and np.dtype(self.page.dtype).kind in "bui"

    @property
    def _is_for_pillow(self) -> bool:
        """True if libtiff, which Pillow uses, reads the colours, and tifffile does not."""
        is_read = self.page.compression != UNCOMPRESSED or tag(self.page, SUBSAMPLING) == (1, 1)
        return self.kind == YCBCR and self.page.compression not in JPEG and self.page.bitspersample == 8 and is_read

    @property
    def _is_grey(self) -> bool:
        """True if all channels but the first are extra ones."""
        return int(self.page.samplesperpixel) - len(self.page.extrasamples) == 1

    def checked_type(self) -> np.dtype[Any]:
        """Return the type that is read; raise ImageReadError if the page is too large or of a kind that is not read."""
        page = self.page
        height, width = page.imagelength, page.imagewidth
        check_size(self.path, height, width)
        if page.imagedepth > 1:
            raise ImageReadError(
                self.path, f"holds a volume of {page.imagedepth} slices; expected one image for each page"
            )
        if page.samplesperpixel > MAX_CHANNELS:
            raise ImageReadError(self.path, f"claims {page.samplesperpixel} channels; expected grayscale or RGB")
        # More than the image may be unpacked at once: its channels, and tiles that reach beyond it.
        if math.prod(page.chunks) > MAX_CHANNELS * LIMITS.pixels:
            limit = LIMITS.pixels // 2**20
            raise ImageReadError(self.path, f"claims {width}x{height} pixels in larger tiles; at most {limit} million")
        self._check_colours()
        self._check_counts()
        self._check_decoder()
        return self._type()

    def _check_counts(self) -> None:
        """Raise ImageReadError if a part is missing or shorter than its pixels, which would be read as black."""
        page = self.page
        is_raw, size = page.compression == UNCOMPRESSED, page.parent.filehandle.size
        row = page.imagewidth * page.bitspersample * (page.samplesperpixel if page.planarconfig == CONTIGUOUS else 1)
        rows = page.imagelength * (1 if page.planarconfig == CONTIGUOUS else page.samplesperpixel)
        needed = rows * -(-row // 8)
        parts = list(zip(page.dataoffsets, page.databytecounts, strict=True))
        # Some files name more bytes than there are pixels.
        used = needed if is_raw and not page.is_tiled else math.inf
        if not parts or any(count == 0 or start + min(count, used) * is_raw >= size + is_raw for start, count in parts):
            raise ImageReadError(self.path, DAMAGED)
        if is_raw and sum(page.databytecounts) < needed:
            raise ImageReadError(self.path, "names fewer bytes (StripByteCounts) than its pixels need")

    def _type(self) -> np.dtype[Any]:
        if self.page.dtype is None:
            raise ImageReadError(self.path, f"holds pixels of {self.page.bitspersample} bits, which are not read")
        stored = np.dtype(self.page.dtype)
        if stored.kind == "f":
            return np.dtype(np.float32)
        if self.kind == PALETTE or self._is_for_pillow or stored.kind == "b":
            return np.dtype(np.uint8)
        if stored.kind == "u" and stored.itemsize <= (4 if self._is_grey else 2):
            return stored.newbyteorder("=")
        if stored.kind == "i" and stored.itemsize <= 4 and self._is_grey:
            return stored.newbyteorder("=")
        expected = "integers of 8 to 32 bit" if self._is_grey else "unsigned 8 or 16 bit"
        raise ImageReadError(self.path, f"holds {stored} pixels; expected {expected}, or floating")

    def _check_colours(self) -> None:
        """Raise ImageReadError if the channels are neither grey nor red, green and blue nor the inks of print."""
        is_print = self.kind == SEPARATED
        if is_print and (tag(self.page, INK_SET) not in (None, CMYK) or self.page.samplesperpixel < INKS):
            raise ImageReadError(self.path, "has other inks than CMYK; expected grayscale or RGB: export it again")
        is_read = self.kind in READ_COLOURS or (self.kind == YCBCR and self.page.compression in JPEG)
        if not is_read and not self._is_for_pillow:
            name = getattr(self.page.photometric, "name", self.kind)
            raise ImageReadError(self.path, f"has {name} colours; expected grayscale or RGB: export it again")

    def _check_decoder(self) -> None:
        import tifffile

        page = self.page
        if page.compression != UNCOMPRESSED and page.compression not in tifffile.TIFF.DECOMPRESSORS:
            name = getattr(page.compression, "name", page.compression)
            raise ImageReadError(self.path, f"is compressed ({name}) in a way that is not read: export it again")

    def _check_parts(self) -> None:
        """Raise ImageReadError if a part was cut off or damaged, or would unpack to more than its place."""
        page = self.page
        if page.compression not in SELF_DESCRIBING:
            return
        place = (page.tilelength, page.tilewidth) if page.is_tiled else (page.imagelength, page.imagewidth)
        for data, _ in page.parent.filehandle.read_segments(page.dataoffsets, page.databytecounts):
            height, width, _ = (data and claimed_shape(data)) or (0, 0, 0)
            if height > place[0] + BLOCK or width > place[1] + BLOCK:
                raise ImageReadError(self.path, f"claims {width}x{height} pixels in a part of {place[1]}x{place[0]}")
            # The tables that all parts share stand in the header of the page.
            tables = page.jpegtables[:-2] if page.jpegtables else b""
            if data and not is_whole(tables + data[2:] if tables else data):
                raise ImageReadError(self.path, DAMAGED)

    def stored(self) -> Pixels:
        """Return one channel (H, W) as it is stored, few bits scaled to 8, colours as grey."""
        if self._is_for_pillow:
            return self._by_pillow()
        self._check_parts()
        try:
            pixels = self._unpacked()
        except (ValueError, RuntimeError):
            # Old files of this kind have their parts in several ways, of which each library reads some.
            if self.page.compression != OLD_JPEG:
                raise
            return self._by_pillow()
        if self.page.axes.startswith("S"):
            pixels = np.moveaxis(pixels, 0, -1)
        if self.kind == PALETTE:
            return self._by_palette(pixels)
        return to_grey(self._as_rgb(self._in_full_range(pixels)))

    def _unpacked(self) -> Pixels:
        page = self.page
        if self.part == 0:
            pixels = page.asarray(maxworkers=1)
            return pixels.view(np.uint8) if pixels.dtype == bool else pixels
        # ImageJ has one header for the images of a large stack, which lie one behind the other.
        dtype = np.dtype(page.dtype).newbyteorder(page.parent.byteorder)
        file = page.parent.filehandle
        file.seek(page.dataoffsets[0] + self.part * page.nbytes)
        data = file.read(page.nbytes)
        return np.frombuffer(data, dtype).reshape(page.shape).astype(page.dtype)

    def _by_pillow(self) -> Pixels:
        with PillowImage.open(self.path) as image:
            image.seek(self.page.index)
            try:
                return to_grey(np.asarray(image.convert("RGB" if len(image.getbands()) > 1 else "L")))
            except OSError:
                name = getattr(self.page.compression, "name", self.page.compression)
                raise ImageReadError(
                    self.path, f"is compressed ({name}) in a way that is not read: export it again"
                ) from None

    def _by_palette(self, pixels: Pixels) -> Pixels:
        index = pixels if pixels.ndim == 2 else pixels[..., 0]
        return to_grey((np.asarray(self.page.colormap).T[index] >> 8).astype(np.uint8))

    def _as_rgb(self, pixels: Pixels) -> Pixels:
        """Return colours without inks, and as they were before they were multiplied by their opacity."""
        page = self.page
        if pixels.ndim < 3:
            return pixels
        full = 2 ** max(int(page.bitspersample), 8) - 1 if pixels.dtype.kind in "ui" else 1
        if self.kind == SEPARATED:
            return inks_to_rgb(pixels, full)
        if ASSOCIATED in page.extrasamples:
            channel = pixels.shape[-1] - len(page.extrasamples) + page.extrasamples.index(ASSOCIATED)
            pixels = unmultiplied(pixels, channel, full)
        return pixels[..., 0] if self._is_grey else pixels

    def _in_full_range(self, pixels: Pixels) -> Pixels:
        return full_range(pixels, int(self.page.bitspersample)) if pixels.dtype == np.uint8 else pixels

    def highest(self) -> int:
        """Return the largest value of the fewest bits, at least 8, that hold the page."""
        bits = int(self.page.bitspersample)
        if bits <= 8 or bits % 8:
            return 2 ** max(bits, 8) - 1
        return 2 ** max(int(self.stored().max(initial=0)).bit_length(), 8) - 1

    def grey(self, black: int = 0) -> Pixels:
        """Return grey with white high, as the page is viewed; `black` is that of a page whose lowest value is white."""
        dtype = self.checked_type()
        stored = self.stored()
        if self.is_inverted:
            stored = ~stored if dtype.kind == "i" else dtype.type(black) - np.minimum(stored, dtype.type(black))
        if stored.shape != (self.page.imagelength, self.page.imagewidth):
            raise ImageReadError(self.path, f"holds an image of shape {stored.shape}, which is not grey or RGB")
        return turned(stored.astype(dtype, copy=False), tag(self.page, ORIENTATION))
