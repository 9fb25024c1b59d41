"""Install the program in new environments and do in each what a user does first: a table of times and sizes.

    python benchmarks/installation.py RADIOGRAPHS 3.11 3.12 3.13 3.11:lowest-direct

Each environment is a version of Python that `uv` finds, with the newest or, behind a colon, other versions of the
dependencies. The first radiograph is denoised, a model learns from every second one, is evaluated on the others and
exported, and first_minutes.py drives the forms under `xvfb-run`. What a failed step said stands below the table; the
exit code is 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from common import machine, parser_for

from napari_dental_denoise.config import EXPORT_FORMATS
from napari_dental_denoise.images import find_files

ROOT = Path(__file__).parents[1]
UV = shutil.which("uv") or "uv"
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
EXPORTS = dict(zip(EXPORT_FORMATS, ("mine.zip", "mine.onnx", "mine.xml", "mine-saved"), strict=True))
SCREEN = ("xvfb-run", "--auto-servernum", "--server-args", "-screen 0 1280x800x24")


def main() -> None:
    parser = parser_for(__doc__, "radiographs")
    parser.add_argument("environment", nargs="+", help="a version of Python, or VERSION:RESOLUTION of uv")
    parser.add_argument("--minutes", type=float, default=1 / 3, help="time of the training")
    parser.add_argument("--keep", type=Path, help="folder for the environments, the results and pictures of the forms")
    options = parser.parse_args()
    print(f"{machine()}\n\n|  | {' | '.join(options.environment)} |\n|" + "---|" * (len(options.environment) + 1))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(options.keep or temporary).resolve()
        columns = [trial(name, folder, options.radiographs.resolve(), options.minutes) for name in options.environment]
    for step in columns[0]:
        print(f"| {step} | " + " | ".join(column[step][0] for column in columns) + " |")
    errors = [
        f"\n{name}, {step}: {error}"
        for name, column in zip(options.environment, columns, strict=True)
        for step, (_, error) in column.items()
        if error
    ]
    print("\n".join(errors))
    sys.exit(bool(errors))


def trial(name: str, folder: Path, radiographs: Path, minutes: float) -> dict[str, tuple[str, str]]:
    """Return for each step in a new environment its cell of the table, and what it said if it failed."""
    python, _, resolution = name.partition(":")
    work = folder / name.replace(":", "-")
    environment = work / "environment"
    work.mkdir(parents=True, exist_ok=True)
    cells = {}
    for step, command in steps(environment, python, resolution or "highest", radiographs, minutes).items():
        begun = time.perf_counter()
        error = error_of(command, work)
        size = f", {gigabytes(environment):.2f} GB" if command[0] == UV else ""
        cells[step] = ("**failed**" if error else f"{time.perf_counter() - begun:.1f} s{size}", error)
    return cells


def error_of(command: Sequence[str | Path], folder: Path) -> str:
    """Run a command in a folder and return what it said if it failed, or an empty text."""
    try:
        done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    except OSError as error:  # no such program, as after an installation that failed
        return str(error)
    return f"exit code {done.returncode}\n{(done.stderr or done.stdout)[-2000:]}" if done.returncode else ""


def steps(
    environment: Path, python: str, resolution: str, radiographs: Path, minutes: float
) -> dict[str, list[str | Path]]:
    """Return what a user does first, as command lines."""
    programs = environment / "bin"
    program = programs / "napari-dental-denoise"
    files = [found.path for found in find_files([radiographs])]
    # From a folder, not from a wheel: only then does uv resolve the lowest versions of what pyproject.toml names.
    install = [UV, "pip", "install", "--quiet", "--python", environment, "--resolution", resolution]
    tour = [programs / "python", Path(__file__).with_name("first_minutes.py"), "forms", "--minutes", str(minutes)]
    return {
        "environment": [UV, "venv", "--quiet", "--python", python, environment],
        "install": [*install, str(ROOT)],
        "help": [program, "--help"],
        "denoise": [program, "denoise", files[0], "-o", "denoised"],
        "train": [program, "train", *files[::2], "-o", "mine.keras", "--minutes", str(minutes)],
        "evaluate": [program, "evaluate", *files[1::2], "-m", "mine.keras", "--sigma", "25gl"],
        "denoise with it": [program, "denoise", files[0], "-m", "mine.keras", "-o", "denoised-mine"],
        "add napari and the exports": [*install, f"{ROOT}[napari,export]"],
        **{
            f"export as {kind}": [program, "export", "mine.keras", "--format", kind, "-o", output]
            for kind, output in EXPORTS.items()
        },
        "the forms": [*SCREEN, *tour],
    }


def gigabytes(folder: Path) -> float:
    """Return the size of a folder on the disk."""
    return sum(path.lstat().st_blocks for path in folder.rglob("*")) * 512 / 1e9


if __name__ == "__main__":
    main()
