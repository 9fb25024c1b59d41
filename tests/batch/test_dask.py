"""Runs on Dask: a cluster that exists already, and what becomes of the files when a part of it dies."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest

from napari_dental_denoise.batch.dask import threads_for
from napari_dental_denoise.cli import main
from napari_dental_denoise.images.radiograph import read_image
from napari_dental_denoise.images.writer import write_image
from napari_dental_denoise.noise.pointwise import add_gaussian_noise
from napari_dental_denoise.synthesis.scene import phantom

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="stops its processes as Linux does")
FILES = 8
MODEL = ("-m", "starter-fast", "--precision", "f32")
# The command line, whose workers wait with each file but the first ones until the test opens the gate, so that the run
# cannot end before; each says first which process has the file.
GATED = """
import os, sys, time
from pathlib import Path
import napari_dental_denoise.batch.dask as dask
from napari_dental_denoise.cli import main
gate, free = Path(sys.argv[1]), int(sys.argv[2])
process_item = dask.process_item
def gated(item, *arguments, **named):
    if item.number >= free:
        (gate / "writing").write_text(str(os.getpid()))
        (gate / "writing").replace(gate / f"{item.number}")
        while not (gate / "open").exists():
            time.sleep(0.01)
    return process_item(item, *arguments, **named)
dask.process_item = gated
sys.exit(main(sys.argv[3:]))
"""


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    """Images that all differ, so that none can be taken for another."""
    clean = phantom((96, 128), 0)
    folder = tmp_path_factory.mktemp("cluster") / "in"
    for number in range(FILES):
        noisy = np.clip(add_gaussian_noise(np.roll(clean, 8 * number, 1), 0.1, rng=number), 0, 1)
        write_image(folder / f"{number}.png", np.rint(255 * noisy).astype(np.uint8))
    return folder


@pytest.fixture(scope="module")
def expected(scans, tmp_path_factory):
    """The images that one process denoises."""
    out = tmp_path_factory.mktemp("alone") / "out"
    assert main(["denoise", str(scans), "-o", str(out), *MODEL]) == 0
    return out


@pytest.fixture
def gate(tmp_path):
    (tmp_path / "gate").mkdir()
    return tmp_path / "gate"


@contextmanager
def start(gate, free, *arguments):
    """Start the command line with a gate behind the first files, in a process group of its own."""
    command = [sys.executable, "-c", GATED, gate, free, *arguments]
    with subprocess.Popen(
        [*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(path, process):
    while not path.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def is_same(expected, found):
    """To a grey level: more processors add up in another order."""
    assert sorted(path.name for path in expected.iterdir()) == sorted(path.name for path in found.iterdir())
    for path in expected.iterdir():
        difference = read_image(path).astype(int) - read_image(found / path.name)
        assert np.abs(difference).max() <= 1, path.name
    return True


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@contextmanager
def dask(*arguments):
    process = subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *map(str, arguments[1:])],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def scheduler(file):
    with dask("scheduler", "--port", 0, "--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", file) as process:
        wait_for(file, process)
        yield process, json.loads(file.read_text())["address"]


def worker(address, folder):
    return dask("worker", address, "--nthreads", 1, "--no-nanny", "--no-dashboard", "--local-directory", folder)


def test_a_cluster_whose_workers_come_late_and_whose_scheduler_dies(scans, expected, gate, tmp_path):
    out = tmp_path / "out"
    command = ["denoise", scans, "-o", out, *MODEL, "--scheduler"]
    with scheduler(tmp_path / "first.json") as (process, address), start(gate, 2, *command, address) as running:
        assert "dashboard" in running.stdout.readline()
        with worker(address, tmp_path / "w1"):
            wait_for(gate / "2", running)
            process.kill()
            process.wait()
            _, error = running.communicate()
    assert running.returncode == 2
    assert error.splitlines() == [
        "napari-dental-denoise: the scheduler is gone: start it again, and repeat the command to continue"
    ]
    assert not [row for row in rows(tmp_path / "out.csv") if row["error"] not in ("", "not finished")]
    with (
        scheduler(tmp_path / "second.json") as (_, address),
        worker(address, tmp_path / "w2"),
        start(gate, FILES, *command, address) as running,
    ):
        told, error = running.communicate()
    assert (running.returncode, error) == (0, "")
    assert "done before" in told
    assert is_same(expected, out)
    assert [row["error"] for row in rows(tmp_path / "out.csv")] == [""] * FILES


def test_rows_outside_the_selection_stay_as_they_are_on_workers_too(scans, gate, tmp_path):
    two = [scans / "0.png", scans / "1.png"]
    with start(
        gate, FILES, "denoise", *two, "-o", tmp_path / "out", *MODEL, "--rows", "0:64", "--workers", 1
    ) as running:
        running.communicate()
    assert running.returncode == 0
    for path in two:
        before, after = read_image(path), read_image(tmp_path / "out" / path.name)
        np.testing.assert_array_equal(after[64:], before[64:])
        assert not np.array_equal(after[:64], before[:64])


def test_a_worker_that_dies_is_replaced_and_its_files_are_done(scans, expected, gate, tmp_path):
    out = tmp_path / "out"
    with start(gate, 1, "denoise", scans, "-o", out, *MODEL, "--workers", 2) as running:
        wait_for(gate / "1", running)
        os.kill(int((gate / "1").read_text()), signal.SIGKILL)
        (gate / "open").touch()
        _, error = running.communicate()
    assert (running.returncode, error) == (0, "")
    assert is_same(expected, out)
    assert [row["error"] for row in rows(tmp_path / "out.csv")] == [""] * FILES


def test_ctrl_c_with_workers_is_one_line(scans, gate, tmp_path):
    command = ["add-noise", str(scans), "-o", str(tmp_path / "out")]
    with start(gate, 1, *command, "--workers", 2) as running:
        wait_for(tmp_path / "out" / "0.png", running)
        # A terminal sends it to all processes of the group.
        os.killpg(running.pid, signal.SIGINT)
        _, error = running.communicate()
    assert (running.returncode, error.splitlines()) == (130, ["napari-dental-denoise: stopped"])
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.png"]
    assert main(command) == 0
    assert main(["add-noise", str(scans), "-o", str(tmp_path / "alone")]) == 0
    assert is_same(tmp_path / "alone", tmp_path / "out")


def test_files_on_which_workers_die_are_left_out(tmp_path):
    """One of the files kills each worker that has it."""
    code = f"""
import os, sys
from pathlib import Path
import napari_dental_denoise.batch.dask as cluster
from napari_dental_denoise.batch.maps import Processed
from napari_dental_denoise.batch.process import Destination
from napari_dental_denoise.dicom.provenance import Derivation
from napari_dental_denoise.batch.run import run_files
from napari_dental_denoise.batch.inputs import find_items
def kills(stored, encoding, number):
    if number == 1:
        os._exit(9)
    return Processed(stored)
if __name__ == "__main__":
    destination = Destination(Path({str(tmp_path / "out")!r}), None, Derivation("kept", ""))
    with cluster.local_cluster(1) as client:
        items = find_items([{str(tmp_path / "in")!r}])
        process = cluster.on_cluster(client, destination, kills, measure=False)
        for record in run_files(items, destination, process, None):
            print(record.file, record.error)
"""
    for number in range(3):
        write_image(tmp_path / "in" / f"{number}.png", np.full((40, 40), number, np.uint8))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert sorted(done.stdout.splitlines()) == ["0.png ", "1.png 4 workers died while they had it", "2.png "]


@pytest.mark.parametrize(("dies", "told"), [(True, "0.png False"), (False, "0.png True")])
def test_what_a_worker_wrote_before_it_died_is_done_again_but_not_what_another_program_wrote(tmp_path, dies, told):
    out = tmp_path / "out"
    code = f"""
import os
from pathlib import Path
import napari_dental_denoise.batch.dask as cluster
from napari_dental_denoise.batch.maps import Processed
from napari_dental_denoise.batch.process import Destination
from napari_dental_denoise.dicom.provenance import Derivation
from napari_dental_denoise.batch.run import run_files
from napari_dental_denoise.batch.inputs import find_items
result = Path({str(out / "0.png")!r})
def work(stored, encoding, number):
    from napari_dental_denoise.batch import process
    if not {dies}:
        result.write_bytes(b"another's")
    elif not result.exists():
        # What comes after the writing.
        process._measured = lambda *arguments: os._exit(9)
    return Processed(stored)
if __name__ == "__main__":
    destination = Destination(result.parent, None, Derivation("kept", ""))
    with cluster.local_cluster(1) as client:
        items = find_items([{str(tmp_path / "in")!r}])
        process = cluster.on_cluster(client, destination, work, measure=True)
        for record in run_files(items, destination, process, None):
            print(record.file, "already exists" in record.error)
"""
    write_image(tmp_path / "in" / "0.png", np.full((40, 40), 7, np.uint8))
    out.mkdir()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [told]
    assert ((out / "0.png").read_bytes() == b"another's") is not dies


def test_the_workers_share_the_processors_and_each_has_one():
    assert threads_for(1) == os.cpu_count()
    assert threads_for(2) == max(os.cpu_count() // 2, 1)
    assert threads_for(2 * os.cpu_count()) == 1
