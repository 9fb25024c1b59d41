"""The Compare form in a real viewer."""

import numpy as np
import pytest
from vispy.app.canvas import MouseEvent

from napari_dental_denoise.evaluation.metrics import psnr, ssim
from napari_dental_denoise.plugin.shared.form import MINIMUM_WIDTH

SHAPE = (100, 150)


@pytest.fixture
def images():
    """A clean, a noisy and a denoised 8-bit image."""
    rng = np.random.default_rng(0)
    clean = np.add.outer(np.arange(SHAPE[0]), np.arange(SHAPE[1])).astype(np.uint8)
    noisy = np.clip(clean + rng.normal(0, 20, SHAPE), 0, 255).astype(np.uint8)
    denoised = np.clip(clean + rng.normal(0, 5, SHAPE), 0, 255).astype(np.uint8)
    return {"scan": clean, "scan gaussian": noisy, "scan gaussian denoised": denoised}


@pytest.fixture
def form(viewer, qtbot, images):
    """The form in the dock of a viewer with three layers; all is at rest before and after."""
    from napari_dental_denoise.plugin.compare.widget import CompareWidget

    for name, image in images.items():
        viewer.add_image(image.copy(), name=name, contrast_limits=(0, 255))
    widget = CompareWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Compare")
    rest(qtbot, widget)
    yield widget
    rest(qtbot, widget)


def rest(qtbot, widget):
    qtbot.waitUntil(lambda: not widget.busy)


def viewer_of(widget):
    return widget._viewer


def temporary_layers(widget):
    return [layer.name for layer in viewer_of(widget).layers if "|" in layer.name or "edge" in layer.name]


def cells(widget, row):
    return [widget.table.item(row, column).text() for column in range(widget.table.columnCount())]


def test_layers_are_guessed_by_their_names(form):
    names = [combo.layer.name for combo in (form.reference, form.first, form.second)]
    assert names == ["scan", "scan gaussian", "scan gaussian denoised"]
    assert form.status.value == ""
    assert form.wipe.isEnabled()


def test_combos_follow_the_layers(form, qtbot, images):
    viewer = viewer_of(form)
    viewer.layers["scan gaussian denoised"].name = "better"
    assert form.second.currentText() == "better"
    viewer.add_labels(np.zeros(SHAPE, int), name="labels")
    assert form.first.findText("labels") == -1
    viewer.layers.remove("scan gaussian")
    assert form.first.findText("scan gaussian") == -1
    rest(qtbot, form)


def test_a_choice_by_hand_is_kept(form, qtbot, images):
    form.first.setCurrentText("scan")
    form.first.activated.emit(form.first.currentIndex())
    viewer_of(form).add_image(images["scan"].copy(), name="scan gaussian other denoised")
    assert form.first.currentText() == "scan"
    rest(qtbot, form)
    assert form.status.value == "The same layer is chosen twice"


def test_scores_equal_the_metrics(form, images):
    clean, noisy, denoised = images.values()
    for row, image in enumerate((noisy, denoised)):
        whole = [f"{psnr(clean, image, data_range=255):.2f}", f"{ssim(clean, image, data_range=255):.4f}"]
        assert cells(form, row) == [*whole, "-", "-", "-", "-"]
    assert form.scale_note.text() == "data range 255"


def test_scores_of_a_region(form, qtbot, images):
    clean, noisy, _ = images.values()
    corners = np.array([[19.5, 29.5], [19.5, 79.5], [59.5, 79.5], [59.5, 29.5]])
    viewer_of(form).add_shapes([corners], shape_type="rectangle", name="region")
    rest(qtbot, form)
    assert form.shapes.currentText() == "region"
    box = (slice(20, 60), slice(30, 80))
    expected = [psnr(clean[box], noisy[box], data_range=255), ssim(clean[box], noisy[box], data_range=255)]
    assert cells(form, 0)[2:4] == [f"{expected[0]:.2f}", f"{expected[1]:.4f}"]


def test_a_region_beside_the_image_says_so(form, qtbot):
    viewer_of(form).add_shapes([np.array([[500, 500], [600, 600]])], shape_type="rectangle", name="region")
    rest(qtbot, form)
    assert form.status.value == "The region holds no pixel of the image: draw a closed shape on it"


def test_the_table_is_copied_for_a_spreadsheet(form):
    from qtpy.QtWidgets import QApplication

    form.copy_table.click()
    lines = QApplication.clipboard().text().splitlines()
    assert [line.split("\t")[0] for line in lines] == ["layer", "scan gaussian", "scan gaussian denoised"]
    assert lines[0].split("\t")[1:3] == ["PSNR, dB image", "SSIM image"]
    assert [line.split("\t")[1:] for line in lines[1:]] == [cells(form, 0), cells(form, 1)]


def test_the_profile_is_the_middle_row_or_the_line(form, qtbot, images):
    values = {curve.name: curve.values for curve in form.profile._curves}
    assert set(values) == set(images)
    for name, image in images.items():
        assert values[name] == pytest.approx(image[50])
    viewer_of(form).add_shapes([np.array([[10, 20], [10, 60]])], shape_type="line", name="lines")
    rest(qtbot, form)
    assert form.profile_title.text() == "Line profile of the last line in lines"
    values = {curve.name: curve.values for curve in form.profile._curves}
    assert values["scan gaussian"] == pytest.approx(images["scan gaussian"][10, 20:61])


def test_the_profile_is_in_the_units_of_the_layer(form, qtbot):
    for layer in viewer_of(form).layers:
        layer.scale, layer.units = (0.2, 0.1), ("mm", "mm")
    rest(qtbot, form)
    assert form.profile._positions[-1] == pytest.approx(0.1 * (SHAPE[1] - 1))
    assert form.profile.plot.getAxis("bottom").labelText == "distance, mm"


def test_the_plot_follows_the_theme(form):
    seen = []
    for theme in ("light", "dark"):
        viewer_of(form).theme = theme
        seen.append(form.profile.plot.backgroundBrush().color().lightness())
    assert seen[0] > 128 > seen[1]


def test_wipe_shows_a_left_and_b_right(form, qtbot, images):
    _, noisy, denoised = images.values()
    form.wipe.click()
    composed = form._wiping.image
    assert np.array_equal(composed.data[:, :75], noisy[:, :75])
    assert np.array_equal(composed.data[:, 75:], denoised[:, 75:])
    form.edge.setValue(200)
    assert np.array_equal(composed.data[:, :30], noisy[:, :30])
    assert np.array_equal(composed.data[:, 30:], denoised[:, 30:])
    assert form._wiping.edge.data[0, 0, 1] == 29.5
    form.wipe.click()
    assert temporary_layers(form) == []
    assert not viewer_of(form).mouse_move_callbacks


def test_wipe_in_real_pixels(form, images):
    viewer = viewer_of(form)
    for name, value in (("scan gaussian", 0), ("scan gaussian denoised", 255)):
        viewer.layers[name].data = np.full(SHAPE, value, np.uint8)
    form.wipe.click()
    picture = viewer.screenshot(canvas_only=True, flash=False)
    height, width = picture.shape[:2]
    row = picture[height // 2, :, :3].astype(int)
    left, right, edge = row[width // 2 - 40], row[width // 2 + 40], row[width // 2 - 3 : width // 2 + 4]
    assert left.tolist() == [0, 0, 0]
    assert right.tolist() == [255, 255, 255]
    assert any(pixel[0] > 200 and pixel[2] < 60 for pixel in edge)


def drag(qtbot, widget, start, end):
    """Press, move and release on the canvas, in canvas pixels."""
    events = viewer_of(widget).window._qt_viewer.canvas._scene_canvas.events
    press = MouseEvent("mouse_press", pos=start, button=1, buttons=[1], modifiers=())
    events.mouse_press(pos=start, modifiers=(), button=1)
    qtbot.wait(20)
    events.mouse_move(pos=end, modifiers=(), button=1, press_event=press)
    qtbot.wait(20)
    events.mouse_release(pos=end, modifiers=(), button=1)
    qtbot.wait(20)


def test_the_mouse_drags_the_edge(form, qtbot, images):
    _, noisy, denoised = images.values()
    form.wipe.click()
    viewer = viewer_of(form)
    qtbot.wait(50)
    height, width = viewer.canvas.size
    centre = viewer.scene.camera.center
    step = 30 * viewer.scene.camera.zoom
    drag(qtbot, form, (width / 2, height / 2), (width / 2 + step, height / 2))
    column = form._wiping.column
    assert column == pytest.approx(105, abs=2)
    assert form.edge.value() == pytest.approx(1000 * column / SHAPE[1], abs=10)
    assert np.array_equal(form._wiping.image.data[:, :column], noisy[:, :column])
    assert np.array_equal(form._wiping.image.data[:, column:], denoised[:, column:])
    assert viewer.scene.camera.center == pytest.approx(centre)
    assert viewer.scene.camera.mouse_pan


def test_away_from_the_edge_the_mouse_does_not_move_it(form, qtbot):
    form.wipe.click()
    height, width = viewer_of(form).canvas.size
    drag(qtbot, form, (width / 2 + 100, height / 2), (width / 2 + 130, height / 2))
    assert form._wiping.column == 75


def test_wipe_of_scaled_stacks_follows_the_slice(viewer, qtbot):
    from napari_dental_denoise.plugin.compare.widget import CompareWidget

    place = {"scale": (2, 0.1, 0.1), "translate": (4, 3, 5), "units": ("mm", "mm", "mm")}
    noisy, denoised = np.random.default_rng(0).random((2, 3, *SHAPE)).astype(np.float32)
    viewer.add_image(noisy, name="noisy", **place)
    viewer.add_image(denoised, name="denoised", **place)
    form = CompareWidget(viewer)
    rest(qtbot, form)
    viewer.dims.set_current_step(0, 0)
    form.wipe.click()
    for index in (0, 2):
        viewer.dims.set_current_step(0, index)
        data = form._wiping.image.data
        assert np.array_equal(data[:, :75], noisy[index][:, :75])
        assert np.array_equal(data[:, 75:], denoised[index][:, 75:])
    assert form._wiping.image.extent.world == pytest.approx(viewer.layers["noisy"].extent.world[:, 1:])
    rest(qtbot, form)
    assert form.profile._curves[0].values == pytest.approx(noisy[2][50])
    viewer.dims.ndisplay = 3
    qtbot.waitUntil(lambda: not form.wipe.isChecked())
    assert form.status.value == "Wipe needs the 2D view with the axes in their original order"
    assert temporary_layers(form) == []
    form.close()


def test_wipe_ends_when_a_layer_goes(form, qtbot):
    form.wipe.click()
    viewer_of(form).layers.remove("scan gaussian")
    qtbot.waitUntil(lambda: not form.wipe.isChecked())
    assert temporary_layers(form) == []
    assert len(viewer_of(form).layers) == 2


def test_side_by_side_comes_back(form, qtbot):
    viewer = viewer_of(form)
    viewer.add_image(np.zeros(SHAPE, np.uint8), name="other", visible=True)
    rest(qtbot, form)
    zoom = viewer.scene.camera.zoom
    form.side_by_side.click()
    assert viewer.canvas.grid.enabled
    assert viewer.canvas.grid.actual_shape(viewer.layers) == (1, 3)
    assert not viewer.layers["other"].visible
    form.side_by_side.click()
    assert not viewer.canvas.grid.enabled
    assert viewer.canvas.grid.shape == (-1, -1)
    assert viewer.layers["other"].visible
    assert viewer.scene.camera.zoom == pytest.approx(zoom)
    form.side_by_side.click()
    viewer.canvas.grid.enabled = False
    qtbot.waitUntil(lambda: not form.side_by_side.isChecked())
    assert viewer.layers["other"].visible


def test_wipe_and_side_by_side_exclude_each_other(form):
    form.wipe.click()
    form.side_by_side.click()
    assert temporary_layers(form) == []
    assert not form.wipe.isChecked()
    form.wipe.click()
    assert not viewer_of(form).canvas.grid.enabled


def test_the_difference_is_symmetric(form, qtbot, images):
    _, noisy, denoised = images.values()
    for layer in viewer_of(form).layers:
        layer.scale, layer.units = (0.1, 0.1), ("mm", "mm")
    form.difference.click()
    layer = viewer_of(form).layers["scan gaussian denoised - scan gaussian"]
    assert np.array_equal(layer.data, denoised.astype(np.float32) - noisy)
    low, high = layer.contrast_limits
    assert low == -high < 0
    assert tuple(layer.scale) == (0.1, 0.1)
    assert [str(unit) for unit in layer.units] == ["millimeter"] * 2
    assert layer.colormap.name == "difference"
    rest(qtbot, form)
    assert form.first.findText(layer.name) == -1
    form.difference_choice.setCurrentText("A - clean")
    form.difference_choice.textActivated.emit("A - clean")
    form.difference.click()
    form.difference.click()
    assert [layer.name for layer in viewer_of(form).layers].count("scan gaussian - scan") == 1


def test_the_difference_of_a_lazy_stack_is_lazy(viewer, qtbot):
    import dask.array as da

    from napari_dental_denoise.plugin.compare.widget import CompareWidget

    stack = da.random.default_rng(0).random((3, *SHAPE), chunks=(1, *SHAPE))
    viewer.add_image(stack, name="noisy")
    viewer.add_image(stack * 0.5, name="denoised")
    form = CompareWidget(viewer)
    rest(qtbot, form)
    form.difference.click()
    layer = viewer.layers["denoised - noisy"]
    assert isinstance(layer.data, da.Array)
    assert np.allclose(layer.data, -stack / 2, atol=1e-6)
    rest(qtbot, form)
    form.close()


def test_a_few_outliers_do_not_take_the_colour_from_a_difference(form, images):
    other = images["scan gaussian"].astype(np.float32)
    other[0, :10] += 1000
    viewer_of(form).layers["scan gaussian denoised"].data = other
    viewer_of(form).layers["scan gaussian"].data = images["scan gaussian"] + np.float32(1)
    form.difference.click()
    layer = viewer_of(form).layers["scan gaussian denoised - scan gaussian"]
    assert layer.contrast_limits == [-1, 1]
    assert layer.contrast_limits_range == [-999, 999]
    assert layer.colorbar.visible


@pytest.mark.parametrize(("largest", "end"), [(3, 4), (37, 40), (4.5, 5), (0.9, 1), (11, 20), (100, 100)])
def test_the_colour_bar_of_a_difference_has_round_ends_and_a_unit(form, images, largest, end):
    viewer = viewer_of(form)
    viewer.layers["scan gaussian"].data = images["scan"].astype(np.float32)
    viewer.layers["scan gaussian denoised"].data = images["scan"] + np.float32(largest)
    form.difference.click()
    layer = viewer.layers["scan gaussian denoised - scan gaussian"]
    assert layer.contrast_limits == pytest.approx([-end, end])
    unit = viewer.canvas.overlays["difference_unit"]
    assert (unit.visible, unit.text, unit.position) == (True, "grey values", layer.colorbar.position)
    layer.visible = False
    assert not unit.visible
    layer.visible = True
    assert unit.visible
    viewer.layers.remove(layer)
    assert not unit.visible


def test_the_difference_of_two_types_is_a_share_of_white(form, images):
    viewer = viewer_of(form)
    viewer.layers["scan gaussian denoised"].data = (images["scan"] / 255).astype(np.float32)
    form.difference.click()
    assert viewer.canvas.overlays["difference_unit"].text == "share of white"


def test_equal_layers_have_an_empty_difference(form, images):
    viewer_of(form).layers["scan gaussian denoised"].data = images["scan gaussian"]
    form.difference.click()
    assert viewer_of(form).layers["scan gaussian denoised - scan gaussian"].contrast_limits == [-1, 1]


def test_long_names_are_smaller_side_by_side(form):
    viewer_of(form).layers["scan"].name = "scan " * 20
    form.side_by_side.click()
    assert {layer.name_overlay.font_size for layer in viewer_of(form).layers} == {5}
    form.side_by_side.click()
    assert {layer.name_overlay.font_size for layer in viewer_of(form).layers} == {10}


def test_inputs_are_never_changed(form, qtbot, images):
    form.wipe.click()
    form.edge.setValue(900)
    form.difference.click()
    form.side_by_side.click()
    rest(qtbot, form)
    form.side_by_side.click()
    for name, image in images.items():
        layer = viewer_of(form).layers[name]
        assert np.array_equal(layer.data, image)
        assert layer.visible
        assert not layer.name_overlay.visible


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (np.zeros((90, 150), np.uint8), {}, "The layers differ in size: 90x150 and 100x150"),
        (np.full((*SHAPE, 3), (1, 2, 3), np.uint8), {"rgb": True}, "odd is a colour image: convert it to grey first"),
        (np.zeros(SHAPE, bool), {}, "odd holds bool: expected whole or floating numbers"),
        (np.zeros((*SHAPE, 1), np.uint8), {}, "odd has a channel axis: remove it for this, by numpy.squeeze"),
        (
            np.full(SHAPE, np.nan),
            {"contrast_limits": (0, 1)},
            "The image contains invalid pixels (NaN): replace them first",
        ),
    ],
)
def test_layers_that_do_not_go_together_say_why(form, qtbot, image, options, message):
    viewer_of(form).add_image(image, name="odd", **options)
    form.first.setCurrentText("odd")
    form.first.activated.emit(form.first.currentIndex())
    rest(qtbot, form)
    assert form.status.value.startswith(message)
    form.wipe.click()
    form.difference.click()
    rest(qtbot, form)
    assert form.table.item(0, 0).text() == "-" or np.isnan(image).any()
    form.first.setCurrentText("scan gaussian")
    rest(qtbot, form)
    assert form.wipe.isEnabled()


def test_a_reason_goes_with_its_cause(form, qtbot):
    viewer = viewer_of(form)
    form.wipe.click()
    viewer.dims.ndisplay = 3
    qtbot.waitUntil(lambda: "Wipe needs the 2D view" in form.status.value)
    viewer.dims.ndisplay = 2
    assert form.status.value == ""
    form.wipe.click()
    assert form.wipe.isChecked()
    assert form.status.value == ""


def test_wipe_needs_the_grid_to_be_off(form, qtbot):
    viewer_of(form).canvas.grid.enabled = True
    form.wipe.click()
    assert form.status.value == "Wipe needs the grid view to be off"
    assert not form.wipe.isChecked()
    assert temporary_layers(form) == []


def test_a_line_beside_the_image_gives_an_empty_profile(form, qtbot):
    viewer_of(form).add_shapes([np.array([[500, 20], [500, 60]])], shape_type="line", name="lines")
    rest(qtbot, form)
    assert all(np.isnan(curve.values).all() for curve in form.profile._curves)


def test_shapes_count_on_their_own_slice(viewer, qtbot):
    from napari_dental_denoise.plugin.shared.shapes import last_line, outlines

    image = viewer.add_image(np.zeros((3, *SHAPE)), scale=(2, 0.5, 0.5), translate=(0, 3, 5))
    box = np.array([[1, 10, 10], [1, 10, 20], [1, 30, 20], [1, 30, 10]])
    shapes = viewer.add_shapes([box], shape_type="rectangle", scale=image.scale, translate=image.translate)
    shapes.add_ellipses(box)
    shapes.add_lines(box[[0, 2]])
    flat = viewer.add_shapes([np.array([[3, 5], [8, 10]])], shape_type="line")
    viewer.dims.set_current_step(0, 1)
    found = outlines(shapes, image, viewer.dims.point)
    assert np.allclose(found[0], box[:, 1:])
    assert found[1].min(axis=0) == pytest.approx([10, 10], abs=0.05)
    assert np.allclose(last_line(shapes, image, viewer.dims.point), [[10, 10], [30, 20]])
    assert np.allclose(last_line(flat, image, viewer.dims.point), [[0, 0], [10, 10]])
    viewer.dims.set_current_step(0, 2)
    assert outlines(shapes, image, viewer.dims.point) == []
    assert last_line(shapes, image, viewer.dims.point) is None
    assert last_line(flat, image, viewer.dims.point) is not None


def test_layers_of_two_types_meet_on_one_scale(form, qtbot, images):
    viewer_of(form).layers["scan gaussian denoised"].data = (images["scan"] / 255).astype(np.float32)
    rest(qtbot, form)
    assert cells(form, 1)[:2] == ["inf", "1.0000"]
    form.wipe.click()
    data = form._wiping.image.data
    assert np.allclose(data[:, 75:], images["scan"][:, 75:] / 255)
    assert np.allclose(data[:, :75], images["scan gaussian"][:, :75] / 255)
    assert form._wiping.image.contrast_limits == pytest.approx((0, 1))


def test_an_empty_viewer_says_what_to_do(viewer, qtbot):
    from napari_dental_denoise.plugin.compare.widget import CompareWidget

    form = CompareWidget(viewer)
    rest(qtbot, form)
    assert form.status.value == "Choose two layers to compare"
    assert not any(button.isEnabled() for button in (form.wipe, form.side_by_side, form.difference))
    form.close()


def test_closing_the_dock_removes_the_temporary_layers(form, qtbot):
    viewer = viewer_of(form)
    dragged, moved = list(viewer.mouse_drag_callbacks), list(viewer.mouse_move_callbacks)
    form.wipe.click()
    viewer.window.remove_dock_widget(form)
    qtbot.wait(20)
    assert temporary_layers(form) == []
    assert viewer.mouse_drag_callbacks == dragged
    assert viewer.mouse_move_callbacks == moved
    viewer.layers.clear()
    viewer.theme = "light"


def test_closing_the_window_during_a_wipe_is_harmless(make_napari_viewer, qtbot, images):
    from napari_dental_denoise.plugin.compare.widget import CompareWidget

    viewer = make_napari_viewer(show=True)
    for name, image in images.items():
        viewer.add_image(image, name=name)
    form = CompareWidget(viewer)
    viewer.window.add_dock_widget(form)
    rest(qtbot, form)
    form.wipe.click()
    viewer.close()
    qtbot.wait(100)


def test_as_napari_makes_it(viewer, qtbot, images):
    """napari hands a form a viewer that gives public things only."""
    from napari.utils._proxies import PublicOnlyProxy

    from napari_dental_denoise.plugin.compare.widget import CompareWidget

    for name, image in images.items():
        viewer.add_image(image.copy(), name=name)
    assert CompareWidget.__init__.__annotations__["viewer"] == "napari.viewer.Viewer"
    form = CompareWidget(PublicOnlyProxy(viewer))
    form.wipe.click()
    form.edge.setValue(100)
    assert len(viewer.layers) == 5
    form.side_by_side.click()
    form.difference.click()
    form.side_by_side.click()
    rest(qtbot, form)
    assert len(viewer.layers) == 4
    form.close()


def test_it_is_no_wider_than_needed(viewer, qtbot):
    from napari_dental_denoise.plugin.compare.widget import CompareWidget

    form = CompareWidget(viewer)
    assert max(form.minimumSizeHint().width(), form.minimumWidth()) <= MINIMUM_WIDTH
    assert form.sizeHint().height() < 660
    rest(qtbot, form)
    form.close()
