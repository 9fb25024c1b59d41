"""Tell whether a denoiser removed noise alone or structure with it. No clean image is needed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.evaluation.correlation import weakened_structure
from napari_dental_denoise.pixels import ArrayLike, InputArray, Unit, check_values
from napari_dental_denoise.progress import decimal
from napari_dental_denoise.validation import check_number

# In pixels: radii of discs, and half the width and half the length of lines in so many directions.
RADII = (2.2, 3.2, 4.6, 6.6, 9.5)
HALF_WIDTH, HALF_LENGTH, DIRECTIONS = 1.0, 7.0, 8
# Independent sums at the places within one detail: in simulated noise, so many give the stated rate of false alarms.
SUMS_IN_DETAIL = 8
# Sides of the squares over which the level of the removed noise, and of its sums over details, are measured.
LEVEL_SIDE, SUM_SIDE = 49, 65
# In standard deviations of the noise: larger values count as much as this one.
MAX_DEVIATIONS = 3.0
# In standard deviations of a sum of white noise: denoising takes fainter details than this with any noise.
MIN_SUM = 7.0
FALSE_ALARMS, MAX_FALSE_ALARMS = 0.05, 0.5
# A standard deviation as a multiple of the median of the absolute values, for Gaussian noise.
DEVIATION_TO_MEDIAN = 1.4826
SAMPLING = 3
# In pixels: alarms that are nearer are one place.
NEAR = 9
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Place:
    """A place where structure was removed: the pixel, and how many standard deviations it stands out of the noise.

    `contrast` is the mean of what was removed of the detail there, in grey values, below 0 of a dark one.

    Examples
    --------
    >>> Place(row=4, column=7, z=-9.1, contrast=-2.4).contrast < 0  # a dark detail
    True
    """

    row: int
    column: int
    z: float
    contrast: float


@dataclass(frozen=True, slots=True)
class RemovedStructure:
    """Map of the structure that was removed from an image; `str` summarises it in a sentence.

    Attributes
    ----------
    z : (H, W) float32 array
        By how many standard deviations the most conspicuous detail around each pixel stands out of the removed noise,
        or its correlation with the structure there out of that of noise; below 0 for a dark one. 0 for details that
        would stand out of white noise of this level by less than 7, and for correlations below 6.
    threshold : float
        Above it, and below its negative, a value is an alarm.
    places : tuple of Place
        The alarms, the most conspicuous first.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.zeros((9, 9), np.float32)
    >>> print(RemovedStructure(z, 5.3, ()))
    What was removed looks like noise
    >>> print(RemovedStructure(z, 5.3, (Place(4, 7, 9.1, 2.4),)))
    Structure of up to 2.4 grey values was removed at 1 place (row, column): 4, 7
    """

    z: Unit
    threshold: float
    places: tuple[Place, ...]

    def shifted(self, rows: int, columns: int) -> RemovedStructure:
        """Return the same with places in an image of which this is a part that begins there."""
        moved = (replace(place, row=place.row + rows, column=place.column + columns) for place in self.places)
        return replace(self, places=tuple(moved))

    def __str__(self) -> str:
        if not self.places:
            return "What was removed looks like noise"
        count = len(self.places)
        shown = "; ".join(f"{place.row}, {place.column}" for place in self.places[:SHOWN])
        more = "; ..." if count > SHOWN else ""
        most = max(abs(place.contrast) for place in self.places)
        where = f"{count} place{'s' * (count > 1)} (row, column): {shown}{more}"
        return f"Structure of up to {decimal(most, 2)} grey values was removed at {where}"


def removed_structure(image: ArrayLike, denoised: ArrayLike, *, false_alarms: float = FALSE_ALARMS) -> RemovedStructure:
    """Look for discs and lines in what was removed from an image.

    The difference of the two images is divided by its local level, and summed over discs and lines of several sizes,
    as an observer would who looks for a detail of known shape (a matched filter). A sum is an alarm if noise of the
    level and the correlation that the difference has would reach it in a share `false_alarms` of all images. Of
    correlated noise, more is needed. Structure of the denoised image that the difference repeats, because it was
    weakened and not erased, as by blurring, is found by the correlation of the two.

    Parameters
    ----------
    image, denoised : (H, W) arrays
        Of one type and unit; masked pixels count as unchanged.
    false_alarms : float
        Share of the images with nothing but noise removed that have an alarm, above 0 and at most 0.5.

    Returns
    -------
    RemovedStructure

    Raises
    ------
    InputError
        If the arrays are no such images.

    Notes
    -----
    Details of 3 standard deviations of the noise and a radius of 2 pixels are found in white noise. Fainter and smaller
    ones are not, and noise whose level changes within few pixels can pass for structure.

    Examples
    --------
    >>> import numpy as np
    >>> noise = np.random.default_rng(0).standard_normal((96, 96))
    >>> print(removed_structure(noise, np.zeros((96, 96))))
    What was removed looks like noise
    >>> noise[40:46, 50:56] += 4
    >>> removed_structure(noise, np.zeros((96, 96))).places[0].z > 9
    True
    """
    check_number("false_alarms", false_alarms, above=0, high=MAX_FALSE_ALARMS)
    difference, kept = _difference(image, denoised)
    level = _local_level(difference)
    removed = np.clip(difference / level, -MAX_DEVIATIONS, MAX_DEVIATIONS)
    details = list(_details())
    tests = sum(SUMS_IN_DETAIL * removed.size / np.count_nonzero(detail) for detail in details)
    threshold = float(-ndtri(false_alarms / (2 * tests)))
    z, part = weakened_structure(removed, kept / level)
    contrast = part * level
    with ThreadPoolExecutor() as pool:
        for places, standing_out, mean in pool.map(partial(_conspicuous, removed), details):
            more = np.abs(standing_out) > np.abs(z.flat[places])
            z.flat[places[more]] = standing_out[more]
            contrast.flat[places[more]] = mean[more] * level.flat[places[more]]
    return RemovedStructure(z, threshold, tuple(_places(z, contrast, threshold)))


def _difference(image: ArrayLike, denoised: ArrayLike) -> tuple[Unit, Unit]:
    """Return what was removed, without slow trends, and what was kept, as floating values."""
    sources = InputArray(image), InputArray(denoised)
    one, other = (source.pixels for source in sources)
    for each in (one, other):
        if each.ndim != 2 or 0 in each.shape:
            raise InputError(f"expected images of shape (height, width); received shape {each.shape}")
    if one.shape != other.shape:
        raise InputError(f"image {one.shape} and denoised image {other.shape} differ in size")
    for each in (one, other):
        check_values(each)
    exact, kept = np.subtract(one, other, dtype=np.float64), other.astype(np.float32)
    for source in sources:
        if source.mask is not None:
            exact[source.mask], kept[source.mask] = 0, 0
    difference = exact.astype(np.float32)
    return difference - _mean(difference, LEVEL_SIDE), kept


def _local_level(difference: Unit) -> Unit:
    """Return the standard deviation around each pixel, without single large values; 1 where nothing was removed."""
    level = float(np.sqrt(np.mean(difference**2)))
    if level == 0:
        return np.ones_like(difference)
    return np.maximum(_root_mean_square(difference, MAX_DEVIATIONS * level, LEVEL_SIDE), np.float32(0.1 * level))


def _conspicuous(removed: Unit, detail: Unit) -> tuple[NDArray[np.intp], Unit, Unit]:
    """Return the pixels around which a detail stands out, by how many standard deviations, and the mean over it."""
    sums = cv2.filter2D(removed, -1, detail, borderType=cv2.BORDER_REFLECT)
    places = np.flatnonzero(np.abs(sums) >= MIN_SUM)
    if not places.size:
        return places, *np.empty((2, 0), np.float32)
    found = sums.flat[places]
    return places, found / _level_of(sums).flat[places], found / detail.sum()


def _level_of(sums: Unit) -> Unit:
    """Return the local standard deviation of sums over details; that of white noise, 1, at least."""
    typical = max(float(np.median(np.abs(sums[::SAMPLING, ::SAMPLING]))) * DEVIATION_TO_MEDIAN, 1.0)
    return np.maximum(_root_mean_square(sums, MAX_DEVIATIONS * typical, SUM_SIDE), np.float32(typical))


def _details() -> Iterator[Unit]:
    """Yield the details to look for, of a sum of squares of 1."""
    discs = ((radius, radius, 0.0) for radius in RADII)
    lines = ((HALF_LENGTH, HALF_WIDTH, math.pi * number / DIRECTIONS) for number in range(DIRECTIONS))
    for half_length, half_width, angle in chain(discs, lines):
        reach = math.ceil(half_length + 1)
        rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
        along = columns * math.cos(angle) + rows * math.sin(angle)
        across = rows * math.cos(angle) - columns * math.sin(angle)
        if half_length == half_width:
            inside = half_length - np.hypot(along, across)
        else:
            inside = np.minimum(half_length - np.abs(along), half_width - np.abs(across))
        detail = np.clip(inside + 0.5, 0, 1).astype(np.float32)
        yield detail / np.linalg.norm(detail)


def _places(z: Unit, contrast: Unit, threshold: float) -> Iterator[Place]:
    """Yield the highest pixel of each group of alarms, the most conspicuous first."""
    alarming = (np.abs(z) >= threshold).astype(np.uint8)
    count, labels = cv2.connectedComponents(cv2.dilate(alarming, np.ones((NEAR, NEAR), np.uint8)))
    order = np.argsort(-np.abs(z), axis=None)[: np.count_nonzero(alarming)]
    seen: set[int] = set()
    for row, column in zip(*np.unravel_index(order, z.shape), strict=True):
        label = int(labels[row, column])
        if label not in seen:
            seen.add(label)
            yield Place(int(row), int(column), round(float(z[row, column]), 1), float(contrast[row, column]))
        if len(seen) == count - 1:
            return


def _root_mean_square(image: Unit, most: float, side: int) -> Unit:
    """Return the local root mean square, in which larger values count as `most`."""
    # Running sums leave rounding errors below 0.
    return np.sqrt(np.maximum(_mean(np.minimum(image**2, most**2), side), 0))


def _mean(image: Unit, side: int) -> Unit:
    return cv2.blur(image, (side, side), borderType=cv2.BORDER_REFLECT)
