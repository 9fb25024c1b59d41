"""What the tests share: small synthetic radiographs, a model that was really trained, real data where it is at hand."""

import os
from pathlib import Path

import numpy as np
import pytest

from napari_dental_denoise.core.config import TrainingConfig
from napari_dental_denoise.core.images import write_image
from napari_dental_denoise.core.noise import NoiseRange
from napari_dental_denoise.core.phantom import phantoms


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
    """A model file of the standard preset, trained for a few seconds on white noise."""
    from napari_dental_denoise.unet.dataset import CleanImages
    from napari_dental_denoise.unet.training import TrainingJob, train

    path = tmp_path_factory.mktemp("model") / "model.keras"
    data = CleanImages(radiographs, NoiseRange("gaussian", {"sigma": (0.05, 0.15)}), 0)
    config = TrainingConfig(epochs=2, steps_per_epoch=100, batch_size=8, patch_size=64, learning_rate=2e-3)
    list(train(TrainingJob(data.select(range(6)), data.select([6, 7]), path, config)))
    return path


@pytest.fixture(scope="session")
def dental_data():
    """The folder of real radiographs."""
    folder = os.environ.get("DENTAL_DATA")
    if not folder:
        pytest.skip("DENTAL_DATA is not set to a folder of real radiographs")
    return Path(folder)
