"""Several devices learn the same as one: the same crops, losses, weights; checkpoints go from one to the other."""

import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from contextlib import redirect_stdout
from importlib.metadata import version

import numpy as np
import pytest

from napari_dental_denoise.cli import main
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.noise.registry import NoiseRange
from napari_dental_denoise.training.dataset import CleanImages
from napari_dental_denoise.training.patches import batches
from napari_dental_denoise.unet.backend import keras
from napari_dental_denoise.unet.devices import Devices, check_length, find_devices, process_number, sharing
from tests.conftest import write_scans

SETTINGS = [
    *("--noise", "gaussian", "--start-from", "nothing", "--preset", "fast", "--steps-per-epoch", "4"),
    *("--batch-size", "8", "--patch-size", "32", "--precision", "f32", "--progress", "jsonl"),
]


def environments(count):
    """TF_CONFIG of each of some processes of this machine."""
    sockets = [socket.create_server(("localhost", 0)) for _ in range(count)]
    workers = [f"localhost:{open_socket.getsockname()[1]}" for open_socket in sockets]
    for open_socket in sockets:
        open_socket.close()
    for index in range(count):
        config = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
        yield {**os.environ, "TF_CONFIG": json.dumps(config)}


def train(folder, model, *options):
    """Return the losses that a training in this process reports."""
    with redirect_stdout(io.StringIO()) as lines:
        assert main(["train", str(folder), "-o", str(model), *SETTINGS, *map(str, options)]) == 0
    return losses_in(lines.getvalue().splitlines())


def start_two(folder, models, *options):
    """Start one training in two processes, each with a model of its own to write."""
    for model, place in zip(models, environments(2), strict=True):
        arguments = ["train", str(folder), "-o", str(model), *SETTINGS, *map(str, options)]
        command = [sys.executable, "-m", "napari_dental_denoise", *arguments]
        yield subprocess.Popen(command, env=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def losses_in(lines):
    return [event["loss"] for event in map(json.loads, lines) if event["event"] == "step"]


def epochs_in(lines):
    return [json.loads(line)["event"] for line in lines].count("epoch")


def weights(model):
    return keras.models.load_model(model).get_weights()


@pytest.fixture(scope="module")
def alone(tmp_path_factory, radiographs):
    """The folder of scans and of a model that one process trained, and its losses."""
    folder = tmp_path_factory.mktemp("alone")
    return folder, train(write_scans(folder, radiographs), folder / "m.keras", "--epochs", 2)


def test_two_processes_learn_the_same_as_one_which_goes_on_with_their_checkpoint(alone, tmp_path):
    (folder, expected), together = alone, tmp_path / "together.keras"
    running = list(start_two(folder / "scans", [together] * 2, "--epochs", 2))
    told = [process.communicate() for process in running]
    assert [process.returncode for process in running] == [0, 0], told
    assert told[1][0] == "", "the first process alone reports"
    assert len(expected) == 8
    np.testing.assert_allclose(losses_in(told[0][0].splitlines()), expected, rtol=1e-4)
    further = ("--epochs", 3, "--resume")
    model = shutil.copytree(folder, tmp_path / "alone") / "m.keras"
    losses = [train(folder / "scans", path, *further) for path in (model, together)]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)
    for one, other in zip(weights(model), weights(together), strict=True):
        np.testing.assert_allclose(other, one, atol=1e-3)


MIRRORED = """
import numpy as np
from napari_dental_denoise.unet.backend import tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
from napari_dental_denoise.training import Batch
from napari_dental_denoise.unet.devices import Devices
from napari_dental_denoise.unet.learner import Learner
from napari_dental_denoise.unet.network import find_preset
for devices in (Devices(), Devices(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))):
    learner = Learner(find_preset("fast"), mixed=False, averaging=0.9, seed=0, devices=devices)
    rng = np.random.default_rng(0)
    for _ in range(5):
        clean = rng.random((8, 32, 32, 1), np.float32)
        noisy = clean + 0.1 * rng.standard_normal(clean.shape).astype(np.float32)
        batch = Batch(noisy, clean, np.zeros_like(clean), np.zeros(8, np.float32))
        print(devices.replicas, learner.learn(batch, 1e-3))
    print(devices.replicas, float(np.mean(learner.denoise(noisy))))
"""


def test_two_devices_of_one_process_learn_the_same_as_one():
    done = subprocess.run([sys.executable, "-c", MIRRORED], capture_output=True, text=True, check=True)
    lines = [line.split() for line in done.stdout.splitlines()]
    one, two = ([float(value) for count, value in lines if count == number] for number in "12")
    assert len(one) == len(two) == 6
    np.testing.assert_allclose(two, one, rtol=1e-4)


def test_shares_are_parts_of_the_same_batches(radiographs):
    data = CleanImages(radiographs, NoiseRange("gaussian", {}), 0)
    whole, first, second = (
        list(batches(data, 32, 8, 3, np.random.default_rng(1), share=share))
        for share in (slice(None), slice(0, 4), slice(4, 8))
    )
    for batch, *parts in zip(whole, first, second, strict=True):
        for patches, one, other in zip(batch, *parts, strict=True):
            np.testing.assert_array_equal(patches, np.concatenate([one, other]))


def test_what_cannot_be_shared_is_refused(monkeypatch):
    class Three:
        num_replicas_in_sync = 3

    with pytest.raises(InputError, match="batch_size must be a multiple of the 3 devices; received 16"):
        Devices(Three(), 0, 3).share(16)
    with pytest.raises(InputError, match="give --epochs"):
        check_length(Devices(Three(), 0, 3), 2.0)
    with pytest.raises(InputError, match="strategy must be one of auto, single, mirrored, multi-worker"):
        find_devices("all", 16)
    for broken in ("{", "[]", '{"cluster": {}}'):
        monkeypatch.setenv("TF_CONFIG", broken)
        with pytest.raises(InputError, match="needs TF_CONFIG"):
            process_number("auto")


@pytest.mark.parametrize(
    ("task", "told"),
    [
        ({"type": "worker", "index": 5}, "task.index must be one of 2 workers, from 0; received 5"),
        ({"type": "worker", "index": -1}, "task.index must be one of 2 workers, from 0; received -1"),
        ({"type": "ps", "index": 0}, "task.type must be worker or chief; received 'ps'"),
        ({"type": "chief", "index": 0}, "task.index must be one of 0 chiefs, from 0; received 0"),
    ],
)
def test_a_place_that_is_none_is_told_before_an_image_is_read(tmp_path, monkeypatch, capsys, task, told):
    config = {"cluster": {"worker": ["localhost:1", "localhost:2"]}, "task": task}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    assert main(["train", str(tmp_path / "no such folder"), "-o", str(tmp_path / "m.keras")]) == 2
    assert capsys.readouterr().err == f"napari-dental-denoise: TF_CONFIG: {told}\n"


def test_workers_that_are_no_list_are_refused(monkeypatch):
    for workers in ("localhost:1", [1, 2], {"a": 1}):
        config = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": 0}}
        monkeypatch.setenv("TF_CONFIG", json.dumps(config))
        with pytest.raises(InputError, match="worker must be a list of addresses"):
            process_number("multi-worker")


@pytest.mark.parametrize(("count", "batch_size", "used"), [(3, 16, 2), (5, 16, 4), (7, 16, 4), (6, 18, 6), (3, 7, 1)])
def test_as_many_gpus_learn_as_can_share_a_batch(count, batch_size, used):
    assert len(sharing([f"GPU:{number}" for number in range(count)], batch_size)) == used


def test_strategies_of_the_command_line_learn_the_same(alone, tmp_path):
    folder, losses = alone
    mirrored = train(folder / "scans", tmp_path / "m.keras", "--epochs", 2, "--strategy", "mirrored")
    np.testing.assert_allclose(mirrored, losses, rtol=1e-4)


def test_a_machine_that_goes_is_one_line_and_only_the_first_one_writes(alone, tmp_path):
    """They go on with the checkpoint of one process."""
    folder, losses = alone
    for place in ("first", "second"):
        shutil.copytree(folder, tmp_path / place, ignore=shutil.ignore_patterns("scans"))
    model, other = tmp_path / "first" / "m.keras", tmp_path / "second" / "m.keras"
    before = {path.name: path.read_bytes() for path in other.parent.iterdir()}
    running = list(start_two(folder / "scans", (model, other), "--epochs", 2000, "--resume"))
    lines = []
    while epochs_in(lines) < 2:
        lines.append(running[0].stdout.readline())
        assert lines[-1], running[0].stderr.read()
    # The loss of the first step is that of what one process had learned.
    assert losses_in(lines)[0] < losses[0]
    running[1].kill()
    rest, error = running[0].communicate()
    running[1].communicate()
    assert running[0].returncode == 2
    if version("tensorflow").startswith("2.20."):  # which tells of its servers before
        error = re.sub(r"^(WARNING: All log messages|I0000 ).*\n", "", error, flags=re.MULTILINE)
    assert error == ("napari-dental-denoise: another machine has stopped: continue with --resume on all of them\n")
    assert {path.name: path.read_bytes() for path in other.parent.iterdir()} == before
    assert sorted(path.suffix for path in model.parent.iterdir()) == [".checkpoint", ".keras"]
    assert train(folder / "scans", model, "--resume", "--epochs", 2 + epochs_in([*lines, *rest.splitlines()]) + 1)
