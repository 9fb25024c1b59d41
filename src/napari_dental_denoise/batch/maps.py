"""Maps that denoising can write beside its results: the error of each pixel, and the structure that was removed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import PERCENT, USUAL_SHARE
from napari_dental_denoise.evaluation import RemovedStructure, removed_structure
from napari_dental_denoise.images import TIFF_SUFFIXES, write_tiff_pages
from napari_dental_denoise.pixels import PixelSize, Unit

Image = NDArray[np.generic]


@dataclass(frozen=True, slots=True)
class MapFolders:
    """Folders for the maps of a run, None for maps that nobody asked for, and the share that an error map holds for."""

    error: Path | None = None
    removed: Path | None = None
    share: float = USUAL_SHARE

    def __iter__(self) -> Iterator[Path]:
        """Yield the folders that are wanted."""
        return (folder for folder in (self.error, self.removed) if folder is not None)


NO_MAPS = MapFolders()


def map_name(folder: Path, result: str) -> Path:
    """Return the path of the maps of a result within their folders; `folder` is that of its file in the source."""
    return folder / f"{result}{TIFF_SUFFIXES[0]}"


class GreyMap(NamedTuple):
    """A map (..., H, W) of a result, its folder, and what its values mean."""

    folder: Path
    pixels: Unit
    description: str


@dataclass(frozen=True)
class Processed:
    """The stored values of a result, its maps, and what the report says of them."""

    pixels: Image
    maps: tuple[GreyMap, ...] = ()
    # Mean of the error map, in grey values.
    error_map_mean: float | None = None
    # Number of places where structure was removed.
    removed_structures: int | None = None
    notes: tuple[str, ...] = ()
    # Folders of the maps that were wanted and cannot be made of this image.
    without_map: tuple[Path, ...] = ()


def error_map(half_width: Unit, share: float, folder: Path) -> GreyMap:
    """Return the map of the half width of the interval around each pixel."""
    text = (
        "Error of the denoised image in its grey values: the truth is expected within plus or minus this for "
        f"{PERCENT * share:g} % of the pixels. For research and teaching only."
    )
    return GreyMap(folder, half_width, text)


def removed_map(image: Image, denoised: Image, folder: Path) -> tuple[GreyMap, list[RemovedStructure]]:
    """Return the map of the structure that was removed from an image or stack, and what was found in each image."""
    pairs = zip(*(each.reshape(-1, *each.shape[-2:]) for each in (image, denoised)), strict=True)
    found = [removed_structure(*pair) for pair in pairs]
    threshold = found[0].threshold
    text = (
        "Structure in what was removed: standard deviations by which a detail stands out of the removed noise, below 0 "
        f"for a dark one. Beyond {threshold:.1f} it is structure; noise alone gets there in 5 % of the images. For "
        "research and teaching only."
    )
    return GreyMap(folder, np.reshape(np.stack([each.z for each in found]), image.shape), text), found


def write_map(path: Path, grey_map: GreyMap, pixel_size: PixelSize | None, *, overwrite: bool) -> None:
    """Write a map as a TIFF file of float32, with its description."""
    pages = grey_map.pixels.reshape(-1, *grey_map.pixels.shape[-2:])
    write_tiff_pages(path, pages, pixel_size, overwrite=overwrite, description=grey_map.description)


def in_rows(part: Unit, shape: tuple[int, ...], rows: slice) -> Unit:
    """Return a map of some rows of an image as one of the whole image, without a number in the others."""
    whole = np.full(shape, np.nan, np.float32)
    whole[..., rows, :] = part
    return whole
