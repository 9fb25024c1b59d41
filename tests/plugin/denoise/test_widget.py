"""Denoise form: types, appearance of the result, strength, preview, cancel, and errors before any work."""

import re
import shutil
import subprocess
import sys
import threading

import dask.array as da
import numpy as np
import pytest
from napari.layers import Image
from napari.settings import get_settings
from napari.utils.notifications import notification_manager

from napari_dental_denoise import (
    SelfEnsemble,
    add_correlated_noise,
    add_gaussian_noise,
    denoise,
    load_engine,
    phantom,
    psnr,
    read_image,
    write_image,
)
from napari_dental_denoise.batch import run as run_module
from napari_dental_denoise.inference import engine as engine_module
from napari_dental_denoise.models.pretrained import STARTERS
from napari_dental_denoise.plugin.denoise.lazy import MAX_CACHED
from napari_dental_denoise.plugin.models.known import recent_models, remember_model
from napari_dental_denoise.plugin.shared.form import ERROR_STYLE
from napari_dental_denoise.plugin.shared.layers import visible_window
from tests.plugin.conftest import PATIENCE_S, HeldStack, record, same, zoom_in

SUFFIX = " denoised (model, 100 %)"
PREVIEW = "scan denoised preview (model, 100 %)"


def run(form, viewer, qtbot):
    count = len(viewer.layers)
    form.denoise()
    qtbot.waitUntil(lambda: len(viewer.layers) > count and form.start.enabled)
    return viewer.layers[-1]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_each_type_gets_better_and_looks_as_before(viewer, denoise_form, qtbot, radiographs, trained_model, dtype):
    scale = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
    clean = (radiographs[7] / 255 * scale).astype(dtype)
    noisy = add_gaussian_noise(clean, 0.1, rng=0).astype(dtype)
    before = noisy.copy()
    look = {
        "scale": (0.03, 0.02),
        "translate": (5, 7),
        "units": ("mm", "mm"),
        "axis_labels": ("y", "x"),
        "colormap": "gray_r",
        "contrast_limits": (scale * 0.1, scale * 0.8),
        "gamma": 0.7,
        "blending": "additive",
    }
    layer = viewer.add_image(noisy, name="scan 12", **look)
    result = run(denoise_form, viewer, qtbot)
    assert result.name == "scan 12" + SUFFIX
    assert result.dtype == dtype
    for name in ("scale", "translate", "units", "axis_labels"):
        assert same(getattr(result, name), getattr(layer, name))
    assert result.colormap.name == "gray_r"
    assert result.contrast_limits == layer.contrast_limits
    assert (result.gamma, result.blending) == (0.7, "additive")
    assert same(result.data, denoise(noisy, trained_model))
    assert psnr(clean, result.data, data_range=scale) > psnr(clean, noisy, data_range=scale) + 6
    np.testing.assert_array_equal(layer.data, before)
    assert record(result)["model"] == trained_model.name
    assert len(record(result)["model_sha256"]) == 64


@pytest.mark.parametrize("lazy", [False, True])
def test_a_scaled_stack(viewer, denoise_form, qtbot, radiographs, trained_model, lazy):
    stack = add_gaussian_noise(np.stack(radiographs[:3]), 0.1, rng=0)
    data = da.from_array(stack, chunks=(1, -1, -1)) if lazy else stack
    viewer.add_image(data, name="series", scale=(1, 0.03, 0.03))
    result = run(denoise_form, viewer, qtbot)
    assert result.data.shape == stack.shape
    assert same(result.scale, (1, 0.03, 0.03))
    # Images of a lazy stack have scales of their own, which do not matter but for rounding.
    difference = np.asarray(result.data).astype(int) - denoise(stack, trained_model)
    assert np.abs(difference).max() <= int(lazy)


def test_the_screen_shows_the_denoised_pixels(viewer, denoise_form, qtbot, noisy):
    viewer.add_image(noisy, name="scan")
    qtbot.wait(200)
    before = viewer.screenshot(canvas_only=True, flash=False)[..., 0].astype(float)
    run(denoise_form, viewer, qtbot)
    qtbot.wait(200)
    after = viewer.screenshot(canvas_only=True, flash=False)[..., 0].astype(float)
    roughness = [np.abs(np.diff(image, axis=1)).mean() for image in (before, after)]
    assert roughness[1] < 0.6 * roughness[0]


def test_of_a_thousand_images_only_those_looked_at_are_denoised(viewer, denoise_form, qtbot, radiographs):
    computed = []

    def frame(index):
        computed.append(int(index[0]))
        return np.roll(radiographs[7], int(index[0]), 1)[np.newaxis]

    shape = radiographs[7].shape
    data = da.map_blocks(
        frame, da.arange(1000, chunks=1), dtype=np.uint8, chunks=((1,) * 1000, *((side,) for side in shape)),
        new_axis=(1, 2), meta=np.empty((0, 0, 0), np.uint8),
    )  # fmt: skip
    archive = viewer.add_image(data, name="archive", contrast_limits=(0, 255))
    denoise_form.lazy.value = True
    result = run(denoise_form, viewer, qtbot)
    assert result.data.shape == (1000, *shape)
    archive.visible = False
    # The form may still be estimating the noise of the image on view.
    at_first = int(viewer.dims.point[0])
    computed.clear()
    looked_at = range(600, 600 + MAX_CACHED + 4)
    for index in looked_at:
        viewer.dims.set_point(0, index)
        qtbot.waitUntil(lambda index=index: computed.count(index) > 0)
    assert set(computed) - {at_first} == set(looked_at)
    # What was looked at last is kept; what fell out of the cache is worked out again.
    for index, again in ((looked_at[-1], 0), (looked_at[0], 1)):
        before = computed.count(index)
        np.asarray(result.data[index])
        assert computed.count(index) == before + again


def test_scrolling_need_not_wait(viewer, denoise_form, qtbot, radiographs, trained_model, monkeypatch):
    monkeypatch.setattr(get_settings().experimental, "async_", True)
    stack = HeldStack(add_gaussian_noise(np.stack(radiographs), 0.1, rng=0))
    viewer.add_image(stack.array(), name="series", contrast_limits=(0, 255))
    denoise_form.lazy.value = True
    result = run(denoise_form, viewer, qtbot)
    viewer.dims.set_current_step(0, 6)
    assert not result.loaded
    stack.released.set()
    qtbot.waitUntil(lambda: all(layer.loaded for layer in viewer.layers))
    assert same(result._slice.image.raw, denoise(stack.images[6], trained_model))


def test_the_strength_acts_at_once_on_the_result(viewer, denoise_form, qtbot, noisy, trained_model):
    viewer.add_image(noisy, name="scan")
    result = run(denoise_form, viewer, qtbot)
    for strength in (0.0, 0.5):
        denoise_form.strength.value = strength
        assert same(result.data, denoise(noisy, trained_model, strength=strength))
        assert record(result)["strength"] == strength
        assert result.name == f"scan denoised (model, {100 * strength:.0f} %)"
    assert len(viewer.layers) == 2
    result.name = "mine"
    denoise_form.strength.value = 0.8
    assert result.name == "mine"


def test_a_result_names_its_model_and_how_its_source_was_made(viewer, denoise_form, qtbot, noisy):
    made = {"operation": "add noise", "kind": "gaussian", "version": "1"}
    viewer.add_image(noisy, name="scan noisy", metadata={"napari_dental_denoise": made})
    denoise_form.self_ensemble.value = True
    denoise_form.strength.value = 0.8
    result = run(denoise_form, viewer, qtbot)
    assert result.name == "scan noisy denoised (model, 80 %, self-ensemble)"
    assert record(result)["source"] == {"layer": "scan noisy", **made}


def test_the_self_ensemble_averages_orientations(viewer, denoise_form, qtbot, noisy, trained_model):
    viewer.add_image(noisy, name="scan")
    denoise_form.self_ensemble.value = True
    result = run(denoise_form, viewer, qtbot)
    assert same(result.data, denoise(noisy, SelfEnsemble(load_engine(trained_model))))
    assert not same(result.data, denoise(noisy, trained_model))
    assert record(result)["self_ensemble"] is True


def test_the_visible_region_becomes_a_preview_in_its_place(viewer, denoise_form, qtbot, noisy):
    layer = viewer.add_image(noisy, name="scan", scale=(0.5, 0.5), translate=(10, 20))
    zoom_in(viewer, layer, qtbot)
    denoise_form.visible_only.value = True
    preview = run(denoise_form, viewer, qtbot)
    assert preview.name == PREVIEW
    assert preview.data.size < noisy.size / 4
    corner = layer.world_to_data(preview.translate)
    assert same(np.rint(corner), corner)
    run_again = denoise_form.denoise
    run_again()
    qtbot.waitUntil(lambda: denoise_form.start.enabled)
    assert [other.name for other in viewer.layers] == ["scan", PREVIEW]


@pytest.mark.parametrize("lazy", [False, True])
def test_a_preview_of_a_dark_part_is_a_part_of_the_result(viewer, denoise_form, qtbot, radiographs, lazy):
    dark = add_gaussian_noise((radiographs[7] / 255 * 0.2 * 4095).astype(np.uint16), 0.1, rng=0)
    dark[:10, :10] = 4095
    stack = np.stack([dark, dark])
    data = da.from_array(stack, chunks=(1, -1, -1)) if lazy else dark
    zoom_in(viewer, viewer.add_image(data, name="scan", contrast_limits=(0, 4095)), qtbot)
    denoise_form.visible_only.value = True
    preview = run(denoise_form, viewer, qtbot)
    assert preview.data.size < dark.size / 4
    shown, (rows, columns) = preview.data.astype(int), preview.data.shape
    top, left = np.rint(preview.translate).astype(int)
    denoise_form.visible_only.value = False
    result = np.asarray(run(denoise_form, viewer, qtbot).data)
    whole = result[0] if lazy else result
    half_a_grey_level = 4095 / 255 / 2
    assert np.abs(whole[top : top + rows, left : left + columns] - shown).max() <= half_a_grey_level


def test_a_preview_takes_the_place_of_the_last_one_whatever_it_is_called(viewer, denoise_form, qtbot, noisy):
    viewer.add_image(noisy, name="scan")
    run(denoise_form, viewer, qtbot)
    denoise_form.visible_only.value = True
    run(denoise_form, viewer, qtbot).name = "before"
    for _ in range(2):
        denoise_form.denoise()
        qtbot.waitUntil(lambda: denoise_form.start.enabled)
    assert [layer.name for layer in viewer.layers] == ["scan", "scan" + SUFFIX, PREVIEW]


@pytest.mark.parametrize(
    ("turn", "stack"),
    [
        ({"rotate": 30}, False),
        ({"rotate": -60, "shear": [0.3]}, True),
        ({"affine": [[0, -2, 9], [1, 0.1, 3], [0, 0, 1]]}, False),
    ],
)
def test_a_preview_of_a_turned_layer_lies_in_its_place(viewer, denoise_form, qtbot, noisy, turn, stack):
    if stack:
        layer = viewer.add_image(np.stack([noisy] * 2), name="scan", scale=(1, 0.5, 0.25))
        layer.affine = np.block([[np.eye(1), np.zeros((1, 3))], [np.zeros((3, 1)), _matrix(turn)]])
    else:
        layer = viewer.add_image(noisy, name="scan", scale=(0.5, 0.25), translate=(10, 20), **turn)
    viewer.reset_view()
    zoom_in(viewer, layer, qtbot)
    denoise_form.visible_only.value = True
    preview = run(denoise_form, viewer, qtbot)
    height, width = preview.data.shape
    rows, columns = visible_window(layer, viewer.dims)
    assert (height, width) == (rows.stop - rows.start, columns.stop - columns.start)
    for row, column in ((0, 0), (height, 0), (3, width)):
        place = (0,) * stack + (rows.start + row, columns.start + column)
        np.testing.assert_allclose(preview.data_to_world((row, column)), layer.data_to_world(place)[-2:], atol=1e-6)


def test_a_preview_of_a_section_is_refused(viewer, denoise_form, qtbot, noisy):
    viewer.add_image(np.stack([noisy] * 3), name="series")
    viewer.dims.roll()
    denoise_form.visible_only.value = True
    denoise_form.denoise()
    assert denoise_form.status.value.startswith("The canvas shows a section of series, not an image")
    assert len(viewer.layers) == 1


def _matrix(turn):
    layer = Image(np.zeros((4, 4)), **turn)
    origin = np.asarray(layer.data_to_world((0, 0)))
    columns = [np.asarray(layer.data_to_world(step)) - origin for step in ((1, 0), (0, 1))]
    return np.block([[np.column_stack(columns), origin[:, None]], [np.array([[0.0, 0.0, 1.0]])]])


def test_the_strength_for_another_image_leaves_the_result_alone(viewer, denoise_form, qtbot, noisy, trained_model):
    first = viewer.add_image(noisy, name="first")
    result = run(denoise_form, viewer, qtbot)
    expected = denoise(noisy, trained_model)
    second = viewer.add_image(noisy[::-1].copy(), name="second")
    denoise_form.image.value = second
    denoise_form.strength.value = 0.3
    assert same(result.data, expected)
    assert record(result)["strength"] == 1
    denoise_form.image.value = first
    denoise_form.model.value = STARTERS[0]
    denoise_form.strength.value = 0.4
    assert same(result.data, expected)
    denoise_form.model.value = trained_model
    denoise_form.strength.value = 0.5
    assert same(result.data, denoise(noisy, trained_model, strength=0.5))


def test_several_forms_fit_a_small_screen(viewer, open_form, qtbot):
    for name in ("Denoise", "Compare", "Train", "Add noise"):
        open_form(name)
    qtbot.waitUntil(lambda: viewer.window._qt_window.minimumSizeHint().height() <= 700)


def test_a_folder_of_which_nothing_could_be_done_is_a_problem(viewer, denoise_form, qtbot, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "bad.png").write_bytes(b"no image")
    with notification_manager:
        denoise_form.denoise_folder(tmp_path / "in", tmp_path / "out")
        qtbot.waitUntil(lambda: denoise_form.folder.enabled)
        told = [notification.message for notification in notification_manager.records]
    assert denoise_form.status.native.styleSheet() == ERROR_STYLE
    assert not denoise_form.open_results.button.visible
    assert any("1 image failed: bad.png: is not an image" in message for message in told)


def test_a_stack_is_denoised_image_by_image_as_it_is_looked_at(viewer, denoise_form, qtbot, radiographs, trained_model):
    stack = add_gaussian_noise(np.stack(radiographs), 0.1, rng=0)
    read = []
    data = da.map_blocks(
        lambda index: read.append(int(index[0])) or stack[index], da.arange(8, chunks=1),
        dtype=stack.dtype, chunks=((1,) * 8, (160,), (200,)), new_axis=(1, 2), meta=np.empty((0, 0, 0), stack.dtype),
    )  # fmt: skip
    viewer.add_image(data, name="series", contrast_limits=(0, 255))
    read.clear()
    denoise_form.lazy.value = True
    result = run(denoise_form, viewer, qtbot)
    viewer.dims.set_current_step(0, 5)
    assert set(read) <= {3, 4, 5}, "the image on view and those that were scrolled to"
    assert same(result.data[5], denoise(stack[5], trained_model))
    denoise_form.strength.value = 0.5
    assert same(result.data[5], denoise(stack[5], trained_model, strength=0.5))
    # The strength needs no new look at the file: it is kept, with its noise.
    assert read.count(5) <= 2


def test_a_folder_is_denoised_into_another_and_gone_on_with(viewer, denoise_form, qtbot, folder, tmp_path, radiographs):
    (folder / "bad.png").write_bytes(b"no image")
    write_image(folder / "more" / "last.tif", radiographs[0])
    denoise_form.denoise_folder(folder, tmp_path / "results")
    assert not denoise_form.folder.enabled
    assert not denoise_form.open_results.button.visible
    qtbot.waitUntil(lambda: denoise_form.folder.enabled)
    assert denoise_form.status.value == "9 images denoised in results, 1 failed, see results.csv beside it"
    assert (tmp_path / "results" / "more" / "last.tif").exists()
    denoise_form.denoise_folder(folder, tmp_path / "results")
    qtbot.waitUntil(lambda: denoise_form.folder.enabled)
    assert (
        denoise_form.status.value == "0 images denoised in results, 9 already done, 1 failed, see results.csv beside it"
    )
    denoise_form.open_results.button.native.click()
    assert [layer.data.shape[0] for layer in viewer.layers] == [8, 160]
    assert same(viewer.layers[1].data, read_image(tmp_path / "results" / "more" / "last.tif"))
    denoise_form.denoise_folder(folder, folder / "out")
    qtbot.waitUntil(lambda: denoise_form.folder.enabled)
    assert "lies in the input folder" in denoise_form.status.value
    assert not (folder / "out").exists()


def test_cancel_stops_a_folder_and_the_next_run_goes_on(viewer, denoise_form, qtbot, folder, tmp_path, monkeypatch):
    released = threading.Event()
    process_item = run_module.process_item

    def process_released(item, *arguments, **settings):
        assert item.number < 3 or released.wait(PATIENCE_S)
        return process_item(item, *arguments, **settings)

    monkeypatch.setattr(run_module, "process_item", process_released)
    denoise_form.denoise_folder(folder, tmp_path / "out")
    qtbot.waitUntil(lambda: denoise_form.work.progress.value > 2)
    denoise_form.work.stop()
    released.set()
    qtbot.waitUntil(lambda: denoise_form.folder.enabled)
    done = len(list((tmp_path / "out").iterdir()))
    assert 3 <= done <= 4
    denoise_form.denoise_folder(folder, tmp_path / "out")
    qtbot.waitUntil(lambda: denoise_form.folder.enabled)
    assert denoise_form.status.value == f"{8 - done} images denoised in out, {done} already done"


def test_cancel_leaves_everything_as_it_was(viewer, denoise_form, qtbot, radiographs):
    # Wider than a tile: smaller images are read several at a time.
    stack = HeldStack([np.tile(image[:40], (1, 6)) for image in radiographs])
    viewer.add_image(stack.array(), name="many", contrast_limits=(0, 255))
    denoise_form.denoise()
    qtbot.waitUntil(lambda: denoise_form.work.progress.value > 1)
    assert not denoise_form.start.enabled
    denoise_form.work.stop()
    stack.released.set()
    qtbot.waitUntil(lambda: denoise_form.start.enabled)
    assert denoise_form.status.value == "Cancelled; no image was changed"
    assert len(viewer.layers) == 1


def test_closing_the_dock_stops_the_work(viewer, denoise_form, qtbot, radiographs):
    viewer.add_image(np.stack(radiographs * 40), name="many")
    denoise_form.denoise()
    worker = denoise_form.work._worker
    viewer.window.remove_dock_widget(denoise_form.native)
    qtbot.waitUntil(lambda: not worker.is_running)
    assert len(viewer.layers) == 1


@pytest.mark.parametrize(
    ("add", "message"),
    [
        (lambda viewer: None, "Open an image first"),
        (
            lambda viewer: viewer.add_image(np.eye(3, dtype=np.uint8)[np.eye(20, dtype=int)], name="photo", rgb=True),
            (
                "photo is a colour image: convert it to grey first, by Split RGB in the menu of the layer, or open "
                "its file with Dental Denoise"
            ),
        ),
        (
            lambda viewer: viewer.add_image(np.zeros((2, 20, 3)), name="slit", rgb=False),
            (
                "slit: expected grey images; received colour of shape (2, 20, 3): convert it to grey first, or take "
                "one channel, image[..., 0], where all are equal"
            ),
        ),
        (
            lambda viewer: viewer.add_image(np.zeros((20, 20), bool), name="counts"),
            "counts holds bool: expected whole or floating numbers",
        ),
        (
            lambda viewer: viewer.add_image(np.full((20, 20), np.nan), name="holes", contrast_limits=(0, 1)),
            "The image contains invalid pixels (NaN): replace them first",
        ),
    ],
)
def test_what_cannot_be_denoised_gets_its_reason(viewer, denoise_form, qtbot, add, message):
    add(viewer)
    count = len(viewer.layers)
    denoise_form.denoise()
    qtbot.waitUntil(lambda: denoise_form.start.enabled and denoise_form.status.value == message)
    assert len(viewer.layers) == count


@pytest.mark.parametrize("cause", ["no image", "strength"])
def test_a_message_goes_with_its_cause(viewer, denoise_form, noisy, cause):
    if cause == "strength":
        viewer.add_image(noisy)
        denoise_form.strength.value = 0.5
        denoise_form.maps.error.value = True
    denoise_form.start.native.click()
    assert denoise_form.status.value
    if cause == "strength":
        denoise_form.strength.value = 1
    else:
        viewer.add_image(noisy)
    assert denoise_form.status.value == ""


def test_a_bad_model_gets_its_reason(viewer, open_form, qtbot, noisy, tmp_path):
    (tmp_path / "bad.keras").write_bytes(b"x")
    viewer.add_image(noisy, name="scan")
    form = open_form("Denoise")
    form.use_model(tmp_path / "bad.keras")
    reason = "bad.keras: expected a .keras model file, which is a zip; this one is not"
    assert form.card.value == reason
    form.denoise()
    qtbot.waitUntil(lambda: form.start.enabled and form.status.value == reason)
    assert len(viewer.layers) == 1


@pytest.mark.quick
def test_the_first_click_works_with_the_models_of_the_package(viewer, open_form, qtbot, radiographs, noisy):
    viewer.add_image(noisy, name="scan")
    form = open_form("Denoise")
    assert form.model.value == STARTERS[0]
    for model in STARTERS:
        form.model.value = model
        assert "not for diagnosis" in form.card.value
        result = run(form, viewer, qtbot)
        assert psnr(radiographs[7], result.data, data_range=255) > psnr(radiographs[7], noisy, data_range=255) + 8
        viewer.layers.remove(result)


def test_a_model_that_was_used_is_offered_again(viewer, denoise_form, open_form, qtbot, noisy, trained_model):
    viewer.add_image(noisy, name="scan")
    run(denoise_form, viewer, qtbot)
    viewer.window.remove_dock_widget(denoise_form.native)
    again = open_form("Denoise")
    assert trained_model.resolve() in again.model.choices


def test_a_model_that_is_used_often_leaves_the_others_in_the_list(trained_model, tmp_path):
    paths = [shutil.copy(trained_model, tmp_path / f"{number}.keras").resolve() for number in range(3)]
    for path in [*paths, *[paths[1]] * 60]:
        remember_model(path)
    assert recent_models() == [paths[1], paths[2], paths[0]]


def test_models_of_one_name_can_be_told_apart(denoise_form, trained_model, tmp_path):
    for name in ("a/mine.keras", "b/mine.keras", "b/starter.keras"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        shutil.copy(trained_model, path)
        denoise_form.use_model(path)
        assert denoise_form.model.value == path
    box = denoise_form.model.native
    shown = {box.itemText(index) for index in range(box.count())}
    assert {"starter", "starter (b)", "mine (a)", "mine (b)"} <= shown


def test_the_window_never_loads_tensorflow(trained_model, tmp_path):
    code = f"""
import sys, napari, numpy
from pathlib import Path
viewer = napari.Viewer(show=True)
viewer.add_image(numpy.zeros((64, 64), 'uint8'))
for name in ('Add noise', 'Train', 'Compare', 'Denoise'):
    form = viewer.window.add_plugin_dock_widget('napari-dental-denoise', name)[1]
form.use_model(Path({str(trained_model)!r}))
assert 'openvino' not in sys.modules
form.denoise()
from qtpy.QtWidgets import QApplication
canvas = viewer.window._qt_viewer.canvas.native
while len(viewer.layers) < 2 or not canvas.isValid():
    QApplication.processEvents()
viewer.screenshot(flash=False)
assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules
viewer.close()
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert result.returncode == 0, result.stderr


def test_the_noise_of_the_image_on_view_is_told(viewer, open_form, qtbot):
    clean = phantom((300, 400), rng=0)
    faint, strong = (add_correlated_noise(clean, sigma / 255, 1.0, rng=0) for sigma in (8, 30))
    viewer.add_image(np.stack([faint, strong]), name="series")
    form = open_form("Denoise")

    def told(sigma):
        found = re.match(r"Noise: about ([\d.]+) grey levels, correlated over ([\d.]+) px", form.noise.label.value)
        level, length = map(float, found.groups()) if found else (0, 0)
        return level == pytest.approx(sigma, rel=0.15) and length == pytest.approx(2, rel=0.25)

    viewer.dims.set_point(0, 0)
    qtbot.waitUntil(lambda: told(8))
    viewer.dims.set_point(0, 1)
    qtbot.waitUntil(lambda: told(30))
    viewer.layers.clear()
    qtbot.waitUntil(lambda: form.noise.label.value == "")


def test_several_selected_layers_are_denoised_in_one_press(viewer, denoise_form, qtbot, radiographs, trained_model):
    layers = [viewer.add_image(image, name=f"scan {index}") for index, image in enumerate(radiographs[:3])]
    viewer.layers.selection.active = layers[0]
    viewer.layers.selection.add(layers[2])
    denoise_form.start.native.click()
    qtbot.waitUntil(lambda: len(viewer.layers) == 5 and denoise_form.start.enabled)
    for name, image in (("scan 0", radiographs[0]), ("scan 2", radiographs[2])):
        assert same(viewer.layers[name + SUFFIX].data, denoise(image, trained_model))
    assert denoise_form.status.value == f"Done: scan 0{SUFFIX}, scan 2{SUFFIX}"
    denoise_form.strength.value = 0
    for name, image in (("scan 0", radiographs[0]), ("scan 2", radiographs[2])):
        assert same(viewer.layers[f"{name} denoised (model, 0 %)"].data, image)


def test_a_selected_layer_that_cannot_be_denoised_does_not_keep_others_from_it(
    viewer, denoise_form, qtbot, noisy, trained_model
):
    broken = np.where(np.eye(*noisy.shape), np.nan, noisy)
    colour = np.stack([noisy, noisy, 255 - noisy], axis=-1)
    layers = [
        viewer.add_image(image, name=name) for name, image in {"photo": colour, "broken": broken, "scan": noisy}.items()
    ]
    viewer.add_points(name="landmarks")
    viewer.layers.select_all()
    denoise_form.start.native.click()
    qtbot.waitUntil(lambda: denoise_form.start.enabled)
    assert [layer.name for layer in viewer.layers][4:] == [f"scan{SUFFIX}"]
    assert same(viewer.layers[-1].data, denoise(noisy, trained_model))
    said = denoise_form.status.value
    assert said.startswith(
        "broken: the image contains invalid pixels (NaN): replace them first. photo is a colour image"
    )
    assert f". Done: scan{SUFFIX}" in said
    viewer.layers.selection = {layers[1]}
    denoise_form.start.native.click()
    qtbot.waitUntil(lambda: denoise_form.start.enabled)
    assert len(viewer.layers) == 5
    assert denoise_form.status.value.startswith("The image contains invalid pixels (NaN)")


def test_cancel_stops_all_selected_layers(viewer, denoise_form, qtbot, radiographs):
    layers = [viewer.add_image(np.tile(image, (8, 8)), name="large") for image in radiographs[:2]]
    viewer.layers.selection.active = layers[0]
    viewer.layers.selection.add(layers[1])
    denoise_form.start.native.click()
    denoise_form.work.cancel.native.click()
    qtbot.waitUntil(lambda: denoise_form.start.enabled)
    assert len(viewer.layers) == 2
    assert denoise_form.status.value == "Cancelled; no image was changed"


def test_a_model_is_ready_before_the_first_press_once_the_mouse_comes_to_the_form(
    viewer, denoise_form, qtbot, trained_model, noisy, tmp_path, monkeypatch
):
    own = tmp_path / "own.keras"
    shutil.copy(trained_model, own)
    viewer.add_image(noisy, name="scan")
    denoise_form.use_model(own)
    loaded = []
    monkeypatch.setattr(engine_module, "load_engine", lambda *given: loaded.append(given) or load_engine(*given))
    qtbot.mouseMove(viewer.window._qt_viewer)
    qtbot.mouseMove(denoise_form.start.native)
    qtbot.waitUntil(
        lambda: len(loaded) == 1 and not any(thread.name == "prepare engine" for thread in threading.enumerate())
    )
    assert run(denoise_form, viewer, qtbot).name == "scan denoised (own, 100 %)"
    assert len(loaded) == 1
