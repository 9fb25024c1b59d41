"""Open layers as the images of a training, whose process reads them from files in their own type."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.images import write_image
from napari_dental_denoise.plugin.shared import (
    TRAINING_PREVIEW,
    LayerImages,
    check_image,
    layer_encoding,
    layer_operation,
    start_worker,
)
from napari_dental_denoise.plugin.train.images import FoundImages
from napari_dental_denoise.plugin.train.process import TrainingProcess
from napari_dental_denoise.progress import Progress, counted

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

# The folders of the files of layers.
Folders = Mapping[Path, Sequence["Image"]]
MAX_NAME = 40
# What may have made a layer of radiographs; others are maps, differences or previews.
OPERATIONS = ("", "denoise", "add noise")


def selected_images(viewer: Viewer) -> tuple[Image, ...]:
    """Return the selected image layers, in their order, without the preview of a training."""
    from napari.layers import Image

    selected = [each for each in viewer.layers if each in viewer.layers.selection]
    return tuple(each for each in selected if isinstance(each, Image) and layer_operation(each) != TRAINING_PREVIEW)


def find_in_layers(layers: Sequence[Image], smallest_side: int = 1) -> FoundImages:
    """Return the images of layers that have at least so many pixels a side; raise InputError if one holds none."""
    shapes = [shape for layer in layers for shape in _shapes(layer)]
    usable = tuple(shape for shape in shapes if min(shape) >= smallest_side)
    small = len(shapes) - len(usable)
    left_out = f"{small} below {smallest_side} px a side" if small else ""
    return FoundImages(usable, "image", counted(len(layers), "selected layer"), left_out)


def find_layer_pairs(clean: Image, noisy: Image) -> FoundImages:
    """Return the pairs of a clean and a noisy layer; raise InputError if these do not match."""
    shapes, noisy_shapes = _shapes(clean), _shapes(noisy)
    if shapes != noisy_shapes:
        sizes = [f"{counted(len(each), 'image')} of {each[0][0]} x {each[0][1]} px" for each in (noisy_shapes, shapes)]
        wanted = "choose two layers with the same number and size of images"
        raise InputError(f"{noisy.name} has {sizes[0]}, {clean.name} {sizes[1]}: {wanted}")
    return FoundImages(tuple(shapes), "pair", counted(len(shapes), "pair"))


def _shapes(layer: Image) -> list[tuple[int, int]]:
    images = LayerImages(check_image(layer))
    if layer_operation(layer) not in OPERATIONS:
        raise InputError(f"{layer.name} is no radiograph: select others")
    return [(images.shape[-2], images.shape[-1])] * len(images)


def start_with_layers(process: TrainingProcess, folders: Folders, arguments: Sequence[str]) -> None:
    """Write the images of layers into folders of a training, in a thread, and start it."""
    start_worker(
        lambda: _write(process, folders),
        returned=lambda _: process.start(arguments),
        failed=lambda error: process.fail(str(error)),
    )


def _write(process: TrainingProcess, folders: Folders) -> Generator[Progress, None, None]:
    total = sum(len(_shapes(layer)) for layers in folders.values() for layer in layers)
    # The files of a pair have one name.
    names = [layer.name for layer in next(iter(folders.values()))]
    done = 0
    for folder, layers in folders.items():
        images = (image for layer, name in zip(layers, names, strict=True) for image in _named_images(layer, name))
        for number, (name, image) in enumerate(images):
            if process.stop_asked:
                return
            # The names of files keep the order: a training that goes on must have the same images.
            write_image(folder / f"{number:05} {name}.tif", image)
            done += 1
            yield Progress(done, total)


def _named_images(layer: Image, name: str) -> Iterator[tuple[str, Any]]:
    """Yield each image of a layer with black at 0, and a name for its file."""
    name = re.sub(r"[^\w.-]+", " ", name)[:MAX_NAME].strip()
    encoding = layer_encoding(layer)
    for image in LayerImages(layer):
        yield name, encoding.to_grey(image)
