"""Read the radiographs of files and folders."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.errors import ImageReadError, InputError
from napari_dental_denoise.files import is_folder, stat_or_none
from napari_dental_denoise.images.finder import dataset_folders, list_files
from napari_dental_denoise.images.formats import probe
from napari_dental_denoise.images.radiograph import Radiograph, read_radiograph
from napari_dental_denoise.images.slices import stack_slices
from napari_dental_denoise.pixels import ImageInfo, PixelEncoding
from napari_dental_denoise.validation import is_shape_2d

Images = NDArray[np.generic] | list[NDArray[np.generic]]


def _check_folder(folder: Path) -> None:
    stat_or_none(folder)
    if not is_folder(folder):
        raise InputError(f"{folder}: expected a folder")


def read_each(paths: Iterable[Path]) -> Iterator[tuple[Path, int, NDArray[np.generic]] | ImageReadError]:
    """Yield path, number and image of each page of each file, or the error of a file that cannot be read."""
    for path in paths:
        try:
            pages = read_in_series(path)
        except ImageReadError as error:
            yield error
        else:
            yield from ((path, page, image) for page, image in enumerate(pages))


def _read_or_error(path: Path) -> Radiograph | ImageReadError:
    try:
        return read_radiograph(path)
    except ImageReadError as error:
        return error


def _as_grey(radiographs: Sequence[Radiograph]) -> list[NDArray[np.generic]]:
    """Return the pages of all radiographs with white high, those of a series on one scale with one black and white."""
    series = defaultdict(list)
    for place, radiograph in enumerate(radiographs):
        info = radiograph.info
        series[info.series, info.encoding.inverted, info.pages == 1].append(place)
    grey: dict[int, NDArray[np.generic]] = {}
    for places in series.values():
        grey |= zip(places, _series_as_grey([radiographs[place] for place in places]), strict=True)
    return [page for _, image in sorted(grey.items()) for page in image.reshape(-1, *image.shape[-2:])]


def _series_as_grey(members: Sequence[Radiograph]) -> list[NDArray[np.generic]]:
    stored, encodings = [each.pixels for each in members], [each.info.encoding for each in members]
    if len(members) > 1 and all(each.info.is_dicom and each.info.pages == 1 for each in members):
        slices = stack_slices([each.info for each in members])
        stored = [frame.convert(pixels) for frame, pixels in zip(slices.frames, stored, strict=True)]
        encodings = [slices.encoding] * len(members)
    encodings = [encoding.with_extent(pixels) for encoding, pixels in zip(encodings, stored, strict=True)]
    ends = [encoding.extent for encoding in encodings if encoding.extent is not None]
    if ends:
        extent = min(low for low, _ in ends), max(high for _, high in ends)
        encodings = [each if each.extent is None else replace(each, extent=extent) for each in encodings]
    return [encoding.to_grey(pixels) for encoding, pixels in zip(encodings, stored, strict=True)]


def series_encoding(radiograph: Radiograph) -> PixelEncoding:
    """Return the encoding of a radiograph with the black and the white of its series, as far as it is in its folder."""
    info = radiograph.info
    encoding = info.encoding.with_extent(radiograph.pixels)
    if encoding.extent is None or not info.is_dicom:
        return encoding
    others = _series_in(info.path.parent).get(_series_key(info), [])
    # Its own ends too: the folder may have changed since it was looked through.
    ends = [encoding.extent, *(_extents_of(tuple(others)) if len(others) > 1 else ())]
    return replace(encoding, extent=(min(low for low, _ in ends), max(high for _, high in ends)))


def read_in_series(path: Path) -> NDArray[np.generic]:
    """Read every page of a file (N, H, W) as `read_pages`, with the black and the white of its series."""
    radiograph = read_radiograph(path)
    grey = series_encoding(radiograph).to_grey(radiograph.pixels)
    return grey.reshape(-1, *grey.shape[-2:])


def _series_key(info: ImageInfo) -> tuple[str, bool]:
    return info.series, info.encoding.inverted


@lru_cache(maxsize=8)
def _series_in(folder: Path) -> dict[tuple[str, bool], list[Path]]:
    found = defaultdict(list)
    for path in list_files([folder]):
        with suppress(ImageReadError):
            found[_series_key(probe(path))].append(path)
    return found


@lru_cache(maxsize=8)
def _extents_of(paths: tuple[Path, ...]) -> list[tuple[int, int]]:
    extents = []
    # One at a time: a series can be larger than the memory.
    for path in paths:
        with suppress(ImageReadError):
            radiograph = read_radiograph(path)
            extents.append(radiograph.info.encoding.with_extent(radiograph.pixels).extent)
    return [extent for extent in extents if extent is not None]


def read_dental(folder: str | Path, size: tuple[int, int] | None = None) -> Images:
    """Read every radiograph of a folder as grayscale, in natural order.

    Parameters
    ----------
    folder : str or Path
        Each page of each file in it is read, but not its subfolders. Signed and inverted images of a series have one
        black and one white.
    size : (height, width), optional
        Resize every image to this size, in pixels.

    Returns
    -------
    (N, H, W) array, or list of (H, W) arrays
        One array if all sizes and types agree, else a list; uint8, uint16, uint32 or floating.

    Raises
    ------
    InputError
        If there is no such folder, or nothing in it can be read.

    Warns
    -----
    UserWarning
        Names each file that could not be read, with the reason.

    Examples
    --------
    >>> import tempfile
    >>> from napari_dental_denoise import phantoms, read_dental, write_image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for index, image in enumerate(phantoms(3, (64, 96))):
    ...         write_image(f"{folder}/{index}.tif", image)
    ...     read_dental(folder).shape
    (3, 64, 96)
    """
    folder = Path(folder)
    _check_folder(folder)
    files = list_files([folder])
    results = [_read_or_error(path) for path in files]
    errors = [result for result in results if isinstance(result, ImageReadError)]
    images = _as_grey([result for result in results if isinstance(result, Radiograph)])
    if not images:
        raise InputError(f"{folder}: none of its {len(errors)} files can be read: {summarise_errors(errors)}")
    if errors:
        warnings.warn(
            f"{folder}: {len(errors)} of {len(files)} files were left out: {summarise_errors(errors)}", stacklevel=2
        )
    if size is not None:
        images = [resize(image, size) for image in images]
    return np.stack(images) if len({(image.shape, image.dtype) for image in images}) == 1 else images


def read_all_datasets(root: str | Path, size: tuple[int, int] | None = None) -> dict[str, Images]:
    """Read each subfolder of a root as a dataset, or the root itself if it has none.

    Parameters
    ----------
    root : str or Path
    size : (height, width), optional
        Resize every image to this size, in pixels.

    Returns
    -------
    dict
        From the name of each folder to its images as `read_dental` returns them, in natural order.

    Raises
    ------
    InputError
        If there is no such folder, or nothing in it can be read.

    Warns
    -----
    UserWarning
        Names each file and each folder that could not be read, with the reason.

    Examples
    --------
    >>> import tempfile
    >>> from napari_dental_denoise import phantom, read_all_datasets, write_image
    >>> with tempfile.TemporaryDirectory() as root:
    ...     for name in ("clean", "noisy"):
    ...         write_image(f"{root}/{name}/scan.tif", phantom((64, 96), rng=0))
    ...     sorted(read_all_datasets(root))
    ['clean', 'noisy']
    """
    root = Path(root)
    _check_folder(root)
    folders = dataset_folders(root)
    if folders == [root]:
        return {root.resolve().name: read_dental(root, size)}
    datasets: dict[str, Images] = {}
    for folder in folders:
        try:
            datasets[folder.name] = read_dental(folder, size)
        except InputError as error:
            warnings.warn(f"left out: {error}", stacklevel=2)
    if not datasets:
        raise InputError(f"{root}: none of its {len(folders)} folders holds an image that can be read")
    return datasets


def resize(image: NDArray[np.generic], size: tuple[int, int]) -> NDArray[np.generic]:
    """Resize one image, by pixel area where it shrinks and bilinearly where it grows."""
    if not is_shape_2d(size):
        raise InputError(f"size must be two positive whole numbers of pixels, height and width; received {size}")
    height, width = size
    shrinks = height <= image.shape[0] and width <= image.shape[1]
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def summarise_errors(errors: Sequence[InputError], shown: int = 20) -> str:
    """Return the first errors in one line, and the number of the others."""
    text = "; ".join(str(error) for error in errors[:shown])
    return text if len(errors) <= shown else f"{text}; and {len(errors) - shown} more"
