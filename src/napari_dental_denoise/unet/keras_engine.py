"""Run model files with Keras, on a GPU if TensorFlow finds one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import INFERENCE, Precision
from napari_dental_denoise.inference import body_precision
from napari_dental_denoise.models import converted, read_model_file
from napari_dental_denoise.pixels import doubled
from napari_dental_denoise.unet.backend import has_bfloat16, keras, tf
from napari_dental_denoise.unet.export import load_keras_model
from napari_dental_denoise.unet.network import ERROR_ROOT, OUTPUT


class KerasEngine:
    """Engine that runs a model file in Keras; "auto" is bf16 where that saves time and the model predicts the noise."""

    def __init__(self, path: Path, precision: Precision = INFERENCE.precision) -> None:
        path = converted(path)
        self.card = read_model_file(path).card
        wanted = body_precision(precision, self.card)
        model = load_keras_model(path)
        if wanted == "bf16" or (wanted == "auto" and has_bfloat16()):
            model = _in_bfloat16(model)
        self._run = tf.function(model, jit_compile=False, reduce_retracing=True)

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the network's output for a (N, H, W, 1) float32 batch; see `Engine`."""
        outputs = self._run(tf.constant(batch))
        return np.asarray(outputs[0] if isinstance(outputs, list | tuple) else outputs)

    def with_error(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the output and the expected squared errors; see `Engine`."""
        output, squared = map(np.asarray, self._run(tf.constant(batch)))
        return output, doubled(squared)


def _in_bfloat16(model: keras.Model) -> keras.Model:
    # bf16 has 8 significant bits: too few for the grey values in the first layer and the noise in the last.
    first = next((layer.name for layer in model.layers if layer.weights), None)
    exact = {first, OUTPUT, ERROR_ROOT, model.layers[-1].name}

    def lower(layer: keras.layers.Layer) -> keras.layers.Layer:
        policy = "float32" if layer.name in exact else "mixed_bfloat16"
        return type(layer).from_config({**layer.get_config(), "dtype": policy})

    lowered = keras.models.clone_model(model, clone_function=lower)
    lowered.set_weights(model.get_weights())
    return lowered
