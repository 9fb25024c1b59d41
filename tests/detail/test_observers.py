"""Observers find what theory says, and tell how sure that is."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import norm

from napari_dental_denoise.detail.bench import ideal_observer
from napari_dental_denoise.detail.channels import (
    difference_of_gaussians_channels,
    gabor_channels,
    laguerre_gauss_channels,
)
from napari_dental_denoise.detail.observers import ChannelisedHotelling, NonPrewhitening, Samples, Scores, eye_filter
from napari_dental_denoise.detail.roc import area_under_roc, bootstrap_area, detectability
from napari_dental_denoise.detail.samples import Detail
from napari_dental_denoise.detail.signals import SIGNALS, disc
from napari_dental_denoise.errors import InputError

SHAPE = (32, 32)
RNG = np.random.default_rng


def white_samples(signal, sigma, count=4000, seed=0):
    noise = sigma * RNG(seed).standard_normal((2, count, *signal.shape))
    return Samples(noise[0], noise[1] + signal)


def test_the_matched_filter_in_white_noise():
    """d' = |s| / sigma, and AUC = Phi(d' / sqrt 2)."""
    signal = 0.1 * disc(SHAPE, 4)
    train, test = white_samples(signal, 0.5).halves()
    scores = NonPrewhitening(signal).scores(train, test, RNG(1))
    expected = np.linalg.norm(signal) / 0.5
    assert detectability(scores) == pytest.approx(expected, rel=0.05)
    assert area_under_roc(scores) == pytest.approx(norm.cdf(expected / np.sqrt(2)), abs=0.02)


def test_internal_noise_lowers_the_detectability():
    """An own noise of three times the variance halves d'."""
    signal = 0.2 * disc(SHAPE, 4)
    train, test = white_samples(signal, 0.5, 8000).halves()
    quiet, loud = (NonPrewhitening(signal, None, noise).scores(train, test, RNG(1)) for noise in (0, 3))
    assert detectability(loud) == pytest.approx(detectability(quiet) / 2, rel=0.05)
    channels = laguerre_gauss_channels(SHAPE, 12)
    quiet, loud = (ChannelisedHotelling(channels, noise).scores(train, test, RNG(1)) for noise in (0, 3))
    assert detectability(loud) == pytest.approx(detectability(quiet) / 2, rel=0.05)


def test_hotelling_in_noise_of_a_known_covariance():
    """d' squared = s^T K^-1 s; each pixel is a channel of its own."""
    rng = RNG(2)
    mixing = rng.standard_normal((9, 9))
    covariance = mixing @ mixing.T + np.eye(9)
    signal = rng.standard_normal((3, 3))
    noise = rng.multivariate_normal(np.zeros(9), covariance, size=(2, 8000)).reshape(2, -1, 3, 3)
    train, test = Samples(noise[0], noise[1] + signal).halves()
    scores = ChannelisedHotelling(np.eye(9)).scores(train, test, rng)
    expected = np.sqrt(signal.ravel() @ np.linalg.solve(covariance, signal.ravel()))
    assert detectability(scores) == pytest.approx(expected, rel=0.05)
    # The matched filter does not know the covariance: s^T s / sqrt(s^T K s).
    flat = signal.ravel()
    ignorant = NonPrewhitening(signal).scores(train, test, rng)
    assert detectability(ignorant) == pytest.approx(flat @ flat / np.sqrt(flat @ covariance @ flat), rel=0.05)


@pytest.mark.parametrize(
    "channels",
    [
        laguerre_gauss_channels(SHAPE, 12),
        laguerre_gauss_channels(SHAPE, 12, 10),
        difference_of_gaussians_channels(SHAPE),
        gabor_channels(SHAPE),
    ],
)
def test_channels_are_never_better_than_the_ideal_observer(channels):
    signal = 0.1 * disc(SHAPE, 4)
    train, test = white_samples(signal, 0.5).halves()
    found = detectability(ChannelisedHotelling(channels).scores(train, test, RNG(0)))
    ideal = np.linalg.norm(signal) / 0.5
    assert 0.5 * ideal < found < 1.05 * ideal
    np.testing.assert_allclose(np.linalg.norm(channels, axis=1), 1)


def test_laguerre_gauss_channels_are_orthogonal():
    channels = laguerre_gauss_channels((96, 96), 12)
    np.testing.assert_allclose(channels @ channels.T, np.eye(6), atol=0.02)


def test_the_eye_sees_four_cycles_a_degree_best_and_no_mean():
    seen = eye_filter((1, 1100), pixels_per_degree=44)
    frequencies = np.fft.fftfreq(1100) * 44
    assert seen.max() == pytest.approx(1)
    assert abs(frequencies[seen.argmax()]) == pytest.approx(4, abs=0.05)
    assert seen[0, 0] == 0


def test_with_an_eye_filter_slow_shading_does_not_matter():
    signal = 0.3 * disc((64, 64), 3)
    rng = RNG(3)
    noise = 0.5 * rng.standard_normal((2, 600, 64, 64))
    shading = 4 * rng.standard_normal((2, 600, 1, 1))
    train, test = Samples(noise[0] + shading[0], noise[1] + shading[1] + signal).halves()
    blind = NonPrewhitening(signal).scores(train, test, rng)
    eye = NonPrewhitening(signal, eye_filter((64, 64))).scores(train, test, rng)
    assert detectability(blind) < 0.5
    assert detectability(eye) > 1.5


def test_nothing_is_found_where_nothing_is():
    noise = RNG(4).standard_normal((2, 2000, *SHAPE))
    train, test = Samples(*noise).halves()
    scores = ChannelisedHotelling(laguerre_gauss_channels(SHAPE, 12)).scores(train, test, RNG(0))
    assert area_under_roc(scores) == pytest.approx(0.5, abs=0.04)


def test_training_and_test_are_disjoint():
    samples = Samples(np.arange(20), np.arange(20) + 100)
    train, test = samples.halves()
    assert not {*train.absent, *train.present} & {*test.absent, *test.present}
    assert len(train.absent) == len(test.absent) == 10
    with pytest.raises(InputError, match="8 samples"):
        Samples(np.arange(7), np.arange(7)).halves()


def test_the_area_counts_pairs():
    # Of 0 with 2 and 0.5 both are in order, of 1 with 1 and 0.5 one is a tie, of 2 with 1 and 2 as well.
    assert area_under_roc(Scores(np.array([0.0, 1.0, 2.0]), np.array([1.0, 2.0, 0.5]))) == 3 / 6
    assert area_under_roc(Scores(np.array([0.0, 0.0]), np.array([0.0, 0.0]))) == 0.5
    assert area_under_roc(Scores(np.array([0.0, 1.0]), np.array([2.0, 3.0]))) == 1
    # Images of one index are not compared with each other.
    assert area_under_roc(Scores(np.array([0.0, 5.0]), np.array([1.0, 6.0]))) == 0.5


@pytest.mark.parametrize("distance", [0.1, 0.5, 1.5])
@pytest.mark.parametrize("share", [0.0, 1.0], ids=["independent", "of one noise"])
def test_intervals_hold_the_truth_in_95_of_100_cases(distance, share):
    true = norm.cdf(distance / np.sqrt(2))
    hits, values = 0, []
    for seed in range(200):
        rng = RNG(seed)
        absent = rng.standard_normal(60)
        other = share * absent + np.sqrt(1 - share**2) * rng.standard_normal(60)
        estimate = bootstrap_area(Scores(absent, distance + other), rng, 300)
        hits += estimate.low <= true <= estimate.high
        values.append(estimate.value)
    assert 176 <= hits <= 199
    assert np.mean(values) == pytest.approx(true, abs=0.012)


def test_blur_in_correlated_noise_does_not_change_what_hotelling_sees():
    """A blur without a zero loses nothing for an observer that knows the covariance."""
    signal = 0.3 * disc((8, 8), 2)
    noise = 0.5 * RNG(5).standard_normal((2, 6000, 8, 8))
    sharp = Samples(noise[0], noise[1] + signal)
    blurred = Samples(*(gaussian_filter(images, (0, 0.6, 0.6)) for images in sharp))
    found = [
        detectability(ChannelisedHotelling(np.eye(64)).scores(*samples.halves(), RNG(0)))
        for samples in (sharp, blurred)
    ]
    assert found[1] == pytest.approx(found[0], rel=0.03)


@pytest.mark.parametrize("name", SIGNALS)
def test_the_ideal_observer_of_each_signal_is_nearly_ideal_in_white_noise(name):
    detail = Detail(name, 3.0, 1.0)
    detail = Detail(name, 3.0, 2.0 / float(np.linalg.norm(detail.template())))
    noise = RNG(6).standard_normal((800, 96, 96)).astype(np.float32)
    train, test = Samples(noise, noise + detail.template()).halves()
    assert detectability(ideal_observer(detail).scores(train, test, RNG(0))) > 0.85 * 2.0


def test_a_method_that_leaves_nothing_is_guessing():
    nothing = np.zeros((20, 32, 32))
    train, test = Samples(nothing, nothing).halves()
    scores = ChannelisedHotelling(laguerre_gauss_channels(SHAPE, 12)).scores(train, test, RNG(0))
    assert area_under_roc(scores) == 0.5
