"""Layers of every kind through the forms, and results that stay what they are when their source changes."""

import os
import re
import shutil

import dask.array as da
import h5py
import numpy as np
import pytest
import xarray
import zarr
from napari.utils.notifications import notification_manager

from napari_dental_denoise import add_gaussian_noise, denoise, removed_structure, write_image
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.pixels import Planes
from tests.plugin.conftest import same


def run(form, viewer, qtbot):
    count = len(viewer.layers)
    form.denoise()
    qtbot.waitUntil(lambda: form.start.enabled)
    assert len(viewer.layers) > count, form.status.value
    return viewer.layers[-1]


def run_on(form, layer, viewer, qtbot):
    form.image.value = layer
    viewer.layers.selection = {layer}
    return run(form, viewer, qtbot)


def by_start(viewer, start):
    """The first layer whose name starts so."""
    return next(layer for layer in viewer.layers if layer.name.startswith(start))


@pytest.fixture
def stack(radiographs):
    """Three noisy images of 12 bits in 16."""
    return add_gaussian_noise(np.stack(radiographs[:3]).astype(np.uint16) * 16, 0.1, rng=0)


def each_denoised(stack, model):
    """Each image by itself, as images of a lazy stack have scales of their own."""
    planes = [denoise(image, model) for image in stack.reshape(-1, *stack.shape[-2:])]
    return np.stack(planes).reshape(stack.shape)


def of_library(name, values, tmp_path):
    makers = {
        "h5py": lambda: h5py.File(tmp_path / "data.h5", "w").create_dataset("images", data=values),
        "zarr": lambda: zarr.array(values, chunks=(1,) * (values.ndim - 2) + (64, 64)),
        "dask": lambda: da.from_array(values, chunks=(2,) * (values.ndim - 2) + (64, -1)),
        "xarray": lambda: xarray.DataArray(values),
    }
    return makers[name]()


@pytest.mark.parametrize("library", ["h5py", "zarr", "dask", "xarray"])
def test_data_of_any_library_is_read_image_by_image(
    viewer, denoise_form, qtbot, stack, trained_model, library, tmp_path, tmp_path_factory
):
    single = of_library(library, stack[0], tmp_path_factory.mktemp("one"))
    viewer.add_image(single, name="one", contrast_limits=(0, 4095))
    assert same(run(denoise_form, viewer, qtbot).data, denoise(stack[0], trained_model))
    viewer.layers.clear()
    four = np.stack([stack, stack[::-1]])
    viewer.add_image(of_library(library, four, tmp_path), name="visits", contrast_limits=(0, 4095))
    result = run(denoise_form, viewer, qtbot)
    assert (result.data.shape, result.dtype) == (four.shape, four.dtype)
    assert same(result.data, each_denoised(four, trained_model))
    viewer.dims.set_point(0, 1)
    denoise_form.lazy.value = True
    lazy = run(denoise_form, viewer, qtbot)
    assert same(lazy.data, result.data)


def test_every_form_takes_four_dimensions(viewer, denoise_form, open_form, qtbot, stack):
    four = np.stack([stack, stack[::-1]])
    viewer.add_image(four, name="visits", contrast_limits=(0, 4095))
    viewer.dims.set_point((0, 1), (1, 2))
    denoise_form.maps.removed.value = True
    qtbot.waitUntil(lambda: denoise_form.noise.label.value.startswith("Noise: about"))
    run(denoise_form, viewer, qtbot)
    result = by_start(viewer, "visits denoised")
    assert (result.data.shape, result.dtype) == (four.shape, four.dtype)
    assert viewer.layers[-1].name == "visits removed structure, image 6"
    denoise_form.map_detail()
    qtbot.waitUntil(lambda: denoise_form.map.enabled)
    assert viewer.layers[-1].name == "visits contrast kept (%)", denoise_form.status.value
    noise_form = open_form("Add noise")
    noise_form.image.value = viewer.layers["visits"]
    noise_form.add_noise()
    qtbot.waitUntil(lambda: noise_form.add.enabled)
    noisy_layer = by_start(viewer, "visits noisy")
    noisy = noisy_layer.data
    assert noisy.shape == four.shape
    assert not same(noisy, four)
    compare = open_form("Compare")
    compare.reference.layer, compare.first.layer = viewer.layers["visits"], noisy_layer
    compare.second.layer = result
    qtbot.waitUntil(lambda: not compare.busy)
    compare._make_difference()
    difference = viewer.layers[-1]
    shown = np.asarray(difference.data[1, 2])
    np.testing.assert_array_equal(shown, np.asarray(result.data[1, 2]).astype(float) - noisy[1, 2])


@pytest.mark.parametrize("channels", [3, 4])
def test_colours_with_equal_channels_are_grey(viewer, denoise_form, qtbot, noisy, trained_model, channels):
    colour = np.stack([noisy] * 3 + [np.full_like(noisy, 255)] * (channels - 3), axis=-1)
    layer = viewer.add_image(colour, name="scan", scale=(0.5, 0.5))
    assert layer.rgb
    result = run(denoise_form, viewer, qtbot)
    assert not result.rgb
    assert same(result.data, denoise(noisy, trained_model))
    assert same(result.scale, layer.scale)


@pytest.mark.parametrize("place", [(0, 0), (37, 41)])
def test_one_coloured_pixel_makes_a_colour_image(viewer, denoise_form, qtbot, noisy, place):
    colour = np.stack([noisy] * 3, axis=-1)
    colour[(*place, 1)] ^= 1
    viewer.add_image(colour, name="photo")
    denoise_form.denoise()
    qtbot.waitUntil(lambda: denoise_form.start.enabled)
    assert denoise_form.status.value.startswith("photo is a colour image: convert it to grey first")
    assert len(viewer.layers) == 1


@pytest.mark.parametrize("leading", [(), (3,)])
def test_a_multiscale_layer_is_denoised_in_full_resolution(
    viewer, denoise_form, open_form, qtbot, stack, trained_model, leading
):
    full = stack if leading else stack[0]
    levels = [full, full[..., ::2, ::2], full[..., ::4, ::4]]
    viewer.add_image(levels, name="scan", multiscale=True, contrast_limits=(0, 4095))
    result = run(denoise_form, viewer, qtbot)
    assert result.multiscale
    assert [level.shape for level in result.data] == [level.shape for level in levels]
    assert same(result.data[0], denoise(full, trained_model))
    first = np.asarray(result.data[1]).reshape(-1, 80, 100)[-1]
    last = np.asarray(result.data[0]).reshape(-1, 160, 200)[-1].reshape(80, 2, 100, 2).mean((1, 3))
    assert np.abs(first - last).max() <= 0.5
    denoise_form.strength.value = 0.5
    assert same(result.data[0], denoise(full, trained_model, strength=0.5))
    noise_form = open_form("Add noise")
    noise_form.image.value = viewer.layers["scan"]
    noise_form.add_noise()
    qtbot.waitUntil(lambda: noise_form.add.enabled)
    assert by_start(viewer, "scan noisy").multiscale


@pytest.mark.parametrize("leading", [(), (3,)])
def test_a_channel_axis_is_no_side(viewer, denoise_form, qtbot, stack, trained_model, leading):
    full = stack if leading else stack[0]
    viewer.add_image(full[..., np.newaxis], name="scan", contrast_limits=(0, 4095))
    result = run(denoise_form, viewer, qtbot)
    assert result.data.shape == (*full.shape, 1)
    assert same(np.asarray(result.data)[..., 0], denoise(full, trained_model))
    denoise_form.map_detail()
    assert denoise_form.status.value.startswith("scan has a channel axis: remove it for this")


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.uint32])
def test_integers_keep_their_type(viewer, denoise_form, qtbot, noisy, trained_model, dtype):
    low = -100 if np.issubdtype(dtype, np.signedinteger) else 0
    values = (noisy.astype(np.int64) // 2 + low).astype(dtype)
    viewer.add_image(values, name="scan")
    result = run(denoise_form, viewer, qtbot)
    assert result.dtype == dtype
    assert same(result.data, denoise(values, trained_model))


@pytest.mark.parametrize("leading", [(), (3,)])
def test_masked_pixels_stay_masked_and_decide_nothing(
    viewer, denoise_form, open_form, qtbot, stack, trained_model, leading
):
    values = stack if leading else stack[0]
    mask = np.zeros(values.shape, bool)
    mask[..., :40, :50] = True
    if leading:
        mask[1] = True
    masked = np.ma.MaskedArray(np.where(mask, 65535, values), mask)
    layer = viewer.add_image(masked, name="scan", contrast_limits=(0, 4095))
    noise_form = open_form("Add noise")
    noise_form.image.value = layer
    noise_form.add_noise()
    qtbot.waitUntil(lambda: noise_form.add.enabled)
    denoise_form.image.value = layer
    for made in (run(denoise_form, viewer, qtbot), by_start(viewer, "scan noisy")):
        assert same(np.ma.getmaskarray(da.compute(made.data)[0]), mask), made.name
    expected = denoise(masked, trained_model)
    result = by_start(viewer, "scan denoised")
    assert same(da.compute(result.data)[0].filled(0), expected.filled(0))
    denoise_form.image.value = result
    again = da.compute(run(denoise_form, viewer, qtbot).data)[0]
    assert same(np.ma.getmaskarray(again), mask)
    plane = (0,) * len(leading)
    assert same(again[plane].filled(0), denoise(expected[plane], trained_model).filled(0))


def test_other_types_are_refused(viewer, denoise_form, qtbot, noisy):
    viewer.add_image(noisy > 100, name="mask")
    denoise_form.denoise()
    assert denoise_form.status.value.startswith("mask holds bool: expected whole or floating numbers")


@pytest.mark.parametrize("lazy", [False, True])
def test_a_result_stays_when_its_source_is_changed_in_place(viewer, denoise_form, qtbot, stack, trained_model, lazy):
    data = stack.copy()
    viewer.add_image(data, name="series", contrast_limits=(0, 4095))
    denoise_form.lazy.value = lazy
    result = run(denoise_form, viewer, qtbot)
    data[:] = 7
    assert same(result.data, denoise(stack, trained_model))
    denoise_form.strength.value = 0.5
    assert same(result.data, denoise(stack, trained_model, strength=0.5))


def test_a_result_is_that_of_the_images_at_the_press(viewer, denoise_form, qtbot, noisy, trained_model):
    data = np.tile(noisy, (10, 1, 1))
    colours = np.stack([data[:3]] * 3, axis=-1)
    layers = [viewer.add_image(data, name="series"), viewer.add_image(colours, name="colours")]
    viewer.layers.selection = layers
    denoise_form.maps.removed.value = True
    denoise_form.denoise()
    qtbot.waitUntil(lambda: denoise_form.work.progress.value > 0)
    data[:] = colours[:] = 7
    qtbot.waitUntil(lambda: denoise_form.start.enabled)
    expected = denoise(np.tile(noisy, (10, 1, 1)), trained_model)[-1]
    assert same(by_start(viewer, "series denoised").data[-1], expected)
    assert same(by_start(viewer, "colours denoised").data[-1], denoise(noisy, trained_model))
    removed = by_start(viewer, "series removed structure")
    np.testing.assert_allclose(removed.data, removed_structure(noisy, expected).z, rtol=1e-4, atol=1e-4)


def test_an_image_stays_when_its_source_is_changed_in_place(viewer, denoise_form, qtbot, noisy, trained_model):
    data = noisy.copy()
    viewer.add_image(data, name="scan")
    result = run(denoise_form, viewer, qtbot)
    data[:] = 7
    denoise_form.strength.value = 0.5
    assert same(result.data, denoise(noisy, trained_model, strength=0.5))


def open_stack(viewer, folder, stack):
    folder.mkdir()
    for number, image in enumerate(stack):
        write_image(folder / f"scan{number}.png", image)
    (layer,) = viewer.open(folder, plugin="napari-dental-denoise")
    return layer


def test_a_denoised_folder_needs_its_files_no_more(viewer, denoise_form, qtbot, stack, trained_model, tmp_path):
    open_stack(viewer, tmp_path / "in", stack)
    result = run(denoise_form, viewer, qtbot)
    shutil.rmtree(tmp_path / "in")
    assert same(result.data, each_denoised(stack, trained_model))


def test_a_slice_that_has_changed_is_told_and_keeps_no_other_from_its_result(
    viewer, denoise_form, open_form, qtbot, stack, trained_model, tmp_path
):
    layer = open_stack(viewer, tmp_path / "in", stack)
    write_image(tmp_path / "in" / "scan1.png", stack[0], overwrite=True)
    os.utime(tmp_path / "in" / "scan1.png", ns=(1, 1))
    viewer.dims.set_point(0, 1)
    denoise_form.maps.error.value = denoise_form.maps.removed.value = True
    result = run(denoise_form, viewer, qtbot)
    said = "in: 1 image could not be read and came out black: scan1.png: has changed since it was opened: open it again"
    assert denoise_form.status.value.startswith(f"{said}. Done: in denoised")
    assert "The image on view has no map: it could not be read" in denoise_form.status.value
    assert same(result.data[::2], each_denoised(stack[::2], trained_model))
    assert not result.data[1].compute().any()
    with pytest.raises(OSError, match=r"scan1\.png: has changed since it was opened"):
        result.save(str(tmp_path / "out.tif"), plugin="napari-dental-denoise")
    again = run_on(denoise_form, result, viewer, qtbot)
    assert denoise_form.status.value.startswith("in denoised (model, 100 %): 1 image could not be read")
    viewer.layers.remove(again)
    shutil.rmtree(tmp_path / "in")
    count = len(viewer.layers)
    viewer.layers.selection = {layer}
    denoise_form.denoise()
    qtbot.waitUntil(lambda: denoise_form.start.enabled)
    assert denoise_form.status.value == "scan0.png: no such file"
    noise_form = open_form("Add noise")
    noise_form.add_noise()
    qtbot.waitUntil(lambda: noise_form.add.enabled)
    assert noise_form.status.value == "scan0.png: no such file"
    assert len(viewer.layers) == count
    with pytest.raises(OSError, match=r"scan0\.png: no such file"):
        layer.save(str(tmp_path / "out.tif"), plugin="napari-dental-denoise")
    assert not (tmp_path / "out.tif").exists()


def test_no_other_patients_image_is_shown_under_an_old_name(
    viewer, denoise_form, qtbot, stack, trained_model, tmp_path
):
    layer = open_stack(viewer, tmp_path / "in", stack)
    denoise_form.lazy.value = True
    result = run(denoise_form, viewer, qtbot)
    write_image(tmp_path / "in" / "scan2.png", stack[0], overwrite=True)
    os.utime(tmp_path / "in" / "scan2.png", ns=(1, 1))
    with notification_manager:
        shown = [np.asarray(each.data[2]) for each in (layer, result)]
        told = [notification.message for notification in notification_manager.records]
        denoise_form.strength.value = 0.5
        assert not np.asarray(result.data[2]).any()
        assert [notification.message for notification in notification_manager.records] == told
    assert not np.any(shown)
    assert any("Displayed as black: scan2.png: has changed since it was opened: open it again" in text for text in told)
    assert same(result.data[0], denoise(stack[0], trained_model, strength=0.5))


@pytest.mark.parametrize("library", ["h5py", "zarr"])
def test_a_lazy_result_of_changed_data_is_refused(viewer, denoise_form, qtbot, stack, trained_model, library, tmp_path):
    data = of_library(library, stack, tmp_path)
    viewer.add_image(data, name="series", contrast_limits=(0, 4095))
    denoise_form.lazy.value = True
    result = run(denoise_form, viewer, qtbot)
    data[2] = stack[0]
    with notification_manager:
        shown = np.asarray(result.data[2])
        told = [notification.message for notification in notification_manager.records]
    assert not shown.any()
    assert any(re.search("series, image 3, has changed since it was denoised: denoise it again", text) for text in told)
    data[2] = stack[2]
    assert same(result.data[2], denoise(stack[2], trained_model))
    if library == "h5py":
        data.file.close()
        with pytest.raises(InputError, match="series, image 1, cannot be read: "):
            Planes(result.data)[0]
