"""A layer's values as grey with white high, by what its reader said of polarity, sign and padding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_dental_denoise.pixels import PLAIN, Storage, storage_from

if TYPE_CHECKING:
    from napari.layers import Image

METADATA = "napari_dental_denoise"


def layer_storage(layer: Image) -> Storage:
    """How the values of a layer stand for grey; the plain way where no DICOM file is behind it.

    Parameters
    ----------
    layer : napari.layers.Image
    """
    record = layer.metadata.get(METADATA, {})
    dicom = record.get("dicom") if isinstance(record, dict) else None
    return PLAIN if dicom is None else storage_from(dicom["storage"])


def upright(data: Any, storage: Storage) -> Any:
    """Stored values with black at 0 and white high; of a lazy stack, lazily.

    Parameters
    ----------
    data : (H, W) or (N, H, W) array of numpy or dask
    storage : Storage

    Returns
    -------
    array of the same kind and shape
    """
    if isinstance(data, np.ndarray):
        return storage.upright(data)
    if storage is PLAIN:
        return data
    dtype = storage.upright(np.zeros((1, 1), data.dtype)).dtype
    return data.map_blocks(storage.upright, dtype=dtype, meta=np.empty((0,) * data.ndim, dtype))
