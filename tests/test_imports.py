"""The package starts fast: nothing heavy is loaded before it is needed."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

HEAVY = ("tensorflow", "keras", "openvino", "matplotlib", "napari", "qtpy", "skimage")


def loaded_after(code, names=HEAVY):
    check = f"{code}\nimport sys\nprint([name for name in {names!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    return result.stdout.strip().splitlines()[-1], result.stderr


@pytest.mark.quick
@pytest.mark.parametrize(
    "code",
    [
        "import napari_dental_denoise",
        "from napari_dental_denoise import add_gaussian_noise, denoise, psnr, read_dental, phantom",
    ],
)
def test_nothing_heavy_is_loaded(code):
    assert loaded_after(code) == ("[]", "")


@pytest.mark.quick
def test_the_command_line_starts_without_scipy():
    code = "from napari_dental_denoise.cli import main\ntry: main(['train', '--help'])\nexcept SystemExit: pass"
    assert loaded_after(code, (*HEAVY, "scipy")) == ("[]", "")


def test_a_wrong_name_of_an_export_is_told_before_tensorflow_loads():
    code = "from napari_dental_denoise.cli import main\nmain(['export', 'starter', '--format', 'onnx', '-o', 'a.zip'])"
    loaded, told = loaded_after(code)
    assert loaded == "[]"
    assert "a.zip: expected a name with the suffix .onnx" in told


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


def test_no_module_of_these_tests_brings_its_telemetry():
    """In one, every training of the process would call a statistics server, from a fork that takes two seconds."""
    assert sys.modules.get("openvino_telemetry") is None


# As on a server where only what denoising needs was installed.
BLOCKED = ("dask", "distributed", "keras", "magicgui", "matplotlib", "psutil", "pyqtgraph", "qtpy", "tensorflow")
# Without TensorFlow, a process runs many commands in the time that it takes to start.
RUN_BLOCKED = f"""
import contextlib, io, json, sys
sys.modules |= dict.fromkeys({BLOCKED!r})
from napari_dental_denoise.cli import main
results = []
for command in json.loads(sys.argv[1]):
    with contextlib.redirect_stderr(io.StringIO()) as complaint, contextlib.redirect_stdout(io.StringIO()):
        code = main(command.split())
    results.append((code, complaint.getvalue()))
print(json.dumps(results))
"""
NEEDED_FOR = {
    "denoise scans -o denoised --clean scans": None,
    "denoise scans -o others -m starter-fast --error-map errors": None,
    "add-noise scans -o noisy --sigma 0.1": None,
    "evaluate scans -m starter-fast --sigma 0.1 --rows 0:64": None,
    "info scans/scan0.png starter-fast": None,
    "denoise scans -o keras --engine keras": "tensorflow",
    "denoise scans -o parallel --workers 2": "distributed",
    "train scans -o model.keras": "tensorflow",
    "convert model.keras -o usable.keras": "tensorflow",
    "assess scans --figure curves.png": "matplotlib",
    "assess scans/scan0.png --detail-map map.tif": "matplotlib",
    "workflow scans -o results": "matplotlib",
}


def test_what_needs_no_training_works_without_tensorflow(folder):
    run = [sys.executable, "-c", RUN_BLOCKED, json.dumps(list(NEEDED_FOR))]
    result = subprocess.run(run, capture_output=True, text=True, cwd=folder.parent, check=True)
    for (command, package), (code, complaint) in zip(NEEDED_FOR.items(), json.loads(result.stdout), strict=True):
        if package is None:
            assert (code, complaint) == (0, ""), command
        else:
            assert (code, complaint.count("\n")) == (2, 1), command
            assert complaint.startswith(f"napari-dental-denoise: {package} cannot be imported"), command
            assert complaint.endswith(f": pip install {package}\n"), command


def test_the_documented_list_holds_what_denoising_needs():
    root = Path(__file__).parents[1]
    requirements = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    needed = {re.split("[>=]", requirement)[0] for requirement in requirements}
    document = (root / "docs" / "install.md").read_text("utf-8")
    (listed,) = re.findall("pip install (filelock .*?)```", document, re.DOTALL)
    assert needed - set(listed.replace("\\", "").split()) == set(BLOCKED)


def test_a_broken_tensorflow_is_told_in_one_line(tmp_path, folder):
    (tmp_path / "tensorflow.py").write_text(
        "raise TypeError('Descriptors cannot be created directly.\\nA second line')"
    )
    run = [sys.executable, "-m", "napari_dental_denoise", "train", "scans", "-o", "model.keras"]
    path = os.pathsep.join([str(tmp_path), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path}
    result = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert result.returncode == 2
    told = "tensorflow cannot be imported (Descriptors cannot be created directly.); it is needed for training"
    assert told in result.stderr.splitlines()[-1]


def test_every_public_name_is_there():
    import napari_dental_denoise as ndd

    assert len(ndd.__all__) > 15
    for name in ndd.__all__:
        assert getattr(ndd, name) is not None
    assert ndd.CNN_denoiser is ndd.CNNDenoiser
