"""Measure the time of a file beside inference, memory by the number of files, and the speed of several processes.

python benchmarks/scale.py [--files 100 1000 10000] [--images 200] [--workers 2]
"""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import psutil
from common import machine, parser_for

from napari_dental_denoise import denoise, load_engine, read_image, write_image
from napari_dental_denoise.models import STARTER
from napari_dental_denoise.synthesis import phantoms

PROGRAM = [sys.executable, "-m", "napari_dental_denoise"]
SMALL, USUAL = (64, 64), (488, 748)
EPOCHS, STEPS = 2, 40
# Rounding errors grow with the number of steps, so early losses are compared separately.
EARLY = 20
End = Callable[[int, int], tuple[int, int, resource.struct_rusage]]


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--files", type=int, nargs="+", default=[100, 1000, 10000])
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    print(f"{machine()}\n")
    with tempfile.TemporaryDirectory() as folder:
        many_small(Path(folder), options.files)
        processes(Path(folder), options.images, options.workers)
        training(Path(folder))


def many_small(folder: Path, counts: list[int]) -> None:
    print("| files of 64x64 | seconds | ms for each more, beyond inference | peak, MiB |\n|---|---|---|---|")
    image = np.rint(phantoms(1, SMALL, 0)[0] * 255).astype(np.uint8)
    fewer: tuple[int, float] | None = None
    for count in counts:
        source = folder / f"small{count}"
        write_image(source / "0.png", image)
        for number in range(1, count):
            os.link(source / "0.png", source / f"{number}.png")
        inference = time_inference(image)
        seconds, peak = run_measured([*PROGRAM, "denoise", str(source), "-o", str(folder / f"out{count}")])
        beyond = "-"
        if fewer is not None:
            # The difference of two runs contains noise estimates and the report, but not the start.
            each = (seconds - fewer[1]) / (count - fewer[0])
            beyond = f"{1000 * (each - inference):.1f}"
        print(f"| {count} | {seconds:.1f} | {beyond} | {peak:.0f} |", flush=True)
        fewer = count, seconds


def time_inference(image: np.ndarray) -> float:
    engine = load_engine(STARTER)
    denoise(image, engine)
    start = time.perf_counter()
    for _ in range(50):
        denoise(image, engine)
    return (time.perf_counter() - start) / 50


def run_measured(command: list[str], end: End = os.wait4) -> tuple[float, float]:
    """Return the seconds and the peak memory in MiB of a process; `end` waits for its end."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, _, usage = end(child.pid, 0)
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def processes(folder: Path, count: int, workers: int) -> None:
    images = [np.rint(image * 255).astype(np.uint8) for image in phantoms(8, USUAL, 1)]
    for number in range(count):
        write_image(folder / "usual" / f"{number}.png", images[number % 8])
    print(
        f"\n| {count} images of {USUAL[1]}x{USUAL[0]} | seconds | ratio | same files / grey levels |\n|---|---|---|---|"
    )
    first = None
    cluster, killed = ["--workers", str(workers)], f"{workers} Dask workers, one of them killed"
    for name, extra, end in (
        ("one process", [], os.wait4),
        (f"{workers} Dask workers", cluster, os.wait4),
        (killed, cluster, partial(kill_a_worker, folder / killed, count // 3)),
    ):
        command = [*PROGRAM, "denoise", str(folder / "usual"), "-o", str(folder / name), *extra]
        seconds, _ = run_measured(command, end)
        first = first or seconds
        print(
            f"| {name} | {seconds:.1f} | {seconds / first:.2f} | {compared(folder / 'one process', folder / name)} |",
            flush=True,
        )


def kill_a_worker(output: Path, count: int, process: int, options: int) -> tuple[int, int, resource.struct_rusage]:
    """Wait for a run, and kill one of its workers when `count` files are done."""
    program = psutil.Process(process)
    while len(list(output.glob("*.png"))) < count and program.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.1)
    leaves = [child for child in program.children(recursive=True) if not child.children()]
    # Other children of Python hardly use the processor.
    max(leaves, key=lambda child: child.cpu_times().user).kill()
    return os.wait4(process, options)


def compared(expected: Path, found: Path) -> str:
    """Return the number of identical files, and the largest difference of the others in grey levels."""
    differences = [
        int(np.abs(read_image(path).astype(int) - read_image(found / path.name)).max()) for path in expected.iterdir()
    ]
    return f"{differences.count(0)} of {len(differences)} / {max(differences)}"


def training(folder: Path) -> None:
    print(
        f"\n| training of `fast`, f32 | patches a second | difference of losses in {EARLY} steps / all | of weights |"
    )
    print("|---|---|---|---|")
    course = f"--preset fast --start-from nothing --noise gaussian --precision f32 --epochs {EPOCHS}"
    command = [*PROGRAM, "train", str(folder / "usual"), *course.split(), "--steps-per-epoch", str(STEPS)]
    expected: list[float] = []
    weights: list[np.ndarray] = []
    told: list[str] = []
    for name, count in (("one process", 1), ("two processes", 2)):
        output = folder / f"{name}.keras"
        events = train([*command, "--progress", "jsonl", "-o", str(output)], count)
        losses = [event["loss"] for event in events if event["event"] == "step"]
        expected = expected or losses
        last = [event for event in events if event["event"] == "step"][-1]
        begun = next(event for event in events if event["event"] == "step" and event["step"] == 5)
        speed = 16 * (len(losses) - 5) / (last["elapsed"] - begun["elapsed"])
        differences = [abs(one - other) / one for one, other in zip(expected, losses, strict=True)]
        found = weights_of(output)
        weights = weights or found
        apart = max(np.abs(one - other).max() / np.abs(one).max() for one, other in zip(weights, found, strict=True))
        print(
            f"| {name} | {speed:.0f} | {max(differences[:EARLY]):.1e} / {max(differences):.1e} | {apart:.1e} |",
            flush=True,
        )
        told.append(f"losses of {name}: {' '.join(f'{loss:.6f}' for loss in losses[:: STEPS // 4])}")
    print("", *told, sep="\n")


def train(command: list[str], count: int) -> list[dict[str, float]]:
    """Return the reports of the first of several processes that train together."""
    places = [None]
    if count > 1:
        workers = [f"localhost:{free_port()}" for _ in range(count)]
        configs = [{"cluster": {"worker": workers}, "task": {"type": "worker", "index": i}} for i in range(count)]
        places = [{**os.environ, "TF_CONFIG": json.dumps(config)} for config in configs]
    running = [subprocess.Popen(command, env=place, stdout=subprocess.PIPE, text=True) for place in places]
    told = [process.communicate()[0] for process in running]
    return [json.loads(line) for line in told[0].splitlines()]


def weights_of(model: Path) -> list[np.ndarray]:
    # Imported here, since the memory of a process with TensorFlow counts in the peak of its children.
    import keras

    return keras.models.load_model(model).get_weights()


def free_port() -> int:
    with socket.create_server(("localhost", 0)) as server:
        return int(server.getsockname()[1])


if __name__ == "__main__":
    main()
