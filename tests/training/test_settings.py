"""One dataclass gives the options, the checks and the form's fields; each value is checked against one rule."""

import argparse
import inspect
import math
from dataclasses import replace

import numpy as np
import pytest

from napari_dental_denoise import CNNDenoiser
from napari_dental_denoise.cli.options import add_settings, given_settings
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.training.settings import (
    SETTINGS,
    TRAINING,
    Setting,
    TrainingConfig,
    check_settings,
    given_options,
)

OTHER = replace(
    TRAINING,
    preset="best",
    minutes=0.25,
    steps_per_epoch=1_000_000,
    batch_size=3,
    patch_size=48,
    validation_split=0.3,
    learning_rate=1e-5,
    seed=9,
    precision="f32",
)


@pytest.mark.parametrize("config", [TRAINING, OTHER, replace(TRAINING, epochs=7)])
def test_the_command_line_of_a_training_gives_the_same_training(config):
    parser = argparse.ArgumentParser()
    add_settings(parser, SETTINGS)
    assert replace(TRAINING, **given_settings(parser.parse_args(given_options(config)))) == config


def test_every_setting_is_an_option_and_a_parameter_of_the_class():
    parser = argparse.ArgumentParser()
    add_settings(parser, SETTINGS)
    options = {action.dest for action in parser._actions}
    parameters = inspect.signature(CNNDenoiser).parameters
    assert options >= set(SETTINGS)
    assert list(parameters)[:3] == ["batch_size", "epochs", "validation_split"]
    defaults = {name: getattr(TRAINING, name) for name in SETTINGS}
    # As elsewhere in the library, the seed is given as `rng`.
    defaults["rng"] = defaults.pop("seed")
    assert {name: each.default for name, each in parameters.items() if name in defaults} == defaults
    assert CNNDenoiser(minutes=2, steps_per_epoch=9).config.minutes == 2
    with pytest.raises(InputError, match="preste"):
        CNNDenoiser(preste="fast")


def test_the_length_is_given_once(capsys):
    parser = argparse.ArgumentParser()
    add_settings(parser, SETTINGS)
    with pytest.raises(SystemExit):
        parser.parse_args(["--epochs", "3", "--minutes", "2"])
    assert "not allowed with argument" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("epochs", 0, r"a whole number in \[1, inf\)"),
        ("epochs", True, r"a whole number in \[1, inf\)"),
        ("epochs", None, r"a whole number in \[1, inf\)"),
        ("batch_size", 2.5, r"a whole number in \[1, inf\)"),
        ("patch_size", "96", r"a whole number in \[1, inf\)"),
        ("steps_per_epoch", 0, r"a whole number in \[1, inf\)"),
        ("seed", -1, r"a whole number in \[0, inf\)"),
        ("minutes", 0.0, r"a number in \(0, inf\)"),
        ("learning_rate", math.inf, r"a number in \(0, inf\)"),
        ("validation_split", 1, r"a number in \(0, 1\)"),
        ("preset", "huge", "one of classic, fast, standard, best"),
        ("precision", np.array(["f32", "auto"]), "one of auto, f32, bf16"),
    ],
)
def test_a_value_that_is_not_permitted_is_told_with_the_rule(name, value, rule):
    with pytest.raises(InputError, match=f"^{name} must be {rule}; received "):
        check_settings(replace(TRAINING, **{name: value}))


def test_permitted_values():
    check_settings(TrainingConfig(epochs=1, seed=0, minutes=None))
    check_settings(replace(TRAINING, seed=np.int64(3), learning_rate=np.float32(1), validation_split=0.001))


def test_a_bound_belongs_to_the_range_where_its_bracket_says_so():
    closed = Setting(float, "", high=1, brackets="[]")
    assert [closed.permits(value) for value in (-0.1, 0, 0.5, 1, 1.1)] == [False, True, True, True, False]
    open_range = Setting(float, "", high=1, brackets="()")
    assert [open_range.permits(value) for value in (0, 0.5, 1)] == [False, True, False]
    assert closed.rule == "a number in [0, 1]"


def test_without_a_seed_each_denoiser_has_another_one():
    seeds = {CNNDenoiser(rng=None).config.seed for _ in range(4)}
    assert len(seeds) > 1
    assert CNNDenoiser().config.seed == CNNDenoiser().config.seed
