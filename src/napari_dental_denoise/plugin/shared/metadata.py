"""A layer's values as grey with white high, by what its reader said of polarity, sign and padding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_dental_denoise.pixels import PLAIN, PixelEncoding, encoding_from

if TYPE_CHECKING:
    from napari.layers import Image

METADATA = "napari_dental_denoise"


def layer_encoding(layer: Image) -> PixelEncoding:
    """How the values of a layer stand for grey; the plain way where no DICOM file is behind it.

    Parameters
    ----------
    layer : napari.layers.Image
    """
    return record_encoding(layer.metadata.get(METADATA, {}))


def record_encoding(record: Any) -> PixelEncoding:
    """Return the pixel encoding in the metadata record of a layer; the plain one where there is none.

    Parameters
    ----------
    record : object
        Whatever the metadata of a layer holds.
    """
    dicom = record.get("dicom") if isinstance(record, dict) else None
    # Records of earlier versions have it as "storage".
    return PLAIN if dicom is None else encoding_from(dicom.get("encoding", dicom.get("storage")))


def to_grey(data: Any, encoding: PixelEncoding) -> Any:
    """Stored values with black at 0 and white high; of a lazy stack, lazily.

    Parameters
    ----------
    data : (H, W) or (N, H, W) array of numpy or dask
    encoding : PixelEncoding

    Returns
    -------
    array of the same kind and shape
    """
    if isinstance(data, np.ndarray):
        return encoding.to_grey(data)
    if encoding is PLAIN:
        return data
    dtype = encoding.to_grey(np.zeros((1, 1), data.dtype)).dtype
    return data.map_blocks(encoding.to_grey, dtype=dtype, meta=np.empty((0,) * data.ndim, dtype))
