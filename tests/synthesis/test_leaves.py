"""Dead leaves have edges and textures at all scales, and no grain."""

import numpy as np

from napari_dental_denoise.synthesis.leaves import dead_leaves


def drawn(count=12):
    return [dead_leaves((128, 160), np.random.default_rng(seed)) for seed in range(count)]


def test_they_are_grey_values_of_the_shape_and_the_seed():
    images = drawn()
    for image in images:
        assert image.shape == (128, 160)
        assert image.dtype == np.float32
        assert image.min() >= 0
        assert image.max() <= 1
    np.testing.assert_array_equal(images[3], dead_leaves((128, 160), np.random.default_rng(3)))
    ranges = [float(np.ptp(image)) for image in images]
    assert min(ranges) < 0.75
    assert max(ranges) > 0.99


def test_most_of_a_leaf_is_flat_and_leaves_end_in_edges():
    images = drawn()
    steps = [np.abs(np.diff(image, axis=1)) / np.ptp(image) for image in images]
    assert sum(np.mean(step < 1e-3) > 0.3 for step in steps) >= 4
    assert all(step.max() > 0.1 for step in steps)


def test_there_are_differences_at_every_scale():
    """As in natural images, halving the size leaves the contrast: white noise would lose half of it."""
    for image in drawn():
        half = image.reshape(64, 2, 80, 2).mean((1, 3))
        assert half.std() > 0.75 * image.std()
