"""Every block of the documents does what it says, on small images and with short trainings."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from napari_dental_denoise import add_gaussian_noise, phantoms, write_image
from napari_dental_denoise.cli import main
from napari_dental_denoise.config import WORKFLOW
from napari_dental_denoise.models import find_model
from tests.conftest import to_bytes
from tests.test_documents import DOCUMENTS, PROGRAM, ROOT, commands, named

# Blocks for a cluster, and calls of other programs and of other machines.
CLUSTER = re.compile(r"^(srun|kubectl|#!/bin/bash)", re.MULTILINE)
ELSEWHERE = ("pip ", "napari ", "scripts/", "bioimageio ", "export TF_CONFIG=")
OTHER_MACHINES = ("tcp://host", "/shared/")
# Needs a viewer: tests/plugin/shared/test_menu.py.
WINDOW = ROOT / "docs" / "napari.md"
SHORT = {
    "train": ["--preset", "fast", "--batch-size", "2", "--patch-size", "32", "--epochs", "1", "--steps-per-epoch", "2"],
    "workflow": ["--preset", "fast", "--minutes", "0.01"],
}
SHAPE = (96, 128)


def shortened(text):
    """Return a block with short trainings, small images and few samples; the tests of a command try its baselines."""
    text = re.sub(r"--minutes (\d+)", lambda match: f"--epochs {max(int(match[1]) // 20, 1)}", text)
    text = re.sub(r"minutes=\d+", "minutes=0.001", text)
    text = re.sub(r"\((?:128|200|300), (?:192|300|400)\)", str(SHAPE), text)
    text = text.replace(" --baselines", "").replace("--workers 8", "--workers 2")
    return re.sub(r"(--samples 20|(?=--figure))", "--samples 8 ", text, count=1)


def run_command(line):
    """Run a call of the program, or know that it cannot run here."""
    if not line.startswith(f"{PROGRAM} "):
        assert not line or line.startswith(ELSEWHERE), f"no test runs {line!r}"
    elif not any(place in line for place in OTHER_MACHINES):
        command, *options = shlex.split(line, comments=True)[1:]
        assert main([command, *SHORT.get(command, []), *options]) == 0, line


def run_shell(block, names):
    """Run the calls of a block in bash and what it feeds to Python."""
    for line in re.findall(r"^python - <<'END'\n(?s:.*?)^END$|^.*$", block.replace("\\\n", " "), re.MULTILINE):
        if line.startswith("python - "):
            exec(line.partition("\n")[2].removesuffix("END"), names)  # noqa: S102 - what a reader runs
        else:
            run_command(line)


def prepare(document):
    """Write the files that a document takes for granted; one that draws images needs none."""
    text = document.read_text(encoding="utf-8")
    clean = phantoms(4, SHAPE, rng=1000)
    if "python - <<'END'" not in text:
        for number, image in enumerate(clean):
            noisy = to_bytes(add_gaussian_noise(image, 0.1, clip=True, rng=number))
            for folder in ("clean_scans", "test_scans"):
                write_image(f"{folder}/{number}.png", to_bytes(image))
            for folder in ("scans", "ARCHIVE"):
                write_image(f"{folder}/{number}.png", noisy)
        shutil.copy("scans/0.png", "scan.png")
    written = {words[words.index("-o") + 1] for block in commands(document) for words in block if "-o" in words}
    for name in {"mine.keras", "model.keras", "theirs.keras"} - written:
        shutil.copy(find_model("starter-fast"), name)
    return {"image": add_gaussian_noise(clean[0], 0.1, rng=0), "stored": to_bytes(clean[0])}


@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_the_blocks_of_a_document_run(document, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("napari_dental_denoise.cli.workflow.WORKFLOW", replace(WORKFLOW, phantoms=6))
    languages = re.findall(r"^```(\w+)\n(.*?)^```", document.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    if not languages:
        pytest.skip("has no blocks")
    names = prepare(document)
    for language, block in languages:
        if language == "bash" and not CLUSTER.search(block):
            run_shell(shortened(block), names)
        elif language == "python" and document != WINDOW:
            exec(shortened(block), names)  # noqa: S102 - what a reader runs


@pytest.mark.skipif(sys.platform == "win32", reason="a script for bash")
@pytest.mark.skipif(find_spec("pip") is None, reason="the scripts keep their environment up to date with pip")
def test_scripts_run_does_the_whole_job(tmp_path, folder):
    environment = tmp_path / "environment"
    environment.mkdir()
    # An environment that is up to date: this one.
    for name in ("bin", "lib", "pyvenv.cfg"):
        (environment / name).symlink_to(Path(sys.prefix, name))
    for stamp in (".made", ".installed-"):
        (environment / stamp).touch()
    command = [ROOT / "scripts" / "run", folder, "-o", "results", *SHORT["workflow"]]
    subprocess.run(command, check=True, cwd=tmp_path, env=os.environ | {"VENV": str(environment)})
    assert (tmp_path / "results" / "figure.png").exists()
