"""Every kind of noise is found by its name, with defaults and ranges for its levels."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_dental_denoise import add_quantum_noise
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.noise.registry import LEVEL_MEANINGS, NOISE_KINDS, NoiseRange, noise_kind


@pytest.mark.parametrize("kind", NOISE_KINDS)
def test_the_table_has_the_defaults_of_the_functions(kind):
    parameters = inspect.signature(NOISE_KINDS[kind].add).parameters
    for name, level in NOISE_KINDS[kind].levels.items():
        assert parameters[name].default == level.default
        assert level.low <= level.default <= level.high
        assert LEVEL_MEANINGS[name]


@pytest.mark.parametrize("response", ["inverted", "linear"])
def test_a_raw_exposure_is_a_kind_of_its_own(response):
    image = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (64, 1))
    noisy = noise_kind(f"quantum_{response}").add(image, photons=20, rng=1)
    np.testing.assert_array_equal(noisy, add_quantum_noise(image, 20, response=response, rng=1))


@pytest.mark.parametrize("kind", NOISE_KINDS)
def test_a_range_goes_from_its_lowest_to_its_highest_levels(kind):
    levels = NOISE_KINDS[kind].levels
    assert NoiseRange(kind, {}).at(0) == pytest.approx({name: level.low for name, level in levels.items()})
    assert NoiseRange(kind, {}).at(1) == pytest.approx({name: level.high for name, level in levels.items()})


def test_levels_are_drawn_independently_of_each_other():
    noise, rng = NoiseRange("quantum", {}), np.random.default_rng(0)
    drawn = [noise.draw(rng) for _ in range(300)]
    photons, blur, sigma = (np.array([levels[name] for levels in drawn]) for name in ("photons", "blur", "sigma"))
    assert np.abs(np.corrcoef([np.log(photons), blur, sigma]) - np.eye(3)).max() < 0.2


def test_noise_of_a_range_is_not_clipped():
    noisy = NoiseRange("gaussian", {}).add(np.ones((50, 50), np.float32), {"sigma": 0.2}, 0)
    assert noisy.max() > 1.2
    assert noisy.std() == pytest.approx(0.2, rel=0.1)


@given(position=st.floats(0, 1))
def test_drawn_levels_lie_in_their_ranges(position):
    levels = NoiseRange("poisson-gaussian", {"photons": (20, 500), "sigma": (0, 0.1)}).at(position)
    assert 20 * (1 - 1e-9) <= levels["photons"] <= 500 * (1 + 1e-9)
    assert 0 <= levels["sigma"] <= 0.1


def test_photons_are_drawn_evenly_over_their_logarithm():
    noise = NoiseRange("poisson", {"photons": (10, 1000)})
    assert noise.at(0.5)["photons"] == pytest.approx(100)


@pytest.mark.parametrize(
    ("kind", "ranges", "message"),
    [
        ("pink", {}, "noise must be one of gaussian, .*; received 'pink'"),
        ("gaussian", {"photons": (1, 2)}, "gaussian noise has the levels sigma; received photons"),
        ("gaussian", {"sigma": (0.2, 0.1)}, "sigma must be a range with 0 <= low <= high; received 0.2 to 0.1"),
    ],
)
def test_bad_ranges_are_refused(kind, ranges, message):
    with pytest.raises(InputError, match=message):
        NoiseRange(kind, ranges)
