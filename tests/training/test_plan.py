"""The plan of a training is what the training then does."""

import pytest

from napari_dental_denoise.config import PRESETS
from napari_dental_denoise.training.plan import plan_training, steps_per_epoch, usable_patch_size
from napari_dental_denoise.training.settings import TrainingConfig


def test_the_patch_fits_into_the_images():
    assert usable_patch_size(96, [(100, 200)], 8) == 96
    assert usable_patch_size(96, [(64, 64), (30, 300)], 8) == 64
    assert usable_patch_size(100, [(500, 500)], 16) == 96
    assert usable_patch_size(96, [(3, 3)], 8) == 8


def test_an_epoch_covers_the_images_within_bounds():
    config = TrainingConfig(batch_size=16)
    assert steps_per_epoch([(960, 960)] * 16, 96, config) == 100
    assert steps_per_epoch([(96, 96)], 96, config) == 50
    assert steps_per_epoch([(9600, 9600)] * 100, 96, config) == 500
    assert steps_per_epoch([(96, 96)], 96, TrainingConfig(steps_per_epoch=7)) == 7


def test_the_plan_tells_images_memory_and_time():
    plan = plan_training([(500, 400)] * 10, 2, PRESETS["standard"], TrainingConfig(minutes=3))
    assert (plan.images, plan.patch_size, plan.memory) == (10, 96, 4_000_000)
    assert plan.patches == 50 * 16
    assert plan.seconds == pytest.approx(190)


def test_a_dearer_preset_takes_longer():
    cheap, dear = (plan_training([(500, 400)], 1, PRESETS[name], TrainingConfig()).seconds for name in ("fast", "best"))
    assert dear > 3 * cheap
