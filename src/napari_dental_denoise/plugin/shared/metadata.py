"""Pixel encoding in the metadata of layers, and conversion of their data to grey."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_dental_denoise.config import PACKAGE
from napari_dental_denoise.pixels import PLAIN, PixelEncoding, Planes, encoding_from
from napari_dental_denoise.plugin.shared.layer_images import LayerImages, stack_of

if TYPE_CHECKING:
    from napari.layers import Image, Layer

METADATA = PACKAGE
# In the record of a DICOM layer: the file of each slice, and its state when it was opened.
SLICES = "slices"
# The operation in the record of a layer that is no radiograph.
DETAIL_MAP, ERROR_MAP, REMOVED_MAP = "detail map", "error map", "removed structure"
TRAINING_PREVIEW = "training preview"


def layer_record(layer: Layer) -> dict[str, Any]:
    """Return the record of how a layer was made, from its metadata; empty for layers of other origin."""
    record = layer.metadata.get(METADATA, {})
    return record if isinstance(record, dict) else {}


def layer_operation(layer: Layer) -> str:
    """Return the operation that made a layer; "" for layers of other origin."""
    return str(layer_record(layer).get("operation", ""))


def layer_encoding(layer: Image) -> PixelEncoding:
    """Return the pixel encoding of a layer; the plain one unless it is from a DICOM file."""
    return record_encoding(layer_record(layer))


def record_encoding(record: Any) -> PixelEncoding:
    """Return the pixel encoding in what the metadata of a layer holds; the plain one where there is none."""
    dicom = record.get("dicom") if isinstance(record, dict) else None
    # Records of earlier versions have it as "storage".
    return PLAIN if dicom is None else encoding_from(dicom.get("encoding", dicom.get("storage")))


def to_grey(data: Any, encoding: PixelEncoding) -> Any:
    """Return the data of a layer with black at 0 and white high; a dask array of a dask array."""
    dtype = encoding.to_grey(np.zeros((1, 1), data.dtype)).dtype
    return _image_by_image(encoding.to_grey, data, dtype)


def fit_encoding(encoding: PixelEncoding, images: LayerImages, index: int | None = None) -> PixelEncoding:
    """Return the encoding with the black and the white of the images of a layer.

    For one image of a lazy stack, give its index. Without it, each image of a lazy stack decides its own, because most
    of them have not been read.
    """
    whole = images[0] if len(images) == 1 else images.in_memory()
    if whole is not None:
        return encoding.fit(whole)
    return encoding if index is None else encoding.fit(images[index])


def _image_by_image(function: Callable[[Any], Any], data: Any, dtype: np.dtype[Any]) -> Any:
    if isinstance(data, np.ndarray):
        return function(data)
    images = Planes(data)
    return stack_of(lambda index: function(images[index]), images.shape, dtype)
