"""The commands and the Python code that the forms copy run, and give the pixels of the layer."""

import shlex
import subprocess
import sys

import dask.array as da
import numpy as np
import pytest
from qtpy.QtWidgets import QApplication, QPushButton

from napari_dental_denoise import add_gaussian_noise, read_pages, write_image
from napari_dental_denoise.images import write_tiff_pages
from napari_dental_denoise.noise.registry import NOISE_KINDS
from napari_dental_denoise.plugin.shared import layer_encoding, to_grey
from tests.dicom_files import radiograph, save

PLUGIN = "napari-dental-denoise"


def copied(form, title):
    """Press a button of a form, and return what it copies."""
    QApplication.clipboard().clear()
    (button,) = (each for each in form.native.findChildren(QPushButton) if each.text() == title)
    button.click()
    return QApplication.clipboard().text()


def run_command(text, folder):
    program, *arguments = shlex.split(text)
    assert program == PLUGIN
    subprocess.run([sys.executable, "-m", "napari_dental_denoise", *arguments], cwd=folder, check=True)


def run_python(text, name, **names):
    exec(text, names)  # noqa: S102 (the code under test)
    return names[name]


def grey(layer):
    """The pixels of a layer, white high."""
    return np.asarray(to_grey(layer.data, layer_encoding(layer)))


@pytest.fixture
def result(viewer, qtbot):
    """Press the button of a form, and wait for its layer."""

    def press(form, button):
        count = len(viewer.layers)
        button.native.click()
        qtbot.waitUntil(lambda: len(viewer.layers) > count and button.enabled)
        return viewer.layers[-1]

    return press


@pytest.fixture
def twelve_bits(radiographs):
    """Two noisy images, the second one darker."""
    noisy = [add_gaussian_noise(image.astype(np.uint16) * 16, 0.1, rng=0) for image in radiographs[:2]]
    return np.stack([noisy[0], noisy[1] // 4])


def make_files(folder, twelve_bits):
    """Write files whose names a shell would split, and return what opens as a layer of each kind."""
    folder = folder / "it's a folder"
    write_tiff_pages(folder / "pages of one file.tif", twelve_bits)
    for number, image in enumerate(twelve_bits):
        write_image(folder / "series" / f"scan {number}.png", image)
    dataset = radiograph(4095 - twelve_bits[0], bits=12, photometric="MONOCHROME1")
    return {
        "file": folder / "series" / "scan 1.png",
        "pages": folder / "pages of one file.tif",
        "folder": folder / "series",
        "DICOM": save(dataset, folder / "1.2 3.dcm"),
    }


@pytest.mark.parametrize("kind", ["file", "pages", "folder", "DICOM"])
def test_a_copied_denoising_is_that_of_the_layer(viewer, denoise_form, result, twelve_bits, tmp_path, kind):
    (layer,) = viewer.open(str(make_files(tmp_path, twelve_bits)[kind]), plugin=PLUGIN)
    denoise_form.strength.value = 0.7
    shown = grey(result(denoise_form, denoise_form.start))
    denoise_form.image.value = layer
    np.testing.assert_array_equal(run_python(copied(denoise_form, "Copy as Python"), "denoised"), shown)
    assert denoise_form.status.value == "Copied."
    if kind in ("folder", "DICOM"):
        run_command(copied(denoise_form, "Copy as command"), tmp_path)
        written = sorted((tmp_path / "denoised").iterdir())
        pages = np.concatenate([read_pages(path) for path in written])
        np.testing.assert_array_equal(pages.reshape(shown.shape), shown)


@pytest.mark.parametrize("kind", ["file", "pages", "folder", "DICOM"])
def test_a_copied_noise_is_that_of_the_layer(viewer, open_form, result, twelve_bits, tmp_path, kind):
    viewer.open(str(make_files(tmp_path, twelve_bits)[kind]), plugin=PLUGIN)
    form = open_form("Add noise")
    form.kind.value, form.seed.value = "poisson-gaussian", 3
    code, command = copied(form, "Copy as Python"), copied(form, "Copy as command")
    shown = grey(result(form, form.add))
    np.testing.assert_array_equal(run_python(code, "noisy"), shown)
    if kind in ("pages", "folder"):
        run_command(command, tmp_path)
        pages = np.concatenate([read_pages(path) for path in sorted((tmp_path / "noisy").iterdir())])
        np.testing.assert_array_equal(pages, shown)


@pytest.mark.parametrize("kind", NOISE_KINDS)
def test_the_code_of_each_kind_of_noise_runs(viewer, open_form, result, radiographs, kind):
    viewer.add_image(radiographs[0], name="scan")
    form = open_form("Add noise")
    form.kind.value = kind
    code = copied(form, "Copy as Python")
    np.testing.assert_array_equal(run_python(code, "noisy", viewer=viewer), result(form, form.add).data)


@pytest.mark.parametrize("lazy", [False, True])
def test_a_layer_without_a_file_is_taken_from_the_viewer(viewer, denoise_form, open_form, result, twelve_bits, lazy):
    data = da.from_array(twelve_bits, chunks=(1, -1, -1)) if lazy else twelve_bits
    layer = viewer.add_image(data, name="Ada's series", contrast_limits=(0, 4095))
    code, command = copied(denoise_form, "Copy as Python"), copied(denoise_form, "Copy as command")
    assert denoise_form.status.value == "Copied. Ada's series has no file: save it as image.tif first"
    assert shlex.split(command)[:3] == [PLUGIN, "denoise", "image.tif"]
    shown = np.asarray(result(denoise_form, denoise_form.start).data)
    np.testing.assert_array_equal(run_python(code, "denoised", viewer=viewer), shown)
    form = open_form("Add noise")
    form.image.value = layer
    code = copied(form, "Copy as Python")
    assert form.status.value == "Copied. Ada's series has no file: run this in napari's console"
    np.testing.assert_array_equal(run_python(code, "noisy", viewer=viewer), np.asarray(result(form, form.add).data))


def colours(stack):
    return np.repeat(stack[..., np.newaxis], 3, axis=-1)


KINDS = {
    "colours": lambda stack: colours(stack[0]),
    "stack of colours": colours,
    "multiscale": lambda stack: [stack, stack[:, ::2, ::2]],
    "channel": lambda stack: stack[..., np.newaxis],
    "one with a channel": lambda stack: stack[0][..., np.newaxis],
    "four axes": lambda stack: np.stack([stack, stack]),
    "four lazy axes": lambda stack: da.from_array(np.stack([stack, stack]), chunks=(1, 1, 50, 60)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_code_takes_every_kind_of_layer(viewer, denoise_form, open_form, result, radiographs, kind):
    stack = np.stack(
        [add_gaussian_noise(image[:100, :120], 0.1, rng=0) for image in (radiographs[0], radiographs[1] // 2)]
    )
    layer = viewer.add_image(KINDS[kind](stack), name="scan")
    noise_form = open_form("Add noise")
    for form, button, name in ((denoise_form, denoise_form.start, "denoised"), (noise_form, noise_form.add, "noisy")):
        form.image.value = layer
        code = copied(form, "Copy as Python")
        made = result(form, button)
        shown = np.asarray(made.data[0] if made.multiscale else made.data)
        pixels = run_python(code, name, viewer=viewer)
        np.testing.assert_array_equal(pixels, shown[..., 0] if "channel" in kind else shown)


def test_a_layer_that_was_computed_does_not_pass_for_its_file(viewer, open_form, result, twelve_bits, tmp_path):
    viewer.open(str(make_files(tmp_path, twelve_bits)["DICOM"]), plugin=PLUGIN)
    form = open_form("Add noise")
    noisy = result(form, form.add)
    form.image.value = noisy
    assert "image.tif" in copied(form, "Copy as command")
    code = copied(form, "Copy as Python")
    np.testing.assert_array_equal(run_python(code, "noisy", viewer=viewer), grey(result(form, form.add)))


def test_a_file_of_napari_s_own_reader_is_named(viewer, open_form, twelve_bits, tmp_path):
    path = make_files(tmp_path, twelve_bits)["pages"]
    viewer.open(str(path), plugin="napari")
    assert str(path) in shlex.split(copied(open_form("Add noise"), "Copy as command"))


def test_all_selected_layers_and_all_settings_are_in_the_command(viewer, denoise_form, twelve_bits, tmp_path):
    files = make_files(tmp_path, twelve_bits)
    for kind in ("file", "pages"):
        viewer.open(str(files[kind]), plugin=PLUGIN)
    viewer.layers.selection = set(viewer.layers)
    denoise_form.image.value = viewer.layers[0]
    denoise_form.self_ensemble.value = denoise_form.maps.error.value = denoise_form.maps.removed.value = True
    denoise_form.maps.share.value = 0.95
    words = shlex.split(copied(denoise_form, "Copy as command"))
    assert words[2:4] == [str(files["file"]), str(files["pages"])]
    assert words[4:] == [
        *("-o", "denoised", "-m", str(denoise_form.model.value), "--self-ensemble"),
        *("--error-map", "error-maps", "--share", "0.95", "--removed-map", "removed-maps"),
    ]


def test_the_code_makes_the_maps_too(viewer, denoise_form, result, noisy, tmp_path):
    write_image(tmp_path / "scan.png", noisy)
    viewer.open(str(tmp_path / "scan.png"), plugin=PLUGIN)
    denoise_form.maps.error.value = denoise_form.maps.removed.value = denoise_form.self_ensemble.value = True
    code = copied(denoise_form, "Copy as Python")
    result(denoise_form, denoise_form.start)
    shown = {layer.name: layer.data for layer in viewer.layers}
    np.testing.assert_allclose(run_python(code, "error"), shown["scan error (90 %)"], rtol=1e-5)
    np.testing.assert_allclose(run_python(code, "removed").z, shown["scan removed structure"], atol=1e-5)


def test_what_cannot_be_copied_gets_its_reason(viewer, denoise_form, open_form):
    for form in (denoise_form, open_form("Add noise")):
        assert copied(form, "Copy as command") == ""
        assert form.status.value == "Open an image first"
