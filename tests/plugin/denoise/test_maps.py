"""Error map and removed structure in the Denoise form: layers over the image, in its grey values, and words."""

import numpy as np
import pytest

from napari_dental_denoise import (
    add_gaussian_noise,
    denoise_with_error,
    phantom,
    read_image,
    removed_structure,
    write_image,
)
from tests.plugin.conftest import record


@pytest.fixture
def noisy():
    return add_gaussian_noise((4095 * phantom((160, 200), rng=0)).astype(np.uint16), 0.1, rng=1)


def run(form, viewer, qtbot, layers):
    count = len(viewer.layers)
    form.start.native.click()
    qtbot.waitUntil(lambda: len(viewer.layers) == count + layers and form.start.enabled)
    return viewer.layers[count:]


def test_the_error_map_is_that_of_the_library_and_lies_over_the_image(
    viewer, denoise_form, qtbot, noisy, trained_model
):
    layer = viewer.add_image(noisy, name="scan", scale=(0.03, 0.02), translate=(5, 7), units=("mm", "mm"))
    denoise_form.maps.error.value, denoise_form.maps.share.value = True, 0.95
    result, shown = run(denoise_form, viewer, qtbot, 2)
    denoised, error = denoise_with_error(noisy, trained_model, share=0.95)
    assert (result.name, shown.name) == ("scan denoised (model, 100 %)", "scan error (95 %)")
    np.testing.assert_array_equal(result.data, denoised)
    np.testing.assert_allclose(shown.data, error, rtol=1e-5)
    np.testing.assert_allclose(shown.extent.world, layer.extent.world)
    assert shown.colorbar.visible
    assert record(shown)["operation"] == "error map"
    assert record(shown)["result"] == result.name
    assert record(shown)["share"] == 0.95


def test_the_error_map_is_cut_to_the_drawn_shapes(viewer, denoise_form, qtbot, noisy, trained_model):
    viewer.add_image(noisy, name="scan")
    viewer.add_shapes([[19.5, 29.5], [19.5, 89.5], [69.5, 89.5], [69.5, 29.5]], shape_type="polygon")
    denoise_form.maps.error.value = denoise_form.in_shapes.value = True
    _, shown = run(denoise_form, viewer, qtbot, 2)
    inside = np.zeros(noisy.shape, bool)
    inside[20:70, 30:90] = True
    np.testing.assert_array_equal(np.isfinite(shown.data), inside)
    np.testing.assert_allclose(shown.data[inside], denoise_with_error(noisy, trained_model)[1][inside], rtol=1e-5)


def test_maps_are_saved_with_their_result(viewer, denoise_form, qtbot, noisy, tmp_path):
    write_image(tmp_path / "scan.tif", noisy)
    viewer.open(str(tmp_path / "scan.tif"), plugin="napari-dental-denoise")
    denoise_form.maps.error.value = True
    result, shown = run(denoise_form, viewer, qtbot, 2)
    denoise_form.saving.button.native.click()
    qtbot.waitUntil(lambda: "Saved 2 files" in denoise_form.status.value)
    np.testing.assert_array_equal(read_image(tmp_path / f"{result.name}.tif"), result.data)
    np.testing.assert_array_equal(read_image(tmp_path / f"{shown.name}.tif"), shown.data)


def test_removed_structure_is_shown_and_told(viewer, denoise_form, qtbot, noisy):
    viewer.add_image(noisy, name="scan")
    denoise_form.maps.removed.value = True
    result, shown = run(denoise_form, viewer, qtbot, 2)
    expected = removed_structure(noisy, result.data)
    assert shown.name == "scan removed structure"
    np.testing.assert_allclose(shown.data, expected.z, atol=1e-5)
    assert denoise_form.status.value == f"Done: {result.name}. {expected}"
    assert shown.contrast_limits == pytest.approx([-2 * expected.threshold, 2 * expected.threshold])


def test_only_places_beyond_an_alarm_have_a_colour(viewer, denoise_form, qtbot, noisy):
    viewer.add_image(noisy, name="scan")
    denoise_form.maps.removed.value = True
    _, shown = run(denoise_form, viewer, qtbot, 2)
    limit = shown.contrast_limits[1] / 2
    colors = shown.colormap.map((np.array([-1.5, -0.9, 0, 0.9, 1.5]) * limit + 2 * limit) / (4 * limit))
    np.testing.assert_allclose(colors[1:4, 3], 0, atol=0.05)
    assert colors[0, 2] > colors[0, 0]
    assert colors[4, 0] > colors[4, 2]
    assert min(colors[0, 3], colors[4, 3]) > 0.4


def test_maps_of_a_preview_replace_those_of_the_one_before(viewer, denoise_form, qtbot, noisy):
    viewer.add_image(noisy, name="scan")
    denoise_form.visible_only.value = True
    denoise_form.maps.error.value = denoise_form.maps.removed.value = True
    run(denoise_form, viewer, qtbot, 3)
    viewer.scene.camera.zoom *= 2
    qtbot.wait(100)
    denoise_form.start.native.click()
    qtbot.waitUntil(lambda: denoise_form.start.enabled)
    names = ["scan", "scan denoised preview (model, 100 %)", "scan error (90 %)", "scan removed structure"]
    assert sorted(layer.name for layer in viewer.layers) == names
    shapes = {layer.data.shape for layer in viewer.layers if layer.name != "scan"}
    assert len(shapes) == 1
    assert shapes != {noisy.shape}


def test_of_a_stack_the_image_on_view_has_maps(viewer, denoise_form, qtbot, noisy, trained_model):
    stack = np.stack([noisy, noisy[::-1]])
    viewer.add_image(stack, name="stack")
    viewer.dims.set_current_step(0, 1)
    denoise_form.maps.error.value = denoise_form.maps.removed.value = True
    result, error, removed = run(denoise_form, viewer, qtbot, 3)
    assert result.data.shape == stack.shape
    assert error.data.shape == removed.data.shape == noisy.shape
    np.testing.assert_allclose(error.data, denoise_with_error(stack[1], trained_model)[1], rtol=0.05)


def test_another_strength_has_no_error_map(viewer, denoise_form, qtbot, noisy):
    viewer.add_image(noisy, name="scan")
    denoise_form.maps.error.value = True
    denoise_form.strength.value = 0.5
    denoise_form.denoise()
    assert denoise_form.status.value == "The error map holds for a strength of 1; it is 0.5"
    denoise_form.strength.value = 1
    run(denoise_form, viewer, qtbot, 2)
    denoise_form.strength.value = 0.7
    assert denoise_form.status.value == "The maps are those of a strength of 1"


def test_noise_that_the_model_was_not_calibrated_for_is_denoised_and_told(viewer, denoise_form, qtbot, noisy):
    viewer.add_image(np.repeat(np.repeat(noisy, 4, 0), 4, 1), name="scan")
    denoise_form.maps.error.value = True
    (result,) = run(denoise_form, viewer, qtbot, 1)
    assert denoise_form.status.value.startswith(f"Done: {result.name}. The error map of this model was not calibrated")
