"""Measure time and memory of models and other denoisers.

    python benchmarks/speed.py                 # the models of the package
    python benchmarks/speed.py model.keras     # others

Times are medians after a warm-up; ratios are to OpenCV's non-local means of the same run; the roofline is the rate of a
large matrix product in OpenVINO, in the precision of the network. Memory and cold starts are those of new processes.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from common import machine, parser_for

from napari_dental_denoise import SelfEnsemble, add_gaussian_noise, denoise, phantom
from napari_dental_denoise.config import PRESETS
from napari_dental_denoise.evaluation import available_baselines
from napari_dental_denoise.inference import load_engine, openvino
from napari_dental_denoise.inference.denoising import denoise_steps
from napari_dental_denoise.models import starter_models
from napari_dental_denoise.progress import finish

SIGMA = 25 / 255
SQUARE = (1024, 1024)
PANORAMIC = (1300, 2900)
SMALL = (256, 256)


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("model", type=Path, nargs="*", default=starter_models())
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--child", nargs=2, type=int, metavar=("H", "W"), help=argparse.SUPPRESS)
    parser.add_argument("--precision", default="auto", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(child(options.model[0], tuple(options.child), options.precision)))
        return
    print(f"{machine()}\n")
    speed(options.model, options.repeats)
    for path in options.model:
        fresh_processes(path)
        tiles(path)


def noisy(shape: tuple[int, int]) -> np.ndarray:
    """Return an 8-bit phantom with noise."""
    return add_gaussian_noise((phantom(shape, rng=0) * 255).astype(np.uint8), SIGMA, rng=0)


def speed(models: list[Path], repeats: int) -> None:
    """Print seconds for one image, the ratio to OpenCV's non-local means, and operations per second."""
    from skimage.restoration import denoise_nl_means  # imported here, to keep cold starts fast

    square, panoramic = noisy(SQUARE), noisy(PANORAMIC)
    unit = (square / 255).astype(np.float32)
    reference = median_seconds(lambda: cv2.fastNlMeansDenoising(square, None, 25), repeats)
    peaks = {precision: peak_operations(precision) for precision in ("auto", "f32")}
    told = ", ".join(f"{peak / 1e9:.0f} GFLOP/s in {precision}" for precision, peak in peaks.items())
    print(f"roofline: {told}\n")
    heads = [f"{SQUARE[0]}x{SQUARE[1]}, s", "ratio", f"{PANORAMIC[1]}x{PANORAMIC[0]}, s", "GFLOP/s", "of the roofline"]
    print("| 8 bit | " + " | ".join(heads) + " |\n|" + "---|" * (len(heads) + 1))
    print(f"| OpenCV non-local means | {reference:.3f} | 1.00 | | | |")
    peers = {"scikit-image non-local means": lambda: denoise_nl_means(unit, h=0.8 * SIGMA, sigma=SIGMA, fast_mode=True)}
    for name, method in available_baselines().items():
        peers[f"{name}, as in quality.py"] = lambda method=method: method(unit, SIGMA)
    for name, method in peers.items():
        seconds = median_seconds(method, 1)
        print(f"| {name} | {seconds:.3f} | {seconds / reference:.2f} | | | |")
    for path in models:
        for precision in ("auto", "f32"):
            engine = load_engine(path, precision)
            rate = PRESETS[engine.card.preset].operations_per_pixel * square.size
            rows = {precision: engine, f"{precision}, self-ensemble": SelfEnsemble(engine)}
            for name, kind in rows.items() if precision == "auto" else [(precision, engine)]:
                one = median_seconds(lambda kind=kind: denoise(square, kind), repeats)
                large = median_seconds(lambda kind=kind: denoise(panoramic, kind), repeats)
                done = rate * (8 if kind is not engine else 1) / one
                times = f"{one:.3f} | {one / reference:.2f} | {large:.3f}"
                print(f"| {path.stem}, {name} | {times} | {done / 1e9:.0f} | {done / peaks[precision]:.0%} |")
    print()
    small_images(models[0], repeats)


def peak_operations(precision: str) -> float:
    """Return the operations per second of a large matrix product in OpenVINO."""
    side = 4096
    matrix = np.ones((side, side), np.float32)
    runtime = openvino()
    operations = runtime.opset13
    rows = operations.parameter(matrix.shape, np.float32)
    product = operations.matmul(rows, operations.constant(matrix), transpose_a=False, transpose_b=False)
    options = {} if precision == "auto" else {"INFERENCE_PRECISION_HINT": precision}
    compiled = runtime.Core().compile_model(runtime.Model([product], [rows]), "CPU", options)
    request = compiled.create_infer_request()
    return 2 * side**3 / median_seconds(lambda: request.infer([matrix], share_inputs=True), 3)


def small_images(path: Path, repeats: int) -> None:
    """Print the time of a stack of small images, together and one by one."""
    stack = np.random.default_rng(0).integers(0, 256, (500, 64, 64), dtype=np.uint8)
    engine = load_engine(path)
    together = median_seconds(lambda: denoise(stack, engine), repeats)
    single = median_seconds(lambda: [denoise(image, engine) for image in stack], repeats)
    print(f"{path.stem}: 500 images of 64x64 in {together:.2f} s together, {single:.2f} s one by one\n")


def median_seconds(work: Callable[[], object], repeats: int) -> float:
    """Return the median time of several runs after one that is not counted."""
    times = []
    for _ in range(repeats + 1):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return statistics.median(times[1:])


def child(model: Path, shape: tuple[int, int], precision: str) -> dict[str, float]:
    """Return what a new process needs for one image."""
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    before = peak_mebibytes()
    begun = time.perf_counter()
    finish(denoise_steps(image, load_engine(model, precision)))
    return {"seconds": time.perf_counter() - begun, "before": before, "peak": peak_mebibytes()}


def peak_mebibytes() -> float:
    """Return the peak memory of this process so far."""
    status = Path("/proc/self/status")
    if status.exists():
        # On Linux, getrusage also counts the memory of the parent before the program was loaded.
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) / 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def fresh_processes(path: Path) -> None:
    """Print the cold start and the memory by image size."""
    print(f"**{path.stem}**, new processes: seconds from the start of Python, peak memory\n")
    print("| image | precision | whole process, s | load and denoise, s | peak, MiB |\n|---|---|---|---|---|")
    for precision in ("auto", "f32"):
        for height, width in (SMALL, SQUARE, PANORAMIC, (2 * PANORAMIC[0], 2 * PANORAMIC[1])):
            command = [
                sys.executable,
                __file__,
                str(path),
                "--child",
                str(height),
                str(width),
                "--precision",
                precision,
            ]
            begun = time.perf_counter()
            result = subprocess.run(command, capture_output=True, text=True, check=True)
            whole = time.perf_counter() - begun
            facts = json.loads(result.stdout)
            print(f"| {width}x{height} | {precision} | {whole:.2f} | {facts['seconds']:.2f} | {facts['peak']:.0f} |")
    print()


def tiles(path: Path) -> None:
    """Print the largest difference between an image denoised in tiles and in one piece, on [0, 1]."""
    image = (noisy(PANORAMIC) / 255).astype(np.float32)
    for precision in ("auto", "f32"):
        engine = load_engine(path, precision)
        whole = finish(denoise_steps(image, engine, tile_side=max(PANORAMIC) + 64))
        tiled = finish(denoise_steps(image, engine))
        print(f"{path.stem}, {precision}: tiled against whole differ by {np.abs(whole - tiled).max():.2e} at most")
    print()


if __name__ == "__main__":
    main()
