"""Training of a U-Net, as a generator that reports each step and keeps the best model."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files import write_array
from napari_dental_denoise.models import ModelCard
from napari_dental_denoise.pixels import Unit
from napari_dental_denoise.progress import counted
from napari_dental_denoise.training import (
    Checkpoint,
    EpochDone,
    StepDone,
    TrainingFinished,
    TrainingReport,
    TrainingStarted,
    batches,
    checkpoint_path,
    load_checkpoint,
    save_checkpoint,
    steps_per_epoch,
    usable_patch_size,
)
from napari_dental_denoise.unet.backend import device_name, has_bfloat16
from napari_dental_denoise.unet.card import training_card, unchanged_card
from napari_dental_denoise.unet.devices import PeerGoneError, check_length, find_devices
from napari_dental_denoise.unet.export import save_model
from napari_dental_denoise.unet.job import TrainingJob, Weights, check_job, check_resumable, fixed_settings
from napari_dental_denoise.unet.learner import Learner, denoise_with_error
from napari_dental_denoise.unet.network import find_preset, unet_model, with_error_map
from napari_dental_denoise.unet.validation import Validation, calibrated, validation_pairs
from napari_dental_denoise.unet.warm_start import start_from_file

# Grey values are on [0, 1]: a larger error means that the training diverges.
MAX_LOSS = 100.0
# Writing a model takes seconds: it takes at most a twentieth of the time.
MIN_SECONDS_BETWEEN_WRITES, MIN_PAUSE_PER_WRITE = 20.0, 20.0


def train(job: TrainingJob) -> Generator[TrainingReport, None, None]:
    """Train a model; closing the generator stops after the current step and keeps the best model.

    Yield `TrainingStarted`, then `StepDone` for each batch and `EpochDone` for each epoch, then `TrainingFinished`. The
    learning rate falls along half a cosine from the first step to the end of the epochs or minutes. After each epoch
    the moving average of the weights is validated; the best one so far is written to the model file. The same seed
    gives the same losses on the same machine. Before anything is written, InputError is raised for an invalid setting
    or file.
    """
    check_job(job)
    run = _Run(job)
    try:
        yield from run.reports()
    except GeneratorExit:
        run.stop()
        raise
    except (PeerGoneError, KeyboardInterrupt):
        run.keep_best()
        raise


class _Run:
    """State of one training."""

    def __init__(self, job: TrainingJob) -> None:
        config = job.config
        self.job, self.config = job, config
        # TensorFlow must connect to other machines before it computes anything.
        self.devices = find_devices(job.strategy, config.batch_size)
        check_length(self.devices, config.minutes)
        self.share = self.devices.share(config.batch_size)
        self.preset = find_preset(config.preset)
        self.side = usable_patch_size(config.patch_size, job.training.shapes, self.preset.multiple)
        self.steps = steps_per_epoch(job.training.shapes, self.side, config)
        self.mixed = has_bfloat16() if config.precision == "auto" else config.precision == "bf16"
        self.learner = Learner(
            self.preset,
            mixed=self.mixed,
            averaging=config.averaging,
            seed=config.seed,
            detail=config.detail,
            devices=self.devices,
        )
        self.validation = Validation(validation_pairs(job.validation, self.preset.multiple, config))
        self.losses: list[float] = []
        self.unvalidated_steps = 0
        self.unwritten: tuple[ModelCard, Weights] | None = None
        self.written_at = -math.inf
        self.pause = MIN_SECONDS_BETWEEN_WRITES
        self.overwrite = job.overwrite or job.resume
        self.first_card: ModelCard | None = None
        self.state = self._first_state()
        self.first_psnr = math.nan
        self.started = time.monotonic() - self.state.elapsed

    def _first_state(self) -> Checkpoint:
        settings = fixed_settings(self.job)
        path = checkpoint_path(self.job.model)
        if self.job.resume:
            state = load_checkpoint(path)
            check_resumable(path.name, state.settings, settings)
            self._restore(path, state)
            # If the model file is gone, the next epoch writes a new one.
            return state if self.job.model.exists() else replace(state, best_epoch=0, best_psnr=-math.inf)
        if self.job.start_from is not None:
            card = start_from_file(self.job.start_from, self.learner.network, self.config.preset)
            # The scores of a model of an earlier version are not those of its kernels alone.
            self.first_card = card if card.sees == self.preset.sees else None
            self.learner.start_from(self.learner.network.get_weights())
            settings["started_from"] = self.job.start_from.name
        return Checkpoint(**self._learned(), settings=settings)

    def _restore(self, path: Path, state: Checkpoint) -> None:
        try:
            self.learner.network.set_weights(state.weights)
            self.learner.average.set_weights(state.average)
            self.learner.restore_optimizer(state.optimizer)
        except ValueError as error:
            raise InputError(f"{path}: the checkpoint is from another network: train without --resume") from error

    def _learned(self) -> dict[str, Any]:
        """Return the arrays of a checkpoint."""
        network, average = self.learner.network.get_weights(), self.learner.average.get_weights()
        return {"weights": network, "average": average, "optimizer": self.learner.optimizer_state()}

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.started

    def fraction(self, step: int) -> float:
        """Return the share of the training that is done after this step."""
        if self.config.minutes is not None:
            return min(self.elapsed / (60 * self.config.minutes), 1.0)
        return min(step / (self.config.epochs * self.steps), 1.0)

    def reports(self) -> Generator[TrainingReport, None, None]:
        if self.job.resume:
            self._check_resumed()
        elif self.job.start_from is not None:
            # Until an epoch is better, the first weights are the best.
            self.first_psnr, _, _ = self._validate(0)
        yield self._start_report()
        while self.fraction(self.state.step) < 1:
            yield from self._epoch(self.state.epoch + 1)
            if self.elapsed - self.written_at > self.pause:
                self._write()
        if self.state.best_psnr == -math.inf:
            raise InputError("the training ended before its first step: give more minutes")
        self._write()
        state = self.state
        yield TrainingFinished(
            str(self.job.model), state.epoch, state.best_epoch, state.best_psnr, state.best_ssim, self.elapsed
        )

    def _check_resumed(self) -> None:
        if not self.job.model.exists():
            # The model file is gone: the weights of the checkpoint are the best.
            self._validate(self.state.epoch)
        elif self.fraction(self.state.step) >= 1:
            unit, length = "minute", self.config.minutes
            if length is None:
                unit, length = "epoch", self.config.epochs
            raise InputError(
                f"{self.job.model.name}: this training has finished its {counted(length, unit)}: "
                f"to continue, give more {unit}s, counted from its start"
            )

    def _start_report(self) -> TrainingStarted:
        return TrainingStarted(
            training_images=len(self.job.training.shapes),
            validation_images=len(self.validation.pairs),
            patches_per_epoch=self.steps * self.config.batch_size,
            patch_size=self.side,
            parameters=self.learner.network.count_params(),
            device=device_name(self.devices.replicas),
            precision="bf16" if self.mixed else "f32",
            epoch=self.state.epoch,
            epochs=None if self.config.minutes is not None else self.config.epochs,
            minutes=self.config.minutes,
            noisy_psnr=self.validation.noisy_psnr,
            noisy_ssim=self.validation.noisy_ssim,
            reference=self.job.validation.reference,
            started_from=self.state.settings.get("started_from"),
            first_psnr=self.first_psnr,
        )

    def _epoch(self, epoch: int) -> Generator[TrainingReport, None, None]:
        self.losses = []
        rng = np.random.default_rng([self.config.seed, epoch])
        drawn = batches(
            self.job.training,
            self.side,
            self.config.batch_size,
            self.steps,
            rng,
            share=self.share,
            with_details=self.config.detail > 0,
        )
        for number, batch in enumerate(drawn, start=1):
            fraction = self.fraction(self.state.step + number - 1)
            if fraction >= 1:
                break
            rate = self.config.learning_rate * 0.5 * (1 + math.cos(math.pi * fraction))
            self.losses.append(self.learner.learn(batch, rate))
            if not math.isfinite(self.losses[-1]) or self.losses[-1] > MAX_LOSS:
                self._fail_diverged(epoch)
            self.unvalidated_steps += 1
            fraction = self.fraction(self.state.step + number)
            yield StepDone(epoch, number, self.steps, self.losses[-1], fraction, self.elapsed, self._eta(fraction))
        yield self._finish_epoch(epoch)

    def _eta(self, fraction: float) -> float:
        return self.elapsed * (1 - fraction) / fraction if fraction > 0 else math.inf

    def _finish_epoch(self, epoch: int) -> EpochDone:
        decibels, similarity, best = self._validate(epoch)
        step = self.state.step + len(self.losses)
        self.state = replace(self.state, **self._learned(), epoch=epoch, step=step, elapsed=self.elapsed)
        fraction = self.fraction(step)
        loss = float(np.mean(self.losses)) if self.losses else math.nan
        return EpochDone(
            epoch, loss, decibels, similarity, best, self.state.best_psnr, fraction, self.elapsed, self._eta(fraction)
        )

    def _validate(self, epoch: int) -> tuple[float, float, bool]:
        """Validate the averaged weights, and keep them for the model file if they are the best so far."""
        decibels, similarity = self.validation.score(self.learner)
        self.unvalidated_steps = 0
        if self.job.preview is not None and self.devices.is_chief:
            write_array(self.job.preview, self.validation.preview(self.learner))
        best = decibels > self.state.best_psnr
        if best:
            self.state = replace(self.state, best_epoch=epoch, best_psnr=decibels, best_ssim=similarity)
            self.unwritten = self._card(), self.learner.average.get_weights()
        return decibels, similarity, best

    def _card(self) -> ModelCard:
        if self.state.best_epoch == 0 and self.first_card is not None:
            return unchanged_card(self.first_card, self.state.settings["started_from"], self.config.preset)
        return training_card(self.job, self.state, self.validation, self.side, self.elapsed, mixed=self.mixed)

    def _write(self) -> None:
        """Write the model file, if there is a better model, and the checkpoint."""
        if not self.devices.is_chief:
            return
        begun = self.elapsed
        if self.unwritten is not None:
            card, weights = self.unwritten
            model = with_error_map(unet_model(self.preset))
            model.set_weights(weights)
            if self.state.best_epoch > 0 or self.first_card is None:
                card = self._with_measures(card, lambda batch: denoise_with_error(model, self.preset, batch))
            save_model(model, card, self.job.model, overwrite=self.overwrite)
            self.unwritten, self.overwrite = None, True
        save_checkpoint(checkpoint_path(self.job.model), self.state)
        self.written_at = self.elapsed
        self.pause = max(MIN_SECONDS_BETWEEN_WRITES, MIN_PAUSE_PER_WRITE * (self.written_at - begun))

    def _with_measures(self, card: ModelCard, denoise: Callable[[Unit], tuple[Unit, Unit]]) -> ModelCard:
        """Return the card with what is measured only of a model that is written."""
        kept = self.validation.detail_kept(lambda batch: denoise(batch)[0])
        calibration = calibrated(denoise, self.job.validation, self.preset.multiple, self.config.seed)
        return replace(card, metrics={**card.metrics, "detail_kept": kept}, calibration=calibration)

    def _fail_diverged(self, epoch: int) -> None:
        """Write the best model so far and raise InputError."""
        self.keep_best()
        raise InputError(
            f"the training diverged in epoch {epoch}: start again with a learning rate below "
            f"{self.config.learning_rate:g} (--learning-rate; in Python, learning_rate)"
        )

    def stop(self) -> None:
        """Validate the steps of the unfinished epoch, which a resumed training repeats, and write the best model."""
        if self.unvalidated_steps > 0:
            self._validate(self.state.epoch + 1)
        self.keep_best()

    def keep_best(self) -> None:
        """Write the best model so far, if any."""
        if self.state.best_psnr > -math.inf:
            self._write()
