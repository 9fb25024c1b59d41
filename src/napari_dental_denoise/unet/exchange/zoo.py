"""Packages of the BioImage Model Zoo (bioimageio.spec 0.5): weights, test tensors, cover, documentation and card."""

from __future__ import annotations

import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from napari_dental_denoise.config import GREY_LEVELS, PROGRAM, UNSEEN_SEED
from napari_dental_denoise.errors import needed_for
from napari_dental_denoise.models import CARD, ModelCard
from napari_dental_denoise.noise import add_gaussian_noise
from napari_dental_denoise.pixels import next_multiple
from napari_dental_denoise.synthesis import phantom
from napari_dental_denoise.unet import keras
from napari_dental_denoise.unet.exchange.network import DENOISED, IMAGE

DESCRIPTION = "bioimageio.yaml"
KERAS, ONNX = "weights.keras", "weights.onnx"
# Of the test image, in pixels, or more where a tile needs more.
TEST_SIDE = 512
COVER_SIDE = 400
AUTHOR = "The napari-dental-denoise developers"
LICENSE = "BSD-3-Clause"
CITATIONS = (
    {
        "text": "L. Gondara, Medical image denoising using convolutional denoising autoencoders, ICDMW 2016",
        "doi": "10.1109/ICDMW.2016.0041",
    },
    {"text": "O. Ronneberger et al., U-Net, MICCAI 2015", "doi": "10.1007/978-3-319-24574-4_28"},
)

DOCUMENTATION = """\
# {name}

A U-Net that removes noise from dental radiographs, trained with napari-dental-denoise. {purpose}

## Input and output

A grey image of one channel, black near 0 and white near 1 ({normalisation}); axes batch, y, x, channel. Both sides are
multiples of {multiple} pixels; the margin of {halo} pixels around a tile influences it. The output is the denoised
image on the same scale.

## Training

```json
{card}
```

## Validation

Add noise to clean images that the model never saw, denoise them, and compare PSNR and SSIM with the clean images and
with other methods; measure what becomes of faint details: `napari-dental-denoise evaluate` and `assess`. During the
training, on images kept apart: {metrics}.
"""


def write_package(network: keras.Model, card: ModelCard, opset: int, folder: Path, target: Path, name: str) -> None:
    """Write the package of a network whose weights stand in a folder, for ONNX and, if there are any, for Keras."""
    with needed_for("export to the BioImage Model Zoo", "pyyaml"):
        import yaml
    side = max(TEST_SIDE, _smallest_tile(card))
    clean = phantom((side, side), rng=UNSEEN_SEED)
    noisy = add_gaussian_noise(clean, 25 / GREY_LEVELS, rng=0)[np.newaxis, ..., np.newaxis]
    denoised = np.asarray(network(noisy))
    np.save(folder / "test_input.npy", noisy)
    np.save(folder / "test_output.npy", denoised)
    cover = _cover(noisy[0, ..., 0], denoised[0, ..., 0])
    (folder / "cover.png").write_bytes(cv2.imencode(".png", cover)[1].tobytes())
    (folder / CARD).write_text(card.to_json(), encoding="utf-8")
    text = DOCUMENTATION.format(
        name=name,
        card=card.to_json(),
        metrics=dict(card.metrics),
        **_only(card, "purpose", "normalisation", "multiple", "halo"),
    )
    (folder / "README.md").write_text(text, encoding="utf-8")
    described = _description(card, name) | {"weights": _weights(folder, opset)}
    description = yaml.safe_dump(described, sort_keys=False, allow_unicode=True)
    (folder / DESCRIPTION).write_text(description, encoding="utf-8")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)


def _only(card: ModelCard, *names: str) -> dict[str, Any]:
    return {name: getattr(card, name) for name in names}


def _cover(noisy: np.ndarray, denoised: np.ndarray) -> np.ndarray:
    """Return a picture of twice the width, noisy left and denoised right."""
    both = np.hstack([noisy[:COVER_SIDE, :COVER_SIDE], denoised[:COVER_SIDE, :COVER_SIDE]])
    return np.rint(np.clip(both, 0, 1) * GREY_LEVELS).astype(np.uint8)


def _smallest_tile(card: ModelCard) -> int:
    return next_multiple(2 * card.halo + 1, card.multiple)


def _weights(folder: Path, opset: int) -> dict[str, Any]:
    onnx: dict[str, Any] = {"source": ONNX, "opset_version": opset}
    if not (folder / KERAS).exists():
        return {"onnx": onnx}
    keras_v3 = {
        "source": KERAS,
        "keras_version": version("keras"),
        "backend": ["tensorflow", version("tensorflow")],
        "comment": f"made by {PROGRAM}",
    }
    return {"keras_v3": keras_v3, "onnx": {**onnx, "parent": "keras_v3"}}


def _description(card: ModelCard, name: str) -> dict[str, Any]:
    sizes = {"min": _smallest_tile(card), "step": card.multiple}
    batch, channel = {"type": "batch"}, {"type": "channel", "channel_names": ["grey"]}
    values = {"type": "float32", "range": [None, None]}
    tensors: dict[str, Any] = {
        "inputs": [
            {
                "id": IMAGE,
                "description": "a grey image, black near 0 and white near 1",
                "axes": [batch, *({"type": "space", "id": axis, "size": sizes} for axis in "yx"), channel],
                "test_tensor": {"source": "test_input.npy"},
                "data": values,
            }
        ],
        "outputs": [
            {
                "id": DENOISED,
                "description": "the denoised image, on the scale of the input",
                "axes": [
                    batch,
                    *(
                        {"type": "space", "id": axis, "size": {"tensor_id": IMAGE, "axis_id": axis}, "halo": card.halo}
                        for axis in "yx"
                    ),
                    channel,
                ],
                "test_tensor": {"source": "test_output.npy"},
                "data": values,
            }
        ],
    }
    people = [{"name": AUTHOR}]
    return {
        "type": "model",
        "name": f"Dental radiograph denoiser {name}",
        "description": "Removes noise from dental radiographs; for research and teaching, never for diagnosis.",
        "format_version": "0.5.12",
        "version": "0.1.0",
        "authors": people,
        "license": LICENSE,
        "tags": ["denoising", "radiograph", "dental", "unet", "2d", "x-ray"],
        "cite": [dict(citation) for citation in CITATIONS],
        "covers": [{"source": "cover.png"}],
        "documentation": {"source": "README.md"},
        "attachments": [{"source": CARD}],
        "training_data": {
            "type": "dataset",
            "format_version": "0.3.0",
            "name": f"Training images of {name}",
            "description": f"Images: {dict(card.data)}; noise: {dict(card.noise)}"[:1000],
            "authors": people,
            "license": LICENSE,
            "cite": [dict(citation) for citation in CITATIONS],
        },
        **tensors,
    }
