"""Cut an image into tiles and know where each result belongs: pure arithmetic.

A tile has a core, whose pixels it alone gives, and a window around it, which the network is run
on. Cores of about equal size cover the image once; windows reach `halo` pixels further, start at
multiples of what the network halves, and are clipped at the border of the image.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product

from napari_dental_denoise.errors import InputError


@dataclass(frozen=True, slots=True)
class Span:
    """One axis of a tile, in pixels of the image."""

    window_start: int
    window_stop: int
    core_start: int
    core_stop: int

    @property
    def window(self) -> slice:
        """Of the image, to run the network on; reaches past its end by less than a multiple."""
        return slice(self.window_start, self.window_stop)

    @property
    def core(self) -> slice:
        """Of the image, where the result belongs."""
        return slice(self.core_start, self.core_stop)

    @property
    def inner(self) -> slice:
        """Of the window's result, the part that is the core."""
        return slice(self.core_start - self.window_start, self.core_stop - self.window_start)


@dataclass(frozen=True, slots=True)
class Tile:
    """Rows and columns of one tile."""

    rows: Span
    columns: Span


def plan_axis(length: int, side: int, halo: int, multiple: int) -> list[Span]:
    """Cut one axis.

    Parameters
    ----------
    length : int
        Of the axis, in pixels.
    side : int
        Largest core, in pixels, rounded up to a multiple.
    halo : int
        Pixels around a core that its result depends on.
    multiple : int
        Windows start at and span multiples of this.

    Returns
    -------
    list of Span
        Cores cover [0, `length`) once; the last window ends at `length` rounded up to a multiple.
    """
    if min(length, side, multiple) < 1 or halo < 0:
        raise InputError(
            f"length, side and multiple must be positive and halo not negative; received "
            f"{length}, {side}, {multiple} and {halo}"
        )
    blocks = -(-length // multiple)
    halo_blocks = -(-halo // multiple)
    count = -(-blocks // -(-side // multiple))
    edges = [index * blocks // count for index in range(count + 1)]
    return [
        Span(
            window_start=max(start - halo_blocks, 0) * multiple,
            window_stop=min(stop + halo_blocks, blocks) * multiple,
            core_start=start * multiple,
            core_stop=min(stop * multiple, length),
        )
        for start, stop in pairwise(edges)
    ]


def plan_tiles(shape: tuple[int, int], side: int, halo: int, multiple: int) -> list[Tile]:
    """Cut an image of `shape` (H, W) into tiles, row by row; see `plan_axis`."""
    rows, columns = (plan_axis(length, side, halo, multiple) for length in shape)
    return [Tile(row, column) for row, column in product(rows, columns)]
