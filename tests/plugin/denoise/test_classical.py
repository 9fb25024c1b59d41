"""Classical methods stand among the models, to compare with."""

from pathlib import Path

import numpy as np
import psutil
import pytest
from qtpy.QtWidgets import QApplication, QPushButton

from napari_dental_denoise import estimate_noise, psnr
from napari_dental_denoise.evaluation import BASELINES, available_baselines
from napari_dental_denoise.inference import residual_steps
from napari_dental_denoise.pixels import PLAIN
from napari_dental_denoise.plugin.denoise.classical import ClassicalEngine
from napari_dental_denoise.progress import finish
from tests.plugin.conftest import record, same

METHOD = Path("total variation")


def press(form, viewer, qtbot):
    count = len(viewer.layers)
    form.start.native.click()
    qtbot.waitUntil(lambda: len(viewer.layers) > count and form.start.enabled)
    return viewer.layers[-1]


def test_a_method_denoises_and_its_strength_acts_at_once(viewer, open_form, qtbot, radiographs, noisy):
    viewer.add_image(noisy, name="scan")
    form = open_form("Denoise")
    assert set(available_baselines()) <= {str(choice) for choice in form.model.choices}
    form.model.value = METHOD
    result = press(form, viewer, qtbot)
    assert psnr(radiographs[7], result.data, data_range=255) > psnr(radiographs[7], noisy, data_range=255) + 8
    assert record(result)["model"] == "total variation"
    assert result.name == "scan denoised (total variation, 100 %)"
    form.strength.value = 0
    assert result.name == "scan denoised (total variation, 0 %)"
    assert same(result.data, noisy)


def test_what_a_method_cannot_do_is_off(viewer, open_form, qtbot, noisy):
    viewer.add_image(noisy, name="scan")
    form = open_form("Denoise")
    network = form.model.value
    form.maps.error.value = True
    fields = (form.self_ensemble, form.maps.error, form.maps.share, form.folder, form.map)
    form.model.value = METHOD
    assert not any(field.enabled for field in fields)
    assert form.card.value == "Classical method, told the estimated noise of the image; not for diagnosis"
    # No map, and no complaint.
    press(form, viewer, qtbot)
    assert len(viewer.layers) == 2
    assert not any(field.enabled for field in fields)
    form.model.value = network
    assert all(field.enabled for field in fields)


def test_another_model_during_a_run_starts_no_other_run(viewer, open_form, qtbot, noisy):
    viewer.add_image(noisy, name="scan")
    form = open_form("Denoise")
    network, form.model.value = form.model.value, METHOD
    form.denoise()
    form.model.value = network
    assert not form.folder.enabled
    assert not form.map.enabled
    qtbot.waitUntil(lambda: form.start.enabled)
    assert form.folder.enabled
    assert form.map.enabled


@pytest.mark.parametrize("title", ["Copy as command", "Copy as Python"])
def test_a_method_has_no_command(viewer, open_form, noisy, title):
    viewer.add_image(noisy, name="scan")
    form = open_form("Denoise")
    form.model.value = METHOD
    QApplication.clipboard().clear()
    (button,) = (each for each in form.native.findChildren(QPushButton) if each.text() == title)
    button.click()
    assert QApplication.clipboard().text() == ""
    assert form.status.value == "total variation is a classical method: choose a model to copy what it does"


@pytest.mark.parametrize("tile_side", [1024, 64])
def test_tiles_are_parts_of_one_result(noisy, tile_side):
    calls = []

    def method(image, sigma):
        calls.append(sigma)
        return BASELINES["median"](image, sigma)

    residual = finish(residual_steps(noisy, ClassicalEngine(method), tile_side=tile_side))
    whole = finish(residual_steps(noisy, ClassicalEngine(BASELINES["median"])))
    np.testing.assert_array_equal(residual, whole)
    # The noise is told on the scale from the darkest to the brightest part.
    assert len(calls) == 1
    assert calls[0] == pytest.approx(estimate_noise(noisy).sigma, rel=0.3)


def bm3d_processes():
    return [each for each in psutil.Process().children() if "BM3D" in each.cmdline()]


def test_bm3d_runs_beside_napari_and_is_cancelled_within_an_image(viewer, open_form, qtbot, noisy):
    pytest.importorskip("bm3d")
    small = noisy[:40, :48]
    viewer.add_image(small, name="small")
    form = open_form("Denoise")
    form.model.value = Path("BM3D")
    result = press(form, viewer, qtbot)
    whole = finish(residual_steps(small, ClassicalEngine(BASELINES["BM3D"]), encoding=PLAIN))
    np.testing.assert_array_equal(result.data, PLAIN.subtract(small, whole, 1))

    # Takes minutes.
    viewer.add_image(np.tile(noisy, (6, 6)), name="large")
    form.start.native.click()
    qtbot.waitUntil(lambda: bool(bm3d_processes()))
    form.work.cancel.native.click()
    qtbot.waitUntil(lambda: form.start.enabled)
    assert form.status.value == "Cancelled; no image was changed"
    assert bm3d_processes() == []
    assert len(viewer.layers) == 3
