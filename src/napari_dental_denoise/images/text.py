"""Text that is burned into the pixels, such as the caption of a scanner or the name of a patient: find and cover it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.pixels import ArrayLike, InputArray, check_grey

Image = NDArray[np.generic]
Grey = NDArray[np.uint8]

# Heights of letters in pixels, at each scale of the image.
MIN_HEIGHT, MAX_HEIGHT = 5, 24
# Letters of a line, and components that these are; share of them that stand on it, and their step in heights.
MIN_LETTERS, MIN_PARTS, MIN_ON_LINE, MAX_STEP = 3, 2, 0.6, 0.15
# Letters to the left that are asked whether a letter is next to them.
LAST_LETTERS = 4
# Of the shorter side of the image, that a letter may be high.
MAX_SHARE = 1 / 12
# A letter stands out of its surroundings by this share of the range of grey values, and so many times the noise.
MIN_CONTRAST, MIN_CONTRAST_OF_NOISE = 0.2, 5
# Strokes are thinner than this.
STROKE = 9
# Width of a letter and gap between letters in heights; heights of letters of a line to each other.
MAX_ASPECT, MAX_GAP, MAX_HEIGHT_RATIO = 8.0, 1.5, 2.0
# Shares: of its box that a letter fills; of the lower letter's height that is beside the other one.
MIN_FILL, MIN_OVERLAP = 0.15, 0.6
# Of the contrast, by which grey values of letters or surroundings may differ.
MAX_SPREAD = 0.35
# Heights between words of a line.
MAX_WORD_GAP = 3.0
# Of a side of the image, that is margin.
MARGIN_SHARE = 0.15
# Pixels around a line that are covered too: letters have soft edges.
MARGIN = 3


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of text in an image: its first and end row and column.

    Examples
    --------
    >>> print(TextLine(top=180, bottom=196, left=8, right=90))
    rows 180-195, columns 8-89
    """

    top: int
    bottom: int
    left: int
    right: int

    def __str__(self) -> str:
        """Return the place in words."""
        return f"rows {self.top}-{self.bottom - 1}, columns {self.left}-{self.right - 1}"

    @property
    def height(self) -> int:
        """Number of rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.right - self.left

    def joined(self, other: TextLine) -> TextLine:
        """Return the smallest line around both."""
        ends = max(self.bottom, other.bottom), max(self.right, other.right)
        return TextLine(min(self.top, other.top), ends[0], min(self.left, other.left), ends[1])


def find_text(image: ArrayLike) -> list[TextLine]:
    """Return the lines of text that are burned into an image.

    Found are at least three letters or digits in a row, from 5 pixels to a twelfth of the image high, all of about one
    grey value, which differs from that of their surroundings by a fifth of the range of the image. The line begins or
    ends within 15 % of a side of the image. A single letter, handwriting, upright text, text in the middle of the image
    and text as faint or uneven as anatomy is not found.

    Parameters
    ----------
    image : (H, W) array
        Grey values of any type and range.

    Returns
    -------
    list of TextLine
        From top to bottom; empty if no text is found.

    Raises
    ------
    InputError
        If the array is not one grey image.

    Examples
    --------
    >>> import cv2
    >>> from napari_dental_denoise import find_text, phantom
    >>> image = (phantom((200, 300), rng=0) * 200).astype("uint8")
    >>> find_text(image)
    []
    >>> captioned = cv2.putText(image, "Ada 1970", (9, 190), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255)
    >>> len(find_text(captioned))
    1
    """
    pixels = InputArray(image).pixels
    check_grey(pixels)
    if pixels.ndim != 2 or 0 in pixels.shape:
        raise InputError(f"expected one image (H, W) with pixels; received shape {pixels.shape}")
    grey = _in_bytes(pixels)
    found: list[TextLine] = []
    factor = 1
    # Anything taller is anatomy.
    while (tallest := MAX_SHARE * min(grey.shape)) >= MIN_HEIGHT:
        for plane in (grey, 255 - grey):
            lines = _Components(plane).lines(min(tallest, MAX_HEIGHT))
            found += [_enlarged(line, factor, pixels.shape) for line in lines]
        factor *= 2
        grey = cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    found = [line for line in found if _is_in_margin(line, pixels.shape)]
    return sorted(_merged(found), key=lambda line: (line.top, line.left))


def cover_text(image: Image, lines: Sequence[TextLine]) -> Image:
    """Return a copy of an image (H, W) with each line in its median value, which is that of its ground."""
    covered = image.copy()
    for line in lines:
        rows, columns = slice(line.top, line.bottom), slice(line.left, line.right)
        # Letters and their edges are the smaller part. One of the two values in the middle, for integers of any type.
        values = np.sort(image[rows, columns], axis=None)
        covered[rows, columns] = values[values.size // 2]
    return covered


@dataclass(frozen=True, slots=True)
class _Letter:
    """A bright component of the size of a letter, and its grey value and that of its surroundings."""

    box: TextLine
    level: float
    background: float

    def is_next_to(self, other: _Letter) -> bool:
        """Return whether both may be letters of one line."""
        a, b = self.box, other.box
        low, high = sorted((a.height, b.height))
        gap = max(a.left, b.left) - min(a.right, b.right)
        contrast = min(self.level - self.background, other.level - other.background)
        return (
            high <= MAX_HEIGHT_RATIO * low
            and gap <= MAX_GAP * high
            and min(a.bottom, b.bottom) - max(a.top, b.top) >= MIN_OVERLAP * low
            and abs(self.level - other.level) <= MAX_SPREAD * contrast
            and abs(self.background - other.background) <= MAX_SPREAD * contrast
        )


def _in_bytes(image: Image) -> Grey:
    """Return the grey values in 8 bits, of which the few darkest and brightest have one value."""
    with np.errstate(over="ignore"):
        values = np.nan_to_num(image.astype(np.float32), posinf=0, neginf=0)
    low, high = np.percentile(values, (0.05, 99.95))
    scaled = (values - low) / max(high - low, np.finfo(np.float32).tiny)
    return np.rint(np.clip(scaled, 0, 1) * 255).astype(np.uint8)


def _noise(grey: Grey) -> float:
    """Return the standard deviation of the noise, by differences of neighbours that edges and slopes do not change."""
    detail = cv2.filter2D(grey, cv2.CV_16S, np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32))
    # The kernel multiplies white noise by 6, and the median is 0.6745 of its standard deviation.
    return float(np.median(np.abs(detail))) / (6 * 0.6745)


class _Components:
    """The bright strokes of an image as connected components: letters, and what else is thin and bright."""

    def __init__(self, grey: Grey) -> None:
        self._grey = grey
        hat = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, np.ones((STROKE, STROKE), np.uint8))
        self._contrast = max(MIN_CONTRAST * 255, MIN_CONTRAST_OF_NOISE * _noise(grey))
        self._mask = (hat > self._contrast).astype(np.uint8)
        _, self._labels, stats, _ = cv2.connectedComponentsWithStats(self._mask, connectivity=8)
        self._left, self._top, self._width, self._height, self._area = stats.T

    def lines(self, tallest: float) -> Iterator[TextLine]:
        """Yield the lines of letters that stand side by side on one height."""
        lines: list[list[_Letter]] = []
        for letter in sorted(self._letters(tallest), key=lambda letter: letter.box.left):
            near = next((line for line in lines if any(map(letter.is_next_to, line[-LAST_LETTERS:]))), None)
            if near is None:
                lines.append([letter])
            else:
                near.append(letter)
        for line in lines:
            if _is_text(line):
                yield self._completed(reduce(TextLine.joined, (letter.box for letter in line)))

    def _letters(self, tallest: float) -> Iterator[_Letter]:
        """Yield the components that are as high as letters and have one grey value, as have their surroundings."""
        height, width = self._height, self._width
        is_high = (height >= MIN_HEIGHT) & (height <= tallest)
        is_filled = (self._area >= MIN_FILL * width * height) & (width <= MAX_ASPECT * height)
        # Component 0 is the background.
        for number in map(int, np.flatnonzero((is_high & is_filled)[1:]) + 1):
            box = self._box(number)
            place = slice(max(box.top - 2, 0), box.bottom + 2), slice(max(box.left - 2, 0), box.right + 2)
            values, own = self._grey[place], self._labels[place] == number
            around = values[cv2.dilate(self._mask[place], np.ones((3, 3), np.uint8)) == 0]
            if around.size < 4:
                continue
            level = float(np.percentile(values[own], 75))
            low, background, high = np.percentile(around, (25, 50, 75))
            contrast = level - background
            if contrast > self._contrast and high - low <= MAX_SPREAD * contrast:
                yield _Letter(box, level, float(background))

    def _box(self, number: int) -> TextLine:
        top, left = int(self._top[number]), int(self._left[number])
        return TextLine(top, top + int(self._height[number]), left, left + int(self._width[number]))

    def _completed(self, line: TextLine) -> TextLine:
        """Return a line with the dots, dashes and letters beside it that are none by themselves."""
        height = line.height
        top, bottom = self._top, self._top + self._height
        is_beside = (top >= line.top - height / 2) & (bottom <= line.bottom + height / 2)
        for number in map(int, np.flatnonzero(is_beside)):
            box = self._box(number)
            if max(box.left - line.right, line.left - box.right) <= MAX_GAP * height:
                line = line.joined(box)
        return line


def _is_text(line: Sequence[_Letter]) -> bool:
    """Return whether there are enough letters, most of which stand on one line."""
    # Letters that touch are one component.
    letters = sum(max(1, round(letter.box.width / letter.box.height)) for letter in line)
    bottoms = np.array([letter.box.bottom for letter in line])
    tolerance = max(1.0, MAX_STEP * float(np.median([letter.box.height for letter in line])))
    return bool(
        letters >= MIN_LETTERS
        and len(line) >= MIN_PARTS
        and np.mean(np.abs(bottoms - np.median(bottoms)) <= tolerance) >= MIN_ON_LINE
    )


def _is_in_margin(line: TextLine, shape: tuple[int, ...]) -> bool:
    """Return whether a line begins or ends near a side of the image, where devices write."""
    height, width = shape
    return (
        min(line.top, height - line.bottom) <= MARGIN_SHARE * height
        or min(line.left, width - line.right) <= MARGIN_SHARE * width
    )


def _enlarged(line: TextLine, factor: int, shape: tuple[int, ...]) -> TextLine:
    """Return a line of the image reduced by `factor` in the pixels of the image, with a margin."""
    top, left = (max(start * factor - MARGIN, 0) for start in (line.top, line.left))
    bottom, right = min(line.bottom * factor + MARGIN, shape[0]), min(line.right * factor + MARGIN, shape[1])
    return TextLine(top, bottom, left, right)


def _merged(lines: Sequence[TextLine]) -> list[TextLine]:
    """Return the lines with those joined that belong together."""
    merged: list[TextLine] = []
    for line in lines:
        whole = line
        while touching := [other for other in merged if _overlap(whole, other)]:
            for other in touching:
                merged.remove(other)
                whole = whole.joined(other)
        merged.append(whole)
    return merged


def _overlap(one: TextLine, other: TextLine) -> bool:
    """Return whether two lines overlap or, on one height, are words of one line, with single letters between them."""
    gap = MAX_WORD_GAP * min(one.height, other.height)
    return (
        one.top < other.bottom
        and other.top < one.bottom
        and one.left - other.right < gap
        and other.left - one.right < gap
    )
