"""Training reports in order, learns, repeats itself, stops at once, and goes on where it stopped."""

import math
import shutil
from dataclasses import replace

import numpy as np
import pytest

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.models.file import read_model_file
from napari_dental_denoise.models.pretrained import FAST_STARTER
from napari_dental_denoise.noise.registry import NoiseRange
from napari_dental_denoise.training.checkpoint import checkpoint_path
from napari_dental_denoise.training.dataset import CleanImages
from napari_dental_denoise.training.events import (
    EpochDone,
    StepDone,
    TrainingFinished,
    TrainingStarted,
    from_line,
    to_line,
)
from napari_dental_denoise.training.settings import TrainingConfig
from napari_dental_denoise.unet.export import load_keras_model
from napari_dental_denoise.unet.job import TrainingJob
from napari_dental_denoise.unet.learner import Learner
from napari_dental_denoise.unet.trainer import train

SHORT = TrainingConfig(preset="fast", epochs=3, steps_per_epoch=4, batch_size=4, patch_size=32)


def short_job(folder, radiographs):
    data = CleanImages(radiographs, NoiseRange("gaussian", {"sigma": (0.05, 0.15)}), 0)
    return TrainingJob(data.select(range(6)), data.select([6, 7]), folder / "model.keras", SHORT)


@pytest.fixture
def job(tmp_path, radiographs):
    return short_job(tmp_path, radiographs)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, radiographs):
    """The folder of a training that has had all its epochs, and its reports."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, list(train(short_job(folder, radiographs)))


@pytest.fixture
def finished_job(job, whole):
    """A job whose model and checkpoint are those of the whole training."""
    shutil.copytree(whole[0], job.model.parent, dirs_exist_ok=True)
    return job


def losses(reports):
    return [report.loss for report in reports if isinstance(report, StepDone)]


def stop_after(reports, steps):
    seen = []
    for report in reports:
        seen.append(report)
        if len(losses(seen)) == steps:
            reports.close()
            return seen
    raise AssertionError


def test_reports_come_in_order(whole):
    folder, reports = whole
    kinds = [type(report) for report in reports]
    assert kinds == [TrainingStarted, *([StepDone] * 4 + [EpochDone]) * 3, TrainingFinished]
    started, finished = reports[0], reports[-1]
    assert (started.training_images, started.validation_images, started.patches_per_epoch) == (6, 2, 16)
    assert finished.model == str(folder / "model.keras")
    fractions = [report.fraction for report in reports if isinstance(report, StepDone)]
    assert fractions == pytest.approx([step / 12 for step in range(1, 13)])
    # By their texts: scores that are not there are NaN, which equals nothing.
    assert [repr(from_line(to_line(report))) for report in reports] == [repr(report) for report in reports]


def test_the_learning_rate_falls_along_half_a_cosine(job, monkeypatch):
    rates = []
    monkeypatch.setattr(Learner, "learn", lambda _learner, _batch, rate: rates.append(rate) or 0.1)
    list(train(replace(job, config=replace(SHORT, learning_rate=1e-3))))
    # 3 epochs of 4 steps: the rate at the middle is half of that at the start.
    assert rates[0] == 1e-3
    assert rates[6] == pytest.approx(0.5e-3)
    assert rates == pytest.approx([1e-3 * math.cos(math.pi * step / 24) ** 2 for step in range(12)])


def test_it_learns(trained_model):
    metrics = read_model_file(trained_model).card.metrics
    assert metrics["validation_psnr"] > metrics["noisy_psnr"] + 6
    assert metrics["validation_ssim"] > metrics["noisy_ssim"] + 0.3


def test_the_same_seed_gives_the_same_losses_in_the_other_precision_too(job, whole):
    """In that of the machine, a resumed training shows it."""
    precision = "bf16" if whole[1][0].precision == "f32" else "f32"
    config = replace(SHORT, precision=precision, epochs=1)
    first = losses(train(replace(job, config=config)))
    assert losses(train(replace(job, config=config, overwrite=True))) == first


def test_stopping_keeps_a_model_at_once(job):
    seen = stop_after(train(job), 2)
    assert losses(seen)
    card = read_model_file(job.model).card
    assert card.training["epoch"] == 1
    assert math.isfinite(card.metrics["validation_psnr"])


def test_resuming_goes_on_where_it_stopped(job, whole):
    folder, expected = whole
    seen = stop_after(train(job), 9)
    # The third epoch was cut short: it is done again, from its start.
    resumed = list(train(replace(job, resume=True)))
    assert losses(seen)[:8] + losses(resumed) == losses(expected)
    assert resumed[0].epoch == 2
    for one, other in zip(
        load_keras_model(job.model).get_weights(), load_keras_model(folder / "model.keras").get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_a_finished_training_says_how_to_go_on(finished_job):
    with pytest.raises(InputError, match=r"has finished its 3 epochs: to continue, give more epochs, counted"):
        list(train(replace(finished_job, resume=True)))


def test_a_finished_training_gives_a_model_that_was_moved_away_once_more(finished_job):
    finished_job.model.unlink()
    finished = list(train(replace(finished_job, resume=True)))[-1]
    assert math.isfinite(finished.best_psnr)
    assert read_model_file(finished_job.model).card.training["epoch"] == 3


def test_resuming_with_other_settings_is_refused(finished_job):
    with pytest.raises(InputError, match="has another batch_size: batch_size 4, now 2"):
        list(train(replace(finished_job, resume=True, config=replace(SHORT, batch_size=2))))


def test_resuming_nothing_is_refused(job):
    with pytest.raises(InputError, match="no such checkpoint: start the training without --resume"):
        list(train(replace(job, resume=True)))
    checkpoint_path(job.model).write_bytes(b"PK\x03\x04 damaged")
    with pytest.raises(InputError, match="the checkpoint is damaged"):
        list(train(replace(job, resume=True)))


def test_starting_from_a_model_is_better_than_from_nothing(job, trained_model, whole):
    started, *_, tuned = train(replace(job, config=replace(SHORT, epochs=1), start_from=trained_model))
    assert tuned.best_psnr > whole[1][-1].best_psnr + 3
    assert started.started_from == "model.keras"
    with pytest.raises(InputError, match="its preset is fast, not classic: start from it with --preset fast"):
        list(train(replace(job, config=replace(SHORT, preset="classic"), start_from=trained_model, overwrite=True)))


def test_a_training_that_learned_nothing_better_claims_nothing(job):
    config = replace(SHORT, epochs=1, learning_rate=0.05)
    finished = list(train(replace(job, config=config, start_from=FAST_STARTER)))[-1]
    assert finished.best_epoch == 0
    card, first = read_model_file(job.model).card, read_model_file(FAST_STARTER).card
    assert (card.noise, card.data, card.metrics) == (first.noise, first.data, first.metrics)
    assert card.training == {**first.training, "started_from": FAST_STARTER.name}
    assert "no epoch was better than the first weights" in str(finished)


def test_a_number_of_minutes(job):
    reports = list(train(replace(job, config=replace(SHORT, minutes=0.08))))
    assert read_model_file(job.model).card.training["epochs"] is None
    assert reports[0].epochs is None
    # No step begins after the time is over, which the last step or the validation after it brings to an end.
    steps = [report for report in reports if isinstance(report, StepDone)]
    assert all(report.elapsed < 0.08 * 60 for report in steps[:-1])
    assert steps[-1].fraction <= 1
    assert reports[-1].elapsed >= 0.08 * 60


def test_a_model_is_not_replaced_unasked(job):
    job.model.write_bytes(b"precious")
    with pytest.raises(InputError, match=r"model\.keras already exists"):
        list(train(job))
    assert job.model.read_bytes() == b"precious"


def test_no_time_for_a_step_says_so_and_writes_nothing(job):
    with pytest.raises(InputError, match="ended before its first step: give more minutes"):
        list(train(replace(job, config=replace(SHORT, minutes=1e-9))))
    assert list(job.model.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, r"epochs must be a whole number in \[1, inf\); received 0"),
        ({"batch_size": -1}, r"batch_size must be a whole number in \[1, inf\); received -1"),
        ({"minutes": 0.0}, r"minutes must be a number in \(0, inf\); received 0\.0"),
        ({"learning_rate": math.nan}, r"learning_rate must be a number in \(0, inf\); received nan"),
        ({"preset": "huge"}, "preset must be one of classic, fast, standard, best; received 'huge'"),
        ({"precision": "f16"}, "precision must be one of auto, f32, bf16; received 'f16'"),
    ],
)
def test_impossible_settings_are_refused_and_write_nothing(job, change, message):
    with pytest.raises(InputError, match=message):
        list(train(replace(job, config=replace(SHORT, **change))))
    assert list(job.model.parent.iterdir()) == []


def test_tiny_images_and_16_bit(tmp_path):
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 4096, shape, dtype=np.uint16) for shape in ((5, 7), (9, 300), (40, 40))]
    data = CleanImages(images, NoiseRange("poisson", {}), 0)
    job = TrainingJob(data.select([0, 2]), data.select([1]), tmp_path / "model.keras", replace(SHORT, epochs=1))
    assert isinstance(list(train(job))[-1], TrainingFinished)
