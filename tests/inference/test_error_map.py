"""The error map: how much of the truth lies within it, and that it follows the image as the denoised one does."""

from dataclasses import replace

import numpy as np
import pytest

from napari_dental_denoise.config import SHARES
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.inference.denoising import denoise
from napari_dental_denoise.inference.engine import load_engine
from napari_dental_denoise.inference.error_map import denoise_with_error, error_steps
from napari_dental_denoise.inference.self_ensemble import SelfEnsemble
from napari_dental_denoise.noise.correlated import add_correlated_noise
from napari_dental_denoise.noise.pointwise import add_gaussian_noise
from napari_dental_denoise.pixels.encoding import PLAIN
from napari_dental_denoise.progress import finish
from napari_dental_denoise.synthesis.scene import phantoms

CLEAN = list(phantoms(3, (160, 200), rng=77))


@pytest.fixture(scope="module")
def engine(trained_model):
    return load_engine(trained_model, "f32")


def noisy(index=0, sigma=0.1):
    return add_gaussian_noise(CLEAN[index], sigma, rng=index)


def test_about_as_many_pixels_as_promised_lie_within_the_error(engine):
    for share in SHARES:
        within = []
        for index, clean in enumerate(CLEAN):
            denoised, error = denoise_with_error(noisy(index), engine, share=share)
            within.append(np.mean(np.abs(denoised - clean) <= error))
        assert np.mean(within) == pytest.approx(share, abs=0.08)


def test_the_denoised_image_is_that_of_denoise(engine):
    for image in (noisy(), np.rint(noisy().clip(0, 1) * 255).astype(np.uint8)):
        denoised, error = denoise_with_error(image, engine)
        np.testing.assert_array_equal(denoised, denoise(image, engine))
        assert (error.dtype, error.shape) == (np.float32, image.shape)
        assert error.min() >= 0


def test_rounding_counts_where_grey_values_are_few(engine):
    """Of an image with 12 grey values, noise is a fraction of one: what is rounded away is more than what is left."""
    within = []
    for index, clean in enumerate(CLEAN):
        truth = 100 + 12 * clean
        stored = np.rint(add_gaussian_noise(truth, 0, rng=0) + np.random.default_rng(index).normal(0, 1.2, clean.shape))
        denoised, error = denoise_with_error(stored.astype(np.uint8), engine)
        within.append(np.mean(np.abs(denoised - truth) <= error))
    assert np.mean(within) == pytest.approx(0.9, abs=0.08)


def test_of_a_stack_only_images_with_other_noise_have_no_numbers(engine):
    coarse = add_correlated_noise(CLEAN[1], 0.1, 1.5, rng=0)
    _, error = denoise_with_error(np.stack([noisy(), coarse]), engine)
    assert np.isfinite(error[0]).all()
    assert np.isnan(error[1]).all()


def test_a_larger_share_needs_a_larger_error(engine):
    errors = [denoise_with_error(noisy(), engine, share=share)[1] for share in SHARES]
    assert (errors[0] < errors[1]).all()
    assert (errors[1] < errors[2]).all()


def test_more_noise_means_a_larger_error_where_it_is(engine):
    sigma = np.full(CLEAN[0].shape, 0.05, np.float32)
    sigma[:, 100:] = 0.15
    image = CLEAN[0] + sigma * np.random.default_rng(0).standard_normal(sigma.shape, np.float32)
    _, error = denoise_with_error(image, engine)
    assert error[:, 120:].mean() > 1.5 * error[:, :80].mean()


@pytest.mark.parametrize(("scale", "offset"), [(4095.0, 0.0), (0.01, -3.0)])
def test_the_error_has_the_unit_of_the_image(engine, scale, offset):
    image = noisy().astype(np.float64)
    _, error = denoise_with_error(image, engine)
    _, other = denoise_with_error(scale * image + offset, engine)
    np.testing.assert_allclose(other, scale * error, rtol=0.02, atol=1e-4 * scale)


def test_tiles_do_not_show(engine):
    encoding = PLAIN.fit(noisy())
    whole, tiled = (finish(error_steps(noisy(), engine, tile_side=side, encoding=encoding)) for side in (1024, 64))
    np.testing.assert_allclose(tiled.error, whole.error, atol=0.02 * float(whole.error.max()))


def test_each_image_of_a_stack_has_its_map(engine):
    stack = np.stack([noisy(0, 0.05), noisy(1, 0.14)])
    denoised, error = denoise_with_error(stack, engine)
    assert denoised.shape == error.shape == stack.shape
    assert error[1].mean() > 1.5 * error[0].mean()


def test_a_self_ensemble_has_a_map_too(engine):
    _, error = denoise_with_error(noisy(), SelfEnsemble(engine))
    np.testing.assert_allclose(error.mean(), denoise_with_error(noisy(), engine)[1].mean(), rtol=0.2)


def test_no_number_is_told_outside_what_the_model_was_calibrated_for(engine):
    with pytest.raises(InputError, match=r"was not calibrated for noise of .* grey levels"):
        denoise_with_error(add_correlated_noise(CLEAN[0], 0.1, 1.5, rng=0), engine)


def test_a_model_without_a_map_says_so(trained_model):
    bare = load_engine(trained_model)
    bare.card = replace(bare.card, calibration={})
    with pytest.raises(InputError, match="no error map"):
        denoise_with_error(noisy(), bare)


@pytest.mark.parametrize("share", [0.5, 1, "0.9", None])
def test_other_shares_are_refused(engine, share):
    with pytest.raises(InputError, match=r"share must be a number among 0\.68, 0\.9, 0\.95"):
        denoise_with_error(noisy(), engine, share=share)
