"""Read sets of images, which stay in their files if they do not fit into memory, and match noisy with clean ones."""

from __future__ import annotations

import itertools
import math
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_dental_denoise.errors import ImageReadError, InputError
from napari_dental_denoise.images.finder import list_files
from napari_dental_denoise.images.folders import read_each, read_in_series, summarise_errors
from napari_dental_denoise.images.radiograph import take_rows
from napari_dental_denoise.images.suffixes import name_without_suffix

# File and page.
Place = tuple[Path, int]
# Images of the same name and page, by their files.
Named = dict[Path, NDArray[np.generic]]


class ImageCache:
    """Keeps the pixels of the files that were used last, up to `limit` bytes."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._kept: OrderedDict[Path, NDArray[np.generic]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def read(self, path: Path) -> NDArray[np.generic]:
        """Return the images of a file (N, H, W)."""
        with self._lock:
            if path in self._kept:
                self._kept.move_to_end(path)
                return self._kept[path]
        pages = read_in_series(path)
        with self._lock:
            if path not in self._kept:
                self._kept[path] = pages
                self._bytes += pages.nbytes
            while self._bytes > self._limit and len(self._kept) > 1:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= oldest.nbytes
        return pages


class FileImage:
    """Rows of a page that stay in their file and can be used like an array, of the shape, type and range of `image`."""

    ndim = 2

    def __init__(self, path: Path, page: int, rows: slice, image: NDArray[Any], cache: ImageCache) -> None:
        self._path, self._page, self._rows, self._cache = path, page, rows, cache
        self.shape, self.dtype = image.shape, image.dtype
        self._ends = image.min(), image.max()

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:  # noqa: FBT001 (numpy's)
        """Return the whole image."""
        image = self._cache.read(self._path)[self._page, self._rows]
        return np.array(image, dtype) if copy else np.asarray(image, dtype)

    def __getitem__(self, window: Any) -> NDArray[Any]:
        """Return a part of the image."""
        return np.asarray(self)[window]

    def min(self, initial: float | None = None) -> Any:
        """Return the smallest value, without reading the file."""
        return self._ends[0] if initial is None else min(self._ends[0], initial)

    def max(self, initial: float | None = None) -> Any:
        """Return the largest value, without reading the file."""
        return self._ends[1] if initial is None else max(self._ends[1], initial)


@dataclass(frozen=True)
class LoadedImages:
    """The images of some files, and the errors of the files that could not be read."""

    places: list[Place]
    # (H, W) arrays, or `FileImage` if they do not fit into memory.
    images: list[Any]
    errors: list[ImageReadError]

    @property
    def files(self) -> list[Path]:
        """Return the file of each image."""
        return [path for path, _ in self.places]


def load_images(
    sources: Iterable[str | Path], rows: slice = slice(None), memory_bytes: float = math.inf
) -> LoadedImages:
    """Read each page of files, folders and patterns, each in its own type; raise InputError if nothing can be read.

    Of each image, `rows` are kept, for example to leave out a caption. If all images together are larger than
    `memory_bytes`, they stay in their files, and so many bytes of those used last are kept in memory.
    """
    loaded = LoadedImages([], [], [])
    cache: ImageCache | None = None
    size = 0
    for found in read_each(list_files(sources)):
        if isinstance(found, ImageReadError):
            loaded.errors.append(found)
            continue
        path, page, image = found
        if not _keep_rows(loaded, (path, page), image, rows):
            continue
        size += loaded.images[-1].nbytes
        if cache is None and size > memory_bytes:
            cache = ImageCache(memory_bytes)
            pairs = zip(loaded.places, loaded.images, strict=True)
            loaded.images[:] = [FileImage(*place, rows, kept, cache) for place, kept in pairs]
        elif cache is not None:
            loaded.images[-1] = FileImage(path, page, rows, loaded.images[-1], cache)
    return _not_empty(loaded)


def _not_empty(loaded: LoadedImages) -> LoadedImages:
    if not loaded.images:
        raise InputError(f"none of {len(loaded.errors)} files can be used: {summarise_errors(loaded.errors)}")
    return loaded


def _keep_rows(loaded: LoadedImages, place: Place, image: NDArray[np.generic], rows: slice) -> bool:
    """Add the rows of an image, or an error; return whether the image was added."""
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
    """Return the images whose sides have at least so many pixels; the others become errors."""
    kept = LoadedImages([], [], list(loaded.errors))
    for place, image in zip(loaded.places, loaded.images, strict=True):
        if min(image.shape) < side:
            reason = f"is {image.shape}; expected sides of at least {side} pixels"
            kept.errors.append(ImageReadError(place[0], reason))
        else:
            kept.places.append(place)
            kept.images.append(image)
    return _not_empty(kept)


@dataclass(frozen=True)
class MatchedImages:
    """Noisy images (H, W), the clean image of each, and the errors of images without a partner."""

    noisy: list[NDArray[np.generic]]
    clean: list[NDArray[np.generic]]
    # The files of the clean images.
    files: list[Path]
    errors: list[ImageReadError]


def match_by_name(noisy: LoadedImages, clean: LoadedImages) -> MatchedImages:
    """Pair images by file name without suffix, and by page; raise InputError if no pair is left.

    Among files of the same name, for example of several patients, the names of their parent folders
    decide, and then the suffixes. Images whose partner is missing, ambiguous or of another size become errors.
    """
    matched = MatchedImages([], [], [], noisy.errors + clean.errors)
    noisy_named, clean_named = _by_name(noisy), _by_name(clean)
    for name in noisy_named | clean_named:
        _match_named(noisy_named.get(name, {}), clean_named.get(name, {}), matched)
    if not matched.noisy:
        raise InputError(f"no noisy image has a clean one of its name and size: {summarise_errors(matched.errors)}")
    return matched


def _by_name(loaded: LoadedImages) -> dict[tuple[str, int], Named]:
    named: dict[tuple[str, int], Named] = {}
    for (path, page), image in zip(loaded.places, loaded.images, strict=True):
        named.setdefault((name_without_suffix(path), page), {})[path] = image
    return named


def _match_named(noisy: Named, clean: Named, matched: MatchedImages) -> None:
    """Pair images of the same name."""
    waiting = dict(clean)
    for path, image in noisy.items():
        partner = _nearest(path, list(clean))
        if partner is None or _nearest(partner, list(noisy)) != path:
            matched.errors.append(_no_partner(path, "clean", clean))
            continue
        clean_image = waiting.pop(partner)
        if image.shape != clean_image.shape:
            matched.errors.append(ImageReadError(path, f"is {image.shape}, its clean image {clean_image.shape}"))
            continue
        matched.noisy.append(image)
        matched.clean.append(clean_image)
        matched.files.append(partner)
    matched.errors.extend(_no_partner(path, "noisy", noisy) for path in waiting)


def _no_partner(path: Path, kind: str, candidates: Named) -> ImageReadError:
    found = f"several {kind} images of its name, none of which surely belongs to folder {path.parent.name}"
    return ImageReadError(path, f"has {found if candidates else f'no {kind} image of its name'}")


def _nearest(path: Path, others: list[Path]) -> Path | None:
    """Return the file whose path is most similar, or None if there is none or more than one."""
    likeness = [_likeness(path, other) for other in others]
    most = max(likeness, default=None)
    return others[likeness.index(most)] if most is not None and likeness.count(most) == 1 else None


def _likeness(one: Path, other: Path) -> tuple[int, bool]:
    """Return how many parent folders of two files have equal names, and whether their suffixes are equal."""
    pairs = zip(reversed(one.parent.parts), reversed(other.parent.parts), strict=False)
    folders = itertools.takewhile(lambda names: names[0] == names[1], pairs)
    return sum(1 for _ in folders), one.suffix.lower() == other.suffix.lower()
