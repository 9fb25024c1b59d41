"""Classical methods in the list of models, to compare with: they are told the estimated noise of an image."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.evaluation import BASELINES, Denoiser, available_baselines
from napari_dental_denoise.inference import NO_ERROR_MAP
from napari_dental_denoise.models import ModelCard, read_card
from napari_dental_denoise.noise import estimate_noise
from napari_dental_denoise.plugin.denoise.interruptible import InterruptibleMethod
from napari_dental_denoise.plugin.models import card_text

# A method sees the whole image, because its noise is estimated as one.
WHOLE = 2**20
# Takes 20 s for a megapixel; the others, a second.
SLOW = "BM3D"
CARD_TEXT = "Classical method, told the estimated noise of the image; not for diagnosis"


def classical_methods() -> list[tuple[str, Path]]:
    """Return the names of the installed methods, each with the path that stands for it among those of models."""
    return [(name, Path(name)) for name in available_baselines()]


def summary(model: Path) -> str:
    """Return what a user must know of a model or a classical method before using it."""
    return CARD_TEXT if is_classical(model) else card_text(read_card(model))


def is_classical(model: Path | None) -> bool:
    """Return whether a path among those of models stands for a classical method."""
    return str(model) in BASELINES


@lru_cache
def classical_engine(model: Path) -> ClassicalEngine:
    """Return the engine of a method, which keeps its last result."""
    return ClassicalEngine(interruptible() if str(model) == SLOW else BASELINES[str(model)])


@lru_cache
def interruptible() -> InterruptibleMethod:
    """Return the slow method, which can be stopped within an image."""
    return InterruptibleMethod(SLOW)


class ClassicalEngine:
    """An engine that denoises by a classical method; see `Engine`."""

    def __init__(self, method: Denoiser) -> None:
        self.card = ModelCard(preset="classical", predicts="image", multiple=1, halo=WHOLE)
        self._method = method
        self._last: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the denoised images of a (N, H, W, 1) batch."""
        # All tiles of an image ask for the whole image.
        if self._last is None or not np.array_equal(self._last[0], batch):
            self._last = batch.copy(), np.stack([self._denoise(image[..., 0]) for image in batch])[..., np.newaxis]
        return self._last[1]

    def _denoise(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        sigma = estimate_noise(image).sigma
        return self._method(image, sigma) if sigma > 0 else image

    def with_error(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Raise InputError: no classical method tells its error."""
        raise InputError(NO_ERROR_MAP)
