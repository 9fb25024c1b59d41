"""A training is validated with the middle of its images, at all levels of noise."""

import numpy as np
import pytest

from napari_dental_denoise.noise.registry import NoiseRange
from napari_dental_denoise.training.dataset import CleanImages
from napari_dental_denoise.training.settings import TrainingConfig
from napari_dental_denoise.unet.validation import Validation, validation_pairs


def data(images, low=0.0, high=0.2):
    return CleanImages(images, NoiseRange("gaussian", {"sigma": (low, high)}), 0)


def test_it_is_the_middle_of_an_image():
    image = np.zeros((60, 100), np.uint8)
    image[14:46, 34:66] = 200
    ((_, clean),) = validation_pairs(data([image]), 8, TrainingConfig(validation_side=32))
    np.testing.assert_allclose(clean, 200 / 255, atol=1e-6)
    assert clean.shape == (32, 32)


def test_the_square_roots_of_the_levels_of_noise_lie_evenly_between_the_lowest_and_the_highest():
    images = [np.full((64, 64), 128, np.uint8)] * 4
    pairs = validation_pairs(data(images), 8, TrainingConfig())
    levels = [float(np.std(noisy - clean)) for noisy, clean in pairs]
    assert levels == pytest.approx([0.2 * (place / 8) ** 2 for place in (1, 3, 5, 7)], rel=0.05)


def test_images_are_chosen_evenly_from_the_first_to_the_last():
    images = [np.full((32, 32), 10 * number, np.uint8) for number in range(21)]
    pairs = validation_pairs(data(images), 8, TrainingConfig(validation_images=3))
    assert [round(float(clean.mean()) * 255) for _, clean in pairs] == [0, 100, 200]


def test_the_preview_is_noisy_denoised_and_clean():
    class Halves:
        def denoise_image(self, noisy):
            return noisy / 2

    pairs = [(np.full((32, 32), level, np.float32), np.full((32, 32), 0.9, np.float32)) for level in (0.2, 0.4, 0.6)]
    preview = Validation(pairs).preview(Halves())
    assert [float(image.mean()) for image in preview] == pytest.approx([0.4, 0.2, 0.9])
