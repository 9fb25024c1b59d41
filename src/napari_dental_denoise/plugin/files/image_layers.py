"""Images of files become napari's image layers: one stack where they agree, a layer each otherwise."""

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
from napari_dental_denoise.plugin.files.lazy_stack import lazy_stack
from napari_dental_denoise.plugin.shared import METADATA

LayerData = tuple[Any, dict[str, Any], str]

# napari draws each layer by itself: hundreds of them would make the window slow.
MOST_SEPARATE_LAYERS = 50
POLARITY_COLORMAP = "gray_r"


def image_layers(images: Sequence[FoundImage], folder: Path, name: str | None) -> list[LayerData]:
    """Layers of the images of several files; see `reader.read`.

    Parameters
    ----------
    images : sequence of FoundImage
    folder : Path
        That they were found in.
    name : str, optional
        Of the layer, instead of the name of the folder.

    Returns
    -------
    list of (data, settings, "image")
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
    """One lazy stack where all agree; else a layer for each image or, of many, a stack for each kind."""
    kinds = defaultdict(list)
    for image in images:
        kinds[image.kind].append(image)
    several_frames = any(image.dicom is not None and image.header.pages > 1 for image in images)
    lone = len(images) == 1 and images[0].dicom is not None
    if len(kinds) == 1 and not several_frames and not lone:
        return [_stack_layer(images, folder, title)]
    if len(images) <= MOST_SEPARATE_LAYERS or several_frames:
        prefix = f"{name}: " if name else ""
        return [_image_layer(image, f"{prefix}{image.path.stem}") for image in images]
    return [
        _stack_layer(group, folder, f"{title} {kind.shape[1]}x{kind.shape[0]} {kind.dtype}")
        for kind, group in kinds.items()
    ]


def _image_layer(image: FoundImage, name: str) -> LayerData:
    """A layer of one of several files; of a TIFF its first page, for the others may be thumbnails."""
    return file_layer(image.path, name, pages=1 if image.dicom is None else None)


def file_layer(path: Path, name: str, pages: int | None = None) -> LayerData:
    """A layer of one file; of several pages, unless `pages` is 1."""
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
    return pixels, {**settings, **_dicom_look(dicom, settings)}, "image"


def _dicom_look(dicom: DicomHeader, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What DICOM says more: polarity, and where the pixel size holds."""
    look: dict[str, Any] = {"metadata": {METADATA: {**settings["metadata"][METADATA], "dicom": dicom.record()}}}
    if dicom.encoding.inverted:
        look["colormap"] = POLARITY_COLORMAP
    if dicom.spacing not in (None, "calibrated"):
        *first, _, _ = settings["axis_labels"]
        look["axis_labels"] = (*first, f"y {dicom.spacing}", f"x {dicom.spacing}")
    return look


def _read_pages(path: Path) -> NDArray[np.generic]:
    """All pages, or the first one where they make no stack: thumbnails and pyramids are pages too."""
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
        settings |= _dicom_look(common, settings)
    return lazy_stack(paths, first.kind.shape, first.kind.dtype), settings, "image"


def _agree_on_place(images: Sequence[FoundImage]) -> bool:
    """Whether the pixel sizes hold in one place: a size in the patient is none at the detector."""
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
        "rgb": False,  # napari would take a narrow image for a colour one
        "axis_labels": ("image", "y", "x")[3 - ndim :],
        "metadata": {METADATA: metadata},
    }
    if limits is not None:
        settings["contrast_limits"] = limits
    if pixel_size is not None:
        settings["scale"] = (1.0, *pixel_size)[3 - ndim :]
        settings["units"] = ("pixel", "mm", "mm")[3 - ndim :]
    return settings
