"""Read sets of images into memory: those of some files, and those that belong together in pairs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.core.errors import ImageReadError, InputError
from napari_dental_denoise.core.file_image import FileImage, ImageCache
from napari_dental_denoise.core.folders import describe, list_files, read_each
from napari_dental_denoise.core.images import take_rows

Place = tuple[Path, int]


@dataclass(frozen=True)
class LoadedImages:
    """The images of some files, and the errors of those that could not be read.

    Attributes
    ----------
    places : list of (Path, int)
        The file of each image, and which page of it.
    images : list of (H, W) arrays, or of `FileImage` where they are too many for the memory
    errors : list of ImageReadError
    """

    places: list[Place]
    images: list[Any]
    errors: list[ImageReadError]

    @property
    def files(self) -> list[Path]:
        """The file of each image."""
        return [path for path, _ in self.places]


def load_images(
    sources: Iterable[str | Path], rows: slice = slice(None), memory_bytes: float = math.inf
) -> LoadedImages:
    """Read files, folders and patterns into memory, each page of them, each image in its own type.

    Parameters
    ----------
    sources : iterable of str or Path
    rows : slice
        Rows to keep of each image, to leave out a caption for example.
    memory_bytes : float
        Where all together are larger, they stay in their files, and so much is kept of what was
        asked for last.

    Raises
    ------
    InputError
        If nothing can be read.
    """
    loaded = LoadedImages([], [], [])
    cache: ImageCache | None = None
    size = 0
    for result in read_each(list_files(sources)):
        if result.error is not None:
            loaded.errors.append(result.error)
        elif result.image is not None and _keep_rows(loaded, (result.path, result.page), result.image, rows):
            size += loaded.images[-1].nbytes
            if cache is None and size > memory_bytes:
                cache = ImageCache(memory_bytes)
                pairs = zip(loaded.places, loaded.images, strict=True)
                loaded.images[:] = [FileImage(*place, rows, image, cache) for place, image in pairs]
            elif cache is not None:
                loaded.images[-1] = FileImage(result.path, result.page, rows, loaded.images[-1], cache)
    return _not_empty(loaded)


def _not_empty(loaded: LoadedImages) -> LoadedImages:
    if not loaded.images:
        raise InputError(f"none of {len(loaded.errors)} files can be used: {describe(loaded.errors)}")
    return loaded


def _keep_rows(loaded: LoadedImages, place: Place, image: NDArray[np.generic], rows: slice) -> bool:
    """Whether there is something to keep; else there is an error more."""
    path, _ = place
    try:
        kept = take_rows(image, rows)
    except InputError as error:
        loaded.errors.append(ImageReadError(path, str(error)))
        return False
    if np.issubdtype(kept.dtype, np.floating) and not np.isfinite(kept).all():
        loaded.errors.append(ImageReadError(path, "holds NaN or infinity; expected finite grey values"))
        return False
    loaded.places.append(place)
    loaded.images.append(kept)
    return True


def leave_out_small(loaded: LoadedImages, side: int) -> LoadedImages:
    """The images whose sides have so many pixels; the others become errors.

    Parameters
    ----------
    loaded : LoadedImages
    side : int
        In pixels.

    Raises
    ------
    InputError
        If none is left.
    """
    kept = LoadedImages([], [], list(loaded.errors))
    for place, image in zip(loaded.places, loaded.images, strict=True):
        if min(image.shape) < side:
            reason = f"is {image.shape}; sides of {side} pixels and more are needed"
            kept.errors.append(ImageReadError(place[0], reason))
        else:
            kept.places.append(place)
            kept.images.append(image)
    return _not_empty(kept)


@dataclass(frozen=True)
class MatchedImages:
    """Noisy images, the clean image of each, and the errors of those that have no partner.

    Attributes
    ----------
    noisy, clean : lists of (H, W) arrays
    files : list of Path
        Of each clean image.
    errors : list of ImageReadError
    """

    noisy: list[NDArray[np.generic]]
    clean: list[NDArray[np.generic]]
    files: list[Path]
    errors: list[ImageReadError]


def match_by_name(noisy: LoadedImages, clean: LoadedImages) -> MatchedImages:
    """Pair images by the names of their files without the suffixes, and by page.

    Parameters
    ----------
    noisy, clean : LoadedImages

    Returns
    -------
    MatchedImages
        With the errors of reading both, and of images without a partner of their name and size.

    Raises
    ------
    InputError
        If no pair is left.
    """
    matched = MatchedImages([], [], [], noisy.errors + clean.errors)
    waiting = _by_name(clean, matched.errors)
    for name, (path, image) in _by_name(noisy, matched.errors).items():
        if name not in waiting:
            matched.errors.append(ImageReadError(path, "has no clean image of its name"))
            continue
        clean_path, partner = waiting.pop(name)
        if image.shape != partner.shape:
            matched.errors.append(ImageReadError(path, f"is {image.shape}, its clean image {partner.shape}"))
            continue
        matched.noisy.append(image)
        matched.clean.append(partner)
        matched.files.append(clean_path)
    matched.errors.extend(ImageReadError(path, "has no noisy image of its name") for path, _ in waiting.values())
    if not matched.noisy:
        raise InputError(f"no noisy image has a clean one of its name and size: {describe(matched.errors)}")
    return matched


def _by_name(
    loaded: LoadedImages, errors: list[ImageReadError]
) -> dict[tuple[str, int], tuple[Path, NDArray[np.generic]]]:
    named: dict[tuple[str, int], tuple[Path, NDArray[np.generic]]] = {}
    for (path, page), image in zip(loaded.places, loaded.images, strict=True):
        name = path.stem, page
        if name in named:
            errors.append(ImageReadError(path, f"has the name of {named[name][0].name}, which is used"))
        else:
            named[name] = path, image
    return named
