"""Conversion of image files to napari layers: one lazy stack if they agree, one layer per image otherwise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.dicom import DicomHeader, is_dicom, read_dicom
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.images import (
    FoundImage,
    common_limits,
    common_pixel_size,
    grey_limits,
    read_header,
    read_image,
    read_pages,
    read_pixel_size,
    stored_limits,
)
from napari_dental_denoise.pixels import PixelSize
from napari_dental_denoise.plugin.files.lazy_stack import FileFrames, stack_of
from napari_dental_denoise.plugin.shared import METADATA

LayerData = tuple[Any, dict[str, Any], str]

# napari renders layers one by one: hundreds of them would make the window slow.
MAX_SEPARATE_LAYERS = 50
POLARITY_COLORMAP = "gray_r"


def image_layers(images: Sequence[FoundImage], folder: Path, name: str | None) -> list[LayerData]:
    """Return the layers of the images of several files in a folder; see `reader.read`.

    The optional `name` replaces that of the folder in the names of the layers.
    """
    series = defaultdict(list)
    for image in images:
        if image.dicom is not None:
            series[image.dicom.series].append(image)
    rasters = [image for image in images if image.dicom is None]
    title = name or folder.name
    layers = _group_layers(rasters, folder, title, name) if rasters else []
    for number, members in enumerate(series.values(), start=1):
        ordered = sorted(members, key=_acquisition)
        numbered = f"{title} series {number}" if len(series) > 1 or rasters else title
        layers += _group_layers(ordered, folder, numbered, name)
    return layers


def _acquisition(image: FoundImage) -> tuple[str, int, int]:
    return image.dicom.order if image.dicom is not None else ("", 0, 0)


def _group_layers(images: Sequence[FoundImage], folder: Path, title: str, name: str | None) -> list[LayerData]:
    """Return one lazy stack if all images agree, else one layer per image or, if they are many, one stack per kind."""
    kinds = defaultdict(list)
    for image in images:
        kinds[image.kind].append(image)
    several_frames = any(image.dicom is not None and image.header.pages > 1 for image in images)
    lone = len(images) == 1 and images[0].dicom is not None
    if len(kinds) == 1 and not several_frames and not lone:
        return [_stack_layer(images, folder, title)]
    if len(images) <= MAX_SEPARATE_LAYERS or several_frames:
        prefix = f"{name}: " if name else ""
        return [_image_layer(image, f"{prefix}{image.path.stem}") for image in images]
    return [
        _stack_layer(group, folder, f"{title} {kind.shape[1]}x{kind.shape[0]} {kind.dtype}")
        for kind, group in kinds.items()
    ]


def _image_layer(image: FoundImage, name: str) -> LayerData:
    """Return the layer of one of several files; only the first page of a TIFF, as others may be thumbnails."""
    return file_layer(image.path, name, pages=1 if image.dicom is None else None)


def file_layer(path: Path, name: str, pages: int | None = None) -> LayerData:
    """Return the layer of one file, with all its pages unless `pages` is 1."""
    if is_dicom(path):
        return _dicom_layer(path, name)
    several = pages != 1 and read_header(path).pages > 1
    image = _read_pages(path) if several else read_image(path)
    settings = _settings(name, image.ndim, grey_limits(image), read_pixel_size(path), {"path": str(path)})
    return image, settings, "image"


def _dicom_layer(path: Path, name: str) -> LayerData:
    dicom, pixels = read_dicom(path)
    limits = dicom.limits or stored_limits(pixels, dicom.encoding)
    settings = _settings(name, pixels.ndim, limits, dicom.pixel_size, {"path": str(path)})
    return pixels, {**settings, **_dicom_settings(dicom, settings)}, "image"


def _dicom_settings(dicom: DicomHeader, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that only DICOM files have: polarity, and where the pixel size was measured."""
    more: dict[str, Any] = {"metadata": {METADATA: {**settings["metadata"][METADATA], "dicom": dicom.record()}}}
    if dicom.encoding.inverted:
        more["colormap"] = POLARITY_COLORMAP
    if dicom.spacing not in (None, "calibrated"):
        *first, _, _ = settings["axis_labels"]
        more["axis_labels"] = (*first, f"y {dicom.spacing}", f"x {dicom.spacing}")
    return more


def _read_pages(path: Path) -> NDArray[np.generic]:
    """Return all pages, or only the first if they differ, as thumbnails and pyramid levels do."""
    from napari.utils.notifications import show_warning

    try:
        return read_pages(path)
    except ImageReadError as error:
        first = read_image(path)
        show_warning(f"First page only: {error}")
        return first


def _stack_layer(images: Sequence[FoundImage], folder: Path, name: str) -> LayerData:
    paths = [image.path for image in images]
    metadata = {"path": str(folder), "files": [path.name for path in paths]}
    size = common_pixel_size(images) if _agree_on_place(images) else None
    settings = _settings(name, 3, common_limits(images), size, metadata)
    first = images[0]
    if first.dicom is not None:
        common = first.dicom if size is not None else replace(first.dicom, pixel_size=None, spacing=None)
        settings |= _dicom_settings(common, settings)
    kind = first.kind
    data = stack_of(FileFrames(paths, kind.shape, kind.dtype), (len(paths), *kind.shape), kind.dtype)
    return data, settings, "image"


def _agree_on_place(images: Sequence[FoundImage]) -> bool:
    """Return whether all pixel sizes were measured at the same place, such as the patient or the detector."""
    return len({image.dicom and image.dicom.spacing for image in images}) == 1


def _settings(
    name: str,
    ndim: int,
    limits: tuple[float, float] | None,
    pixel_size: PixelSize | None,
    metadata: dict[str, Any],
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
