"""What a file costs beyond inference, whether memory grows with the number of files, and what more processes bring.

python benchmarks/scale.py [--files 100 1000 10000] [--images 200] [--workers 2]
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from machine import machine

from napari_dental_denoise import denoise, load_engine, write_image
from napari_dental_denoise.core.phantom import phantoms
from napari_dental_denoise.core.starter import STARTER

PROGRAM = [sys.executable, "-m", "napari_dental_denoise"]
SMALL, USUAL = (64, 64), (488, 748)
EPOCHS, STEPS = 2, 40
# Rounding grows from step to step, with one device as with two.
EARLY = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
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
    print("| files of 64x64 | seconds | ms for each | of that beyond inference | peak, MiB |\n|---|---|---|---|---|")
    image = np.rint(phantoms(1, SMALL, 0)[0] * 255).astype(np.uint8)
    inference = time_inference(image)
    for count in counts:
        source = folder / f"small{count}"
        write_image(source / "0.png", image)
        for number in range(1, count):
            os.link(source / "0.png", source / f"{number}.png")
        seconds, peak = run_measured([*PROGRAM, "denoise", str(source), "-o", str(folder / f"out{count}")])
        each = rows_seconds(folder / f"out{count}.csv")
        wall = 1000 * seconds / count
        print(f"| {count} | {seconds:.1f} | {wall:.1f} | {1000 * (each - inference):.1f} | {peak:.0f} |", flush=True)


def time_inference(image: np.ndarray) -> float:
    engine = load_engine(STARTER)
    denoise(image, engine)
    start = time.perf_counter()
    for _ in range(50):
        denoise(image, engine)
    return (time.perf_counter() - start) / 50


def rows_seconds(report: Path) -> float:
    with report.open(newline="") as file:
        return float(np.median([float(row["seconds"]) for row in csv.DictReader(file)]))


def run_measured(command: list[str]) -> tuple[float, float]:
    """Seconds, and peak memory of the process in MiB."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, _, usage = os.wait4(child.pid, 0)
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def processes(folder: Path, count: int, workers: int) -> None:
    images = [np.rint(image * 255).astype(np.uint8) for image in phantoms(8, USUAL, 1)]
    for number in range(count):
        write_image(folder / "usual" / f"{number}.png", images[number % 8])
    print(f"\n| {count} images of {USUAL[1]}x{USUAL[0]} | seconds | ratio |\n|---|---|---|")
    first = None
    for name, extra in (("one process", []), (f"{workers} Dask workers", ["--workers", str(workers)])):
        command = [*PROGRAM, "denoise", str(folder / "usual"), "-o", str(folder / name), *extra]
        seconds, _ = run_measured(command)
        first = first or seconds
        print(f"| {name} | {seconds:.1f} | {seconds / first:.2f} |", flush=True)


def training(folder: Path) -> None:
    print(f"\n| training of `fast`, f32 | patches a second | largest difference of a loss in {EARLY} steps / all |")
    print("|---|---|---|")
    course = f"--preset fast --start-from nothing --noise gaussian --precision f32 --epochs {EPOCHS}"
    command = [*PROGRAM, "train", str(folder / "usual"), *course.split(), "--steps-per-epoch", str(STEPS)]
    expected: list[float] = []
    for name, count in (("one process", 1), ("two processes", 2)):
        output = folder / f"{name}.keras"
        events = train([*command, "--progress", "jsonl", "-o", str(output)], count)
        losses = [event["loss"] for event in events if event["event"] == "step"]
        expected = expected or losses
        last = [event for event in events if event["event"] == "step"][-1]
        begun = next(event for event in events if event["event"] == "step" and event["step"] == 5)
        speed = 16 * (len(losses) - 5) / (last["elapsed"] - begun["elapsed"])
        differences = [abs(one - other) / one for one, other in zip(expected, losses, strict=True)]
        print(f"| {name} | {speed:.0f} | {max(differences[:EARLY]):.1e} / {max(differences):.1e} |", flush=True)


def train(command: list[str], count: int) -> list[dict[str, float]]:
    """The reports of the first of some processes that learn together."""
    places = [None]
    if count > 1:
        workers = [f"localhost:{free_port()}" for _ in range(count)]
        configs = [{"cluster": {"worker": workers}, "task": {"type": "worker", "index": i}} for i in range(count)]
        places = [{**os.environ, "TF_CONFIG": json.dumps(config)} for config in configs]
    running = [subprocess.Popen(command, env=place, stdout=subprocess.PIPE, text=True) for place in places]
    told = [process.communicate()[0] for process in running]
    return [json.loads(line) for line in told[0].splitlines()]


def free_port() -> int:
    with socket.create_server(("localhost", 0)) as server:
        return int(server.getsockname()[1])


if __name__ == "__main__":
    main()
