"""Denoising on a Dask cluster that is there already, and what becomes of the files when a part of it dies."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest

from napari_dental_denoise.images.raster import read_image, write_image
from napari_dental_denoise.noise.pointwise import add_gaussian_noise
from napari_dental_denoise.synthesis.scene import phantom

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="stops its processes as Linux does")
DENOISE = [sys.executable, "-m", "napari_dental_denoise", "denoise"]
# So many that a run is still at work when a signal comes, be the machine as busy as it likes.
FILES = 36


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    """Images that all differ, so that none can be taken for another."""
    clean = phantom((384, 384), 0)
    folder = tmp_path_factory.mktemp("cluster") / "in"
    for number in range(FILES):
        noisy = np.clip(add_gaussian_noise(np.roll(clean, 8 * number, 1), 0.1, rng=number), 0, 1)
        write_image(folder / f"{number}.png", np.rint(255 * noisy).astype(np.uint8))
    return folder


@pytest.fixture(scope="module")
def expected(scans, tmp_path_factory):
    """What one process makes of them."""
    out = tmp_path_factory.mktemp("alone") / "out"
    subprocess.run([*DENOISE, scans, "-o", out, "--precision", "f32"], check=True, capture_output=True)
    return out


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


def wait_for_files(folder, count, process):
    while len(list(folder.iterdir()) if folder.exists() else []) < count:
        assert process.poll() is None
        time.sleep(0.02)


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
        while not file.exists():
            assert process.poll() is None
            time.sleep(0.05)
        yield process, json.loads(file.read_text())["address"]


def worker(address, folder):
    return dask("worker", address, "--nthreads", 1, "--no-nanny", "--no-dashboard", "--local-directory", folder)


def test_a_cluster_that_is_there_whose_workers_come_late_and_whose_scheduler_goes(scans, expected, tmp_path):
    out = tmp_path / "out"
    command = [*DENOISE, scans, "-o", out, "--precision", "f32", "--scheduler"]
    with scheduler(tmp_path / "first.json") as (process, address):
        running = subprocess.Popen([*command, address], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert "dashboard" in running.stdout.readline()
        with worker(address, tmp_path / "w1"):
            wait_for_files(out, 4, running)
            process.kill()
            process.wait()
            told = running.communicate(timeout=60)
    assert running.returncode == 2
    assert told[1].splitlines() == [
        "napari-dental-denoise: the scheduler is gone: start it again, and the same command goes on"
    ]
    assert not [row for row in rows(tmp_path / "out.csv") if row["error"] not in ("", "not finished")]
    with scheduler(tmp_path / "second.json") as (_, address), worker(address, tmp_path / "w2"):
        done = subprocess.run([*command, address], capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    assert "done before" in done.stdout
    assert is_same(expected, out)
    assert [row["error"] for row in rows(tmp_path / "out.csv")] == [""] * FILES


def test_rows_that_are_left_out_stay_as_they_are_on_workers_too(scans, tmp_path):
    two = [scans / "0.png", scans / "1.png"]
    subprocess.run(
        [*DENOISE, *two, "-o", tmp_path / "out", "-m", "starter-fast", "--rows", "0:300", "--workers", "2"],
        check=True,
        capture_output=True,
    )
    for path in two:
        before, after = read_image(path), read_image(tmp_path / "out" / path.name)
        np.testing.assert_array_equal(after[300:], before[300:])
        assert not np.array_equal(after[:300], before[:300])


def children(process):
    listed = subprocess.run(
        ["/bin/ps", "-o", "pid=", "--ppid", str(process)], capture_output=True, text=True, check=False
    )
    return [int(line) for line in listed.stdout.split()]


def test_a_worker_that_dies_is_replaced_and_its_files_done(scans, expected, tmp_path):
    out = tmp_path / "out"
    command = [*DENOISE, scans, "-o", out, "--precision", "f32", "--workers", "2"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE)
    wait_for_files(out, 5, running)
    # The workers are children of this process or of the one that forks for it.
    workers = [worker for child in children(running.pid) for worker in [child, *children(child)]]
    os.kill([worker for worker in workers if not children(worker)][-1], signal.SIGKILL)
    assert running.wait(120) == 0
    running.stdout.close()
    assert is_same(expected, out)
    assert [row["error"] for row in rows(tmp_path / "out.csv")] == [""] * FILES


def test_ctrl_c_with_workers_is_one_line(scans, expected, tmp_path):
    out, inputs = tmp_path / "out", tmp_path / "in"
    shutil.copytree(scans, inputs)
    # The first of all, so that one worker is still at it while the other one does the rest.
    write_image(inputs / "0-large.png", np.tile(read_image(scans / "0.png"), (8, 8)))
    command = [*DENOISE, inputs, "-o", out, "--precision", "f32", "--workers", "2"]
    # Of a terminal, all processes of the group hear of it.
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_for_files(out, 1, running)
    os.killpg(running.pid, signal.SIGINT)
    _, error = running.communicate(timeout=60)
    assert (running.returncode, error.splitlines()) == (130, ["napari-dental-denoise: stopped"])
    (inputs / "0-large.png").unlink()
    (out / "0-large.png").unlink(missing_ok=True)
    done = subprocess.run([*DENOISE, inputs, "-o", out, "--precision", "f32"], capture_output=True, check=False)
    assert done.returncode == 0
    assert is_same(expected, out)


def test_files_on_which_workers_die_are_left_out(tmp_path):
    """One of the files kills each worker that has it."""
    code = f"""
import os, sys
from pathlib import Path
from napari_dental_denoise.core import batch, cluster
from napari_dental_denoise.batch.process import Destination
from napari_dental_denoise.dicom.provenance import Derivation
from napari_dental_denoise.batch.run import run_files
from napari_dental_denoise.batch.inputs import find_items
def kills(image, number):
    if number == 1:
        os._exit(9)
    return image
if __name__ == "__main__":
    destination = Destination(Path({str(tmp_path / "out")!r}), None, Derivation("kept", ""))
    with cluster.local_cluster(1) as client:
        items = find_items([{str(tmp_path / "in")!r}], destination.output)
        process = cluster.on_cluster(client, destination, kills, measure=False)
        for record in run_files(items, destination, process, None):
            print(record.file, record.error)
"""
    for number in range(3):
        write_image(tmp_path / "in" / f"{number}.png", np.full((40, 40), number, np.uint8))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=100)
    assert sorted(done.stdout.splitlines()) == ["0.png ", "1.png 4 workers died while they had it", "2.png "]


@pytest.mark.parametrize(("dies", "told"), [(True, "0.png False"), (False, "0.png True")])
def test_what_a_worker_wrote_before_it_died_is_done_again_but_not_what_another_program_wrote(tmp_path, dies, told):
    out = tmp_path / "out"
    code = f"""
import os, threading, time
from pathlib import Path
from napari_dental_denoise.core import cluster
from napari_dental_denoise.batch.process import Destination
from napari_dental_denoise.dicom.provenance import Derivation
from napari_dental_denoise.batch.run import run_files
from napari_dental_denoise.batch.inputs import find_items
result = Path({str(out / "0.png")!r})
def die():
    while not result.exists():
        time.sleep(0.001)
    os._exit(9)
def work(image, number):
    if not {dies}:
        result.write_bytes(b"another's")
    elif not result.exists():
        threading.Thread(target=die).start()
    return image
if __name__ == "__main__":
    destination = Destination(result.parent, None, Derivation("kept", ""))
    with cluster.local_cluster(1) as client:
        items = find_items([{str(tmp_path / "in")!r}], result.parent)
        process = cluster.on_cluster(client, destination, work, measure=True)
        for record in run_files(items, destination, process, None):
            print(record.file, "is there already" in record.error)
"""
    write_image(tmp_path / "in" / "0.png", np.full((1500, 1500), 7, np.uint8))
    out.mkdir()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=100)
    assert done.stdout.splitlines() == [told]
    assert ((out / "0.png").read_bytes() == b"another's") is not dies
