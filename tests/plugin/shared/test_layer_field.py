"""The forms work on the layer that is selected, until another is pinned."""

import numpy as np
import pytest

from tests.plugin.conftest import same


@pytest.fixture
def layers(viewer, radiographs):
    return [viewer.add_image(image, name=str(index)) for index, image in enumerate(radiographs[:3])]


@pytest.mark.parametrize("name", ["Denoise", "Add noise"])
def test_a_form_opens_on_the_selected_layer_and_follows_the_selection(viewer, open_form, layers, radiographs, name):
    viewer.layers.selection.active = layers[1]
    form = open_form(name)
    assert form.image.value is layers[1]
    viewer.layers.selection.active = layers[0]
    assert form.image.value is layers[0]
    newest = viewer.add_image(radiographs[4], name="newest")
    assert form.image.value is newest
    # A layer that is no image changes nothing.
    viewer.add_shapes(name="line")
    assert form.image.value is newest


def test_a_pinned_layer_stays(viewer, open_form, layers, radiographs):
    form = open_form("Denoise")
    index = form.image.native.findText("1")
    form.image.native.setCurrentIndex(index)
    form.image.native.activated.emit(index)
    assert form.field.pin.value
    assert form.image.value is layers[1]
    viewer.layers.selection.active = layers[0]
    viewer.add_image(radiographs[4])
    viewer.layers.remove(layers[0])
    assert form.image.value is layers[1]
    viewer.layers.selection.active = layers[2]
    form.field.pin.value = False
    assert form.image.value is layers[2]


def test_no_other_layer_takes_the_place_of_a_pinned_one(viewer, open_form, layers):
    form = open_form("Denoise")
    viewer.layers.selection.active = layers[1]
    form.field.pin.value = True
    viewer.layers.selection.active = layers[2]
    viewer.layers.remove(layers[1])
    assert form.image.value is layers[2]
    assert not form.field.pin.value


def test_results_are_selected_and_the_form_stays_with_their_source(viewer, denoise_form, qtbot, layers, radiographs):
    viewer.layers.selection.active = layers[1]
    for count in (4, 5):
        denoise_form.start.native.click()
        qtbot.waitUntil(lambda count=count: len(viewer.layers) == count and denoise_form.start.enabled)
        assert viewer.layers.selection.active is viewer.layers[-1]
        assert denoise_form.image.value is layers[1]
    assert same(layers[1].data, radiographs[1])
    # Whoever wants to denoise a result selects it.
    viewer.layers.selection.active = viewer.layers[-1]
    viewer.layers.selection.active = layers[0]
    viewer.layers.selection.active = viewer.layers[-1]
    assert denoise_form.image.value is viewer.layers[-1]


def test_the_noisy_layer_of_one_form_is_that_of_the_other(viewer, open_form, qtbot, radiographs):
    clean = viewer.add_image(radiographs[0], name="scan")
    noise, denoise = open_form("Add noise"), open_form("Denoise")
    noise.add.native.click()
    qtbot.waitUntil(lambda: len(viewer.layers) == 2 and noise.add.enabled)
    assert noise.image.value is clean
    assert denoise.image.value is viewer.layers[1]
    assert not np.array_equal(viewer.layers[1].data, clean.data)
