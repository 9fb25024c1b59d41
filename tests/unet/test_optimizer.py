"""The optimizer of the training."""

from __future__ import annotations

import numpy as np
import pytest

from napari_dental_denoise.unet.backend import keras, tf
from napari_dental_denoise.unet.optimizer import Muon, orthogonal


@pytest.mark.parametrize("shape", [(144, 16), (16, 144), (64, 64)])
def test_an_orthogonal_matrix_has_all_singular_values_near_one(shape):
    left, _, right = np.linalg.svd(np.random.default_rng(0).normal(size=shape), full_matrices=False)
    matrix = (left * np.geomspace(0.05, 1, min(shape)) @ right).astype(np.float32)
    values = np.linalg.svd(np.asarray(orthogonal(tf.constant(matrix))), compute_uv=False)
    assert values.min() > 0.6
    assert values.max() < 1.3


def test_no_gradient_is_no_step():
    kernel = keras.Variable(np.ones((3, 3, 4, 8), np.float32))
    optimizer = Muon(0.1)
    optimizer.build([kernel])
    optimizer.apply([tf.zeros((3, 3, 4, 8))], [kernel])
    np.testing.assert_array_equal(kernel, 1)


def test_a_step_goes_as_far_in_rare_directions_as_in_frequent_ones():
    rng = np.random.default_rng(0)
    gradient = rng.normal(size=(3, 3, 16, 16)).astype(np.float32) * np.geomspace(0.03, 1, 16, dtype=np.float32)
    kernel = keras.Variable(np.zeros(gradient.shape, np.float32))
    optimizer = Muon(0.01)
    optimizer.build([kernel])
    optimizer.apply([tf.constant(gradient)], [kernel])
    step = np.asarray(kernel).reshape(-1, 16)
    lengths = np.linalg.norm(step, axis=0)
    assert lengths.max() < 1.6 * lengths.min()
    assert np.all(np.sum(step * gradient.reshape(-1, 16), axis=0) < 0)
    # As large as the steps of Adam are in practice: a fifth of the rate.
    assert np.sqrt(np.mean(step**2)) == pytest.approx(0.002, rel=0.3)


def test_biases_and_the_output_take_the_steps_of_adam():
    rng = np.random.default_rng(0)
    shapes = [(8,), (3, 3, 8, 1)]
    ours = [keras.Variable(np.zeros(shape, np.float32)) for shape in shapes]
    theirs = [keras.Variable(np.zeros(shape, np.float32)) for shape in shapes]
    optimizer, adam = Muon(0.01), keras.optimizers.Adam(0.01)
    optimizer.build(ours)
    adam.build(theirs)
    for _ in range(5):
        gradients = [tf.constant(rng.normal(size=shape).astype(np.float32)) for shape in shapes]
        optimizer.apply(gradients, ours)
        adam.apply(gradients, theirs)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
