"""Reports of a training survive their way through a line of text."""

import dataclasses
import json
import math

import pytest

from napari_dental_denoise.training.events import EpochDone, StepDone, TrainingStarted, duration, from_line, to_line


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


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00:00"), (9.9, "0:00:09"), (65, "0:01:05"), (3725, "1:02:05"), (36061, "10:01:01")]
)
def test_a_duration_is_written_as_a_clock_does(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("epochs", "minutes", "text"),
    [(1, None, "1 epoch"), (10, None, "10 epochs"), (None, 1.0, "1 minute"), (None, 1.5, "1.5 minutes")],
)
def test_the_length_of_a_training_is_in_words(epochs, minutes, text):
    facts = (7, 2, 100, 32, 500_000, "CPU", "f32", 0, epochs, minutes, 22.5, 0.4, "clean", None, math.nan)
    assert f"7 images for training, 2 for validation; {text}; " in str(TrainingStarted(*facts))


def test_an_epoch_is_one_line_with_its_scores_and_times():
    line = str(EpochDone(3, 0.05, 30.5, 0.9, best=True, best_psnr=30.5, fraction=0.25, elapsed=60.0, eta=180.0))
    assert "\n" not in line
    for part in ("epoch    3", "0.05000", "30.50 dB", "0.900", "0:01:00 elapsed", "0:03:00 left", "best so far"):
        assert part in line
