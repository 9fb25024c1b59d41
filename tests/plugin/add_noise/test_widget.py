"""The Add noise form: the noise that the core adds, in a new layer, with a preview that leaves no trace."""

import numpy as np
import pytest
from qtpy.QtWidgets import QDoubleSpinBox

from napari_dental_denoise.noise.registry import NOISE_KINDS
from tests.plugin.conftest import HeldStack, record


def run(form, viewer, qtbot):
    count = len(viewer.layers)
    form.add_noise()
    qtbot.waitUntil(lambda: len(viewer.layers) > count and form.add.enabled)
    return viewer.layers[-1]


@pytest.mark.parametrize("kind", list(NOISE_KINDS))
def test_each_kind_is_that_of_the_core(viewer, open_form, qtbot, radiographs, kind):
    layer = viewer.add_image(radiographs[0], name="scan", scale=(0.1, 0.1))
    form = open_form("Add noise")
    form.kind.value = kind
    form.seed.value = 4
    result = run(form, viewer, qtbot)
    recipe = form.recipe()
    expected = NOISE_KINDS[kind].add(radiographs[0], **recipe.levels, rng=np.random.default_rng([4, 0]))
    np.testing.assert_array_equal(result.data, expected)
    first, level = next(iter(recipe.levels.items()))
    shown = f"{255 * level:.4g} levels" if "grey levels" in form.levels.fields[first].label else f"{level:.4g}"
    assert result.name == f"scan noisy ({kind}, {first} {shown})"
    assert result.scale.tolist() == [0.1, 0.1]
    assert record(result)["levels"] == recipe.levels
    np.testing.assert_array_equal(layer.data, radiographs[0])
    shown = {name for name, slider in form.levels.fields.items() if slider.visible}
    assert shown == set(NOISE_KINDS[kind].levels)


def test_each_image_of_a_stack_has_its_own_noise(viewer, open_form, qtbot):
    viewer.add_image(np.full((3, 64, 64), 30_000, np.uint16), name="series")
    result = run(open_form("Add noise"), viewer, qtbot)
    assert result.dtype == np.uint16
    assert not np.array_equal(result.data[0], result.data[1])


def test_the_level_is_told_in_grey_levels_and_in_the_images_own(viewer, open_form):
    viewer.add_image(np.full((64, 64), 4000, np.uint16), name="12 bit")
    form = open_form("Add noise")
    form.levels.fields["sigma"].value = 25
    assert form.recipe().levels == {"sigma": 25 / 255}
    assert form.in_grey.value == "sigma 0.09804 on the [0, 1] scale, 401.5 in the image, where white is 4095"
    viewer.add_image(np.full((64, 64), 2**31, np.uint32), name="32 bit")
    assert form.in_grey.value.endswith(" scale, 421100000 in the image, where white is 4294967295")


def test_the_preview_follows_and_goes(viewer, open_form, qtbot, radiographs):
    viewer.add_image(radiographs[0], name="scan")
    form = open_form("Add noise")
    form.preview.value = True
    qtbot.waitUntil(lambda: len(viewer.layers) == 2)
    assert viewer.layers[1].name == "scan noise preview"
    faint = viewer.layers[1].data.std()
    form.levels.fields["sigma"].value = 100
    qtbot.waitUntil(lambda: viewer.layers[1].data.std() > faint * 1.2)
    assert viewer.layers.selection.active.name == "scan"
    form.preview.value = False
    assert [layer.name for layer in viewer.layers] == ["scan"]


def test_a_preview_that_was_selected_leaves_no_layer_behind_that_is_gone(viewer, open_form, qtbot, radiographs):
    viewer.add_image(radiographs[0], name="scan")
    form = open_form("Add noise")
    form.preview.value = True
    qtbot.waitUntil(lambda: len(viewer.layers) == 2)
    first = viewer.layers[1]
    viewer.layers.selection = {first}
    form.image.value = viewer.layers["scan"]
    form.levels.fields["sigma"].value = 100
    qtbot.waitUntil(lambda: len(viewer.layers) == 2 and viewer.layers[1] is not first)
    assert set(viewer.layers.selection) <= set(viewer.layers)


def test_a_closed_form_previews_nothing(viewer, open_form, qtbot, radiographs):
    viewer.add_image(radiographs[0], name="scan")
    form = open_form("Add noise")
    form.preview.value = True
    qtbot.waitUntil(lambda: len(viewer.layers) == 2)
    viewer.window.remove_dock_widget(form.native)
    viewer.layers.clear()
    viewer.add_image(radiographs[1], name="other")
    qtbot.wait(500)
    assert [layer.name for layer in viewer.layers] == ["other"]


def test_the_preview_is_what_will_be_added(viewer, open_form, qtbot, radiographs):
    viewer.add_image(radiographs[0], name="scan")
    form = open_form("Add noise")
    form.kind.value = "dental-xray"
    form.preview.value = True
    qtbot.waitUntil(lambda: len(viewer.layers) == 2)
    preview = viewer.layers[1]
    rows, columns = preview.data.shape
    top, left = np.rint(preview.translate).astype(int)
    shown = preview.data.copy()
    form.add_noise()
    qtbot.waitUntil(lambda: len(viewer.layers) == 2 and "noisy" in viewer.layers[1].name and form.add.enabled)
    np.testing.assert_array_equal(viewer.layers[1].data[top : top + rows, left : left + columns], shown)


@pytest.mark.parametrize("shape", [(200, 300), (1100, 1000)], ids=["small", "large"])
def test_a_dark_part_gets_the_noise_of_the_whole_image(viewer, open_form, qtbot, shape):
    image = np.full(shape, 900, np.uint16)
    image[:5, :5] = 4000
    viewer.add_image(image, name="scan")
    viewer.scene.camera.zoom *= 8
    qtbot.wait(300)
    form = open_form("Add noise")
    form.preview.value = True
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=10_000)
    preview = viewer.layers[1]
    assert preview.data.max() < 4000
    shown, (rows, columns) = preview.data.copy(), preview.data.shape
    top, left = np.rint(preview.translate).astype(int)
    form.preview.value = False
    result = run(form, viewer, qtbot)
    np.testing.assert_array_equal(result.data[top : top + rows, left : left + columns], shown)


def test_no_image_gets_its_reason(viewer, open_form):
    form = open_form("Add noise")
    form.add_noise()
    assert form.status.value == "Open an image first"
    assert len(viewer.layers) == 0


def test_cancel_stops_and_changes_nothing(viewer, open_form, qtbot, radiographs):
    stack = HeldStack(radiographs)
    viewer.add_image(stack.array(), name="many", contrast_limits=(0, 255))
    form = open_form("Add noise")
    form.add_noise()
    qtbot.waitUntil(lambda: form.work.progress.value > 1)
    assert "to go" in form.status.value
    form.work.stop()
    stack.released.set()
    qtbot.waitUntil(lambda: form.add.enabled)
    assert form.status.value == "Cancelled; no image was changed"
    assert len(viewer.layers) == 1


@pytest.mark.parametrize(
    ("kind", "label", "default", "level"),
    [
        ("gaussian", "Sigma (grey levels)", 25, 25 / 255),
        ("speckle", "Sigma (share)", 0.2, 0.2),
        ("quantum", "Sigma (share)", 2 / 255, 2 / 255),
        ("poisson-gaussian", "Sigma (grey levels)", 2, 2 / 255),
    ],
)
def test_a_level_has_its_unit(open_form, kind, label, default, level):
    form = open_form("Add noise")
    form.kind.value = kind
    field = form.levels.fields["sigma"]
    assert field.label == label
    assert field.value == pytest.approx(default, abs=1e-6)
    assert form.recipe().levels["sigma"] == pytest.approx(level, abs=1e-6)


def test_levels_are_shown_as_fine_as_their_steps(open_form):
    form = open_form("Add noise")
    number = form.levels.fields["sigma"].native.findChild(QDoubleSpinBox)
    form.levels.fields["sigma"].value = 2.5
    assert number.value() == 2.5
    form.kind.value = "speckle"
    form.levels.fields["sigma"].value = 0.015
    assert number.value() == 0.015


def test_a_message_goes_with_its_cause(viewer, open_form, radiographs):
    form = open_form("Add noise")
    form.add.native.click()
    assert form.status.value == "Open an image first"
    viewer.add_image(radiographs[0])
    assert form.status.value == ""
