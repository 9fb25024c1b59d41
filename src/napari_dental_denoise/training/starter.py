"""Training images of the model of the package: synthetic radiographs, and panoramic ones at several scales."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import GREY_LEVELS
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.noise import blurred_noise
from napari_dental_denoise.pixels import Unit, to_unit
from napari_dental_denoise.synthesis import phantoms

Images = list[NDArray[np.uint8]]

# A periapical radiograph in landscape and in portrait format, and a panoramic one.
SHAPES = ((488, 748), (640, 480), (300, 680))
PHANTOMS_OF_EACH_SHAPE = 30
PHANTOMS_TO_VALIDATE = 2

# Trained on targets without grain, a model would remove the faint grain of real references.
GRAINY = 0.9
GRAIN_LEVELS = (0.0, 10.0)
GRAIN_BLURS = (0.4, 2.0)

# Smaller scales have less grain, larger ones the soft edges of other detectors.
SCALES = (0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.1, 1.2, 1.3, 1.4)
# Repetitions of the unscaled image, the only one whose grain is that of the detector.
AS_IT_IS = 4
HELD_OUT_EVERY = 5
FIRST_HELD_OUT = 2


def starter_images(panoramics: Sequence[NDArray[np.generic]], seed: int) -> tuple[Images, Images]:
    """Return the clean images that the starter model is trained on, and those that it is validated with.

    Of the panoramics, in natural order, every fifth is held out for validation, starting with the third; raise
    InputError if there are fewer than five. The seed is that of the synthetic radiographs and their grain.
    """
    if len(panoramics) < HELD_OUT_EVERY:
        raise InputError(f"the starter model needs {HELD_OUT_EVERY} or more panoramics; received {len(panoramics)}")
    grain = np.random.default_rng(seed)
    training = [_with_grain(image, grain) for image in _phantoms(PHANTOMS_OF_EACH_SHAPE, seed)]
    validation = _phantoms(PHANTOMS_TO_VALIDATE, seed + len(SHAPES))
    for index, panoramic in enumerate(panoramics):
        image = to_unit(panoramic)
        if index % HELD_OUT_EVERY == FIRST_HELD_OUT:
            validation.append(image)
        else:
            training += [image] * AS_IT_IS + [_scaled(image, scale) for scale in SCALES]
    return [_stored(image) for image in training], [_stored(image) for image in validation]


def _phantoms(count: int, seed: int) -> list[Unit]:
    return [image for part, shape in enumerate(SHAPES) for image in phantoms(count, shape, seed + part)]


def _with_grain(image: Unit, rng: np.random.Generator) -> Unit:
    if rng.random() >= GRAINY:
        return image
    level = np.float32(rng.uniform(*GRAIN_LEVELS) / GREY_LEVELS)
    return image + level * blurred_noise(rng, image.shape, rng.uniform(*GRAIN_BLURS))


def _scaled(image: Unit, scale: float) -> Unit:
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=interpolation)


def _stored(image: Unit) -> NDArray[np.uint8]:
    return np.rint(np.clip(image, 0, 1) * GREY_LEVELS).astype(np.uint8)
