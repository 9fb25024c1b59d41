"""The images of a layer as they were when a result was made of them."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import suppress
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.pixels import Planes
from napari_dental_denoise.plugin.shared import LayerImages
from napari_dental_denoise.progress import Progress

Pixels = NDArray[Any]


class _OtherImages(Planes):
    """Images that are made of others, one by one."""

    def __init__(self, images: Planes) -> None:
        self._images = images
        self.shape, self.dtype, self.has_channel = images.shape, images.dtype, False


class KeptImages(_OtherImages):
    """Images that are kept in memory from when each is taken for the first time, or the error of one for ever."""

    def __init__(self, images: LayerImages) -> None:
        super().__init__(images)
        self._kept: dict[int, Pixels | InputError] = {}

    @property
    def errors(self) -> list[InputError]:
        """Those of the images that could not be read."""
        return [each for each in self._kept.values() if isinstance(each, InputError)]

    def _read(self, index: int) -> Pixels:
        if index not in self._kept:
            try:
                self._kept[index] = self._images[index].copy()
            except InputError as error:
                self._kept[index] = error
        kept = self._kept[index]
        if isinstance(kept, InputError):
            raise kept.with_traceback(None)
        return kept


class BlackIfMissing(_OtherImages):
    """Images of which those that cannot be read are black, so that the others can be denoised."""

    def _read(self, index: int) -> Pixels:
        try:
            return self._images[index]
        except InputError:
            return np.zeros(self.shape[-2:], self.dtype)


class CheckedImages(_OtherImages):
    """Images that are read again each time; raises InputError if one has changed since it was read first."""

    _images: LayerImages

    def __init__(self, images: LayerImages, name: str) -> None:
        super().__init__(images)
        self._name = name
        self._digests: dict[int, bytes] = {}

    def _read(self, index: int) -> Pixels:
        image = self._images[index]
        digest = blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()
        if self._digests.setdefault(index, digest) != digest:
            raise InputError(f"{self._name}, image {index + 1}, has changed since it was denoised: denoise it again")
        return image

    def first_steps(self) -> Generator[Progress, None, None]:
        """Read each image once, to recognise it later; but not those of dask, which may be many or take long."""
        import dask

        if not dask.is_dask_collection(self._images.array):
            for index in range(len(self)):
                self[index]
                yield Progress(index + 1, len(self))


def is_copied(images: LayerImages) -> bool:
    """Return whether images are in memory, where they may be changed at any time."""
    return isinstance(images.array, np.ndarray) and not isinstance(images.array, np.memmap)


def kept_images(images: LayerImages, indices: Iterable[int]) -> KeptImages:
    """Return images to keep: these of them from now on if they are in memory, others from when they are taken."""
    kept = KeptImages(images)
    for index in indices if is_copied(images) else ():
        with suppress(InputError):
            kept[index]
    return kept
