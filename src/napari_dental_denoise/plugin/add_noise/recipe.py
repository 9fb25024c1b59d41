"""Noise of a kind, level and seed, added to the data of a layer."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import GREY_LEVELS
from napari_dental_denoise.noise import is_in_grey_levels, noise_kind, noise_title
from napari_dental_denoise.pixels import PLAIN, PixelEncoding
from napari_dental_denoise.plugin.shared import LayerImages, fit_encoding
from napari_dental_denoise.progress import Progress


@dataclass(frozen=True)
class Recipe:
    """Kind, levels and seed of a noise, and the encoding of the image it is added to.

    As on the command line, an image has the noise of its number among the files, and of its number in its file.
    """

    kind: str
    levels: dict[str, float]
    seed: int
    encoding: PixelEncoding = PLAIN
    # The images of a stack are one file each.
    are_files: bool = False

    @property
    def title(self) -> str:
        """The kind and its first level, which tells most of it, in grey levels of 8 bit where the form shows these."""
        name, level = next(iter(self.levels.items()))
        if is_in_grey_levels(self.kind, name):
            return f"{noise_title(self.kind, {name: level * GREY_LEVELS})} levels"
        return noise_title(self.kind, {name: level})

    def add(self, image: NDArray[np.generic], index: int) -> NDArray[np.generic]:
        """Return one image of a stack with noise; each index has noise of its own."""
        rng = np.random.default_rng([self.seed, index, 0] if self.are_files else [self.seed, 0, index])
        return self.encoding.apply(partial(noise_kind(self.kind).add, **self.levels, rng=rng), image)

    def add_to_one(self, images: LayerImages, index: int) -> Generator[Progress, None, NDArray[np.generic]]:
        """Return one image of an image or stack as `add_to_all` would; meant for a thread."""
        yield Progress(0, 1)
        fitted = replace(self, encoding=fit_encoding(self.encoding, images, index))
        return fitted.add(images[index], index)

    def add_to_all(self, images: LayerImages) -> Generator[Progress, None, NDArray[np.generic]]:
        """Return an image or stack with noise, one image per step; meant for a thread."""
        if len(images.shape) == 2:
            return (yield from self.add_to_one(images, 0))
        fitted = replace(self, encoding=fit_encoding(self.encoding, images))
        result = np.empty((len(images), *images.shape[-2:]), images.dtype)
        for index in range(len(images)):
            result[index] = fitted.add(images[index], index)
            yield Progress(index + 1, len(images))
        return result.reshape(images.shape)
