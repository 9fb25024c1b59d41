"""What the tests share: small synthetic radiographs, a model that was really trained, real data where it is at hand."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_dental_denoise.images.raster import write_image
from napari_dental_denoise.synthesis.scene import phantoms


def to_bytes(image):
    return np.rint(image * 255).astype(np.uint8)


@pytest.fixture(scope="session")
def radiographs():
    """Eight clean 8-bit phantoms of 160x200 pixels."""
    return [to_bytes(image) for image in phantoms(8, (160, 200), seed=1)]


@pytest.fixture
def folder(tmp_path, radiographs):
    """A folder of these, as PNG files."""
    for index, image in enumerate(radiographs):
        write_image(tmp_path / "scans" / f"scan{index}.png", image)
    return tmp_path / "scans"


@pytest.fixture(scope="session")
def trained_model(tmp_path_factory, radiographs):
    """A model file of the fast preset, trained for a few seconds on white noise.

    In a process of its own: TensorFlow and a window in one process crash.
    """
    folder = tmp_path_factory.mktemp("training")
    for index, image in enumerate(radiographs):
        write_image(folder / "scans" / f"{index}.png", image)
    noise = "--noise gaussian --sigma 0.05 0.15 --preset fast --start-from nothing"
    settings = f"{noise} --epochs 2 --steps-per-epoch 100 --batch-size 8 --patch-size 64"
    command = ["train", str(folder / "scans"), "-o", str(folder / "model.keras"), "--validation-split", "0.25"]
    subprocess.run([sys.executable, "-m", "napari_dental_denoise", *command, *settings.split()], check=True)
    return folder / "model.keras"


@pytest.fixture(scope="session")
def dental_data():
    """The folder of real radiographs."""
    folder = os.environ.get("DENTAL_DATA")
    if not folder:
        pytest.skip("DENTAL_DATA is not set to a folder of real radiographs")
    return Path(folder)
