"""Samples for observers: pieces of radiographs, noise, and a detail in the middle of half of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import GREY_LEVELS
from napari_dental_denoise.detail.signals import SIGNALS
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.noise import noise_kind, noise_title
from napari_dental_denoise.pixels import Unit
from napari_dental_denoise.validation import check_number, is_number

# Side of a background, in pixels; the detail lies in its middle.
SIDE = 96
# The middle of a background, in pixels, and the largest standard deviation in it, on [0, 1]: an edge of a tooth or the
# border of the image would hide any faint detail.
MIDDLE = 32
MAX_DEVIATION = 0.08
MAX_TRIES = 30
# A contrast from here on is one in grey levels.
MIN_GREY_LEVELS = 2


@dataclass(frozen=True)
class Detail:
    """A detail to find.

    Attributes
    ----------
    signal : str
        A key of `SIGNALS`.
    size : float
        Radius or width, in pixels.
    contrast : float
        On [0, 1]; negative for a dark detail.
    """

    signal: str
    size: float
    contrast: float

    def template(self, shape: tuple[int, int] = (SIDE, SIDE)) -> Unit:
        """Return the detail (H, W), of its contrast."""
        return np.float32(self.contrast) * SIGNALS[self.signal](shape, self.size)


def check_contrast(contrast: float) -> None:
    """Raise InputError unless `contrast` is a number in [-1, 1] other than 0; of grey levels, the message says so."""
    if is_number(contrast) and abs(contrast) >= MIN_GREY_LEVELS:
        levels = f"{contrast:g} grey levels of 8 bit are {contrast:g}/{GREY_LEVELS}"
        raise InputError(f"contrast must be a number in [-1, 1]; received {contrast:g} ({levels})")
    check_number("contrast", contrast, -1, 1)
    if contrast == 0:
        raise InputError("contrast must be a number other than 0; received 0")


@dataclass(frozen=True)
class Noise:
    """Noise to add: its name in tables and the function that adds it to an array (..., H, W) on [0, 1]."""

    title: str
    add: Callable[[Unit, np.random.Generator], Unit]

    @classmethod
    def of_kind(cls, kind: str, levels: Mapping[str, float]) -> Noise:
        """Return noise of a key of `NOISE_KINDS` and these levels."""
        add = noise_kind(kind).add
        return cls(noise_title(kind, levels), lambda unit, rng: np.asarray(add(unit, **levels, rng=rng), np.float32))


def draw_backgrounds(images: Sequence[Unit], count: int, rng: np.random.Generator) -> Unit:
    """Draw pieces of images that are flat in their middle.

    Parameters
    ----------
    images : sequence of (H, W) float32 arrays on [0, 1]
        The first half of the backgrounds comes from other images than the second, so that an observer is never
        tested on an image that it learned from; a single image serves both.
    count : int
    rng : numpy.random.Generator

    Returns
    -------
    (count, 96, 96) float32 array

    Raises
    ------
    InputError
        If no image is large enough.
    """
    large = [image for image in images if min(image.shape) >= SIDE]
    if not large:
        raise InputError(f"expected images with sides of {SIDE} pixels or more; received none")
    order = [large[index] for index in rng.permutation(len(large))]
    half = max(len(order) // 2, 1)
    first, second = order[:half], order[half:] or order
    parts = [_draw(part, number, rng) for part, number in ((first, count // 2), (second, count - count // 2))]
    return np.concatenate(parts)


def _draw(images: Sequence[Unit], count: int, rng: np.random.Generator) -> Unit:
    pieces = [_flat_piece(image, rng) for image in islice(cycle(images), count)]
    return np.stack(pieces) if pieces else np.empty((0, SIDE, SIDE), np.float32)


def _flat_piece(image: Unit, rng: np.random.Generator) -> Unit:
    """Return a random piece with a flat middle, or the flattest of some tries."""
    pieces = []
    for _ in range(MAX_TRIES):
        row, column = (rng.integers(side - SIDE + 1) for side in image.shape)
        pieces.append(image[row : row + SIDE, column : column + SIDE])
        if middle(pieces[-1]).std() <= MAX_DEVIATION:
            return pieces[-1]
    return min(pieces, key=lambda piece: float(middle(piece).std()))


def middle(piece: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the middle of a background."""
    start = (SIDE - MIDDLE) // 2
    return piece[..., start : start + MIDDLE, start : start + MIDDLE]
