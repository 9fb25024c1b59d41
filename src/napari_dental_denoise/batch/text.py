"""Text that is burned into the pixels of a file: found, told and covered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.dicom import BurnedText
from napari_dental_denoise.images import TextLine, cover_text, find_text
from napari_dental_denoise.pixels import PixelEncoding

Image = NDArray[np.generic]
TextRule = Literal["ignore", "tell", "cover"]
TEXT_FOUND = "text in the pixels"
MAX_PLACES = 5


@dataclass(frozen=True)
class Examined:
    """The pixels to process, what DICOM results say of text in them, and the notes for the report."""

    pixels: Image
    text: BurnedText = BurnedText.NOT_EXAMINED
    notes: tuple[str, ...] = ()


def examine(pixels: Image, encoding: PixelEncoding, rule: TextRule) -> Examined:
    """Look for text in an image or stack (..., H, W) of stored values, and cover it if the rule says so."""
    if rule == "ignore":
        return Examined(pixels)
    shape = (-1, *pixels.shape[-2:])
    found = [find_text(page) for page in encoding.to_grey(pixels).reshape(shape)]
    if not any(found):
        return Examined(pixels, BurnedText.NOT_FOUND)
    note = f"{TEXT_FOUND} at {_places(found)}"
    if rule == "tell":
        return Examined(pixels, BurnedText.FOUND, (note,))
    covered = np.stack([cover_text(page, lines) for page, lines in zip(pixels.reshape(shape), found, strict=True)])
    return Examined(covered.reshape(pixels.shape), BurnedText.COVERED, (f"covered {note}",))


def _places(pages: Sequence[Sequence[TextLine]]) -> str:
    """Return the first places in words, with the numbers of pages where there are several."""
    places = [
        f"page {number}, {line}" if len(pages) > 1 else str(line)
        for number, lines in enumerate(pages, 1)
        for line in lines
    ]
    more = len(places) - MAX_PLACES
    return "; ".join(places[:MAX_PLACES]) + (f"; and {more} more" if more > 0 else "")
