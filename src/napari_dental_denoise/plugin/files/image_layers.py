"""Conversion of image files to napari layers: one lazy stack if they agree, one layer per image otherwise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.images import Radiograph, common_limits, common_pixel_size, read_radiograph
from napari_dental_denoise.pixels import ImageInfo, PixelSize
from napari_dental_denoise.plugin.files.lazy_stack import FileFrames, stack_of
from napari_dental_denoise.plugin.shared import METADATA

LayerData = tuple[Any, dict[str, Any], str]

# napari renders layers one by one: hundreds of them would make the window slow.
MAX_SEPARATE_LAYERS = 50
POLARITY_COLORMAP = "gray_r"


def image_layers(images: Sequence[ImageInfo], folder: Path, name: str | None) -> list[LayerData]:
    """Return the layers of images in a folder; see `reader.read`. A `name` replaces that of the folder in theirs."""
    series = defaultdict(list)
    for image in images:
        if image.is_dicom:
            series[image.series].append(image)
    rasters = [image for image in images if not image.is_dicom]
    title = name or folder.name
    layers = _group_layers(rasters, folder, title, name) if rasters else []
    for number, members in enumerate(series.values(), start=1):
        ordered = sorted(members, key=lambda image: image.order)
        numbered = f"{title} series {number}" if len(series) > 1 or rasters else title
        layers += _group_layers(ordered, folder, numbered, name)
    return layers


def _group_layers(images: Sequence[ImageInfo], folder: Path, title: str, name: str | None) -> list[LayerData]:
    """Return one lazy stack if all images agree, else one layer per image or, if they are many, one stack per kind."""
    kinds = defaultdict(list)
    for image in images:
        kinds[image.shape, image.dtype, image.encoding].append(image)
    several_frames = any(image.is_dicom and image.pages > 1 for image in images)
    lone = len(images) == 1 and images[0].is_dicom
    if len(kinds) == 1 and not several_frames and not lone:
        return [_stack_layer(images, folder, title)]
    if len(images) <= MAX_SEPARATE_LAYERS or several_frames:
        prefix = f"{name}: " if name else ""
        # Of a TIFF only the first page, for the others may be thumbnails.
        return [
            _image_layer(read_radiograph(image.path, None if image.is_dicom else 1), f"{prefix}{image.path.stem}")
            for image in images
        ]
    return [
        _stack_layer(group, folder, f"{title} {shape[1]}x{shape[0]} {dtype}")
        for (shape, dtype, _), group in kinds.items()
    ]


def file_layer(path: Path, name: str) -> LayerData:
    """Return the layer of a file with all its pages, or only the first if they differ, as thumbnails do."""
    try:
        return _image_layer(read_radiograph(path), name)
    except ImageReadError as error:
        from napari.utils.notifications import show_warning

        layer = _image_layer(read_radiograph(path, max_pages=1), name)
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
    metadata = {"path": str(folder), "files": [path.name for path in paths]}
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
