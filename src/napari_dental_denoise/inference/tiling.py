"""Plan the tiles of an image.

A tile has a core, which provides pixels of the result, and a window around it, on which the network
runs. Cores of about equal size cover the image once; windows extend `halo` pixels further, start at
multiples of the network's, and are clipped at the border of the image.
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
        """Part of the image to run the network on; may exceed its end by less than a multiple."""
        return slice(self.window_start, self.window_stop)

    @property
    def core(self) -> slice:
        """Part of the image that the tile provides."""
        return slice(self.core_start, self.core_stop)

    @property
    def inner(self) -> slice:
        """Part of the window's result that is the core."""
        return slice(self.core_start - self.window_start, self.core_stop - self.window_start)


@dataclass(frozen=True, slots=True)
class Tile:
    """Rows and columns of one tile."""

    rows: Span
    columns: Span


def plan_axis(length: int, side: int, halo: int, multiple: int) -> list[Span]:
    """Plan the tiles along one axis of `length` pixels, with cores of at most `side` pixels, rounded up to a multiple.

    A halo is the number of pixels around a core that influence its result; windows start at multiples of `multiple` and
    span multiples of it. Cores cover [0, `length`) once; the last window ends at `length`, rounded up to a multiple.
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
    """Plan the tiles of an image (H, W), row by row; see `plan_axis`."""
    rows, columns = (plan_axis(length, side, halo, multiple) for length in shape)
    return [Tile(row, column) for row, column in product(rows, columns)]
