"""Import Keras and TensorFlow without their log messages, and describe the device."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from napari_dental_denoise.errors import InputError, needed_for
from napari_dental_denoise.inference import processor_has_bfloat16

__all__ = ["device_name", "has_bfloat16", "keras", "quiet_stderr", "tf"]


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hide what native code writes to stderr, unless the block ends in an unexpected error."""
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
        except InputError:
            raise
        except Exception:
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
        f"training needs the TensorFlow backend of Keras; KERAS_BACKEND is {chosen}: unset it, or set it to tensorflow"
    )
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Without AVX-512, TensorFlow does not use oneDNN by default, and a step takes 1.6 times as long.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
with needed_for("training and for models in Keras", "tensorflow"), quiet_stderr():
    import keras
    import tensorflow as tf

    tf.config.list_physical_devices()
# A second training in one notebook would warn of functions that are traced again.
tf.get_logger().setLevel("ERROR")

if keras.backend.backend() != "tensorflow":
    raise InputError(
        f"training needs the TensorFlow backend of Keras; ~/.keras/keras.json names {keras.backend.backend()}: "
        "change it to tensorflow"
    )


def device_name(replicas: int = 1) -> str:
    """Return the name of the GPU, or "CPU" without one; with the number of replicas if there are several."""
    devices = tf.config.list_physical_devices("GPU")
    name = f"CPU, {os.cpu_count()} cores"
    if devices:
        name = str(tf.config.experimental.get_device_details(devices[0]).get("device_name", "GPU"))
    return name if replicas == 1 else f"{replicas} x {name}"


def has_bfloat16() -> bool:
    """Return whether bf16 saves time: on NVIDIA GPUs from Ampere on, and processors that support it."""
    devices = tf.config.list_physical_devices("GPU")
    if devices:
        capability = tf.config.experimental.get_device_details(devices[0]).get("compute_capability", (0, 0))
        return bool(tuple(capability) >= (8, 0))
    return processor_has_bfloat16()
