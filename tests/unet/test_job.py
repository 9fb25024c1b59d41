"""The settings that a resumed training must share with the one before."""

import pytest

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.training.settings import TRAINING
from napari_dental_denoise.unet.job import check_resumable

NOW = {"preset": "fast", "batch_size": TRAINING.batch_size, "data": "abc"}


def test_a_checkpoint_without_a_newer_setting_was_trained_with_its_default():
    check_resumable("m.checkpoint", {"preset": "fast", "data": "abc"}, NOW)
    with pytest.raises(InputError, match=r"^m\.checkpoint: .* another batch_size: batch_size 16, now 3$"):
        check_resumable("m.checkpoint", {"preset": "fast", "data": "abc"}, {**NOW, "batch_size": 3})


def test_other_data_are_told_before_other_settings():
    with pytest.raises(InputError, match="has other images or other noise"):
        check_resumable("m.checkpoint", {**NOW, "data": "def", "preset": "best"}, NOW)
