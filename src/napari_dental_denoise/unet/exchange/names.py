"""The names of exported files, checked before Keras is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from napari_dental_denoise.config import ExportFormat
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files import check_name

SUFFIXES: Mapping[ExportFormat, str] = MappingProxyType(
    {"bioimageio": ".zip", "onnx": ".onnx", "openvino": ".xml", "saved-model": ""}
)


def check_export_name(target: Path, kind: ExportFormat, *, overwrite: bool) -> None:
    """Raise InputError if a name has another suffix than the format, exists or cannot be written."""
    if target.suffix.lower() != SUFFIXES[kind] and SUFFIXES[kind]:
        raise InputError(f"{target.name}: expected a name with the suffix {SUFFIXES[kind]}")
    check_name(target, overwrite=overwrite)
