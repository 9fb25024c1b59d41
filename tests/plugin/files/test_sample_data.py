"""File > Open Sample shows synthetic radiographs: clean, noisy and a noisy stack."""

import numpy as np
import pytest

from napari_dental_denoise import phantoms, psnr

SAMPLES = {"clean_radiograph": (488, 748), "noisy_radiograph": (488, 748), "noisy_stack": (5, 488, 748)}


@pytest.mark.parametrize("key", list(SAMPLES))
def test_samples_open_in_napari(viewer, key):
    (layer,) = viewer.open_sample("napari-dental-denoise", key)
    assert layer.data.shape == SAMPLES[key]
    assert layer.dtype == np.uint8
    assert tuple(layer.contrast_limits) == (0, 255)


def test_the_noisy_sample_is_the_clean_one_with_the_default_noise():
    from napari_dental_denoise.plugin.files.sample_data import clean_radiograph, noisy_radiograph, noisy_stack

    clean, noisy, stack = (sample()[0][0] for sample in (clean_radiograph, noisy_radiograph, noisy_stack))
    # 25 grey levels are 20.2 dB; clipping at black and white makes it a little better
    assert 20 < psnr(clean, noisy, data_range=255) < 22
    np.testing.assert_array_equal(stack[0], noisy)
    assert len({image.tobytes() for image in stack}) == 5


def test_each_image_of_the_stack_has_its_own_noise():
    from napari_dental_denoise.plugin.files.sample_data import noisy_stack

    stack = noisy_stack()[0][0].astype(float)
    fine = stack[:, 1:, 1:] - stack[:, :-1, 1:] - stack[:, 1:, :-1] + stack[:, :-1, :-1]
    assert abs(np.corrcoef(fine[0].ravel(), fine[1].ravel())[0, 1]) < 0.1


def test_the_models_of_the_package_never_saw_the_sample():
    from napari_dental_denoise.plugin.files.sample_data import clean_radiograph
    from napari_dental_denoise.training.settings import STARTER_TRAINING
    from napari_dental_denoise.training.starter import SHAPES

    sample = clean_radiograph()[0][0] / 255.0
    learned = [phantoms(1, sample.shape, STARTER_TRAINING.seed + part)[0] for part in range(2 * len(SHAPES))]
    assert min(np.sqrt(np.mean((sample - other) ** 2)) for other in learned) > 0.05, "another mouth"
