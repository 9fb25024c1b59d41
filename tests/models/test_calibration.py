"""Factors from expected errors to intervals, by level and correlation of the removed noise."""

import json
from dataclasses import asdict

import cv2
import numpy as np
import pytest

from napari_dental_denoise.config import SHARES
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.models.calibration import (
    Draw,
    calibrate,
    describe_calibration,
    describe_noise,
    interval_factor,
)
from napari_dental_denoise.models.card import ModelCard, parse_card

RNG = np.random.default_rng(0)


def white(sigma, side=128):
    return (sigma * RNG.standard_normal((side, side))).astype(np.float32)


def blurred(sigma, blur):
    noise = cv2.GaussianBlur(white(1.0), (0, 0), blur)
    return sigma * noise / noise.std()


def draws(sigma, factor):
    """Draws whose errors are Gaussian, of `factor` times the expected deviation."""
    return [Draw(sigma, 0.0, np.abs(white(factor))) for _ in range(5)]


def test_white_and_blurred_noise_are_told_apart():
    assert describe_noise(white(0.1)) == (pytest.approx(0.1, rel=0.03), pytest.approx(0, abs=0.03))
    # The correlation of Gaussian noise that was blurred by s at a distance of 1 is exp(-1 / (4 s**2)).
    level, correlation = describe_noise(0.4 + blurred(0.05, 1.5))
    assert level == pytest.approx(0.05, rel=0.01)
    assert correlation == pytest.approx(np.exp(-1 / 9), abs=0.03)
    assert describe_noise(np.full((8, 8), 0.3, np.float32)) == (0, 0)
    assert describe_noise(white(0.1)[:1])[1] == pytest.approx(0, abs=0.3)
    assert describe_noise(white(0.1)[:1, :1]) == (0, 0)


def test_pixels_that_are_unknown_do_not_count():
    noise = blurred(0.05, 1.5)
    padded = np.pad(noise, 100, constant_values=np.nan)
    assert describe_noise(padded) == pytest.approx(describe_noise(noise))


def test_the_factor_is_the_quantile_of_the_errors_and_its_own_for_each_level():
    calibration = calibrate(draws(0.005, 1.0) + draws(0.1, 2.0))
    # Of a Gaussian variable, 68, 90 and 95 % lie within these multiples of the deviation.
    for share, quantile in zip(SHARES, (0.994, 1.645, 1.96), strict=True):
        assert interval_factor(calibration, white(0.005), share) == pytest.approx(quantile, rel=0.03)
        assert interval_factor(calibration, white(0.1), share) == pytest.approx(2 * quantile, rel=0.03)


def test_the_calibration_tells_how_well_it_holds_for_images_that_it_does_not_know():
    cell = calibrate(draws(0.1, 1.0))["cells"][0]
    assert cell["within"] == pytest.approx(0.9, abs=0.01)
    # One image of five has errors far beyond those of the others.
    cell = calibrate([*draws(0.1, 1.0)[1:], Draw(0.1, 0.0, np.abs(white(100.0)))])["cells"][0]
    assert cell["within"] < 0.85
    assert "of images left out" in describe_calibration(calibrate(draws(0.1, 1.0)))
    assert describe_calibration({}) == "none"


def test_a_kind_of_noise_with_few_images_has_the_factors_of_all():
    calibration = calibrate([*draws(0.005, 1.0), Draw(0.1, 0.0, np.abs(white(9.0)))])
    # A sixth of the errors is nine times as large.
    assert 2 < interval_factor(calibration, white(0.1), 0.9) < 9


@pytest.mark.parametrize("noise", [blurred(0.1, 1.5), white(0.9)])
def test_no_factor_is_told_for_noise_that_was_not_drawn(noise):
    with pytest.raises(InputError, match="was not calibrated for noise of"):
        interval_factor(calibrate(draws(0.1, 1.0)), noise, 0.9)


def card_with(calibration):
    return json.dumps({**asdict(ModelCard("fast", "residual", 8, 64)), "calibration": calibration}).encode()


def test_a_card_keeps_its_calibration():
    calibration = calibrate(draws(0.1, 1.0))
    card = parse_card(card_with(calibration), "model")
    assert interval_factor(card.calibration, white(0.1), 0.95) == interval_factor(calibration, white(0.1), 0.95)
    assert parse_card(card_with({}), "model").calibration == {}


def one_cell(**values):
    cell = {"level": [0, 1], "correlation": [0, 1], "images": 3, "factors": [1, 2, 3]} | values
    return {"shares": list(SHARES), "cells": [cell]}


@pytest.mark.parametrize(
    "calibration",
    [
        [1],
        {"shares": [0.5], "cells": []},
        {"shares": list(SHARES)},
        {"shares": list(SHARES), "cells": []},
        {"shares": list(SHARES), "cells": [{"level": [0, 1]}]},
        one_cell(level=[]),
        one_cell(level="ab"),
        one_cell(level=[1, 0]),
        one_cell(images=0),
        one_cell(images=float("inf")),
        one_cell(factors=[1, -2, 3]),
        one_cell(factors=[3, 2, 1]),
        one_cell(within=1.5),
    ],
)
def test_a_card_with_another_calibration_is_refused(calibration):
    with pytest.raises(InputError, match="invalid values"):
        parse_card(card_with(calibration), "model")
