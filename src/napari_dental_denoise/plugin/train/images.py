"""The images of a training before it starts, from file names and the headers of some files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from napari_dental_denoise.errors import ImageReadError, InputError
from napari_dental_denoise.images import LoadedImages, list_files, match_by_name, probe
from napari_dental_denoise.noise import SMALLEST_SIDE
from napari_dental_denoise.progress import counted
from napari_dental_denoise.training import TrainingConfig, split_indices

Item = TypeVar("Item")
Shape = tuple[int, int]
# Large folders take seconds: the other files are assumed to be like the sample.
SAMPLE_SIZE = 40


@dataclass(frozen=True, slots=True)
class FoundImages:
    """Shapes of the images of a training, extrapolated from a sample; `unit` is "image" or "pair".

    `given` counts the files of the folders and `left_out` those that cannot be used, both in words.
    """

    shapes: tuple[Shape, ...]
    unit: str
    given: str
    left_out: str = ""

    def problem(self, config: TrainingConfig) -> str:
        """Return why no training can run on these images, or an empty text."""
        try:
            split_indices(range(len(self.shapes)), config.validation_split, config.seed)
        except InputError:
            usable = counted(len(self.shapes), f"usable {self.unit}")
            why = f" ({self.left_out})" if self.left_out else ""
            return f"{self.given}, {usable}{why}: training needs at least 2, one of them for validation"
        return ""


class _Listed(NamedTuple):
    """A file whose header is not read; it has the shape of every other one."""

    path: Path
    shape: Shape = (0, 0)


def find_images(folder: Path, smallest_side: int = 1) -> FoundImages:
    """Return the images of a folder that have at least so many pixels a side; raise InputError without any file."""
    return _find_images(folder, folder.stat().st_mtime_ns, smallest_side)


def find_noisy_images(folder: Path) -> FoundImages:
    """Return the images of a folder whose noise can be estimated; raise InputError without any file."""
    return find_images(folder, SMALLEST_SIDE)


def find_pairs(clean: Path, noisy: Path) -> FoundImages:
    """Return the pairs of two folders, by the rules of a training; raise InputError if one has no file."""
    return _find_pairs(clean, noisy, (clean.stat().st_mtime_ns, noisy.stat().st_mtime_ns))


@lru_cache(maxsize=4)
def _find_images(folder: Path, _changed_ns: int, smallest_side: int) -> FoundImages:
    files = list_files([folder])
    loaded = _headers(_sample(files))
    shapes = [image.shape for image in loaded.images]
    large = [shape for shape in shapes if min(shape) >= smallest_side]
    share = len(files) / min(len(files), SAMPLE_SIZE)
    reasons = {
        "cannot be read": round(share * len(loaded.errors)),
        f"below {smallest_side} px a side": round(share * (len(shapes) - len(large))),
    }
    usable = _repeat(large, round(share * len(large)))
    return FoundImages(usable, "image", counted(len(files), "file"), _left_out(reasons))


@lru_cache(maxsize=4)
def _find_pairs(clean: Path, noisy: Path, _changed_ns: tuple[int, int]) -> FoundImages:
    clean_files, noisy_files = list_files([clean]), list_files([noisy])
    named = _pairs_by_name(clean_files, noisy_files)
    sample = _sample(named)
    loaded = [_headers([pair[part] for pair in sample]) for part in (0, 1)]
    shapes = _shapes_of_pairs(*loaded)
    share = len(named) / max(len(sample), 1)
    unreadable = sum(len(part.errors) for part in loaded)
    differing = max(len(sample) - unreadable - len({path for path, _ in shapes}), 0)
    reasons = {
        "without a partner": len(clean_files) + len(noisy_files) - 2 * len(named),
        "cannot be read": round(share * unreadable),
        "of another size than the partner": round(share * differing),
    }
    given = f"{len(clean_files)} clean and {counted(len(noisy_files), 'noisy file')}"
    usable = _repeat([shape for _, shape in shapes], round(share * len(shapes)))
    return FoundImages(usable, "pair", given, _left_out(reasons))


def _pairs_by_name(clean: Sequence[Path], noisy: Sequence[Path]) -> list[tuple[Path, Path]]:
    """Return each clean file with its noisy one, judged by their names alone."""
    listed = [LoadedImages([(path, 0) for path in files], [*map(_Listed, files)], []) for files in (noisy, clean)]
    try:
        matched = match_by_name(*listed)
    except InputError:
        return []
    noisy_listed: list[Any] = matched.noisy
    return [(path, image.path) for path, image in zip(matched.files, noisy_listed, strict=True)]


def _shapes_of_pairs(clean: LoadedImages, noisy: LoadedImages) -> list[tuple[Path, Shape]]:
    """Return file and shape of each page that has a partner of its size."""
    try:
        matched = match_by_name(noisy, clean)
    except InputError:
        return []
    infos: list[Any] = matched.clean
    return [(path, info.shape) for path, info in zip(matched.files, infos, strict=True)]


def _headers(files: Sequence[Path]) -> LoadedImages:
    """Return the headers of files in place of their pixels, for what looks only at their shapes."""
    loaded = LoadedImages([], [], [])
    for path in files:
        try:
            info = probe(path)
        except ImageReadError as error:
            loaded.errors.append(error)
            continue
        loaded.places.extend((path, page) for page in range(info.pages))
        loaded.images.extend([info] * info.pages)
    return loaded


def _sample(items: Sequence[Item]) -> Sequence[Item]:
    return items[:: max(len(items) // SAMPLE_SIZE, 1)][:SAMPLE_SIZE]


def _repeat(shapes: Sequence[Shape], count: int) -> tuple[Shape, ...]:
    return tuple(shapes[index % len(shapes)] for index in range(count)) if shapes else ()


def _left_out(reasons: dict[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in reasons.items() if count)
