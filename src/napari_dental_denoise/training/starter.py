"""Training images of the models of the package: synthetic radiographs, dead leaves, and real radiographs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.pixels import Unit, to_unit
from napari_dental_denoise.synthesis import dead_leaves, log_uniform, phantoms

FULL = np.iinfo(np.uint16).max
# A periapical radiograph in landscape and in portrait format, and a panoramic one.
SHAPES = ((488, 748), (640, 480), (300, 680))
PHANTOMS_OF_EACH_SHAPE = 30
PHANTOMS_TO_VALIDATE = 2
LEAVES, LEAVES_TO_VALIDATE = 24, 2
COLLAGES, COLLAGES_TO_VALIDATE = 100, 2
SQUARE = (512, 512)
# A row of a collage has whole images, reduced to this height: thumbnails, sharp to the last pixel.
HEIGHTS = (24.0, 240.0)

# Larger images, such as those of a flat panel, are halved: whole, they have more grain than dental ones.
LARGEST_SIDE = 800
# Reduced radiographs have little grain left, so that they can teach what little noise looks like.
SCALES = (0.5, 0.6, 0.7)
# Repetitions of each radiograph as it is and at each scale.
AS_IT_IS, REPEATED = 2, 2
HELD_OUT_EVERY = 5
FIRST_HELD_OUT = 2


@dataclass
class StarterImages:
    """Images, and the indices of those that have no grain."""

    images: list[NDArray[np.uint16]]
    exact: range


def starter_images(radiographs: Sequence[NDArray[np.generic]], seed: int) -> tuple[StarterImages, StarterImages]:
    """Return the images that the starter model is trained on, and those that it is validated with.

    Of the radiographs, in their order, every fifth is held out for validation, starting with the third; raise
    InputError if there are fewer than five. The seed is that of the synthetic images, which come first.
    """
    if len(radiographs) < HELD_OUT_EVERY:
        raise InputError(f"the starter model needs {HELD_OUT_EVERY} or more radiographs; received {len(radiographs)}")
    images = [_scaled(image, 0.5 if max(image.shape) > LARGEST_SIDE else 1.0) for image in map(to_unit, radiographs)]
    held_out = images[FIRST_HELD_OUT::HELD_OUT_EVERY]
    learned = [image for index, image in enumerate(images) if index % HELD_OUT_EVERY != FIRST_HELD_OUT]
    training = _exact(learned, PHANTOMS_OF_EACH_SHAPE, LEAVES, COLLAGES, seed)
    validation = _exact(held_out, PHANTOMS_TO_VALIDATE, LEAVES_TO_VALIDATE, COLLAGES_TO_VALIDATE, seed + len(SHAPES))
    exact = range(len(training)), range(len(validation))
    for image in learned:
        training += [image] * AS_IT_IS + [_scaled(image, scale) for scale in SCALES] * REPEATED
    for image in held_out:
        validation += [_scaled(image, SCALES[0]), image]
    return StarterImages(_stored(training), exact[0]), StarterImages(_stored(validation), exact[1])


def _exact(radiographs: Sequence[Unit], each_shape: int, leaves: int, collages: int, seed: int) -> list[Unit]:
    """Return the images without grain."""
    images = [image for part, shape in enumerate(SHAPES) for image in phantoms(each_shape, shape, seed + part)]
    generators = [np.random.default_rng([seed, number]) for number in range(leaves + collages)]
    drawn = [dead_leaves(SQUARE, rng) for rng in generators[:leaves]]
    pieces = [*images, *radiographs, *radiographs]
    return images + drawn + [_collage(SQUARE, pieces, rng) for rng in generators[leaves:]]


def _collage(shape: tuple[int, int], images: Sequence[Unit], rng: np.random.Generator) -> Unit:
    """Return thumbnails of random images side by side, row by row."""
    collage = np.zeros(shape, np.float32)
    top = 0
    while top < shape[0]:
        height, left = log_uniform(rng, HEIGHTS), 0
        while left < shape[1]:
            image = images[int(rng.integers(len(images)))]
            piece = _scaled(image, min(height / len(image), 1.0))
            part = piece[: shape[0] - top, : shape[1] - left]
            collage[top : top + part.shape[0], left : left + part.shape[1]] = part
            left += piece.shape[1]
        top += round(height)
    return collage


def _scaled(image: Unit, scale: float) -> Unit:
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image


def _stored(images: Sequence[Unit]) -> list[NDArray[np.uint16]]:
    """Return the images in 16 bit, which keep what 8 bit would round; repeated ones are one array."""
    stored = {id(image): np.rint(np.clip(image, 0, 1) * FULL).astype(np.uint16) for image in images}
    return [stored[id(image)] for image in images]
