"""A network in training: its steps, and the moving average of its weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import Preset
from napari_dental_denoise.pixels import Unit, doubled, seen_by
from napari_dental_denoise.training import Batch
from napari_dental_denoise.unet.backend import keras, tf
from napari_dental_denoise.unet.devices import Devices
from napari_dental_denoise.unet.network import ERROR, ERROR_ROOT, OUTPUT, unet_model, with_error_map
from napari_dental_denoise.unet.optimizer import Muon

WARM_UP = 10
ONE_DEVICE = Devices()
# Corresponds to 64 dB, beyond which a patch gains no weight.
MIN_ERROR = 4e-7
# Every so many patches of a batch, one is also denoised without its details.
COMPARED_EVERY = 4
MIN_DETAIL = 1e-6
# The root of an expected error is positive everywhere at first, and small beside the features.
FIRST_ROOT = 0.01
# Errors below a twentieth of a grey level are all the same.
MIN_SQUARED = 4e-8


class Learner:
    """A network, its optimizer and the moving average of its weights, on devices that train together.

    With `mixed`, the body is computed in bf16; weights, average, output and loss remain float32. `averaging` is the
    momentum of the moving average, `detail` the weight of the lost details, and `seed` that of the initial weights.
    """

    def __init__(
        self,
        preset: Preset,
        *,
        mixed: bool,
        averaging: float,
        seed: int,
        detail: float = 0.0,
        devices: Devices = ONE_DEVICE,
    ) -> None:
        self.preset = preset
        self.detail = detail
        self.devices = devices
        with devices.scope():
            self.network = with_error_map(unet_model(preset, dtype="mixed_bfloat16" if mixed else "float32"))
            self.average = with_error_map(unet_model(preset))
            self.optimizer = Muon()
            self.optimizer.build(self.network.trainable_variables)
            self.steps = tf.Variable(0.0, trainable=False, aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA)
        self._momentum = averaging
        self._step = devices.function(self._train_step)
        self.start_from(_first_weights(self.network, preset, seed))

    def start_from(self, weights: Sequence[NDArray[np.generic]]) -> None:
        """Set the weights to those of a network of the same preset."""
        self.network.set_weights(weights)
        self.average.set_weights(weights)

    def learn(self, batch: Batch, learning_rate: float) -> float:
        """Take one step on a batch of patches; with several processes, each on its share.

        The loss is the mean over the patches of the logarithm of their mean square error, that is, minus their mean
        PSNR, so that faint noise counts as much as strong noise; errors below the grain of a patch hardly count. The
        share of the details that is lost is added to it. The layers of the error map learn from `error_loss` alone, and
        the others never from that, so that the denoised image is the same as without a map. Return the geometric mean
        of the patches' root mean square errors, their grain included.
        """
        self.optimizer.learning_rate.assign(learning_rate)
        seen = (seen_by(self.preset.sees, patches) for patches in (batch.noisy, batch.detail))
        return math.exp(self.devices.learn(self._step, (*seen, *batch)) / 2)

    def _train_step(self, seen: Any, detail_seen: Any, *arrays: Any) -> Any:
        batch = Batch(*arrays)
        size, noisy = batch.noisy.shape[0], batch.noisy
        if self.detail:
            pairs = (noisy, batch.detail), (seen, detail_seen)
            noisy, seen = (tf.concat([one, one[::COMPARED_EVERY] - part[::COMPARED_EVERY]], 0) for one, part in pairs)
        with tf.GradientTape(persistent=True) as tape:
            output, squared = self.network(seen, training=True)
            denoised = noisy - output if self.preset.predicts == "residual" else output
            loss = self.loss(batch, denoised[:size])
            total = loss
            if self.detail:
                through = denoised[:size:COMPARED_EVERY] - denoised[size:]
                total += self.detail * lost_detail(through, batch.detail[::COMPARED_EVERY])
            share = total / self.devices.replicas
            error_share = error_loss(batch, denoised[:size], squared[:size]) / self.devices.replicas
        # Keras sums the gradients of all devices.
        self.optimizer.apply(self._gradients(tape, share, error_share), self.network.trainable_variables)
        self.steps.assign_add(1.0)
        momentum = tf.minimum(self._momentum, (1.0 + self.steps) / (WARM_UP + self.steps))
        for kept, new in zip(self.average.trainable_variables, self.network.trainable_variables, strict=True):
            kept.assign(momentum * kept.value + (1.0 - momentum) * new.value)
        return loss

    def _gradients(self, tape: Any, loss: Any, loss_of_map: Any) -> list[Any]:
        """Return the gradient of each weight: of the second loss for the layers of the error map, else of the first."""
        variables = self.network.trainable_variables
        of_map = [variable.path.startswith(ERROR) for variable in variables]
        sources = zip((loss, loss_of_map), (False, True), strict=True)
        of_body, of_head = (
            iter(tape.gradient(target, [each for each, own in zip(variables, of_map, strict=True) if own is part]))
            for target, part in sources
        )
        return [next(of_head if own else of_body) for own in of_map]

    def loss(self, batch: Any, denoised: Any) -> Any:
        """Return the loss of a batch of tensors without that of the details; see `learn`.

        A clean patch with grain gains no weight from an error below its grain, which is noise to be removed.
        """
        errors = tf.reduce_mean(tf.square(denoised - batch.clean), axis=(1, 2, 3))
        return tf.reduce_mean(tf.math.log(errors + tf.square(batch.grain) + MIN_ERROR))

    def denoise_image(self, noisy: Unit) -> Unit:
        """Denoise one image (H, W); see `denoise`."""
        return self.denoise(noisy[np.newaxis, :, :, np.newaxis])[0, :, :, 0]

    def denoise(self, noisy: Unit) -> Unit:
        """Denoise a batch (N, H, W, 1) on [0, 1] with the averaged weights; sides must fit the network."""
        return denoise_with_error(self.average, self.preset, noisy)[0]

    def optimizer_state(self) -> list[NDArray[np.generic]]:
        """Return the optimizer's variables and the number of averaged steps."""
        return [np.asarray(variable) for variable in self.optimizer.variables] + [self.steps.numpy()]

    def restore_optimizer(self, state: Sequence[NDArray[np.generic]]) -> None:
        """Restore what `optimizer_state` returned."""
        for variable, value in zip(self.optimizer.variables, state[:-1], strict=True):
            variable.assign(value)
        self.steps.assign(float(state[-1]))


def _first_weights(network: keras.Model, preset: Preset, seed: int) -> list[NDArray[np.float32]]:
    """Draw from He's normal distribution (arXiv 1502.01852) without a global seed; a residual output starts at 0."""
    rng = np.random.default_rng(seed)
    weights = []
    for variable in network.weights:
        shape = tuple(variable.shape)
        silent = len(shape) < 4 or (preset.predicts == "residual" and variable.path.startswith(OUTPUT))
        # In a transposed convolution of stride and side 2, each output pixel depends on one input pixel.
        fan_in = shape[-1] if variable.path.startswith("double") and preset.resampling == "learned" else None
        deviation = 0.0 if silent else np.sqrt(2 / (fan_in or np.prod(shape[:-1])))
        first = rng.standard_normal(shape) * deviation
        if variable.path.startswith(ERROR_ROOT):
            first = np.full(shape, FIRST_ROOT)
        weights.append(first.astype(np.float32))
    return weights


def error_loss(batch: Any, denoised: Any, squared: Any) -> Any:
    """Return how badly an expected squared error fits: minus the logarithm of the likelihood of a Gaussian error.

    The grain of a clean patch is part of the difference to it, and not of the error.
    """
    expected = (
        tf.image.resize(squared, tf.shape(batch.clean)[1:3])
        + tf.square(batch.grain)[:, tf.newaxis, tf.newaxis, tf.newaxis]
        + MIN_SQUARED
    )
    return tf.reduce_mean(tf.math.log(expected) + tf.square(denoised - batch.clean) / expected)


def lost_detail(through: Any, detail: Any) -> Any:
    """Return the mean over the patches of the square error of the details that came through, as a share of theirs."""
    lost, there = (tf.reduce_sum(tf.square(each), axis=(1, 2, 3)) for each in (through - detail, detail))
    return tf.reduce_mean(lost / tf.maximum(there, MIN_DETAIL))


def denoise_with_error(model: keras.Model, preset: Preset, noisy: Unit) -> tuple[Unit, Unit]:
    """Denoise a batch (N, H, W, 1) on [0, 1], and return its expected squared errors; sides must fit the network."""
    output, squared = map(np.asarray, model(seen_by(preset.sees, noisy)))
    return (noisy - output if preset.predicts == "residual" else output), doubled(squared)
