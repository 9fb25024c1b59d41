"""A checkpoint gives back all that was saved, in its order."""

import dataclasses
import math

import numpy as np
import pytest

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint


def arrays(first, count):
    """Arrays of different shapes, each with a value of its own; more than ten, whose names do not sort by number."""
    return [np.full((index + 1, 2), first + index, np.float32) for index in range(count)]


def test_everything_comes_back(tmp_path):
    state = Checkpoint(
        weights=arrays(0, 12),
        average=arrays(100, 12),
        optimizer=[np.array(7, np.int64), *arrays(200, 3)],
        settings={"preset": "fast", "batch_size": 4},
        epoch=3,
        step=12,
        elapsed=1.5,
        best_epoch=2,
        best_psnr=-math.inf,
        best_ssim=0.5,
    )
    save_checkpoint(tmp_path / "a.checkpoint", state)
    found = load_checkpoint(tmp_path / "a.checkpoint")
    for field in dataclasses.fields(Checkpoint):
        expected, value = getattr(state, field.name), getattr(found, field.name)
        if isinstance(expected, list):
            assert len(value) == len(expected), field.name
            for one, other in zip(expected, value, strict=True):
                np.testing.assert_array_equal(one, other)
                assert one.dtype == other.dtype
        else:
            assert value == expected, field.name


def test_what_is_no_checkpoint_is_refused(tmp_path):
    path = tmp_path / "a.checkpoint"
    with pytest.raises(InputError, match="no such checkpoint: start the training without --resume"):
        load_checkpoint(path)
    np.savez(path.with_suffix(".npz"), text=np.array('{"epoch": 1}'))
    path.with_suffix(".npz").rename(path)
    with pytest.raises(InputError, match="the checkpoint is damaged"):
        load_checkpoint(path)
