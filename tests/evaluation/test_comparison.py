"""Methods are compared on the same noise, clipped as a picture is, and their scores averaged."""

import math

import numpy as np
import pytest

from napari_dental_denoise import add_gaussian_noise, psnr, ssim
from napari_dental_denoise.detail.survival import faint_spots
from napari_dental_denoise.evaluation.comparison import (
    NOISY,
    Score,
    added_noise,
    compare,
    given_pairs,
    model_denoiser,
    summarise,
)
from napari_dental_denoise.evaluation.metrics import mean_score
from napari_dental_denoise.models import ModelCard


def test_an_image_has_the_noise_of_its_seed_and_place(radiographs):
    pairs = list(added_noise(radiographs[:2], "gaussian", {"sigma": 0.1}, 5))
    for index, pair in enumerate(pairs):
        np.testing.assert_array_equal(pair.clean, radiographs[index] / np.float32(255))
        expected = add_gaussian_noise(pair.clean, 0.1, rng=np.random.default_rng([5, index]))
        np.testing.assert_array_equal(pair.noisy, expected)
        assert pair.sigma == pytest.approx(np.sqrt(np.mean((pair.noisy - pair.clean) ** 2)))
        assert pair.noise == "gaussian, sigma 0.1"


def test_a_method_is_told_the_level_and_scored_as_a_picture(radiographs):
    (pair,) = added_noise(radiographs[:1], "gaussian", {"sigma": 0.2}, 0)
    told = []

    def brighter(noisy, sigma):
        told.append(sigma)
        return noisy + 0.1

    noisy, method = compare([pair], {"brighter": brighter})
    assert told == [pair.sigma]
    for score, name, image in ((noisy, NOISY, pair.noisy), (method, "brighter", pair.noisy + 0.1)):
        shown = np.clip(image, 0, 1)
        assert (score.method, score.noise) == (name, pair.noise)
        assert score.psnr == psnr(pair.clean, shown, data_range=1)
        assert score.ssim == ssim(pair.clean, shown, data_range=1)
        assert score.accuracy == np.mean(np.abs(shown - pair.clean) <= 0.05)
        assert score.seconds >= 0


def test_what_a_method_keeps_of_details_is_their_share_in_its_result(radiographs):
    pairs = list(added_noise(radiographs[:2], "gaussian", {"sigma": 0.05}, 0))
    methods = {"half": lambda noisy, _sigma: 0.5 * noisy, "nothing": lambda noisy, _sigma: 0 * noisy}
    scores = list(compare(pairs, methods, lambda pair: faint_spots(pair.noisy.shape, pair.sigma)))
    assert [score.kept for score in scores] == pytest.approx([1, 0.5, 0] * 2, abs=1e-5)
    assert all(math.isnan(score.kept) for score in compare(pairs, methods))


def test_faint_spots_lie_all_over_the_image_and_are_twice_the_noise():
    spots = faint_spots((160, 200), 0.05)
    assert np.abs(spots).max() == pytest.approx(0.1, rel=0.05)
    assert (spots > 0.05).any()
    assert (spots < -0.05).any()
    assert all(np.abs(spots[part]).max() > 0.05 for part in (np.s_[:40, :40], np.s_[-40:, -40:], np.s_[60:100, 80:120]))
    assert np.mean(np.abs(spots) > 0.001) < 0.2


def test_recorded_pairs_have_one_white():
    clean, noisy = np.full((20, 20), 4000, np.uint16), np.full((20, 20), 2000, np.uint16)
    (pair,) = given_pairs([noisy], [clean], "recorded")
    assert pair.clean[0, 0] == pytest.approx(4000 / 4095)
    assert pair.noisy[0, 0] == pytest.approx(2000 / 4095)
    assert pair.noise == "recorded"


def test_equal_images_have_a_level_that_baselines_can_use():
    image = np.full((20, 20), 0.5, np.float32)
    (pair,) = given_pairs([image], [image], "recorded")
    assert pair.sigma > 0


def test_a_model_is_run_with_its_strength():
    class Constant:
        card = ModelCard("fast", "residual", 8, 0)

        def __call__(self, batch):
            return np.full_like(batch, 0.2)

    noisy = np.full((32, 32), 0.5, np.float32)
    np.testing.assert_allclose(model_denoiser(Constant(), 0.5)(noisy, 0.1), 0.4, atol=1e-6)


def test_means_are_taken_for_each_noise_and_method_in_their_order():
    scores = [
        Score("weak", "b", 30.0, 0.9, 0.8, 1.0),
        Score("weak", "a", 20.0, 0.5, 0.5, 1.0),
        Score("strong", "b", 10.0, 0.1, 0.2, 1.0),
        Score("weak", "b", 40.0, math.nan, 0.6, 3.0),
    ]
    rows = summarise(scores)
    keys = [(row.noise, row.method, row.images) for row in rows]
    assert keys == [("weak", "b", 2), ("weak", "a", 1), ("strong", "b", 1)]
    first = rows[0]
    assert (first.psnr, first.ssim, first.seconds) == (35.0, 0.9, 2.0)
    assert first.accuracy == pytest.approx(0.7)


def test_a_mean_of_no_score_is_none():
    assert math.isnan(mean_score([math.nan]))
    assert mean_score([math.inf, 3.0]) == math.inf
