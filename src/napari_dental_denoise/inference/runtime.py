"""OpenVINO, without what its package would send home."""

from __future__ import annotations

import sys
from types import ModuleType


def openvino() -> ModuleType:
    """Import OpenVINO.

    Its package counts its users: it writes an identity into the home folder and forks a process that
    calls a statistics server. A program for radiographs must not, and a fork of a process with
    threads can hang. OpenVINO works as well where that part cannot be imported.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None forbids an import
    import openvino as runtime

    return runtime


def processor_has_bfloat16() -> bool:
    """Whether bf16 saves time on this processor."""
    return "BF16" in openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
