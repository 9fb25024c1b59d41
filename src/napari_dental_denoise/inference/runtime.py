"""Import OpenVINO without its telemetry."""

from __future__ import annotations

import sys
from types import ModuleType


def openvino() -> ModuleType:
    """Import OpenVINO without its telemetry package, which it does not need.

    That package writes an identity into the home folder and forks a process that calls a statistics server, which a
    program for radiographs must not do; a fork of a process with threads can also hang.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None forbids an import
    import openvino as runtime

    return runtime


def processor_has_bfloat16() -> bool:
    """Return whether the processor supports bf16."""
    return "BF16" in openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
