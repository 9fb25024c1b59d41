"""The package starts fast: nothing heavy is loaded before it is needed."""

import os
import subprocess
import sys

import pytest

HEAVY = ("tensorflow", "keras", "openvino", "matplotlib", "napari", "qtpy")


def loaded_after(code):
    check = f"{code}\nimport sys\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    return result.stdout.strip().splitlines()[-1], result.stderr


@pytest.mark.quick
@pytest.mark.parametrize(
    "code",
    [
        "import napari_dental_denoise",
        "import napari_dental_denoise.cli",
        "from napari_dental_denoise import add_gaussian_noise, denoise, psnr, read_dental, phantom",
        "from napari_dental_denoise.cli import main\ntry: main(['train', '--help'])\nexcept SystemExit: pass",
    ],
)
def test_nothing_heavy_is_loaded(code):
    assert loaded_after(code) == ("[]", "")


def test_denoising_never_loads_tensorflow(trained_model):
    code = (
        "import numpy, napari_dental_denoise as ndd\n"
        f"ndd.denoise(numpy.zeros((50, 60), 'uint8'), {str(trained_model)!r})"
    )
    assert loaded_after(code)[0] == "['openvino']"


def test_tensorflow_loads_without_a_word():
    assert loaded_after("import napari_dental_denoise.unet.trainer")[1] == ""


def test_openvino_tells_nobody(trained_model, tmp_path):
    code = (
        "import threading, numpy, napari_dental_denoise as ndd\n"
        f"ndd.denoise(numpy.zeros((50, 60), 'uint8'), {str(trained_model)!r})\n"
        "print([name for name in __import__('sys').modules if name.startswith('openvino_telemetry.')])"
    )
    home = {**os.environ, "HOME": str(tmp_path)}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=home)
    assert result.stdout.strip() == "[]"
    assert not (tmp_path / "intel").exists()


def test_every_public_name_is_there():
    import napari_dental_denoise as ndd

    assert len(ndd.__all__) > 15
    for name in ndd.__all__:
        assert getattr(ndd, name) is not None
    assert ndd.CNN_denoiser is ndd.CNNDenoiser
