"""Detail map in the Denoise form: a layer over the image, a sentence, other spots, Cancel."""

import numpy as np
import pytest

from napari_dental_denoise import add_gaussian_noise, detail_map, phantom
from tests.plugin.conftest import record, same


@pytest.fixture
def noisy():
    return add_gaussian_noise((255 * phantom((160, 200), rng=0)).astype(np.uint8), 20 / 255, rng=1)


def run(form, viewer, qtbot):
    count = len(viewer.layers)
    form.map.native.click()
    assert not form.start.enabled
    qtbot.waitUntil(lambda: len(viewer.layers) > count and form.start.enabled)
    return viewer.layers[-1]


def test_the_map_lies_over_the_image_and_is_told_in_words(viewer, denoise_form, qtbot, noisy, trained_model):
    before = noisy.copy()
    layer = viewer.add_image(noisy, name="scan", scale=(0.03, 0.02), translate=(5, 7), units=("mm", "mm"))
    expected = detail_map(noisy, trained_model)
    shown = run(denoise_form, viewer, qtbot)
    assert shown.name == "scan contrast kept (%)"
    np.testing.assert_allclose(shown.data, 100 * np.clip(expected.share, 0, 1), atol=0.01)
    assert denoise_form.status.value == str(expected)
    assert "of its contrast here (median)" in denoise_form.status.value
    np.testing.assert_allclose(shown.extent.world, layer.extent.world)
    assert shown.contrast_limits == [0, 100]
    assert shown.colorbar.visible
    assert record(shown)["operation"] == "detail map"
    assert record(shown)["radius"] == 4
    np.testing.assert_array_equal(layer.data, before)


def test_the_canvas_is_red_where_nothing_is_kept_and_unchanged_where_all_is(viewer, denoise_form, qtbot, noisy):
    layer = viewer.add_image(noisy, name="scan")
    shown = run(denoise_form, viewer, qtbot)
    shown.colorbar.visible = False
    share = np.full(noisy.shape, 100, np.float32)
    share[:, :100] = 0
    shown.data = share
    qtbot.wait(200)
    with_map = viewer.screenshot(canvas_only=True, flash=False).astype(int)
    shown.visible = False
    qtbot.wait(200)
    without = viewer.screenshot(canvas_only=True, flash=False).astype(int)
    assert layer.visible
    middle = with_map.shape[1] // 2
    rows = slice(with_map.shape[0] // 2 - 20, with_map.shape[0] // 2 + 20)
    left, right = with_map[rows, middle - 60 : middle - 20], with_map[rows, middle + 20 : middle + 60]
    assert (left[..., 0] - left[..., 2]).mean() > 60
    np.testing.assert_allclose(right, without[rows, middle + 20 : middle + 60], atol=3)


def test_another_spot_and_strength(viewer, denoise_form, qtbot, noisy, trained_model):
    viewer.add_image(noisy, name="scan")
    denoise_form.radius.value, denoise_form.contrast.value, denoise_form.strength.value = 7.5, 4, 0.5
    shown = run(denoise_form, viewer, qtbot)
    sigma = record(shown)["sigma"]
    expected = detail_map(noisy, trained_model, radius=7.5, contrast=4 * sigma, strength=0.5)
    np.testing.assert_allclose(shown.data, 100 * np.clip(expected.share, 0, 1), atol=0.01)
    assert denoise_form.status.value.startswith("A spot of 7.5 px at 4 times the noise keeps ")


def test_of_a_stack_the_image_on_view_is_mapped(viewer, denoise_form, qtbot, noisy, trained_model):
    stack = np.stack([np.zeros_like(noisy), noisy, np.zeros_like(noisy)])
    viewer.add_image(stack, name="series", scale=(1, 0.03, 0.03))
    viewer.dims.set_point(0, 1)
    shown = run(denoise_form, viewer, qtbot)
    expected = detail_map(noisy, trained_model)
    np.testing.assert_allclose(shown.data, 100 * np.clip(expected.share, 0, 1), atol=0.01)
    assert same(shown.scale, (0.03, 0.03))


def test_cancel_leaves_no_layer_and_a_form_that_works(viewer, denoise_form, qtbot, noisy):
    viewer.add_image(np.tile(noisy, (8, 8)), name="large")
    denoise_form.map.native.click()
    qtbot.waitUntil(lambda: " tiles" in denoise_form.status.value)
    denoise_form.work.cancel.native.click()
    qtbot.waitUntil(lambda: denoise_form.start.enabled)
    assert denoise_form.status.value == "Cancelled; no image was changed"
    assert len(viewer.layers) == 1
    assert denoise_form.map.enabled


def test_without_an_image_it_says_so(viewer, denoise_form):
    denoise_form.map.native.click()
    assert denoise_form.status.value == "Open an image first"


def test_a_spot_that_is_larger_than_the_image_is_refused(viewer, denoise_form, qtbot):
    viewer.add_image(np.random.default_rng(0).integers(0, 255, (40, 60), np.uint8), name="small")
    denoise_form.radius.value = 30
    denoise_form.map.native.click()
    qtbot.waitUntil(lambda: denoise_form.start.enabled)
    assert denoise_form.status.value.startswith("The image is too small for a spot with a radius of 30 pixels")
    assert len(viewer.layers) == 1
