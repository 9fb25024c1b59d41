"""Conversion of image files to napari layers: one lazy stack for each series or set of images that agree."""

from __future__ import annotations

import hashlib
import itertools
import math
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.files import stat_or_none
from napari_dental_denoise.images import (
    FIRST_PAGE,
    Depth,
    Radiograph,
    Slices,
    common_pixel_size,
    name_without_suffix,
    order_slices,
    probe,
    read_radiograph,
    stack_slices,
)
from napari_dental_denoise.images.readers import is_zarr
from napari_dental_denoise.pixels import ImageInfo, Limits, widest_limits
from napari_dental_denoise.plugin.files.lazy_stack import FileFrames, file_state
from napari_dental_denoise.plugin.shared import METADATA, SLICES, stack_of

LayerData = tuple[Any, dict[str, Any], str]

POLARITY_COLORMAP = "gray_r"
# Between images that lie side by side, in pixels.
GAP = 8
# Files with more bytes of pixels are read page by page.
LAZY_BYTES = 2**28
# Files with more bytes may have so many.
LARGE_FILE = 2**26


class Group(NamedTuple):
    """The images of one layer, its name, and the folder in or below which their files lie."""

    images: Sequence[ImageInfo]
    name: str
    folder: Path


def group_images(images: Sequence[ImageInfo], root: Path, folders: Mapping[Path, Path]) -> list[Group]:
    """Group images into layers: the images of a DICOM series or a folder, as far as size and type agree.

    `folders` has the folder of each file, relative to `root`, which names the layer. A group of one image has the name
    of its file.
    """
    sets: dict[str | Path, list[ImageInfo]] = defaultdict(list)
    for image in images:
        sets[image.series if image.is_dicom else folders[image.path]].append(image)
    in_folder = defaultdict(list)
    for members in sets.values():
        # A series may have a folder for each image.
        in_folder[Path(os.path.commonpath([folders[image.path] for image in members]))].append(members)
    groups: list[Group] = []
    for folder, found in in_folder.items():
        title = folder.as_posix() if folder.parts else root.name
        series = itertools.count(1)
        for members in found:
            is_numbered = len(found) > 1 and members[0].is_dicom
            name = f"{title} series {next(series)}" if is_numbered else title
            groups.extend(_groups_of_a_kind(members, name, root / folder, folders))
    return groups


def _groups_of_a_kind(
    images: Sequence[ImageInfo], name: str, folder: Path, folders: Mapping[Path, Path]
) -> Iterator[Group]:
    kinds = defaultdict(list)
    for image in images:
        kinds[_kind(image)].append(image)
    for members in kinds.values():
        if len(members) == 1:
            path = members[0].path
            yield Group(members, (folders[path] / name_without_suffix(path)).as_posix(), path.parent)
        else:
            (height, width), dtype = members[0].shape, members[0].dtype
            yield Group(order_slices(members), name if len(kinds) == 1 else f"{name} {width}x{height} {dtype}", folder)


def _kind(image: ImageInfo) -> tuple[Any, ...]:
    """Return what the images of a stack have in common; slices of a series may differ in bits, scale and padding."""
    # An image of several frames is a stack by itself.
    alone = image.path if is_stack(image) else None
    if not image.is_dicom:
        return image.shape, image.dtype, replace(image.encoding, extent=None), alone
    direction = image.planes[0].direction if image.planes else None
    return image.shape, image.encoding.inverted, image.dtype.kind == "f", direction, alone


def is_stack(image: ImageInfo) -> bool:
    """Return whether all pages of a file belong together; of a TIFF, the others may be thumbnails."""
    return image.pages > 1 and (image.is_dicom or is_zarr(image.path))


def group_layer(group: Group) -> LayerData:
    """Return the layer of a group: its image, or a lazy stack of several."""
    if len(group.images) > 1:
        return _stack_layer(group.images, group.folder, group.name)
    (image,) = group.images
    if image.is_dicom or is_stack(image):
        return _file_layer(image, group.name)
    return _image_layer(_first_page(image.path), group.name)


def group_problem(group: Group) -> str:
    """Return what is wrong with the places of the slices of a group, in words."""
    problem = stack_slices(group.images).depth.problem
    return f"{group.name}: {problem}" if problem else ""


class Places:
    """Places for layers: different sizes lie side by side, those of one size on top of each other, to be compared."""

    def __init__(self, left: float = 0.0) -> None:
        self._lefts: dict[tuple[float, float], float] = {}
        self._end = left

    def next(self, shape: Sequence[int], scale: Sequence[float]) -> tuple[float, ...]:
        """Return the translation of the next layer."""
        row, column = scale[-2:]
        size = shape[-2] * row, shape[-1] * column
        if size not in self._lefts:
            self._lefts[size] = self._end
            self._end += size[1] + GAP * column
        return (*[0.0] * (len(shape) - 1), self._lefts[size])


def lay_out(layers: Sequence[LayerData]) -> None:
    """Place the layers of a folder; see `Places`. Volumes stay where they lie in the patient, left of the others."""
    is_placed = ["translate" in settings for _, settings, _ in layers]
    edges = [
        _right_edge(data, settings) for (data, settings, _), placed in zip(layers, is_placed, strict=True) if placed
    ]
    places = Places(max(edges, default=0.0))
    for (data, settings, _), placed in zip(layers, is_placed, strict=True):
        if not placed:
            settings["translate"] = places.next(data.shape, settings.get("scale", (1.0, 1.0)))


def _right_edge(data: Any, settings: Mapping[str, Any]) -> float:
    column = settings["scale"][-1]
    return max(0.0, settings["translate"][-1] + (data.shape[-1] + GAP) * column)


def file_layer(path: Path, name: str) -> LayerData:
    """Return the layer of a file with all its pages, or only the first if they differ, as thumbnails do."""
    from napari.utils.notifications import show_warning

    try:
        # Few files are large, and of the others the header need not be read twice.
        found = stat_or_none(path)
        if is_zarr(path) or (found is not None and found.st_size > LARGE_FILE):
            info = probe(path)
            layer = _file_layer(info, name)
        else:
            radiograph = read_radiograph(path)
            info, layer = radiograph.info, _image_layer(radiograph, name)
    except ImageReadError as error:
        layer = _image_layer(_first_page(path), name)
        show_warning(f"First page only: {error}")
        return layer
    if problem := stack_slices([info]).depth.problem:
        show_warning(f"{path.name}: {problem}")
    return layer


def _first_page(path: Path) -> Radiograph:
    return read_radiograph(path, FIRST_PAGE)


def _file_layer(info: ImageInfo, name: str) -> LayerData:
    """Return the layer of a file with all its pages, which stay in the file if they are large."""
    size = math.prod(info.shape) * info.pages * info.dtype.itemsize
    if info.pages == 1 or size <= LAZY_BYTES:
        return _image_layer(read_radiograph(info.path), name)
    # The ends of a volume may be empty.
    some = [read_radiograph(info.path, slice(page, page + 1)) for page in (0, info.pages // 2, info.pages - 1)]
    digest = _digest(info.path) if info.is_dicom else None
    limits = info.limits or widest_limits(each.limits for each in some)
    info = replace(some[0].info, limits=limits, sha256=digest)
    return _layer_of_slices(stack_slices([info]), info, name, {"path": str(info.path)})


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _image_layer(radiograph: Radiograph, name: str) -> LayerData:
    info, pixels = radiograph.info, radiograph.pixels
    metadata = {"path": str(info.path)}
    if pixels.ndim == 3:
        slices = stack_slices([replace(info, limits=radiograph.limits)])
        return _layer_of_slices(slices, info, name, metadata, pixels)
    settings = _settings(name, info, radiograph.limits, metadata, Depth(), ndim=2)
    return pixels, settings | _dicom_settings(info, settings), "image"


def _layer_of_slices(
    slices: Slices, info: ImageInfo, name: str, metadata: dict[str, Any], pixels: NDArray[Any] | None = None
) -> LayerData:
    """Return the layer of a stack, read from the files when a slice is looked at unless the pixels are given."""
    shape, dtype, frames = info.shape, slices.dtype, slices.frames
    as_stored = all(frame.is_as_stored for frame in frames)
    if pixels is None:
        data = stack_of(FileFrames(frames, shape, dtype), (len(frames), *shape), dtype)
    else:
        data = pixels if as_stored else np.stack([f.convert(page) for f, page in zip(frames, pixels, strict=True)])
    # A derived file has the values of its source.
    info = replace(info, dtype=dtype, encoding=slices.encoding, sha256=info.sha256 if as_stored else None)
    settings = _settings(name, info, slices.limits, metadata, slices.depth, ndim=3)
    settings |= _dicom_settings(info, settings)
    if info.is_dicom and as_stored and len({frame.image.path for frame in frames}) > 1:
        files = [{"path": str(path), "state": file_state(path)} for path in (frame.image.path for frame in frames)]
        settings["metadata"][METADATA]["dicom"][SLICES] = files
    return data, settings, "image"


def _dicom_settings(info: ImageInfo, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that only DICOM files have: polarity, and where the pixel size was measured."""
    if not info.is_dicom:
        return {}
    more: dict[str, Any] = {"metadata": {METADATA: {**settings["metadata"][METADATA], "dicom": info.record()}}}
    if info.encoding.inverted:
        more["colormap"] = POLARITY_COLORMAP
    if info.spacing not in (None, "calibrated"):
        *first, _, _ = settings["axis_labels"]
        more["axis_labels"] = (*first, f"y {info.spacing}", f"x {info.spacing}")
    return more


def _stack_layer(images: Sequence[ImageInfo], folder: Path, name: str) -> LayerData:
    paths = [image.path for image in images]
    files = [path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path) for path in paths]
    metadata = {"path": str(folder), "files": files}
    # A size in the patient is none at the detector.
    size = common_pixel_size(images) if len({image.spacing for image in images}) == 1 else None
    first = images[0] if size is not None else replace(images[0], pixel_size=None, spacing=None)
    return _layer_of_slices(stack_slices(images), first, name, metadata)


def _settings(
    name: str, info: ImageInfo, limits: Limits | None, metadata: dict[str, Any], depth: Depth, *, ndim: int
) -> dict[str, Any]:
    axis = "image" if depth.step is None else "z"
    settings = {
        "name": name,
        "rgb": False,  # napari takes an image of width 3 or 4 for a colour image
        "axis_labels": (axis, "y", "x")[3 - ndim :],
        "metadata": {METADATA: metadata},
    }
    if limits is not None:
        settings["contrast_limits"] = limits
    if info.pixel_size is None:
        if info.aspect is not None:
            settings["scale"] = (1.0, info.aspect, 1.0)[3 - ndim :]
        return settings
    settings["scale"] = (depth.step or 1.0, *info.pixel_size)[3 - ndim :]
    settings["units"] = ("pixel" if depth.step is None else "mm", "mm", "mm")[3 - ndim :]
    if depth.origin is not None:
        settings["translate"] = depth.origin
    return settings
