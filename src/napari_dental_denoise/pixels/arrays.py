"""Arrays of any library as images: NumPy, masked, dask, xarray, h5py, zarr and anything else with `__array__`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, overload, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.errors import InputError

COLOUR = (3, 4)
# Attribute of an array: the function that reads one of its images, or raises InputError where the array itself shows
# a substitute.
READ_IMAGE = "read_image"
# Annotation of a dask layer, for arrays that dask makes of such an array: the errors of substitutes, by their blocks.
SUBSTITUTES = "substitutes"
INTEGERS = "iu"


@runtime_checkable
class ArrayLike(Protocol):
    """An array of any library that NumPy can read."""

    def __array__(self) -> NDArray[Any]:
        """Return the values."""


class InputArray:
    """An array as a caller gave it, its pixels as NumPy, and results of the caller's kind.

    A last axis of 1 after rows and columns is the channel of grey images, which `pixels` lack. Masked pixels have the
    value of the nearest pixel that is not masked, so that they decide nothing; `mask` is true there, or None. Raises
    InputError for what is no array of numbers.
    """

    def __init__(self, given: ArrayLike) -> None:
        check_array(given)
        self._given: Any = given
        try:
            values = np.asarray(given)
        except (OSError, RuntimeError, TypeError, ValueError) as error:
            raise InputError(f"the array cannot be read: {error}") from error
        if values.ndim == 0:
            raise InputError(f"expected an array of pixels; received one value, {values}")
        check_type(values)
        self._shape = values.shape
        self.mask: NDArray[np.bool_] | None = None
        self.pixels = _without_channel(values)
        if isinstance(given, np.ma.MaskedArray):
            self.mask = _without_channel(np.ma.getmaskarray(given))
            self.pixels = _filled(self.pixels, self.mask)

    def like(self, result: NDArray[Any]) -> Any:
        """Return a result of the shape of `pixels` as the caller's kind: with mask, coordinates or channel."""
        shaped = result.reshape(self._shape)
        if isinstance(self._given, np.ma.MaskedArray):
            return np.ma.MaskedArray(shaped, np.ma.getmaskarray(self._given).copy(), fill_value=self._given.fill_value)
        # Only of xarray: it is no dependency.
        return self._given.copy(data=shaped) if hasattr(self._given, "coords") else shaped


class Planes(Sequence[NDArray[Any]]):
    """The images (H, W) of an array (..., H, W) or (..., H, W, 1) of any library, each read when it is taken.

    `shape` is that without the channel; raises InputError for other shapes. Masked pixels as in `InputArray`, but 0 in
    an image of a stack that is masked as a whole.
    """

    def __init__(self, array: Any) -> None:
        check_grey(array)
        self._array = array
        self.has_channel = _has_channel(array.shape)
        self.shape = tuple(int(side) for side in array.shape)[: -1 if self.has_channel else None]
        self.dtype = np.dtype(array.dtype)
        if len(self.shape) < 2 or 0 in self.shape:
            raise InputError(
                f"expected an image (H, W) or a stack (..., H, W) with pixels; received shape {tuple(array.shape)}"
            )

    def __len__(self) -> int:
        return math.prod(self.shape[:-2])

    @overload
    def __getitem__(self, index: int) -> NDArray[Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[NDArray[Any]]: ...
    def __getitem__(self, index: int | slice) -> NDArray[Any] | list[NDArray[Any]]:
        """Return one image as NumPy, or several."""
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self._read(index)

    def _read(self, index: int) -> NDArray[Any]:
        image = self._take(index)
        values, hidden = np.asarray(image), np.ma.getmask(image)
        return np.zeros_like(values) if hidden.all() and len(self) > 1 else _filled(values, hidden)

    def _take(self, index: int) -> Any:
        """Return one image with its mask."""
        if hasattr(self._array, READ_IMAGE):
            return getattr(self._array, READ_IMAGE)(index)
        place = (int(number) for number in np.unravel_index(index, self.shape[:-2]))
        image = self._array[(*place, slice(None), slice(None), *[0] * self.has_channel)]
        if not hasattr(image, "compute"):
            return image
        # The mask of a lazy array is known when it is computed, as are the substitutes in it.
        computed = image.compute()
        _check_no_substitute(image)
        return computed


def check_array(image: object) -> None:
    """Raise InputError unless `image` is an array; a list of images of several sizes is not."""
    if isinstance(image, ArrayLike):
        return
    advice = ""
    if isinstance(image, str | Path):
        advice = ": read the file with read_image"
    elif isinstance(image, list | tuple):
        advice = ": process images of several sizes or types one by one, or read them at one size by read_dental"
    raise InputError(f"expected an array; received {type(image).__name__}{advice}")


def check_type(image: NDArray[np.generic]) -> None:
    """Raise InputError unless `image` is an array of whole or floating numbers."""
    check_array(image)
    if image.dtype.kind not in f"{INTEGERS}f":
        raise InputError(f"the image must be of whole or floating numbers; received {image.dtype}: convert it first")


def check_grey(array: Any) -> None:
    """Raise InputError for what is no array, or one of colour images."""
    check_array(array)
    if len(array.shape) > 2 and array.shape[-1] in COLOUR:
        raise InputError(
            f"expected grey images; received colour of shape {tuple(array.shape)}: convert it to grey first, or take "
            "one channel, image[..., 0], where all are equal"
        )


def _check_no_substitute(lazy: Any) -> None:
    """Raise the error of a substitute that a computed array was made of."""
    graph: Any = getattr(lazy, "__dask_graph__", dict)()
    found: dict[Any, Exception] = {
        (name, *block): error
        for name, layer in getattr(graph, "layers", {}).items()
        for block, error in (layer.annotations or {}).get(SUBSTITUTES, {}).items()
    }
    if found:
        from dask.core import flatten

        needed = graph.cull(set(flatten(lazy.__dask_keys__())))
        for error in (found[key] for key in needed if key in found):
            raise error.with_traceback(None)


def _has_channel(shape: tuple[int, ...]) -> bool:
    return len(shape) > 2 and shape[-1] == 1


def _without_channel(values: NDArray[Any]) -> NDArray[Any]:
    return values[..., 0] if _has_channel(values.shape) else values


def _filled(values: NDArray[Any], mask: NDArray[np.bool_]) -> NDArray[Any]:
    """Return values in which masked ones are those of the nearest pixel of their image; raise InputError if all are."""
    if not mask.any():
        return values
    if mask.all():
        raise InputError("all pixels are masked: expected some that are not")
    from scipy.ndimage import distance_transform_edt  # half of the start of the command line

    # In the images that are masked as a whole.
    result = np.where(mask, values[~mask][0], values)
    planes, holes = (part.reshape(-1, *part.shape[-2:]) for part in (result, mask))
    for plane, hole in zip(planes, holes, strict=True):
        if hole.any() and not hole.all():
            nearest = distance_transform_edt(hole, return_distances=False, return_indices=True)
            plane[:] = plane[tuple(nearest)]
    return result
