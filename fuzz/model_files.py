"""Fuzz the reader of model files: the zip, the card, and the network, also where the hashes do not match."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from pathlib import Path

import atheris
import numpy as np

with atheris.instrument_imports(include=["napari_dental_denoise", "zipfile", "json"]):
    from napari_dental_denoise.errors import InputError
    from napari_dental_denoise.inference import OpenVinoEngine
    from napari_dental_denoise.models import (
        CARD,
        GRAPH,
        KERAS_CONFIG,
        WEIGHTS,
        ModelCard,
        ModelFile,
        read_card,
        read_model_file,
        sha256,
    )

import harness

from napari_dental_denoise.inference import openvino


def try_file(path: Path) -> None:
    """Read the file as a model, and run its network in OpenVINO whether the hashes match or not."""
    for ask in (read_card, read_model_file):
        try:
            ask(path)
        except InputError:
            continue
    try:
        with zipfile.ZipFile(path) as archive:
            graph, weights = archive.read(GRAPH), archive.read(WEIGHTS)
    except Exception:  # noqa: BLE001 (zipfile raises many types for a damaged zip)
        return
    try:
        OpenVinoEngine(ModelFile(path, ModelCard("tiny", "residual", 1, 0), graph, weights))(
            np.zeros((1, 16, 16, 1), np.float32)
        )
    except InputError:
        return


def seeds() -> dict[str, bytes]:
    """Return a tiny network as a model file, also uncompressed, so that mutations reach the members."""
    runtime = openvino()
    from openvino import opset13 as ops

    image = ops.parameter([-1, -1, -1, 1], np.float32)
    kernel = ops.constant(np.full((1, 1, 1, 1), 0.5, np.float32))
    model = runtime.Model([ops.multiply(image, kernel)], [image], "tiny")
    with tempfile.TemporaryDirectory() as folder:
        runtime.save_model(model, f"{folder}/tiny.xml", compress_to_fp16=False)
        graph, values = Path(folder, "tiny.xml").read_bytes(), Path(folder, "tiny.bin").read_bytes()
    card = ModelCard("tiny", "residual", 1, 0, export_sha256=sha256(graph, values)).to_json()
    files = {}
    for name, compression in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w", compression) as archive:
            for member, content in ((KERAS_CONFIG, "{}"), (CARD, card), (GRAPH, graph), (WEIGHTS, values)):
                archive.writestr(member, content)
        files[name] = data.getvalue()
    files["card"] = json.dumps(json.loads(card)).encode()
    return files


if __name__ == "__main__":
    harness.run(try_file, seeds())
