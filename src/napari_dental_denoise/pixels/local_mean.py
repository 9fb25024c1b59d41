"""Input of a network: the image, or its differences from the local mean."""

from __future__ import annotations

import cv2
import numpy as np

from napari_dental_denoise.config import MEAN_SIDE, Sees
from napari_dental_denoise.pixels.intensity import Unit


def seen_by(sees: Sees, batch: Unit) -> Unit:
    """Return the input of a network for a batch (N, H, W, 1) of images on [0, 1].

    Differences are those of each pixel from the mean of the square around it, mirrored at the border of the image. They
    do not change with the offset of the grey values, for a whole image as for a part of it.
    """
    if sees == "image":
        return batch
    seen = np.empty_like(batch)
    for image, target in zip(batch, seen, strict=True):
        mean = cv2.blur(image[..., 0], (MEAN_SIDE, MEAN_SIDE), borderType=cv2.BORDER_REFLECT)
        np.subtract(image[..., 0], mean, out=target[..., 0])
    return seen
