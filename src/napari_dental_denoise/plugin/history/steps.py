"""The steps by which a layer was made, from the record in its metadata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_dental_denoise.dicom import read_derivations
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.plugin.shared import layer_record
from napari_dental_denoise.progress import decimal

if TYPE_CHECKING:
    from napari.layers import Layer

# In a record, but no facts of a step.
APART = ("operation", "source", "dicom", "levels", "files")


@dataclass(frozen=True)
class Step:
    """One step: its title, and its facts by name."""

    title: str
    facts: Mapping[str, str]

    def __str__(self) -> str:
        return "\n".join([self.title, *(f"    {name}: {value}" for name, value in self.facts.items())])


def steps_of(layer: Layer) -> list[Step]:
    """Return the steps by which a layer was made, the first one first; empty if nothing is known of it."""
    steps = []
    name, record = layer.name, layer_record(layer)
    while record:
        steps.append(_step(name, record))
        if "operation" not in record and "dicom" in record and "files" not in record:
            steps += reversed(_in_file(Path(record["path"])))
        source = record.get("source", {})
        name, record = source.get("layer", ""), {key: value for key, value in source.items() if key != "layer"}
        if name and not record:
            steps.append(Step(f"Layer {name}", {}))
    return steps[::-1]


def _step(name: str, record: Mapping[str, Any]) -> Step:
    facts = {"result": name} if "operation" in record else {}
    if "files" in record:
        facts["files"] = str(len(record["files"]))
    facts |= {_spelled(key): _shown(value) for key, value in record.items() if key not in APART}
    facts |= {_spelled(key): _shown(value) for key, value in record.get("levels", {}).items()}
    title = str(record.get("operation", f"Read {name}"))
    return Step(title[0].upper() + title[1:], facts)


def _in_file(path: Path) -> list[Step]:
    """Return the steps of this program that a DICOM file tells of."""
    try:
        return [Step(title, facts) for title, facts in read_derivations(path)]
    except InputError:
        return []


def _spelled(key: str) -> str:
    return key.replace("_sha256", " SHA-256").replace("self_ensemble", "self-ensemble").replace("_", " ")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return decimal(value, 4) if isinstance(value, float) else str(value)
