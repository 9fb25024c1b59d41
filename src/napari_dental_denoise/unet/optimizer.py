"""Muon, an optimizer with orthogonalised momentum for convolution kernels, and Adam for other weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from napari_dental_denoise.unet.backend import keras, tf

ops = keras.ops

# Coefficients of K. Jordan: five iterations bring all singular values near 1.
ITERATIONS = 5
CUBIC, QUINTIC, LINEAR = -4.7750, 2.0315, 3.4445
MOMENTUM = 0.95
# Makes the root mean square of steps equal to Adam's, so that both share one learning rate.
STEP_SIZE = 0.2
ADAM_MOMENTA = (0.9, 0.999)
EPSILON = 1e-7


class Muon(keras.optimizers.Optimizer):
    """Orthogonal momentum for the kernels of hidden convolutions, Adam for biases and the output.

    A kernel is a matrix from the receptive field of the convolution to its output channels. Orthogonalisation gives
    rare directions of the gradient the same weight as frequent ones. K. Jordan et al., "Muon: An optimizer for hidden
    layers in neural networks" (2024); the size of its steps after J. Liu et al., arXiv 2502.16982; D. P. Kingma and J.
    Ba, "Adam", arXiv 1412.6980.
    """

    def __init__(self, learning_rate: float = 1e-3, **options: Any) -> None:
        super().__init__(learning_rate=learning_rate, **options)

    def build(self, variables: Sequence[Any]) -> None:
        """Create the state of each variable."""
        if self.built:
            return
        super().build(variables)
        self._hidden = [len(variable.shape) == 4 and variable.shape[-1] > 1 for variable in variables]
        self._momenta, self._squares = self.add_optimizer_variables(variables, ["momentum", "square"])

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one variable."""
        index = self._get_variable_index(variable)
        rate = ops.cast(learning_rate, variable.dtype)
        if self._hidden[index]:
            step = self._orthogonal_step(gradient, self._momenta[index])
        else:
            step = self._adam_step(gradient, self._momenta[index], self._squares[index])
        self.assign_sub(variable, rate * step)

    def _orthogonal_step(self, gradient: Any, momentum: Any) -> Any:
        self.assign(momentum, MOMENTUM * momentum + gradient)
        matrix = ops.reshape(gradient + MOMENTUM * momentum, (-1, gradient.shape[-1]))
        scale = STEP_SIZE * math.sqrt(max(math.prod(gradient.shape[:-1]), gradient.shape[-1]))
        return scale * ops.reshape(orthogonal(matrix), gradient.shape)

    def _adam_step(self, gradient: Any, momentum: Any, square: Any) -> Any:
        first, second = ADAM_MOMENTA
        self.assign(momentum, first * momentum + (1 - first) * gradient)
        self.assign(square, second * square + (1 - second) * ops.square(gradient))
        count = ops.cast(self.iterations + 1, gradient.dtype)
        correction = ops.sqrt(1 - ops.power(second, count)) / (1 - ops.power(first, count))
        return correction * momentum / (ops.sqrt(square) + EPSILON)


def _orthogonal(matrix: Any) -> Any:
    """Return the matrix with all singular values near 1, by a Newton-Schulz iteration."""
    tall = matrix.shape[0] > matrix.shape[1]
    wide = ops.transpose(matrix) if tall else matrix
    wide = wide / (ops.norm(wide) + EPSILON)
    for _ in range(ITERATIONS):
        product = ops.matmul(wide, ops.transpose(wide))
        wide = LINEAR * wide + ops.matmul(CUBIC * product + QUINTIC * ops.matmul(product, product), wide)
    return ops.transpose(wide) if tall else wide


# As a graph of its own it is traced once for each shape, not for each kernel: a training begins a second sooner.
orthogonal = tf.function(_orthogonal, autograph=False)
