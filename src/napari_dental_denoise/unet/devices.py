"""Devices that train together: one, several GPUs of a machine, or several machines."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from napari_dental_denoise.config import STRATEGIES, StrategyName
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.unet.backend import tf

# What TensorFlow raises when a machine stops answering.
GONE = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.DeadlineExceededError)


class PeerGoneError(InputError):
    """Another of the machines that train together has stopped."""


@dataclass(frozen=True)
class Devices:
    """Devices that share every batch and take the same step.

    `strategy` is TensorFlow's, None for a single device; `process` is the index of this process among those of all
    machines, `processes` their number.
    """

    strategy: Any = None
    process: int = 0
    processes: int = 1

    @property
    def replicas(self) -> int:
        """Number of devices in all processes."""
        return 1 if self.strategy is None else int(self.strategy.num_replicas_in_sync)

    @property
    def is_chief(self) -> bool:
        """Return whether this process writes files and messages."""
        return self.process == 0

    def scope(self) -> AbstractContextManager[Any]:
        """Return the context in which networks and variables are created."""
        return nullcontext() if self.strategy is None else self.strategy.scope()

    def share(self, batch_size: int) -> slice:
        """Return the patches of a batch that this process has to draw."""
        if batch_size % self.replicas:
            raise InputError(f"batch_size must be a multiple of the {self.replicas} devices; received {batch_size}")
        part = batch_size // self.processes
        return slice(self.process * part, (self.process + 1) * part)

    def learn(self, step: Callable[..., Any], batch: Sequence[Any]) -> float:
        """Take one step with the patches of this process; return the mean loss of all processes."""
        if self.strategy is None:
            return float(step(*map(tf.constant, batch)))
        try:
            return float(step(*map(self._spread, batch)))
        except GONE as error:
            if self.processes == 1:
                raise
            raise PeerGoneError("another machine has stopped: continue with --resume on all of them") from error

    def _spread(self, patches: Any) -> Any:
        here = self.replicas // self.processes
        size = len(patches) // here

        def part(context: Any) -> Any:
            place = context.replica_id_in_sync_group % here
            return tf.constant(patches[place * size : (place + 1) * size])

        return self.strategy.experimental_distribute_values_from_function(part)

    def function(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """Return a step as a graph that all devices run together."""
        if self.strategy is None:
            return _graph(step)

        def together(*batch: Any) -> Any:
            losses = self.strategy.run(step, args=batch)
            return self.strategy.reduce(tf.distribute.ReduceOp.MEAN, losses, axis=None)

        return _graph(together)


def _graph(step: Callable[..., Any]) -> Callable[..., Any]:
    # Without Python's control flow in the steps, to look for it would only make the beginning of a training slower.
    return tf.function(step, jit_compile=False, reduce_retracing=True, autograph=False)


def find_devices(name: StrategyName, batch_size: int) -> Devices:
    """Return the devices to train on; raise InputError if the name is unknown or `TF_CONFIG` names no machines.

    "auto" takes the machines of `TF_CONFIG` if it is set, else as many GPUs as can share a batch evenly, else one
    device. Machines must be found before TensorFlow computes anything.
    """
    if name not in STRATEGIES:
        raise InputError(f"strategy must be one of {', '.join(STRATEGIES)}; received {name!r}")
    if _is_for_machines(name):
        return _several_machines()
    if name == "mirrored":
        return Devices(tf.distribute.MirroredStrategy())
    if name == "auto":
        gpus = sharing([device.name for device in tf.config.list_logical_devices("GPU")], batch_size)
        if len(gpus) > 1:
            return Devices(tf.distribute.MirroredStrategy(gpus))
    return Devices()


def sharing(devices: Sequence[str], batch_size: int) -> Sequence[str]:
    """Return as many of the devices as can share a batch evenly."""
    return devices[: max((n for n in range(1, len(devices) + 1) if batch_size % n == 0), default=0)]


def process_number(name: StrategyName) -> int:
    """Return the index of this process among those that train together; 0 writes files and messages."""
    return _place()[0] if _is_for_machines(name) else 0


def _is_for_machines(name: StrategyName) -> bool:
    return name == "multi-worker" or (name == "auto" and "TF_CONFIG" in os.environ)


def _several_machines() -> Devices:
    process, processes = _place()
    try:
        return Devices(tf.distribute.MultiWorkerMirroredStrategy(), process, processes)
    except tf.errors.OpError as error:
        raise PeerGoneError("not all machines of TF_CONFIG answer: start all of them") from error


def _place() -> tuple[int, int]:
    """Return the index of this process and the number of processes, from `TF_CONFIG`."""
    try:
        config = json.loads(os.environ["TF_CONFIG"])
        cluster, task = config["cluster"], config["task"]
        chiefs, workers = cluster.get("chief", []), cluster["worker"]
        kind, index = task["type"], int(task["index"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            "training on several machines needs TF_CONFIG, with the addresses of all workers and the index of this "
            "one: see the page on scale in the documentation"
        ) from error
    for group, addresses in (("chief", chiefs), ("worker", workers)):
        if not isinstance(addresses, list) or not all(isinstance(address, str) for address in addresses):
            raise InputError(f'TF_CONFIG: {group} must be a list of addresses, such as ["a:2222", "b:2222"]')
    places = {"chief": chiefs, "worker": workers}
    if kind not in places:
        raise InputError(f"TF_CONFIG: task.type must be worker or chief; received {kind!r}")
    if not 0 <= index < len(places[kind]):
        raise InputError(f"TF_CONFIG: task.index must be one of {len(places[kind])} {kind}s, from 0; received {index}")
    return index + (len(chiefs) if kind == "worker" else 0), len(chiefs) + len(workers)


def check_length(devices: Devices, minutes: float | None) -> None:
    """Raise InputError if several processes would not end at the same step."""
    if devices.processes > 1 and minutes is not None and math.isfinite(minutes):
        raise InputError("minutes differ between machines: give --epochs instead")
