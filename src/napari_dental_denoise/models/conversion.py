"""Convert plain Keras models, once each, in a child process: this one never imports Keras."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from platformdirs import user_cache_path

from napari_dental_denoise.config import MODEL_SUFFIX, PACKAGE, PROGRAM
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.models.file import is_converted, sha256

TIMEOUT_SECONDS = 600


def converted(path: Path) -> Path:
    """Return a model file with a card and an OpenVINO export: `path`, or its converted copy in the cache folder."""
    if is_converted(path):
        return path
    copy = user_cache_path(PROGRAM) / f"{sha256(path.read_bytes())[:32]}{MODEL_SUFFIX}"
    if not copy.exists():
        _convert_in_child(path, copy)
    return copy


def _convert_in_child(path: Path, copy: Path) -> None:
    command = [sys.executable, "-m", PACKAGE, "convert", str(path), "-o", str(copy), "--overwrite"]
    try:
        child = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise InputError(f"{path.name}: the model was not converted within {TIMEOUT_SECONDS} s") from error
    if child.returncode != 0:
        reason = (child.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise InputError(reason.removeprefix(f"{PROGRAM}: "))
