"""Layers: checks of inputs, settings of results that match their input, the displayed part, and previews."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_dental_denoise import __version__
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.pixels import PLAIN
from napari_dental_denoise.plugin.shared.layer_images import LayerImages
from napari_dental_denoise.plugin.shared.metadata import METADATA, fit_encoding, layer_encoding, layer_record

if TYPE_CHECKING:
    from napari.components import Dims
    from napari.layers import Image
    from napari.viewer import Viewer

# In pixels.
GAP = 8
KEPT = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels", "gamma", "blending")


def check_image(layer: Image | None) -> Image:
    """Return a layer if it is a grey image or stack of images; raise InputError with the reason otherwise."""
    if layer is None:
        raise InputError("Open an image first")
    try:
        images = LayerImages(layer)
    except InputError as error:
        # Of a colour image, the message has the name.
        raise InputError(f"{error}" if layer.name in str(error) else f"{layer.name}: {error}") from error
    if images.dtype.kind not in "iuf":
        raise InputError(f"{layer.name} holds {images.dtype}: expected whole or floating numbers")
    return layer


def check_no_channel(layer: Image) -> None:
    """Raise InputError if images have an axis for their channel, over which a layer of two axes does not fit."""
    if LayerImages(layer).has_channel:
        raise InputError(f"{layer.name} has a channel axis: remove it for this, by numpy.squeeze, or denoise the whole")


def matching_layer_kwargs(layer: Image, suffix: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return keyword arguments for a result layer at the position and with the appearance of its input.

    The `suffix` is appended to the name; the `record` is the provenance in the metadata, with the version and the
    "source", which has the name of the input and the record of how that was made.
    """
    return {
        **{name: getattr(layer, name) for name in KEPT},
        "name": f"{layer.name} {suffix}",
        "contrast_limits": tuple(layer.contrast_limits),
        "colormap": layer.colormap.name if layer.colormap.name in layer.colormaps else layer.colormap,
        "metadata": {METADATA: {**_dicom_source(layer), **record, "version": __version__, "source": _source(layer)}},
    }


def _source(layer: Image) -> dict[str, Any]:
    record = layer_record(layer)
    # Its encoding is in the record of the result.
    return {"layer": layer.name, **{name: value for name, value in record.items() if name != "dicom"}}


def _dicom_source(layer: Image) -> dict[str, Any]:
    """Return the record of a DICOM input: its black and white, and the file that a derived image refers to."""
    encoding = layer_encoding(layer)
    if encoding is PLAIN:
        return {}
    record = layer.metadata[METADATA]
    dicom = {**record["dicom"], "encoding": fit_encoding(encoding, LayerImages(layer)).record()}
    return {"dicom": dicom, **{name: record[name] for name in ("path",) if name in record and "files" not in record}}


def beside_all(viewer: Viewer) -> dict[str, Any]:
    """Return keyword arguments that place an image right of all layers, with the pixel size of the first one."""
    if not len(viewer.layers):
        return {}
    first, extent = viewer.layers[0], viewer.layers.extent.world
    gap = GAP * first.scale[-1]
    return {
        "scale": tuple(first.scale[-2:]),
        "translate": (extent[0][-2], extent[1][-1] + gap),
        # napari warns of layers whose units differ.
        "units": tuple(first.units)[-2:],
    }


def visible_window(layer: Image, dims: Dims) -> tuple[slice, slice]:
    """Return the rows and columns of a layer on the canvas, at least one of each; raise InputError for other axes."""
    check_no_channel(layer)
    if not set(dims.displayed) >= {dims.ndim - 2, dims.ndim - 1}:
        raise InputError(f"The canvas shows a section of {layer.name}, not an image: restore the order of the axes")
    corners = np.asarray(layer.corner_pixels)
    if layer.multiscale:
        # They are those of the level on the canvas, of which napari loads more than is in view.
        first, last = np.asarray(layer.downsample_factors[layer.data_level]) * (corners + np.array([[0], [1]]))
        corners = np.rint([first, last - 1]).astype(int)
    first, last = corners[:, -2:]
    shape = LayerImages(layer).shape[-2:]
    rows, columns = (
        slice(int(np.clip(low, 0, side - 1)), int(np.clip(high, low, side - 1)) + 1)
        for low, high, side in zip(first, last, shape, strict=True)
    )
    return rows, columns


def current_image(layer: Image, point: tuple[float, ...]) -> int:
    """Return the index, among all of a layer, of the image at the viewer's sliders; 0 for a single image."""
    counts = _counts(layer)
    if not counts:
        return 0
    places = layer.world_to_data(point[-layer.ndim :])[: len(counts)]
    shown = [min(max(round(float(place)), 0), count - 1) for place, count in zip(places, counts, strict=True)]
    return int(np.ravel_multi_index(shown, counts))


def _counts(layer: Image) -> tuple[int, ...]:
    """Return how many images the axes before rows and columns count, also of images as narrow as colours are many."""
    sides = (layer.data[0] if layer.multiscale else layer.data).shape[: layer.ndim]
    return tuple(sides[: -3 if len(sides) > 2 and sides[-1] == 1 else -2])


def place_window(layer: Image, rows: slice, columns: slice) -> dict[str, Any]:
    """Return keyword arguments that place a crop of an image where it is in its layer, even if that is rotated."""
    scale = np.asarray(layer.scale)[-2:]
    corner = np.zeros(layer.ndim)
    corner[-2:] = rows.start, columns.start
    places = [np.asarray(layer.data_to_world(corner + step))[-2:] for step in (0, *np.eye(layer.ndim)[-2:])]
    turn = np.column_stack([places[1] - places[0], places[2] - places[0]]) / scale
    affine = np.eye(3)
    affine[:2, :2] = turn
    return {
        "scale": scale,
        "translate": np.linalg.solve(turn, places[0]),
        "rotate": 0.0,
        "shear": (0.0,),
        "affine": affine,
        "units": tuple(layer.units)[-2:],
        "axis_labels": tuple(layer.axis_labels)[-2:],
    }


class PreviewLayer:
    """At most one preview layer, which the next preview replaces."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._layer: Image | None = None

    def show(self, image: Any, settings: dict[str, Any]) -> Image:
        """Add a layer with these arguments of `Viewer.add_image`, in place of the previous one."""
        self.remove()
        self._layer = self._viewer.add_image(image, **settings)
        return self._layer

    def remove(self) -> None:
        """Remove the layer, unless the user has deleted it."""
        if self._layer is not None and self._layer in self._viewer.layers:
            self._viewer.layers.remove(self._layer)
        self._layer = None
