"""Within drawn shapes only: outside of them, the result is the source, bit by bit."""

import dask.array as da
import numpy as np
import pytest

from napari_dental_denoise.plugin.denoise.classical import ClassicalEngine
from tests.plugin.conftest import record, same

INSIDE = (slice(31, 80), slice(41, 120))
BOX = [[30.5, 40.5], [30.5, 119.5], [79.5, 119.5], [79.5, 40.5]]


class HalfGrey(ClassicalEngine):
    """An engine that halves every grey value, so that each denoised pixel differs from its source."""

    def __init__(self):
        super().__init__(lambda image, _sigma: image / 2)


@pytest.fixture
def form(open_form, monkeypatch):
    monkeypatch.setattr("napari_dental_denoise.plugin.denoise.layer.classical_engine", lambda _model: HalfGrey())
    form = open_form("Denoise")
    form.model.value = next(choice for choice in form.model.choices if str(choice) == "median")
    form.in_shapes.value = True
    return form


def press(form, viewer, qtbot):
    count = len(viewer.layers)
    form.start.native.click()
    qtbot.waitUntil(lambda: len(viewer.layers) > count and form.start.enabled)
    return viewer.layers[-1]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_only_pixels_inside_change(viewer, form, qtbot, noisy, dtype):
    scan = viewer.add_image(noisy.astype(dtype) * 1.1 if dtype == np.float64 else noisy.astype(dtype), name="scan")
    scan.scale = (0.1, 0.1)
    viewer.add_shapes([np.multiply(BOX, 0.1)], shape_type="polygon")
    result = press(form, viewer, qtbot)
    changed = np.asarray(result.data) != scan.data
    assert changed[INSIDE].mean() > 0.95
    changed[INSIDE] = False
    assert not changed.any()
    assert record(result)["region"] == "drawn shapes"
    form.strength.value = 0.5
    changed = np.asarray(result.data) != scan.data
    assert changed[INSIDE].any()
    assert changed.sum() == changed[INSIDE].sum()


@pytest.mark.parametrize("lazy", [False, True])
def test_a_shape_belongs_to_its_image_of_a_stack(viewer, form, qtbot, noisy, lazy):
    stack = np.stack([noisy] * 3)
    viewer.add_image(da.from_array(stack, chunks=(1, -1, -1)) if lazy else stack, name="series")
    viewer.dims.set_point(0, 1)
    viewer.add_shapes([[[1, *corner] for corner in BOX]], shape_type="polygon")
    form.lazy.value = lazy
    result = press(form, viewer, qtbot)
    assert same(result.data[0], noisy)
    assert same(result.data[2], noisy)
    changed = np.asarray(result.data[1]) != noisy
    assert changed[INSIDE].mean() > 0.95
    assert changed.sum() == changed[INSIDE].sum()


def test_a_preview_has_the_shapes_in_their_place(viewer, form, qtbot, noisy):
    scan = viewer.add_image(noisy, name="scan")
    viewer.add_shapes([BOX], shape_type="polygon")
    viewer.scene.camera.zoom *= 2
    before = scan.corner_pixels.copy()
    viewer.scene.camera.center = (0, 50, 70)
    qtbot.waitUntil(lambda: not np.array_equal(scan.corner_pixels, before))
    form.visible_only.value = True
    result = press(form, viewer, qtbot)
    top, left = np.round(np.asarray(scan.world_to_data(result.data_to_world((0, 0))))).astype(int)
    height, width = result.data.shape
    assert (height, width) != noisy.shape
    changed = np.zeros(noisy.shape, bool)
    changed[top : top + height, left : left + width] = result.data != noisy[top : top + height, left : left + width]
    assert changed.any()
    assert changed.sum() == changed[INSIDE].sum()


def test_without_a_shape_it_says_what_to_do_until_one_is_drawn(viewer, form, noisy):
    viewer.add_image(noisy, name="scan")
    form.start.native.click()
    assert form.status.value == "Draw a closed shape in a Shapes layer first, or denoise the whole image"
    assert len(viewer.layers) == 1
    drawing = viewer.add_shapes()
    assert form.status.value.startswith("Draw a closed shape")
    drawing.add_rectangles([[10, 10], [40, 40]])
    assert not form.status.value
