"""Training images in memory, in their own type, and their split by file."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Container, Hashable, Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import GREY_LEVELS
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.noise import NoiseRange, estimate_noise
from napari_dental_denoise.pixels import Unit, full_scale, shared_scales, to_unit, unsigned
from napari_dental_denoise.training.settings import check_setting

Image = NDArray[np.generic]
Window = tuple[slice, slice]
# The fingerprint of an image holds every 32nd row and column.
SAMPLING = 32
# Estimates of grain are trusted up to this level on [0, 1], in images of at least this side.
MOST_GRAIN, MIN_GRAINY_SIDE = 4 / GREY_LEVELS, 200
# Share of the patches that show a larger part of the image, and the largest factor by which it is reduced.
REDUCED, MOST_REDUCED = 0.3, 8.0
INVERTED, BURNT = 0.5, 0.2
GAINS = (1.0, 2.5)


class Pair(NamedTuple):
    """A noisy and a clean patch on [0, 1], and the standard deviation of the noise that the clean one has itself."""

    noisy: Unit
    clean: Unit
    grain: float = 0.0


class Dataset(ABC):
    """Images that give noisy and clean patches of any window; with a noisy `reference`, scores only compare models."""

    shapes: list[tuple[int, int]]
    reference: Literal["clean", "noisy"] = "clean"

    @abstractmethod
    def patch(self, index: int, window: Window, rng: np.random.Generator) -> Pair:
        """Return a new noisy and a clean patch of a window of an image."""

    def draw(self, index: int, side: int, rng: np.random.Generator) -> Pair:
        """Return a new pair of a random window of an image, of at most `side` pixels a side."""
        return self.patch(index, random_window(self.shapes[index], side, rng), rng)

    @abstractmethod
    def validation_patch(self, index: int, window: Window, position: float) -> tuple[Unit, Unit]:
        """Return the same pair at each call; where noise is added, `position` in [0, 1] selects its level."""

    @abstractmethod
    def describe_noise(self) -> dict[str, Any]:
        """Return kind and levels of the noise, for the card of the model."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Return a digest of images and noise; a resumed training must have the same."""

    @abstractmethod
    def select(self, indices: Iterable[int]) -> Dataset:
        """Return the dataset of these images."""


class CleanImages(Dataset):
    """Clean (H, W) images; each patch gets new noise, and the validation images get noise of the seed.

    Some patches are inverted or burnt out at either end, as radiographs are. Clean images have grain, which is
    estimated; `exact` images have none.
    """

    def __init__(self, images: Sequence[Image], noise: NoiseRange, seed: int, exact: Container[int] = ()) -> None:
        self.images = list(images)
        self.noise = noise
        self.seed = seed
        self.exact = exact
        self.shapes = [image.shape for image in self.images]
        self._scales = [full_scale(image) for image in self.images]
        self._grain: dict[int, float] = {}

    def patch(self, index: int, window: Window, rng: np.random.Generator) -> Pair:
        """See `Dataset`."""
        return self._new_pair(to_unit(self.images[index][window], self._scales[index]), self.grain(index), rng)

    def draw(self, index: int, side: int, rng: np.random.Generator) -> Pair:
        """See `Dataset`; some windows are larger, and reduced to `side`."""
        shape = self.shapes[index]
        most = min(min(shape) / side, MOST_REDUCED)
        if most <= 1 or rng.random() >= REDUCED:
            return super().draw(index, side, rng)
        reduction = most ** rng.random()
        window = random_window(shape, round(side * reduction), rng)
        clean = to_unit(self.images[index][window], self._scales[index])
        clean = cv2.resize(clean, (side, side), interpolation=cv2.INTER_AREA)
        return self._new_pair(clean, self.grain(index) / reduction, rng)

    def _new_pair(self, clean: Unit, grain: float, rng: np.random.Generator) -> Pair:
        clean, gain = _other_tone(clean, rng)
        return Pair(self._noisy(clean, self.noise.draw(rng), rng), clean, gain * grain)

    def grain(self, index: int) -> float:
        """Return the standard deviation of the noise that a clean image has itself."""
        image = self.images[index]
        if index in self.exact:
            return 0.0
        # The same image may be in the list more than once.
        key = id(image)
        if key not in self._grain:
            self._grain[key] = _grain(np.asarray(image))
        return self._grain[key]

    def validation_patch(self, index: int, window: Window, position: float) -> tuple[Unit, Unit]:
        """See `Dataset`."""
        clean = to_unit(self.images[index][window], self._scales[index])
        return self._noisy(clean, self.noise.at(position), np.random.default_rng([self.seed, index])), clean

    def describe_noise(self) -> dict[str, Any]:
        """See `Dataset`."""
        return {"kind": self.noise.kind, **self.noise.ranges}

    def fingerprint(self) -> str:
        """See `Dataset`."""
        return digest((fingerprints(self.images), self.noise.kind, sorted(self.noise.ranges.items())))

    def select(self, indices: Iterable[int]) -> CleanImages:
        """See `Dataset`."""
        chosen = list(indices)
        exact = {place for place, index in enumerate(chosen) if index in self.exact}
        return CleanImages([self.images[index] for index in chosen], self.noise, self.seed, exact)

    def _noisy(self, clean: Unit, levels: Mapping[str, float], rng: np.random.Generator) -> Unit:
        return self.noise.add(clean, levels, rng).astype(np.float32, copy=False)


class ImagePairs(Dataset):
    """Pairs of a noisy and a clean (H, W) image; raise InputError if their numbers or shapes differ."""

    def __init__(self, noisy: Sequence[Image], clean: Sequence[Image]) -> None:
        if len(noisy) != len(clean):
            raise InputError(f"expected a clean image for each noisy one; received {len(noisy)} and {len(clean)}")
        for index, (one, other) in enumerate(zip(noisy, clean, strict=True)):
            if one.shape != other.shape:
                raise InputError(f"pair {index + 1}: noisy {one.shape} and clean {other.shape} differ in size")
        pairs = [unsigned(pair) for pair in zip(clean, noisy, strict=True)]
        self.clean, self.noisy = [one for one, _ in pairs], [other for _, other in pairs]
        self.shapes = [image.shape for image in self.clean]
        self._scales = [shared_scales(pair) for pair in pairs]

    def patch(self, index: int, window: Window, rng: np.random.Generator) -> Pair:
        """See `Dataset`."""
        scales = self._scales[index]
        return Pair(to_unit(self.noisy[index][window], scales[1]), to_unit(self.clean[index][window], scales[0]))

    def validation_patch(self, index: int, window: Window, position: float) -> tuple[Unit, Unit]:
        """See `Dataset`."""
        noisy, clean, _ = self.patch(index, window, np.random.default_rng(0))
        return noisy, clean

    def describe_noise(self) -> dict[str, Any]:
        """See `Dataset`."""
        return {"kind": "pairs of noisy and clean images"}

    def fingerprint(self) -> str:
        """See `Dataset`."""
        return digest((fingerprints(self.noisy), fingerprints(self.clean), "pairs"))

    def select(self, indices: Iterable[int]) -> ImagePairs:
        """See `Dataset`."""
        chosen = list(indices)
        return ImagePairs([self.noisy[i] for i in chosen], [self.clean[i] for i in chosen])


def _grain(image: Image) -> float:
    """Return the noise of a clean image; in thumbnails, fine anatomy would pass for it."""
    return min(estimate_noise(image).sigma, MOST_GRAIN) if min(image.shape) >= MIN_GRAINY_SIDE else 0.0


def _other_tone(clean: Unit, rng: np.random.Generator) -> tuple[Unit, float]:
    """Return a patch as it is, inverted, or with so much contrast that parts are black or white, and the contrast."""
    gain = 1.0
    if rng.random() < INVERTED:
        clean = 1 - clean
    if rng.random() < BURNT:
        pivot, gain = rng.choice(clean.ravel()), rng.uniform(*GAINS)
        clean = np.clip(rng.random(dtype=np.float32) + np.float32(gain) * (clean - pivot), 0, 1)
    return clean, gain


def random_window(shape: tuple[int, int], side: int, rng: np.random.Generator) -> Window:
    """Draw the place of a window of `side` pixels, or of as many as there are."""
    rows, columns = (int(rng.integers(max(length - side, 0) + 1)) for length in shape)
    return slice(rows, rows + side), slice(columns, columns + side)


def fingerprints(images: Sequence[Image]) -> list[tuple[object, ...]]:
    """Return shape, minimum and maximum of each image, and some pixels if it is in memory."""
    return [(image.shape, image.min().item(), image.max().item(), _some_pixels(image)) for image in images]


def _some_pixels(image: Image) -> list[object]:
    return image[::SAMPLING, ::SAMPLING].tolist() if isinstance(image, np.ndarray) else []


def digest(facts: object) -> str:
    """Return a short hash of the representation of `facts`."""
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def split_indices(files: Sequence[Hashable], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Return indices for training and for validation, where `share` in (0, 1) is that of the files for validation.

    `files` has the file of each image. All pages of a file are in the same part, but the pages of a single file are
    split like files; each part has at least one. Raise InputError for fewer than two images, or another share.
    """
    check_setting("validation_split", share)
    if len(files) < 2:
        raise InputError(f"training needs at least 2 images, one of them for validation; received {len(files)}")
    distinct = list(dict.fromkeys(files))
    if len(distinct) == 1:
        return split_indices(range(len(files)), share, seed)
    order = np.random.default_rng(seed).permutation(len(distinct)).tolist()
    kept = {distinct[place] for place in order[: min(max(round(len(distinct) * share), 1), len(distinct) - 1)]}
    indices = range(len(files))
    return [i for i in indices if files[i] not in kept], [i for i in indices if files[i] in kept]
