"""Signals to put into an image: faint structures as a dental radiograph shows them, of contrast 1.

Sizes are in pixels; `in_pixels` converts from mm. A signal is added to an image after it was multiplied by a contrast,
which is negative for a dark structure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.special import ndtr

from napari_dental_denoise.pixels import Unit
from napari_dental_denoise.validation import check_number

Shape = tuple[int, int]

# Standard deviation of the Gaussian edge of round signals, in pixels: about what detectors blur.
EDGE = 1.0
# Trabeculae of 0.2 mm at 0.05 mm a pixel, relative to the radius of the patch.
TRABECULA_SHARE = 0.2


def disc(shape: Shape, radius: float) -> Unit:
    """Return a disc with a soft edge, such as a spot of early caries.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the result, in pixels; the signal lies in its middle.
    radius : float
        In pixels, at half of the contrast.

    Returns
    -------
    (H, W) float32 array
        1 inside, 0 outside, with an edge that is blurred by a Gaussian of one pixel.

    Examples
    --------
    >>> from napari_dental_denoise.detail.signals import disc
    >>> print(disc((9, 9), 3.0)[4].round(2))
    [0.16 0.5  0.84 0.98 1.   0.98 0.84 0.5  0.16]
    """
    return ellipse(shape, radius, radius)


def ellipse(shape: Shape, radius: float, other_radius: float | None = None, angle: float = np.pi / 6) -> Unit:
    """Return an ellipse with a soft edge.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the result, in pixels.
    radius, other_radius : float
        Half axes in pixels; the second is by default half of the first.
    angle : float
        Of the first axis to the rows, in radians.

    Returns
    -------
    (H, W) float32 array
        See `disc`.
    """
    check_number("radius", radius, above=0)
    other_radius = radius / 2 if other_radius is None else other_radius
    check_number("other_radius", other_radius, above=0)
    along, across = _rotated(shape, angle)
    distance = np.hypot(along / radius, across / other_radius)
    # The distance to the edge in pixels, to first order.
    slope = np.hypot(along / radius**2, across / other_radius**2) / np.maximum(distance, 1e-6)
    return _soft((1 - distance) / np.maximum(slope, 1e-6))


def line(shape: Shape, width: float, length: float | None = None, angle: float = np.pi / 6) -> Unit:
    """Return a straight line, such as the tip of a file (bright) or a fracture (dark).

    Parameters
    ----------
    shape : (int, int)
        Height and width of the result, in pixels.
    width, length : float
        In pixels; the length is by default ten times the width.
    angle : float
        Of the line to the rows, in radians.

    Returns
    -------
    (H, W) float32 array
        See `disc`.
    """
    check_number("width", width, above=0)
    length = 10 * width if length is None else length
    check_number("length", length, above=0)
    along, across = _rotated(shape, angle)
    return _covered(across, width) * _covered(along, length)


def double_edge(shape: Shape, width: float, length: float | None = None, angle: float = np.pi / 6) -> Unit:
    """Return a dark gap between two bright walls, such as the periodontal ligament between root and lamina dura.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the result, in pixels.
    width, length : float
        Of the gap and of each wall, in pixels; the length is by default ten times the width.
    angle : float
        Of the gap to the rows, in radians.

    Returns
    -------
    (H, W) float32 array
        -1 in the gap, 0.5 in the walls, so that the mean is 0.
    """
    check_number("width", width, above=0)
    length = 10 * width if length is None else length
    along, across = _rotated(shape, angle)
    profile = 0.5 * _covered(across, 3 * width) - 1.5 * _covered(across, width)
    return np.asarray(profile * _covered(along, length), np.float32)


def step_hole(shape: Shape, radius: float) -> Unit:
    """Return a dark hole, which lies in a step of `step`, as in a step wedge.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the result, in pixels.
    radius : float
        Of the hole, in pixels.

    Returns
    -------
    (H, W) float32 array
        -1 in the hole, 0 around it.
    """
    return -disc(shape, radius)


def step(shape: Shape, side: float) -> Unit:
    """Return a square step in the middle, for the holes of `step_hole`.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the result, in pixels.
    side : float
        Of the square, in pixels.

    Returns
    -------
    (H, W) float32 array
        1 on the step, 0 around it.
    """
    check_number("side", side, above=0)
    rows, columns = _rotated(shape, 0.0)
    return np.asarray(_covered(rows, side) * _covered(columns, side), np.float32)


def trabeculae(shape: Shape, radius: float, rng: int | np.random.Generator = 0) -> Unit:
    """Return a round patch of bone texture: band-passed noise under a Gaussian window.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the result, in pixels.
    radius : float
        Of the patch, in pixels.
    rng : int or numpy.random.Generator
        The same seed gives the same texture.

    Returns
    -------
    (H, W) float32 array
        Of largest magnitude 1.
    """
    check_number("radius", radius, above=0)
    noise = np.random.default_rng(rng).standard_normal(shape)
    scale = max(TRABECULA_SHARE * radius, 0.5)
    texture = gaussian_filter(noise, scale) - gaussian_filter(noise, 2 * scale)
    rows, columns = _rotated(shape, 0.0)
    patch = texture * np.exp(-(rows**2 + columns**2) / (2 * (radius / 2) ** 2))
    return np.asarray(patch / np.abs(patch).max(), np.float32)


# From a shape and a size in pixels (radius or width) to the signal.
SIGNALS: Mapping[str, Callable[[Shape, float], Unit]] = MappingProxyType(
    {
        "disc": disc,
        "ellipse": ellipse,
        "line": line,
        "double-edge": double_edge,
        "step-hole": step_hole,
        "trabeculae": trabeculae,
    }
)


def in_pixels(size: float, pixel_size: float) -> float:
    """Return a size in pixels.

    Parameters
    ----------
    size : float
        In mm.
    pixel_size : float
        Side of a pixel, in mm.

    Examples
    --------
    >>> from napari_dental_denoise.detail.signals import in_pixels
    >>> in_pixels(0.5, pixel_size=0.125)
    4.0
    """
    check_number("size", size, above=0)
    check_number("pixel_size", pixel_size, above=0)
    return size / pixel_size


def _rotated(shape: Shape, angle: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the coordinates along and across a direction, in pixels from the middle pixel."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    rows, columns = rows - shape[0] // 2, columns - shape[1] // 2
    along = np.cos(angle) * columns + np.sin(angle) * rows
    across = np.cos(angle) * rows - np.sin(angle) * columns
    return along, across


def _soft(depth: NDArray[np.floating]) -> Unit:
    """Return how much of each pixel lies inside an edge, from its distance to it."""
    return ndtr(depth / EDGE).astype(np.float32)


def _covered(position: NDArray[np.floating], width: float) -> Unit:
    """Return the share of each pixel that a band of this width around 0 covers, also where it is narrower than one."""
    low = np.clip(position - 0.5, -width / 2, width / 2)
    high = np.clip(position + 0.5, -width / 2, width / 2)
    return np.asarray(high - low, np.float32)
