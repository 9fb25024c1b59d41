"""The grey images of a layer of any kind, and data for a result layer of the same kind."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.pixels import READ_IMAGE, SUBSTITUTES, InputArray, Planes

if TYPE_CHECKING:
    from dask.array import Array
    from napari.layers import Image

Pixels = NDArray[Any]
# Every so many rows and columns are compared to tell a colour image at once; when it is taken, all are.
SAMPLING = 16
# What a source raises that has changed, is damaged or is gone.
UNREADABLE = (EOFError, LookupError, OSError, RuntimeError, ValueError, zlib.error)


class LayerImages(Planes):
    """The grey images of a layer, each read when it is taken: in full resolution, and of colours the equal channels.

    Raises InputError for layers that hold none.
    """

    def __init__(self, layer: Image) -> None:
        data = layer.data[0] if layer.multiscale else layer.data
        super().__init__(_EqualChannels(data, layer.name) if layer.rgb else data)
        self.array, self._name = data, layer.name
        self.levels = [tuple(level.shape) for level in layer.data[1:]] if layer.multiscale else []
        # As many as the layer has axes.
        self.sides = (*self.shape, *[1] * self.has_channel)
        self._is_masked = isinstance(getattr(data, "_meta", data), np.ma.MaskedArray) and not layer.rgb
        # Those of the images that were read stay as they were, as the results do.
        self._masks: dict[int, NDArray[np.bool_]] = {}
        self._told: set[str] = set()

    @property
    def is_in_memory(self) -> bool:
        """True if reading the images costs nothing, so that all of them decide black and white."""
        return isinstance(self.array, np.ndarray) and self.array.ndim == len(self.sides)

    def in_memory(self) -> Pixels | None:
        """Return the pixels (..., H, W) if they are in memory."""
        return InputArray(self.array).pixels.reshape(self.shape) if self.is_in_memory else None

    def layer_data(self, result: Any) -> Any:
        """Return a result (..., H, W) of NumPy or dask as data like the layer's: with its channel, levels or mask."""
        if self.levels:
            spatial = [shape[len(self.shape) - 2 : len(self.shape)] for shape in self.levels]
            return [result, *(_reduced(Planes(result), sides) for sides in spatial)]
        if isinstance(result, np.ndarray):
            shaped = result.reshape(self.sides)
            return self._masked(shaped, *range(len(self))) if self._is_masked else shaped
        if not self._is_masked and not self.has_channel:
            return result
        images = Planes(result)

        def image(index: int) -> Pixels:
            return self._masked(images[index], index) if self._is_masked else images[index]

        kind = {"has_channel": self.has_channel, "is_masked": self._is_masked}
        return stack_of(image, self.shape, images.dtype, self._told, **kind)

    def _read(self, index: int) -> Pixels:
        try:
            return super()._read(index)
        except InputError:
            raise
        except UNREADABLE as error:
            place = f", image {index + 1}," if len(self.shape) > 2 else ""
            raise InputError(f"{self._name}{place} cannot be read: {error}") from error

    def _take(self, index: int) -> Any:
        image = super()._take(index)
        if self._is_masked:
            self._masks.setdefault(index, np.ma.getmaskarray(image).copy())
        return image

    def _masked(self, result: Pixels, *indices: int) -> Pixels:
        """Return the result of some images with their masks."""
        for index in indices:
            if index not in self._masks:
                self[index]
        mask = np.stack([self._masks[index] for index in indices]).reshape(result.shape)
        return np.ma.MaskedArray(result, mask, fill_value=getattr(self.array, "fill_value", None))


class _EqualChannels:
    """Colour images (..., H, W, C) with equal colours as an array of their grey values."""

    def __init__(self, data: Any, name: str) -> None:
        self._data, self._name = data, name
        self.shape, self.dtype = data.shape[:-1], data.dtype
        if isinstance(data, np.ndarray):
            self._read((*[0] * (len(self.shape) - 2), *[slice(None, None, SAMPLING)] * 2))

    def __array__(self, dtype: Any = None, copy: Any = None) -> Pixels:
        return self._read((slice(None),) * len(self.shape))

    def __getitem__(self, place: tuple[int | slice, ...]) -> Pixels:
        return self._read(place)

    def _read(self, place: tuple[int | slice, ...]) -> Pixels:
        colours = np.asarray(self._data[(*place, slice(0, 3))])
        if (colours != colours[..., :1]).any():
            raise InputError(
                f"{self._name} is a colour image: convert it to grey first, by Split RGB in the menu of the layer, or "
                "open its file with Dental Denoise"
            )
        return colours[..., 0]


def is_stack(layer: Image | None) -> bool:
    """Return whether a layer holds several grey images."""
    try:
        return layer is not None and len(LayerImages(layer).shape) > 2
    except InputError:
        return False


def stack_of(
    image: Callable[[int], Pixels],
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    told: set[str] | None = None,
    *,
    has_channel: bool = False,
    is_masked: bool = False,
) -> Array:
    """Return a lazy (..., H, W) dask array, one chunk for each image, whose images a function makes from their index.

    With a channel it is (..., H, W, 1). The index counts all images, those of the last axis before the rows first. One
    that the function cannot make is displayed as black, with a warning unless it is among those that were `told`;
    `Planes` of the array raises the error, for nobody works on what is not there.
    """
    import dask
    import dask.array as da

    *leading, height, width = shape
    channel = (1,) * has_channel
    told = set() if told is None else told
    substitutes: dict[tuple[int, ...], Exception] = {}

    def block(block_id: tuple[int, ...]) -> Pixels:
        index = int(np.ravel_multi_index(block_id[: len(leading)], leading)) if leading else 0
        try:
            shown = image(index)
            substitutes.pop(block_id, None)
        except UNREADABLE as error:
            _warn_once(f"Displayed as black: {error}", told)
            shown = np.zeros((height, width), dtype)
            substitutes[block_id] = error
        return shown.reshape(*[1] * len(leading), height, width, *channel)

    with dask.annotate(**{SUBSTITUTES: substitutes}):
        stack = da.map_blocks(
            block,
            # Unique, as napari's cache of dask results works by name, and the files or the settings may have changed.
            name=f"radiographs-{uuid4().hex}",
            dtype=dtype,
            chunks=(*((1,) * count for count in leading), (height,), (width,), *((side,) for side in channel)),
            meta=(np.ma.empty if is_masked else np.empty)((0,) * (len(shape) + has_channel), dtype),
        )
    setattr(stack, READ_IMAGE, image)
    return stack


def _warn_once(text: str, told: set[str]) -> None:
    from napari.utils.notifications import show_warning

    if text not in told:
        told.add(text)
        show_warning(text)


def _reduced(images: Planes, sides: tuple[int, int]) -> Any:
    """Return images at a smaller size: at once for one image, else when they are taken."""
    if len(images.shape) == 2:
        return _resized(images[0], sides)
    return stack_of(lambda index: _resized(images[index], sides), (*images.shape[:-2], *sides), images.dtype)


def _resized(image: Pixels, sides: tuple[int, int]) -> Pixels:
    # Of all integer types OpenCV takes few.
    smaller = cv2.resize(image.astype(np.float64), sides[::-1], interpolation=cv2.INTER_AREA)
    return (np.rint(smaller) if image.dtype.kind in "iu" else smaller).astype(image.dtype)
