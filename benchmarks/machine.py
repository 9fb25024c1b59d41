"""What a benchmark ran on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("numpy", "opencv-python-headless", "scikit-image", "openvino", "bm3d")


def machine() -> str:
    """Cores, processor, bf16, and the versions of what is compared, in one line."""
    bfloat16 = "with" if "bf16" in _processor_flags() else "without"
    versions = ", ".join(f"{package} {_version(package)}" for package in PACKAGES)
    return f"{os.cpu_count()} cores, {processor()} {bfloat16} bf16; Python {platform.python_version()}, {versions}"


def processor() -> str:
    """Its name, where the system tells."""
    return _fact("model name") or platform.machine()


def _processor_flags() -> str:
    return _fact("flags")


def _fact(name: str) -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"
