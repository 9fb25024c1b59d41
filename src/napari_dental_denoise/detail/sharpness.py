"""Sharpness: the modulation transfer function (MTF) from a slanted edge.

A denoiser is not linear: its MTF depends on the contrast of the edge and on the noise, and is a task transfer function.

References
----------
.. [1] ISO 12233:2023, "Photography - Electronic still picture imaging - Resolution and spatial frequency responses".
.. [2] S. Richard et al., "Towards task-based assessment of CT performance: system and object MTF across different
   reconstruction algorithms", Med. Phys. 39 (2012), doi 10.1118/1.4725171.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from napari_dental_denoise.errors import InputError

Array = NDArray[np.float64]

# Of a test edge: degrees to the columns, and standard deviation of its own blur in pixels.
ANGLE = 5.0
EDGE_BLUR = 0.5
# Samples of the edge profile a pixel.
OVERSAMPLING = 4
# Least change of grey value across the edge, in standard deviations of the noise beside it.
MIN_EDGE = 1e-6
NO_EDGE = "expected an image of one nearly vertical edge; received one without any edge"


class ModulationTransfer(NamedTuple):
    """An MTF.

    Attributes
    ----------
    frequencies : (F,) array
        In cycles a pixel, from 0 to 0.5; or cycles a mm, with a pixel size.
    values : (F,) array
        1 at frequency 0.
    """

    frequencies: NDArray[np.floating]
    values: NDArray[np.floating]

    def frequency_at(self, value: float) -> float:
        """Return the lowest frequency at which the MTF has fallen to this value; infinity where it does not."""
        below = np.flatnonzero(self.values < value)
        if below.size == 0:
            return float("inf")
        last = max(int(below[0]), 1)
        pair = slice(last - 1, last + 1)
        return float(np.interp(-value, -self.values[pair], self.frequencies[pair]))


def edge_line(shape: tuple[int, int], angle: float = ANGLE) -> tuple[float, float]:
    """Return slope and offset of the column of a slanted edge as a function of the row; see `slanted_edge`."""
    slope = float(np.tan(np.deg2rad(angle)))
    return slope, shape[1] / 2 - slope * shape[0] / 2


def slanted_edge(
    shape: tuple[int, int], low: float, high: float, *, angle: float = ANGLE, blur: float = EDGE_BLUR
) -> NDArray[np.float32]:
    """Return an image of a straight edge, dark on the left.

    Parameters
    ----------
    shape : (int, int)
    low, high : float
        Grey values of the two sides.
    angle : float
        Of the edge to the columns, in degrees.
    blur : float
        Standard deviation of the Gaussian edge spread, in pixels.

    Returns
    -------
    (H, W) float32 array
    """
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    slope, offset = edge_line(shape, angle)
    distance = (columns - offset - slope * rows) * np.cos(np.deg2rad(angle))
    return np.asarray(low + (high - low) * ndtr(distance / blur), np.float32)


def edge_mtf(
    image: NDArray[np.floating],
    *,
    pixel_size: float = 1.0,
    edge: tuple[float, float] | None = None,
    blur: float = 0.0,
) -> ModulationTransfer:
    """Measure the MTF from an image of one nearly vertical edge [1]_.

    The edge is located in each row and fitted by a straight line. The grey values by their distance from it are a
    profile of four samples a pixel, whose derivative is Fourier transformed, and corrected for the finite difference
    and for the width of a sample.

    Parameters
    ----------
    image : (H, W) floating array
        The mean of several where there is noise.
    pixel_size : float
        In mm; 1 gives frequencies in cycles a pixel.
    edge : (float, float), optional
        Slope and offset of the edge's column as a function of the row, where they are known; see `edge_line`.
    blur : float
        Standard deviation of the edge's own Gaussian blur, in pixels, of which the result is freed.

    Raises
    ------
    InputError
        If there is no such edge.
    """
    image = np.asarray(image, np.float64)
    profile = _edge_profile(image, *(edge or _edge_line(image)))
    spread = np.gradient(profile)
    window = np.hamming(2 * len(spread))
    middle = int(np.argmax(np.abs(spread)))
    spread = spread * window[len(spread) - middle : 2 * len(spread) - middle]
    transfer = np.abs(np.fft.rfft(spread))
    if transfer[0] <= MIN_EDGE:
        raise InputError(NO_EDGE)
    frequencies = np.fft.rfftfreq(len(spread), 1 / OVERSAMPLING)
    kept = frequencies <= 0.5
    # The central difference over two samples, and the mean over one.
    correction = np.sinc(2 * frequencies[kept] / OVERSAMPLING) * np.sinc(frequencies[kept] / OVERSAMPLING)
    own = np.exp(-2 * (np.pi * blur * frequencies[kept]) ** 2)
    return ModulationTransfer(frequencies[kept] / pixel_size, transfer[kept] / transfer[0] / correction / own)


def _edge_line(image: NDArray[np.floating]) -> tuple[float, float]:
    """Return slope and offset of the edge's column as a function of the row."""
    derivative = np.diff(image, axis=1)
    derivative = derivative * np.sign(derivative.sum())
    weights = np.clip(derivative, 0, None)
    if weights.sum() <= MIN_EDGE:
        raise InputError(NO_EDGE)
    columns = np.arange(derivative.shape[1]) + 0.5
    rows = np.arange(len(image))
    centres = weights @ columns / np.maximum(weights.sum(axis=1), MIN_EDGE)
    for _ in range(2):
        slope, offset = np.polyfit(rows, centres, 1)
        # Again near the line only: far from it, noise moves the centres.
        near = np.abs(columns - (slope * rows + offset)[:, np.newaxis]) < max(image.shape[1] / 8, 3)
        centres = (weights * near) @ columns / np.maximum((weights * near).sum(axis=1), MIN_EDGE)
    return float(slope), float(offset)


def _edge_profile(image: NDArray[np.floating], slope: float, offset: float) -> Array:
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    distance = (columns - slope * rows - offset) / np.hypot(1, slope)
    reach = int(OVERSAMPLING * (min(offset, image.shape[1] - 1 - offset) - abs(slope) * image.shape[0]))
    if reach < 2 * OVERSAMPLING:
        raise InputError(
            "expected an image of one nearly vertical edge in its middle; received one too near its border"
        )
    sample = np.rint(distance * OVERSAMPLING).astype(int) + reach
    inside = (sample >= 0) & (sample <= 2 * reach)
    counts = np.bincount(sample[inside], minlength=2 * reach + 1)
    sums = np.bincount(sample[inside], image[inside], minlength=2 * reach + 1)
    known = np.flatnonzero(counts)
    return np.interp(np.arange(2 * reach + 1), known, sums[known] / counts[known])
