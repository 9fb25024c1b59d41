"""Scores of images against a clean one, whole or inside outlines, and grey values along a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from skimage.draw import polygon2mask

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.evaluation.metrics import psnr, ssim_or_nan
from napari_dental_denoise.pixels import shared_scales, to_unit

Grey = NDArray[np.generic]
Points = NDArray[np.float64]

ELLIPSE_CORNERS = 90


@dataclass(frozen=True, slots=True)
class RegionScore:
    """PSNR in dB and SSIM; SSIM is NaN below 11 pixels a side."""

    psnr: float
    ssim: float


def on_one_scale(images: Sequence[Grey]) -> tuple[list[Grey], float]:
    """Return the images and their data range, on [0, 1] unless all have one type and white; see `shared_scales`."""
    scales = shared_scales(images)
    if len({image.dtype for image in images}) == len(set(scales)) == 1:
        return list(images), scales[0]
    return [to_unit(image, scale) for image, scale in zip(images, scales, strict=True)], 1.0


def ellipse_outline(corners: Points) -> Points:
    """Return 90 points on the ellipse in a rectangle, which may be rotated, given its corners (4, 2) in their order."""
    centre = corners.mean(axis=0)
    first, second = (corners[1] - corners[0]) / 2, (corners[2] - corners[1]) / 2
    angle = np.linspace(0, 2 * np.pi, ELLIPSE_CORNERS, endpoint=False)[:, None]
    return centre + np.cos(angle) * first + np.sin(angle) * second


def outline_mask(outlines: Sequence[Points], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the mask of the pixels whose centre is in an outline (K, 2) of rows and columns; (0, 0) is the first."""
    mask = np.zeros(shape, bool)
    for outline in outlines:
        mask |= polygon2mask(shape, outline)
    if not mask.any():
        raise InputError("The region holds no pixel of the image: draw a closed shape on it")
    return mask


def bounding_box(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return the rows and columns of the smallest box around the true pixels of a mask that is not empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def region_score(clean: Grey, image: Grey, *, data_range: float, mask: NDArray[np.bool_] | None = None) -> RegionScore:
    """Score an image, or the part of it inside a mask; SSIM, which needs neighbours, is that of its bounding box."""
    box = (slice(None), slice(None)) if mask is None else bounding_box(mask)
    inside: slice | NDArray[np.bool_] = slice(None) if mask is None else mask
    return RegionScore(
        psnr=psnr(clean[inside], image[inside], data_range=data_range),
        ssim=ssim_or_nan(clean[box], image[box], data_range=data_range),
    )


def path_points(corners: Points) -> Points:
    """Return points (S, 2) along a path of two or more corners (K, 2), about one for each pixel of its length."""
    along = distances(corners)
    positions = np.linspace(0, along[-1], max(int(np.ceil(along[-1])), 1) + 1)
    return np.stack([np.interp(positions, along, corners[:, axis]) for axis in (0, 1)], axis=1)


def distances(points: Points, spacing: tuple[float, float] = (1.0, 1.0)) -> NDArray[np.float64]:
    """Return the path length from the first point to each of the points (S, 2); `spacing` is the size of a pixel."""
    steps = np.linalg.norm(np.diff(points, axis=0) * spacing, axis=1)
    return np.concatenate([[0.0], np.cumsum(steps)])


def profile(image: Grey, points: Points) -> NDArray[np.float64]:
    """Return the grey values at points (S, 2), interpolated linearly, NaN outside of the image."""
    return map_coordinates(image, points.T, output=np.float64, order=1, mode="constant", cval=np.nan)
