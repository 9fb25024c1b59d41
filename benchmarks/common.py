"""Shared parts of the benchmarks: their options, and a line that describes the machine."""

from __future__ import annotations

import argparse
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from napari_dental_denoise.cli.options import row_range

PACKAGES = ("numpy", "opencv-python-headless", "scikit-image", "openvino", "bm3d")


def parser_for(text: str | None, *paths: str) -> argparse.ArgumentParser:
    """Return a parser that shows `text` as it is and takes these paths."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in paths:
        parser.add_argument(name, type=Path)
    return parser


def image_parser_for(text: str | None, *paths: str) -> argparse.ArgumentParser:
    """Return a parser that also takes the rows of the images to use."""
    parser = parser_for(text, *paths)
    parser.add_argument("--rows", type=row_range, default=slice(None), help="rows to use, such as 0:488")
    return parser


def machine() -> str:
    """Return the cores, the processor, bf16 or not, and the versions of the compared packages."""
    bfloat16 = "with" if "bf16" in _cpu_fact("flags") else "without"
    versions = ", ".join(f"{package} {_version(package)}" for package in PACKAGES)
    processor = _cpu_fact("model name") or platform.machine()
    return f"{os.cpu_count()} cores, {processor} {bfloat16} bf16; Python {platform.python_version()}, {versions}"


def _cpu_fact(name: str) -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
