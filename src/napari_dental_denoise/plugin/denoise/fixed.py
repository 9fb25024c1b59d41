"""The images of a layer as they were when a result was made of them."""

from __future__ import annotations

from collections.abc import Generator
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.pixels import Planes
from napari_dental_denoise.plugin.shared import LayerImages
from napari_dental_denoise.progress import Progress

Pixels = NDArray[Any]


class KeptImages(Planes):
    """Images that are kept in memory, as `pixels` (N, H, W), from when each is taken for the first time.

    Those that are in memory are taken at once. One that cannot be read is black, and its error among the `errors`.
    """

    def __init__(self, images: LayerImages) -> None:
        self._images, self._kept = images, np.zeros(len(images), bool)
        self.shape, self.dtype, self.has_channel = images.shape, images.dtype, False
        self.pixels = np.zeros((len(images), *images.shape[-2:]), images.dtype)
        self.errors: list[InputError] = []
        if images.in_memory() is not None:
            self.pixels[:] = list(images)
            self._kept[:] = True

    def _read(self, index: int) -> Pixels:
        if not self._kept[index]:
            self._kept[index] = True
            try:
                self.pixels[index] = self._images[index]
            except InputError as error:
                self.errors.append(error)
        return self.pixels[index]


class CheckedImages(Planes):
    """Images that are read again each time; raises InputError if one has changed since it was read first."""

    def __init__(self, images: Planes, name: str) -> None:
        self._images, self._name = images, name
        self.shape, self.dtype, self.has_channel = images.shape, images.dtype, False
        self._digests: dict[int, bytes] = {}

    def _read(self, index: int) -> Pixels:
        try:
            image = self._images[index]
        except InputError:
            raise
        except (KeyError, OSError, RuntimeError, ValueError) as error:
            raise InputError(f"{self._name}, image {index + 1}, cannot be read any more: {error}") from error
        digest = blake2b(np.ascontiguousarray(image).data, digest_size=16).digest()
        if self._digests.setdefault(index, digest) != digest:
            raise InputError(f"{self._name}, image {index + 1}, has changed since it was denoised: denoise it again")
        return image


def fixed_steps(images: LayerImages, name: str) -> Generator[Progress, None, Planes]:
    """Return images that stay as they are now, for results that are made of them later.

    Images in memory are copied. Others are read once, to recognise them later; but those of dask, which may be many or
    take long, when they are taken first. A stack that this plugin has opened never shows files that have changed.
    """
    import dask

    whole = images.in_memory()
    fixed = CheckedImages(images, name) if whole is None or isinstance(images.array, np.memmap) else KeptImages(images)
    if not dask.is_dask_collection(images.array):
        for index in range(len(images)):
            fixed[index]
            yield Progress(index + 1, len(images))
    return fixed
