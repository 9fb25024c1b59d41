"""Grid between pixels and millimetres, soft edges, and smooth random fields of a phantom."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.floating]
Window = tuple[slice, slice]

FOCAL_MM = 0.04


@dataclass(frozen=True, slots=True)
class Grid:
    """Pixels of an image and their coordinates: (x, y) in mm is `matrix` @ (column, row) + `offset`."""

    shape: tuple[int, int]
    per_mm: float
    matrix: NDArray[np.float64]
    offset: NDArray[np.float64]

    @property
    def edge(self) -> float:
        """Softness of a sharp edge in mm: half a pixel and the penumbra of the focal spot."""
        return 0.5 / self.per_mm + FOCAL_MM

    def all(self) -> tuple[Field, Field]:
        """Return the x and y of each pixel in mm."""
        return self._coordinates(self.matrix, self.offset, (slice(0, self.shape[0]), slice(0, self.shape[1])))

    def local(
        self, origin: tuple[float, float], angle: float, box: tuple[float, float, float, float]
    ) -> tuple[Window, Field, Field]:
        """Return the part of the grid that a rotated box covers, and its coordinates (u, v) in the frame of the box.

        The frame has its origin at (x, y) in mm and is rotated by an angle in radians; positive turns its second axis
        towards negative x. The box is left, right, top and bottom in the frame in mm.
        """
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        matrix, offset = turn @ self.matrix, turn @ (self.offset - np.array(origin))
        left, right, top, bottom = box
        corners = np.array([[left, right, left, right], [top, top, bottom, bottom]]) - offset[:, None]
        columns, rows = np.linalg.solve(matrix, corners)
        window = (_span(rows, self.shape[0]), _span(columns, self.shape[1]))
        return window, *self._coordinates(matrix, offset, window)

    @staticmethod
    def _coordinates(matrix: NDArray[np.float64], offset: NDArray[np.float64], window: Window) -> tuple[Field, Field]:
        rows = np.arange(window[0].start, window[0].stop)[:, None]
        columns = np.arange(window[1].start, window[1].stop)[None, :]
        x, y = (matrix[axis, 0] * columns + matrix[axis, 1] * rows + offset[axis] for axis in (0, 1))
        return x.astype(np.float32), y.astype(np.float32)


def soft_step(distance: Field, softness: float) -> Field:
    """Return a smooth step from 0 to 1 at `distance` 0, `softness` wide on each side."""
    position = np.clip(distance * (0.5 / softness) + 0.5, 0, 1)
    return position * position * (3 - 2 * position)


def chord(across: Field, half: Field | float) -> Field:
    """Return the path through a round rod as a share of its diameter, at the distance `across` from its axis."""
    return np.sqrt(np.clip(1 - np.square(across / np.maximum(half, 1e-3)), 0, 1)) * (np.asarray(half) > 0)


def smooth_field(shape: tuple[int, int], scale: float, rng: np.random.Generator, stretch: float = 1.0) -> Field:
    """Draw a Gaussian field of unit deviation with details of `scale` pixels, `stretch` times that along the rows."""
    scale = max(scale, 1.0)
    step = max(scale / 4, 1.0)
    coarse = (int(np.ceil(shape[0] / step)) + 6, int(np.ceil(shape[1] / (step * stretch))) + 6)
    field = cv2.GaussianBlur(rng.standard_normal(coarse, dtype=np.float32), (0, 0), scale / step / 2)
    field = (field - field.mean()) / (field.std() + 1e-6)
    size = (int(np.ceil(coarse[1] * step * stretch)), int(np.ceil(coarse[0] * step)))
    return cv2.resize(field, size, interpolation=cv2.INTER_CUBIC)[: shape[0], : shape[1]]


def log_uniform(rng: np.random.Generator, ends: tuple[float, float]) -> float:
    """Draw a number whose logarithm is uniform between those of the ends."""
    return float(np.exp(rng.uniform(*np.log(ends))))


def _span(positions: NDArray[np.float64], side: int) -> slice:
    start = int(np.clip(np.floor(positions.min()), 0, side))
    return slice(start, int(np.clip(np.ceil(positions.max()) + 1, start, side)))
