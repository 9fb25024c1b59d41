"""Reports of a training survive their way through a line of text."""

import dataclasses
import json
import math

import pytest

from napari_dental_denoise.training.events import EpochDone, StepDone, from_line, to_line


def test_every_field_comes_back():
    report = EpochDone(
        epoch=3, loss=0.05, psnr=30.5, ssim=0.9, best=True, best_psnr=31.0, fraction=0.25, elapsed=60.0, eta=180.0
    )
    assert from_line(to_line(report)) == report


def test_a_number_that_is_not_finite_is_null_on_the_way_and_nan_afterwards():
    line = to_line(StepDone(epoch=1, step=1, steps=4, loss=math.nan, fraction=0.0, elapsed=0.0, eta=math.inf))
    values = json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert (values["loss"], values["eta"], values["elapsed"]) == (None, None, 0.0)
    report = from_line(line)
    assert math.isnan(report.loss)
    assert math.isnan(report.eta)
    assert dataclasses.replace(report, loss=0.0, eta=0.0) == StepDone(1, 1, 4, 0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("line", ["{}", '{"event": "lunch"}', "no JSON", '{"event": "step"}'])
def test_other_lines_are_told_apart(line):
    with pytest.raises((ValueError, TypeError)):
        from_line(line)
