"""Parts of all functions that add noise: conversion to [0, 1] and back, random generators, checks of levels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from napari_dental_denoise.config import GREY_LEVELS
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.pixels import (
    PLAIN,
    ArrayLike,
    InputArray,
    Unit,
    check_array,
    check_grey,
    from_unit,
    full_scale,
    keep_beyond_white,
    to_unit,
)
from napari_dental_denoise.validation import check_flag, check_number, is_number

Rng = int | np.random.Generator | None

# Above this count, float32 has no noise, and far above it NumPy cannot draw.
MAX_PHOTONS = 1e9


def with_noise(image: ArrayLike, add: Callable[[Unit, np.random.Generator], Unit], rng: Rng, *, clip: bool) -> Any:
    """Scale an image to [0, 1], apply `add` there, and return the result in the image's own type and scale."""
    check_flag("clip", clip)
    source = InputArray(image)
    stored = source.pixels
    check_grey(stored)
    grey = PLAIN.to_grey(stored)
    scale = full_scale(grey)
    dtype = grey.dtype if np.issubdtype(grey.dtype, np.integer) else np.dtype(np.float32)
    noisy = add(to_unit(grey, scale), generator(rng))
    if clip:
        changed = from_unit(np.clip(noisy, 0.0, 1.0), dtype, scale)
    else:
        changed = keep_beyond_white(grey, from_unit(noisy, dtype, scale), scale)
    return source.like(PLAIN.from_grey(changed, stored))


def generator(rng: Rng) -> np.random.Generator:
    """Return `rng` as a NumPy Generator; None draws a fresh seed from the operating system."""
    refused = InputError(f"rng must be a whole number from 0, or a numpy Generator; received {rng!r}")
    if isinstance(rng, bool | np.bool_):  # which NumPy takes for 0 and 1
        raise refused
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise refused from error


def each_plane(unit: Unit, work: Callable[[Unit], Unit]) -> Unit:
    """Apply `work` to each image (H, W) of an array (..., H, W)."""
    planes = unit.reshape(-1, *unit.shape[-2:])
    return np.stack([work(plane) for plane in planes]).reshape(unit.shape)


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Unit:
    """Draw white Gaussian noise of unit standard deviation."""
    return rng.standard_normal(shape, dtype=np.float32)


def check_photons(photons: float, high: float = MAX_PHOTONS) -> None:
    """Raise InputError unless `photons` is a count that can be drawn."""
    check_number("photons", photons, above=0, high=high)


def check_sigma(name: str, value: float, low: float = 0.0) -> None:
    """Raise InputError unless `value` is a number in [low, 1]; of one in grey levels, the message says so."""
    if is_number(value) and value > 1:
        levels = f"{value:g} grey levels of 8 bit are {value:g}/{GREY_LEVELS}"
        raise InputError(f"{name} must be a number in [{low:g}, 1]; received {value:g} ({levels})")
    check_number(name, value, low, 1.0)


def check_plane(image: ArrayLike) -> None:
    """Raise InputError unless `image` has rows and columns, which spatially correlated noise needs."""
    check_array(image)
    shape = np.shape(image)
    if len(shape) < 2 or 0 in shape:
        raise InputError(f"expected an image (..., H, W) with rows and columns; received shape {shape}")
