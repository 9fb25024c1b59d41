"""A Train form on a folder of small images, and one whose training only pretends to run."""

import numpy as np
import pytest

from napari_dental_denoise import write_image
from napari_dental_denoise.plugin.train.process import TrainingProcess
from napari_dental_denoise.training import EpochDone, StepDone, TrainingFinished, TrainingStarted
from tests.plugin.conftest import PATIENCE_S


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """However busy the machine is, no training is ended by force."""
    monkeypatch.setattr("napari_dental_denoise.plugin.train.process.KILL_AFTER_MS", 1000 * PATIENCE_S)


@pytest.fixture
def folder(tmp_path, radiographs):
    """Eight images so small that an epoch is short."""
    for index, image in enumerate(radiographs):
        write_image(tmp_path / "scans" / f"scan{index}.png", image[:64, 40:120])
    return tmp_path / "scans"


@pytest.fixture
def form(open_form, folder, tmp_path, qtbot):
    form = open_form("Train")
    form.fields.clean.value = folder
    form.fields.model.value = tmp_path / "mine.keras"
    form.fields.config_fields["preset"].value = "fast"
    form.fields.start_from.value = "nothing"
    form.fields.config_fields["batch_size"].value = 2
    form.fields.config_fields["patch_size"].value = 32
    qtbot.waitUntil(lambda: form.start.enabled)
    return form


class IdleProcess(TrainingProcess):
    """A training that starts no child: a test sends its reports."""

    stopped = False

    def start(self, _arguments):
        """Wait for the reports of the test."""

    def stop(self):
        self.stopped = True
        super().stop()


@pytest.fixture
def idle(form, monkeypatch):
    """The form with a training that runs and has not begun."""
    monkeypatch.setattr("napari_dental_denoise.plugin.train.widget.TrainingProcess", IdleProcess)
    form.train(form.fields.request())
    return form


def started(**changes):
    """The report of a training from `starter`, which has 36.2 dB on these images."""
    facts = {
        "training_images": 7,
        "validation_images": 1,
        "patches_per_epoch": 100,
        "patch_size": 32,
        "parameters": 500_000,
        "device": "CPU",
        "precision": "f32",
        "epoch": 0,
        "epochs": 10,
        "minutes": None,
        "noisy_psnr": 22.5,
        "noisy_ssim": 0.4,
        "reference": "clean",
        "started_from": "starter.keras",
        "first_psnr": 36.2,
    }
    return TrainingStarted(**{**facts, **changes})


def step(number, eta=80.0):
    return StepDone(epoch=3, step=number, steps=50, loss=0.0123, fraction=0.25, elapsed=20, eta=eta)


def epoch(number, decibels, best):
    return EpochDone(number, 0.01, decibels, 0.9, decibels >= best, best, fraction=0.3, elapsed=20, eta=80)


def finished(best_epoch, decibels):
    return TrainingFinished("mine.keras", 10, best_epoch, decibels, 0.91, elapsed=100)


def save_preview(form, grey):
    """Write what a training writes after an epoch."""
    np.save(form.process.run.preview, np.full((3, 64, 64), grey, np.float32))
