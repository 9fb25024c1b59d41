"""The forms work without TensorFlow, Keras, Dask's scheduler and matplotlib, and tell what needs them."""

import os
import subprocess
import sys

# A process of its own: a package that was blocked would stay so for the tests that follow.
CODE = """
import sys
import napari
from pathlib import Path
from qtpy.QtTest import QTest
import napari_dental_denoise as ndd

folder = Path(sys.argv[1])
viewer = napari.Viewer(show=False)
viewer.add_image(ndd.add_gaussian_noise(ndd.phantom((96, 128), rng=1000), 0.1, rng=0), name="scan")
names = ("Denoise", "Add noise", "Train", "Compare")
forms = {name: viewer.window.add_plugin_dock_widget("napari-dental-denoise", name)[1] for name in names}
forms["Denoise"].denoise()
while len(viewer.layers) == 1:
    QTest.qWait(20)
print(viewer.layers[-1].name)
train = forms["Train"]
train.fields.clean.value, train.fields.model.value = folder / "scans", folder / "mine.keras"
while not train.start.enabled:
    QTest.qWait(20)
train.train(train.fields.request())
while not train.start.enabled:
    QTest.qWait(20)
print(train.status.value)
viewer.close()
"""


def test_the_forms_work_without_tensorflow(tmp_path, folder, qapp):
    for package in ("tensorflow", "keras", "distributed", "matplotlib"):
        (tmp_path / "blocked" / package).mkdir(parents=True)
        (tmp_path / "blocked" / package / "__init__.py").write_text("raise ImportError('it is blocked')")
    path = os.pathsep.join([str(tmp_path / "blocked"), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path}
    run = [sys.executable, "-c", CODE, str(tmp_path)]
    result = subprocess.run(run, capture_output=True, text=True, env=environment, timeout=300, check=False)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == "scan denoised (starter, 100 %)"
    needed_for = "it is needed for training and for models in Keras"
    assert lines[-1] == f"tensorflow cannot be imported (it is blocked); {needed_for}: pip install tensorflow"
