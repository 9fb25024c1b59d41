"""Averaging over turns and flips: the turned image has the turned result, and tiles still fit."""

import numpy as np
import pytest

from napari_dental_denoise import SelfEnsemble, add_gaussian_noise, denoise, load_engine, psnr
from napari_dental_denoise.inference.denoising import denoise_steps
from napari_dental_denoise.progress import finish


@pytest.fixture(scope="module")
def engine(trained_model):
    return load_engine(trained_model, "f32")


@pytest.fixture(scope="module")
def noisy(radiographs):
    return add_gaussian_noise((radiographs[7] / 255).astype(np.float32), 0.1, rng=0)


@pytest.mark.parametrize("turn", [np.rot90, np.fliplr, np.flipud, np.transpose])
def test_a_turned_image_has_the_turned_result(engine, noisy, turn):
    ensemble = SelfEnsemble(engine)
    turned = denoise(np.ascontiguousarray(turn(noisy)), ensemble)
    np.testing.assert_allclose(turned, turn(denoise(noisy, ensemble)), atol=1e-5)
    assert np.abs(denoise(np.fliplr(noisy).copy(), engine) - np.fliplr(denoise(noisy, engine))).max() > 1e-3


def test_it_is_the_mean_of_eight_and_not_worse(engine, noisy, radiographs):
    turned = [np.rot90(image, quarter) for image in (noisy, noisy.T) for quarter in range(4)]
    results = [denoise(np.ascontiguousarray(image), engine) for image in turned]
    back = [np.rot90(image, -(place % 4)) for place, image in enumerate(results)]
    mean = np.mean(back[:4] + [image.T for image in back[4:]], axis=0)
    averaged = denoise(noisy, SelfEnsemble(engine))
    np.testing.assert_allclose(averaged, mean, atol=1e-5)
    clean = radiographs[7] / 255
    assert psnr(clean, averaged, data_range=1) > psnr(clean, denoise(noisy, engine), data_range=1)


def test_tiled_equals_whole(engine, noisy):
    whole, tiled = (
        finish(denoise_steps(noisy[:157, :181], SelfEnsemble(engine), tile_side=side)) for side in (1000, 40)
    )
    assert np.abs(whole - tiled).max() < 1e-5
