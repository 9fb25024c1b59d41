"""Import TensorFlow without its noise, and say what it runs on."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.inference import processor_has_bfloat16

__all__ = ["device_name", "has_bfloat16", "keras", "quiet_stderr", "tf"]


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hold back what native code writes to stderr; show it if the block fails."""
    try:
        saved = os.dup(2)
    except OSError:  # no stderr at all, as under pythonw
        yield
        return
    with tempfile.TemporaryFile() as caught:
        sys.stderr.flush()
        os.dup2(caught.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(saved, 2)
            caught.seek(0)
            os.write(2, caught.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


chosen = os.environ.get("KERAS_BACKEND", "tensorflow")
if chosen != "tensorflow":
    raise InputError(
        f"training needs Keras on TensorFlow; KERAS_BACKEND asks for {chosen}: unset it, or set it to tensorflow"
    )
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# TensorFlow leaves oneDNN's convolutions out on processors without AVX-512, where a step takes 1.6 times as long then.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
with quiet_stderr():
    import keras
    import tensorflow as tf

    tf.config.list_physical_devices()
# A second training in one notebook is no reason to warn of functions that are traced again.
tf.get_logger().setLevel("ERROR")

if keras.backend.backend() != "tensorflow":
    raise InputError(
        f"training needs Keras on TensorFlow; it is set to {keras.backend.backend()} in ~/.keras/keras.json: "
        "set it to tensorflow"
    )


def device_name(replicas: int = 1) -> str:
    """Where TensorFlow computes: "GPU" with its model where there is one, else "CPU"; and how many of them."""
    devices = tf.config.list_physical_devices("GPU")
    name = f"CPU, {os.cpu_count()} cores"
    if devices:
        name = str(tf.config.experimental.get_device_details(devices[0]).get("device_name", "GPU"))
    return name if replicas == 1 else f"{replicas} x {name}"


def has_bfloat16() -> bool:
    """Whether bf16 saves time here: an NVIDIA GPU from Ampere on, or a processor that has it."""
    devices = tf.config.list_physical_devices("GPU")
    if devices:
        capability = tf.config.experimental.get_device_details(devices[0]).get("compute_capability", (0, 0))
        return bool(tuple(capability) >= (8, 0))
    return processor_has_bfloat16()
