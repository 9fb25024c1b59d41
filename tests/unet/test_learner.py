"""The loss of a training step."""

import math

import numpy as np
import pytest

from napari_dental_denoise.config import PRESETS
from napari_dental_denoise.training import Batch
from napari_dental_denoise.unet.learner import MIN_ERROR, Learner, denoise_with_error, error_loss, lost_detail


def learner(preset):
    return Learner(PRESETS[preset], mixed=False, averaging=0.999, seed=0)


def batch_of(noisy, clean, detail=None):
    return Batch(noisy, clean, np.zeros_like(clean) if detail is None else detail, np.zeros(len(clean), np.float32))


def test_the_loss_is_the_mean_logarithm_of_the_mean_square_errors():
    clean = np.zeros((3, 16, 16, 1), np.float32)
    denoised = clean.copy()
    denoised[0] += 0.1
    denoised[1, :, ::2] -= 0.02
    # Mean square errors of 0.01 and 0.0002; the third patch is perfect.
    expected = (math.log(0.01 + MIN_ERROR) + math.log(0.0002 + MIN_ERROR) + math.log(MIN_ERROR)) / 3
    assert float(learner("fast").loss(batch_of(denoised, clean), denoised)) == pytest.approx(expected, rel=1e-4)


def test_the_seed_decides_the_first_weights():
    networks = [Learner(PRESETS["fast"], mixed=False, averaging=0.0, seed=seed).network for seed in (0, 0, 1)]
    first, same, other = (np.concatenate([w.ravel() for w in each.get_weights()]) for each in networks)
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


def test_errors_below_the_grain_of_a_patch_count_less():
    clean = np.zeros((1, 16, 16, 1), np.float32)
    grainy = batch_of(clean, clean)._replace(grain=np.float32([0.02]))
    fast = learner("fast")
    losses = [float(fast.loss(grainy, clean + error)) for error in (0.0, 0.02, 0.2)]
    assert losses[0] == pytest.approx(math.log(0.02**2 + MIN_ERROR), rel=1e-3)
    assert losses[1] - losses[0] == pytest.approx(math.log(2), rel=1e-2)
    assert losses[2] - losses[1] > 2


def test_a_step_keeps_more_of_a_detail_the_more_it_weighs():
    """Noise, and a disc in the middle that is as bright as the noise: what is seen of it after some steps."""
    rng = np.random.default_rng(0)
    detail = np.zeros((8, 32, 32, 1), np.float32)
    detail[:, 13:19, 13:19] = 0.05
    kept = []
    for weight in (0.0, 1.0):
        network = Learner(PRESETS["fast"], mixed=False, averaging=0.0, seed=0, detail=weight)
        for _ in range(60):
            noise = rng.normal(0, 0.1, detail.shape).astype(np.float32)
            network.learn(batch_of(detail + noise, detail, detail), 2e-3)
        noise = np.random.default_rng(9).normal(0, 0.1, detail.shape).astype(np.float32)
        through = network.denoise(detail + noise) - network.denoise(noise)
        kept.append(float(np.sum(through * detail) / np.sum(detail**2)))
    assert kept[1] > kept[0] + 0.1


def test_the_lost_detail_is_a_share_of_its_energy():
    detail = np.zeros((2, 8, 8, 1), np.float32)
    detail[:, 2:4, 2:4] = [[[[0.1]]], [[[0.3]]]]
    assert float(lost_detail(detail, detail)) == 0
    assert float(lost_detail(0 * detail, detail)) == pytest.approx(1, rel=1e-3)
    assert float(lost_detail(0.5 * detail, detail)) == pytest.approx(0.25, rel=1e-3)


@pytest.mark.parametrize("preset", ["fast", "classic"])
def test_a_step_reports_the_geometric_mean_of_the_errors_before_it_and_lowers_it(preset):
    rng = np.random.default_rng(0)
    clean = np.full((4, 32, 32, 1), 0.5, np.float32)
    levels = np.array([0.02, 0.05, 0.1, 0.2], np.float32).reshape(4, 1, 1, 1)
    noisy = clean + levels * rng.choice(np.array([-1, 1], np.float32), clean.shape)
    network = learner(preset)
    output = np.asarray(network.network(noisy)[0])
    # "classic" predicts the image itself, "fast" the noise, at first none.
    denoised = output if preset == "classic" else noisy - output
    errors = np.sqrt(np.mean((denoised - clean) ** 2, axis=(1, 2, 3)))
    losses = [network.learn(batch_of(noisy, clean), 1e-3) for _ in range(8)]
    assert losses[0] == pytest.approx(float(np.exp(np.mean(np.log(errors)))), rel=1e-3)
    if preset == "fast":
        assert losses[0] == pytest.approx((0.02 * 0.05 * 0.1 * 0.2) ** 0.25, rel=1e-3)
    assert losses[-1] < losses[0]


def test_the_error_map_learns_the_deviation_and_does_not_change_what_is_denoised():
    """Noise of two levels that cannot be removed: half of the patches have four times that of the others."""
    rng = np.random.default_rng(0)
    clean = np.full((8, 32, 32, 1), 0.5, np.float32)
    level = np.repeat(np.float32([0.02, 0.08]), 4).reshape(8, 1, 1, 1)
    with_map, frozen = learner("fast"), learner("fast")
    for step in range(150):
        noisy = clean + level * rng.standard_normal(clean.shape, np.float32)
        with_map.learn(batch_of(noisy, clean), 2e-3)
        if step < 10:
            # Other weights of the map make no difference to the rest.
            for layer in frozen.network.layers:
                if layer.name.startswith("error") and layer.weights:
                    layer.set_weights([0 * layer.get_weights()[0] + 0.01])
            frozen.learn(batch_of(noisy, clean), 2e-3)
        if step == 9:
            one, other = (denoise_with_error(each.network, PRESETS["fast"], noisy)[0] for each in (with_map, frozen))
            np.testing.assert_array_equal(one, other)
    noisy = clean + level * np.random.default_rng(9).standard_normal(clean.shape, np.float32)
    denoised, squared = denoise_with_error(with_map.network, PRESETS["fast"], noisy)
    errors = np.mean((denoised - clean) ** 2, axis=(1, 2, 3))
    assert np.mean(squared, axis=(1, 2, 3)) == pytest.approx(errors, rel=0.6)
    assert np.mean(squared[4:]) > 4 * np.mean(squared[:4])


def test_grain_of_a_clean_patch_is_no_error():
    clean = np.zeros((1, 16, 16, 1), np.float32)
    denoised = clean + np.float32(0.02) * np.random.default_rng(0).standard_normal(clean.shape, np.float32)
    grainy = batch_of(clean, clean)._replace(grain=np.float32([0.02]))
    expected = [np.full((1, 8, 8, 1), error**2, np.float32) for error in (0.001, 0.02)]
    losses = [float(error_loss(grainy, denoised, each)) for each in expected]
    assert losses[0] < losses[1]
    losses = [float(error_loss(batch_of(clean, clean), denoised, each)) for each in expected]
    assert losses[0] > losses[1]
