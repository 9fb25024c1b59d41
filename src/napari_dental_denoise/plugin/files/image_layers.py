"""Conversion of image files to napari layers: one lazy stack for each series or set of images that agree."""

from __future__ import annotations

import itertools
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.images import (
    ALL_PAGES,
    FIRST_PAGE,
    Radiograph,
    common_limits,
    common_pixel_size,
    name_without_suffix,
    read_radiograph,
)
from napari_dental_denoise.pixels import ImageInfo, PixelSize
from napari_dental_denoise.plugin.files.lazy_stack import FileFrames, stack_of
from napari_dental_denoise.plugin.shared import METADATA

LayerData = tuple[Any, dict[str, Any], str]

POLARITY_COLORMAP = "gray_r"
# Between images that lie side by side, in pixels.
GAP = 8


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
        # An image of several frames is a stack by itself.
        alone = image.path if image.is_dicom and image.pages > 1 else None
        kinds[image.shape, image.dtype, image.encoding, alone].append(image)
    for (shape, dtype, _, _), members in kinds.items():
        if len(members) == 1:
            path = members[0].path
            yield Group(members, (folders[path] / name_without_suffix(path)).as_posix(), path.parent)
        else:
            ordered = sorted(members, key=lambda image: image.order)
            yield Group(ordered, name if len(kinds) == 1 else f"{name} {shape[1]}x{shape[0]} {dtype}", folder)


def group_layer(group: Group) -> LayerData:
    """Return the layer of a group: its image, or a lazy stack of several."""
    if len(group.images) > 1:
        return _stack_layer(group.images, group.folder, group.name)
    (image,) = group.images
    # Of a TIFF only the first page, for the others may be thumbnails.
    return _image_layer(read_radiograph(image.path, ALL_PAGES if image.is_dicom else FIRST_PAGE), group.name)


def lay_out(layers: Sequence[LayerData]) -> None:
    """Place layers of different sizes side by side; those of one size stay on top of each other, to be compared."""
    lefts: dict[tuple[float, float], float] = {}
    left = 0.0
    for data, settings, _ in layers:
        row, column = settings.get("scale", (1.0, 1.0))[-2:]
        size = data.shape[-2] * row, data.shape[-1] * column
        if size not in lefts:
            lefts[size] = left
            left += size[1] + GAP * column
        settings["translate"] = (*[0.0] * (data.ndim - 1), lefts[size])


def file_layer(path: Path, name: str) -> LayerData:
    """Return the layer of a file with all its pages, or only the first if they differ, as thumbnails do."""
    try:
        return _image_layer(read_radiograph(path), name)
    except ImageReadError as error:
        from napari.utils.notifications import show_warning

        layer = _image_layer(read_radiograph(path, FIRST_PAGE), name)
        show_warning(f"First page only: {error}")
        return layer


def _image_layer(radiograph: Radiograph, name: str) -> LayerData:
    info, pixels = radiograph.info, radiograph.pixels
    settings = _settings(name, pixels.ndim, radiograph.limits, info.pixel_size, {"path": str(info.path)})
    return pixels, settings | _dicom_settings(info, settings), "image"


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
    settings = _settings(name, 3, common_limits(images), size, metadata)
    first = images[0] if size is not None else replace(images[0], pixel_size=None, spacing=None)
    settings |= _dicom_settings(first, settings)
    shape, dtype = first.shape, first.dtype
    return stack_of(FileFrames(paths, shape, dtype), (len(paths), *shape), dtype), settings, "image"


def _settings(
    name: str, ndim: int, limits: tuple[float, float] | None, pixel_size: PixelSize | None, metadata: dict[str, Any]
) -> dict[str, Any]:
    settings = {
        "name": name,
        "rgb": False,  # napari takes an image of width 3 or 4 for a colour image
        "axis_labels": ("image", "y", "x")[3 - ndim :],
        "metadata": {METADATA: metadata},
    }
    if limits is not None:
        settings["contrast_limits"] = limits
    if pixel_size is not None:
        settings["scale"] = (1.0, *pixel_size)[3 - ndim :]
        settings["units"] = ("pixel", "mm", "mm")[3 - ndim :]
    return settings
