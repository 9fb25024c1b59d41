"""The loss of a training step."""

import math

import numpy as np
import pytest

from napari_dental_denoise.config import PRESETS
from napari_dental_denoise.unet.learner import MIN_ERROR, Learner


def learner(preset):
    return Learner(PRESETS[preset], mixed=False, averaging=0.999, seed=0)


def test_the_loss_is_the_mean_logarithm_of_the_mean_square_errors():
    clean = np.zeros((3, 16, 16, 1), np.float32)
    denoised = clean.copy()
    denoised[0] += 0.1
    denoised[1, :, ::2] -= 0.02
    # Mean square errors of 0.01 and 0.0002; the third patch is perfect.
    expected = (math.log(0.01 + MIN_ERROR) + math.log(0.0002 + MIN_ERROR) + math.log(MIN_ERROR)) / 3
    assert float(learner("fast").loss(denoised, denoised, clean)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("preset", ["fast", "classic"])
def test_a_step_reports_the_geometric_mean_of_the_errors_before_it_and_lowers_it(preset):
    rng = np.random.default_rng(0)
    clean = np.full((4, 32, 32, 1), 0.5, np.float32)
    levels = np.array([0.02, 0.05, 0.1, 0.2], np.float32).reshape(4, 1, 1, 1)
    noisy = clean + levels * rng.choice(np.array([-1, 1], np.float32), clean.shape)
    network = learner(preset)
    output = np.asarray(network.network(noisy))
    # "classic" predicts the image itself, "fast" the noise, at first none.
    denoised = output if preset == "classic" else noisy - output
    errors = np.sqrt(np.mean((denoised - clean) ** 2, axis=(1, 2, 3)))
    losses = [network.learn(noisy, clean, 1e-3) for _ in range(8)]
    assert losses[0] == pytest.approx(float(np.exp(np.mean(np.log(errors)))), rel=1e-3)
    if preset == "fast":
        assert losses[0] == pytest.approx((0.02 * 0.05 * 0.1 * 0.2) ** 0.25, rel=1e-3)
    assert losses[-1] < losses[0]
