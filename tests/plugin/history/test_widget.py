"""The History form: every step of a layer, from its file on, in words."""

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from napari_dental_denoise import __version__, write_image
from tests.dicom_files import radiograph, save

PLUGIN = "napari-dental-denoise"


@pytest.fixture
def form(open_form):
    return open_form("History")


def shown(form):
    """The steps from top to bottom, each as its title and its facts."""
    items = [form.tree.topLevelItem(number) for number in range(form.tree.topLevelItemCount())]
    return [
        (item.text(0), {item.child(row).text(0): item.child(row).text(1) for row in range(item.childCount())})
        for item in items
    ]


def press(viewer, qtbot, button):
    count = len(viewer.layers)
    button.native.click()
    qtbot.waitUntil(lambda: len(viewer.layers) > count and button.enabled)
    return viewer.layers[-1]


def test_every_step_is_told_from_the_file_on(viewer, form, denoise_form, open_form, qtbot, noisy, tmp_path):
    write_image(tmp_path / "scan.png", noisy)
    viewer.open(str(tmp_path / "scan.png"), plugin=PLUGIN)
    assert shown(form) == [("Read scan", {"path": str(tmp_path / "scan.png")})]
    noise_form = open_form("Add noise")
    noise_form.levels.fields["sigma"].value = 12.8
    layer = press(viewer, qtbot, noise_form.add)
    denoise_form.image.value = layer
    denoise_form.strength.value = 0.8
    denoised = press(viewer, qtbot, denoise_form.start)
    assert viewer.layers.selection.active is denoised
    last, noise, first = shown(form)
    assert last[0] == "Denoise"
    facts = {"model": "model.keras", "strength": "0.8", "self-ensemble": "no", "version": __version__}
    assert last[1].items() >= {"result": denoised.name, **facts}.items()
    assert len(last[1]["model SHA-256"]) == 64
    assert noise[0] == "Add noise"
    assert noise[1].items() >= {"result": layer.name, "kind": "gaussian", "sigma": "0.0502", "seed": "0"}.items()
    assert first == ("Read scan", {"path": str(tmp_path / "scan.png")})

    denoise_form.strength.value = 0.5
    assert shown(form)[0][1]["strength"] == "0.5"
    assert "50 %" in shown(form)[0][1]["result"]
    form.copy.click()
    text = QApplication.clipboard().text()
    assert text.index("Read scan") < text.index("Add noise") < text.index("Denoise\n")
    assert "strength: 0.5" in text


def test_a_layer_of_unknown_origin_says_so(viewer, form):
    assert form.title.value == "Select one layer to see how it was made"
    viewer.add_image(np.zeros((9, 9)), name="mine", metadata={"napari_dental_denoise": "not ours"})
    assert form.title.value == "mine: nothing is known of its origin"
    assert shown(form) == []
    assert not form.copy.isEnabled()


def test_the_source_of_a_result_without_a_file_is_named(viewer, form, open_form, qtbot, noisy):
    viewer.add_image(noisy, name="mine")
    press(viewer, qtbot, open_form("Add noise").add)
    assert [title for title, _ in shown(form)] == ["Add noise", "Layer mine"]


def test_a_derived_dicom_file_tells_what_this_program_did(viewer, form, denoise_form, qtbot, radiographs, tmp_path):
    path = save(radiograph(radiographs[0].astype(np.uint16), bits=12), tmp_path / "a.dcm")
    viewer.open(str(path), plugin=PLUGIN)
    assert [title for title, _ in shown(form)] == ["Read a"]
    result = press(viewer, qtbot, denoise_form.start)
    result.save(str(tmp_path / "out.dcm"), plugin=PLUGIN)
    viewer.open(str(tmp_path / "out.dcm"), plugin=PLUGIN)
    (read, _), (title, facts) = shown(form)
    assert read == "Read out"
    assert title.startswith("Denoised by a U-Net")
    assert facts["algorithm"] == "U-Net model.keras"
    assert "strength 1.0" in facts["parameters"]
    assert facts["version"] == __version__


def test_closing_the_form_leaves_the_layers_alone(viewer, form, noisy):
    layer = viewer.add_image(noisy, name="mine")
    viewer.window.remove_dock_widget(form)
    layer.name = "other"
    viewer.layers.selection.clear()
