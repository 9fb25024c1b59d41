"""Open layers as the images of a training."""

import sys
from pathlib import Path

import numpy as np
import pytest

from napari_dental_denoise import add_gaussian_noise, read_image
from napari_dental_denoise.models.file import read_model_file
from tests.plugin.conftest import HeldStack
from tests.plugin.train.conftest import IdleProcess


@pytest.fixture
def scans(viewer, radiographs):
    """Two layers and a stack of three, of different types, and the first layer's copy before any work."""
    small = [image[:64, 40:120] for image in radiographs]
    return [
        viewer.add_image(small[0], name="scan / one"),
        viewer.add_image(small[1].astype(np.uint16) * 16, name="scan two"),
        viewer.add_image(np.stack(small[2:5]).astype(np.float32) / 255, name="stack"),
    ]


@pytest.fixture
def layers_form(form, viewer, scans):
    form.fields.images_from.value = "of open layers"
    viewer.layers.selection = set(scans)
    return form


def says(form, qtbot, text, *, red):
    qtbot.waitUntil(lambda: form.plan.value == text)
    assert bool(form.plan.native.styleSheet()) == red
    assert not form.start.enabled


def test_the_selected_layers_are_counted(viewer, layers_form, scans, qtbot):
    form = layers_form
    assert not form.fields.clean.native.isVisible()
    qtbot.waitUntil(lambda: form.plan.value.startswith("5 images, 100 patches of 32 px per epoch"))
    assert not form.copy.enabled
    viewer.layers.selection = set(scans[1:])
    qtbot.waitUntil(lambda: form.plan.value.startswith("4 images"))
    viewer.layers.selection = {scans[0]}
    text = "1 selected layer, 1 usable image: training needs at least 2, one of them for validation"
    says(form, qtbot, text, red=True)
    viewer.layers.selection = set()
    says(form, qtbot, "Select the layers to learn from in the layer list", red=False)
    preview = {"napari_dental_denoise": {"operation": "training preview"}}
    viewer.layers.selection = {viewer.add_image(scans[0].data, metadata=preview)}
    qtbot.wait(500)
    says(form, qtbot, "Select the layers to learn from in the layer list", red=False)
    form.fields.images_from.value = "of a folder"
    qtbot.waitUntil(lambda: form.plan.value.startswith("8 images"))
    assert form.copy.enabled


def test_what_is_no_radiograph_is_refused_by_its_name(viewer, layers_form, qtbot):
    record = {"napari_dental_denoise": {"operation": "error map"}}
    viewer.layers.selection.add(viewer.add_image(np.zeros((64, 64)), name="scan error", metadata=record))
    says(layers_form, qtbot, "scan error is no radiograph: select others", red=True)


def test_only_noisy_layers_must_be_large_enough_for_an_estimate(viewer, layers_form, qtbot):
    layers_form.fields.learn_from.value = "only noisy images"
    small = [viewer.add_image(np.zeros((20, 64), np.uint8), name=name) for name in ("one", "two")]
    viewer.layers.selection = set(small)
    text = "2 selected layers, 0 usable images (2 below 32 px a side): training needs at least 2, one of them for "
    says(layers_form, qtbot, f"{text}validation", red=True)


@pytest.fixture
def pairs_form(layers_form, scans, qtbot):
    """The form with a stack as clean layer."""
    fields = layers_form.fields
    fields.learn_from.value = "noisy and clean pairs"
    qtbot.waitUntil(fields.clean_layer.native.isVisible)
    assert not fields.clean.native.isVisible()
    fields.clean_layer.value = scans[2]
    return layers_form


def test_a_noisy_layer_must_match_its_clean_one(viewer, pairs_form, scans, qtbot):
    fields = pairs_form.fields
    says(pairs_form, qtbot, "Choose a clean layer, and its noisy one", red=False)
    fields.noisy_layer.value = scans[2]
    says(pairs_form, qtbot, "Choose a clean layer, and its noisy one", red=False)
    fields.noisy_layer.value = scans[0]
    text = "scan / one has 1 image of 64 x 80 px, stack 3 images of 64 x 80 px: "
    says(pairs_form, qtbot, f"{text}choose two layers with the same number and size of images", red=True)
    fields.clean_layer.value = scans[1]
    says(pairs_form, qtbot, "1 pair, 1 usable pair: training needs at least 2, one of them for validation", red=True)
    fields.clean_layer.value = scans[2]
    fields.noisy_layer.value = viewer.add_image(scans[2].data * 0.9, name="stack noisy")
    qtbot.waitUntil(lambda: pairs_form.plan.value.startswith("3 pairs, "))
    fields.images_from.value = "of a folder"
    assert not fields.clean_layer.native.isVisible()
    assert not fields.noisy_layer.native.isVisible()
    qtbot.waitUntil(lambda: pairs_form.plan.value.startswith("Choose the folder of noisy images"))


@pytest.fixture
def arguments(monkeypatch):
    """The arguments of the training that would start."""
    given = []
    monkeypatch.setattr(IdleProcess, "start", lambda _self, arguments: given.extend(arguments))
    monkeypatch.setattr("napari_dental_denoise.plugin.train.widget.TrainingProcess", IdleProcess)
    return given


def test_the_files_of_a_pair_have_one_name(viewer, pairs_form, scans, qtbot, arguments):
    noisy = viewer.add_image(add_gaussian_noise(scans[2].data, 0.1, rng=0), name="other name")
    pairs_form.fields.noisy_layer.value = noisy
    pairs_form.train(pairs_form.fields.request())
    qtbot.waitUntil(lambda: bool(arguments))
    folders = [pairs_form.process.run.images / kind for kind in ("clean", "noisy")]
    assert arguments[:3] == [str(folders[0]), "--noisy", str(folders[1])]
    for folder, layer in zip(folders, (scans[2], noisy), strict=True):
        files = sorted(folder.iterdir())
        assert [file.name for file in files] == [f"0000{number} stack.tif" for number in range(3)]
        np.testing.assert_array_equal(np.stack([read_image(file) for file in files]), layer.data)


def test_the_files_hold_the_images_of_the_layers_in_their_type_and_order(layers_form, scans, qtbot, arguments):
    layers_form.train(layers_form.fields.request())
    qtbot.waitUntil(lambda: bool(arguments))
    folder = layers_form.process.run.images
    assert arguments[0] == str(folder)
    assert oct(folder.parent.stat().st_mode & 0o777) == "0o700"
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == [
        "00000 scan one.tif",
        "00001 scan two.tif",
        *(f"0000{number} stack.tif" for number in (2, 3, 4)),
    ]
    expected = [scans[0].data, scans[1].data, *scans[2].data]
    for file, image in zip(files, expected, strict=True):
        written = read_image(file)
        assert written.dtype == image.dtype
        assert np.array_equal(written, image)


def test_a_model_of_the_package_learns_from_layers_goes_on_and_is_used(
    viewer, layers_form, open_form, scans, qtbot, tmp_path, noisy
):
    form, denoise_form = layers_form, open_form("Denoise")
    chosen = denoise_form.model.value
    before = [layer.data.copy() for layer in scans]
    form.fields.start_from.value = "starter"
    form.fields.amount.value, form.fields.unit.value = 1, "epochs"
    qtbot.waitUntil(lambda: form.plan.value.endswith("starts from starter-fast"))
    assert form.plan.value.startswith("5 images")
    form.start.native.click()
    assert not form.start.enabled
    assert form.stop_button.enabled
    run, reports, told = form.process.run, [], []
    form.process.reported.connect(lambda report: (reports.append(report), told.append(form.status.value)))
    qtbot.waitUntil(lambda: form.process is None)
    assert (reports[0].training_images, reports[0].validation_images) == (4, 1)
    assert any("step 25 of 50" in text for text in told)
    assert "start: starter-fast" in form.curves._legend.value
    assert form.status.value.startswith("Done: ")
    assert "better than starter-fast" in form.status.value
    assert viewer.layers[-1].name == "training: noisy, denoised, clean"
    assert viewer.layers.selection == set(scans)
    assert all(np.array_equal(layer.data, data) for layer, data in zip(scans, before, strict=True))
    assert not run.folder.exists()

    model = tmp_path / "mine.keras"
    assert read_model_file(model).card.preset == "fast"
    assert model in denoise_form.model.choices
    assert denoise_form.model.value == chosen
    assert str(model) in form.fields.start_from.choices

    qtbot.waitUntil(lambda: form.plan.value == "1 of 1 epoch used: enter a larger total to continue")
    assert not form.plan.native.styleSheet()
    assert not form.resume.enabled
    form.fields.amount.value = 2
    qtbot.waitUntil(lambda: form.resume.enabled)
    qtbot.waitUntil(lambda: form.more.text == "Train 2 more epochs")
    assert form.more.native.isVisible()
    form.fields.unit.value = "minutes"
    qtbot.waitUntil(lambda: form.more.text == "Train 2 more minutes")
    form.fields.unit.value = "epochs"
    qtbot.waitUntil(lambda: form.more.text == "Train 2 more epochs")
    form.more.native.click()
    assert not form.more.native.isVisible()
    assert form.plan.value == ""
    qtbot.waitUntil(lambda: form.process is None)
    assert form.curves.epochs[-1][0] == 3
    qtbot.waitUntil(lambda: form.plan.value == "3 of 2 epochs used: enter a larger total to continue")
    assert "start: starter-fast" in form.curves._legend.value

    viewer.add_image(noisy, name="scan")
    form.use_now()
    assert Path(denoise_form.model.value) == model
    denoise_form.denoise()
    qtbot.waitUntil(lambda: "scan denoised (mine, 100 %)" in viewer.layers)
    assert "tensorflow" not in sys.modules


def test_a_training_can_be_stopped_while_its_images_are_written(viewer, layers_form, radiographs, qtbot, tmp_path):
    held = HeldStack([image[:64, 40:120] for image in radiographs])
    viewer.layers.selection = {viewer.add_image(held.array(), name="lazy", contrast_limits=(0, 255))}
    qtbot.waitUntil(lambda: layers_form.plan.value.startswith("8 images"))
    layers_form.start.native.click()
    run = layers_form.process.run
    qtbot.waitUntil(lambda: len(list(run.images.glob("*.tif"))) == 5)
    layers_form.stop_button.native.click()
    held.released.set()
    qtbot.waitUntil(lambda: layers_form.process is None)
    assert layers_form.status.value == "Stopped; no model was written"
    assert not run.folder.exists()
    assert not (tmp_path / "mine.keras").exists()
