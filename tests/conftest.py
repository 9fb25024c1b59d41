"""Shared fixtures: small synthetic radiographs, a trained model, and real radiographs where they are at hand."""

import os
import shutil
import subprocess
import sys
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import settings

import napari_dental_denoise
from napari_dental_denoise.images.writer import write_image
from napari_dental_denoise.synthesis.scene import phantoms

# An example that waits for the processor is no failure.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def to_bytes(image):
    return np.rint(image * 255).astype(np.uint8)


@pytest.fixture(scope="session")
def radiographs():
    """Eight clean 8-bit phantoms of 160x200 pixels."""
    return [to_bytes(image) for image in phantoms(8, (160, 200), rng=1)]


def write_scans(folder, images):
    """Write images as PNG files into a new folder `scans`, and return it."""
    for index, image in enumerate(images):
        write_image(folder / "scans" / f"scan{index}.png", image)
    return folder / "scans"


@pytest.fixture
def folder(tmp_path, radiographs):
    """A folder with the synthetic radiographs as PNG files."""
    return write_scans(tmp_path, radiographs)


def source_key():
    """Return a hash of all that the trained model depends on."""
    sources = [Path(__file__), *sorted(Path(napari_dental_denoise.__file__).parent.rglob("*.py"))]
    versions = [f"{name} {version(name)}" for name in ("keras", "tensorflow", "openvino", "numpy")]
    return sha256(b"".join([*map(Path.read_bytes, sources), *map(str.encode, versions)])).hexdigest()[:16]


def train_model(radiographs, folder):
    """Train a model of the fast preset for some seconds on white noise.

    In a process of its own: TensorFlow and a window in one process crash.
    """
    for index, image in enumerate(radiographs):
        write_image(folder / "scans" / f"{index}.png", image)
    noise = "--noise gaussian --sigma 0.05 0.15 --preset fast --start-from nothing"
    settings = f"{noise} --epochs 2 --steps-per-epoch 100 --batch-size 8 --patch-size 64"
    command = ["train", str(folder / "scans"), "-o", str(folder / "model.keras"), "--validation-split", "0.25"]
    subprocess.run([sys.executable, "-m", "napari_dental_denoise", *command, *settings.split()], check=True)
    return folder / "model.keras"


@pytest.fixture(scope="session")
def trained_model(tmp_path_factory, radiographs, pytestconfig):
    """A model that was really trained: once for all processes and runs, until the source changes.

    Each process has a copy, so that no test can damage that of another.
    """
    kept = pytestconfig.cache.mkdir("trained-model")
    model, folder = kept / f"{source_key()}.keras", tmp_path_factory.mktemp("trained-model")
    with FileLock(kept / "lock"):
        if not model.exists():
            for outdated in kept.glob("*.keras"):
                outdated.unlink()
            train_model(radiographs, folder).replace(model)
        return Path(shutil.copy(model, folder / "model.keras"))


@pytest.fixture(scope="session")
def dental_data():
    """The folder of real radiographs."""
    folder = os.environ.get("DENTAL_DATA")
    if not folder:
        pytest.skip("DENTAL_DATA is not set to a folder of real radiographs")
    return Path(folder)
