"""OME-Zarr opens as lazy layers with their scale, and layers are saved as OME-Zarr that napari itself opens."""

import numpy as np
import pytest
from napari.layers import Image

from napari_dental_denoise.images.radiograph import read_pages
from napari_dental_denoise.images.writer import write_image
from napari_dental_denoise.images.zarr_writer import write_ome_zarr
from napari_dental_denoise.plugin.files import image_layers
from napari_dental_denoise.plugin.files.reader import get_reader, read

STACK = np.random.default_rng(0).integers(0, 4096, (3, 40, 50), dtype=np.uint16)


def test_a_dropped_volume_has_its_scale_and_stays_in_its_folder_if_it_is_large(tmp_path, viewer, monkeypatch):
    path = tmp_path / "jaw.ome.zarr"
    write_ome_zarr(path, STACK, (0.3, 0.1, 0.2))
    monkeypatch.setattr(image_layers, "LAZY_BYTES", 1)
    (layer,) = viewer.open(str(path), plugin="napari-dental-denoise")
    assert (layer.name, tuple(layer.scale)) == ("jaw", (0.3, 0.1, 0.2))
    assert [str(unit) for unit in layer.units] == ["millimeter"] * 3
    assert not isinstance(layer.data, np.ndarray)
    np.testing.assert_array_equal(np.asarray(layer.data), STACK)


def test_a_layer_is_saved_and_opens_in_napari_itself(tmp_path, viewer):
    path = tmp_path / "a.ome.zarr"
    layer = viewer.add_image(STACK, scale=(300, 100, 200), units=("um", "um", "um"), rgb=False)
    assert viewer.layers.save(str(path), plugin="napari-dental-denoise") == [str(path)]
    (back,) = viewer.open(str(path), plugin="napari")
    np.testing.assert_array_equal(np.asarray(back.data[0] if back.multiscale else back.data), layer.data)
    ((data, settings, _),) = read(str(path))
    np.testing.assert_array_equal(data, STACK)
    assert settings["scale"] == pytest.approx((0.3, 0.1, 0.2))


def test_a_folder_with_a_volume_shows_all_of_it(tmp_path):
    write_ome_zarr(tmp_path / "in" / "a.ome.zarr", STACK, (None, None, None))
    write_image(tmp_path / "in" / "b.png", STACK[0])
    assert get_reader(str(tmp_path / "in")) is read
    layers = {settings["name"]: data for data, settings, _ in read(str(tmp_path / "in"))}
    assert {name: np.asarray(data).shape for name, data in layers.items()} == {"a": (3, 40, 50), "b": (40, 50)}


def test_a_layer_of_one_image(tmp_path):
    from napari_dental_denoise.plugin.files.writer import write_image_layer

    data, meta, _ = Image(STACK[0]).as_layer_data_tuple()
    assert write_image_layer(str(tmp_path / "a.zarr"), data, meta) == [str(tmp_path / "a.zarr")]
    np.testing.assert_array_equal(read_pages(tmp_path / "a.zarr")[0], STACK[0])
