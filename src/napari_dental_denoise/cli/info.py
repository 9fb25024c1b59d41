"""`info`: print the card of a model file, or facts about an image."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_dental_denoise.cli.console import echo, echo_error, exit_code
from napari_dental_denoise.cli.options import Subparsers, add_sources
from napari_dental_denoise.config import MODEL_SUFFIX
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.models import find_model, to_json

if TYPE_CHECKING:
    from napari_dental_denoise.pixels import ImageInfo


def add_parser(subparsers: Subparsers) -> None:
    """Add the parser of the command."""
    parser = subparsers.add_parser(
        "info",
        help="describe model files and images",
        description="Describe model files and images: the card of a model; size, type, grey values and estimated "
        "noise of an image.",
    )
    add_sources(parser, "model files, images, folders or patterns")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default text")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Describe each file and return the exit code."""
    from napari_dental_denoise.images import list_files

    described: list[dict[str, Any]] = []
    errors = 0
    for path in list_files(map(find_model, options.sources)):
        try:
            facts = model_facts(path) if path.suffix == MODEL_SUFFIX else image_facts(path)
        except InputError as error:
            echo_error(str(error) if path.name in str(error) else f"{path.name}: {error}")
            errors += 1
            continue
        described.append(facts)
        if options.format == "text":
            echo("\n".join(_lines(facts)))
    if options.format == "json":
        echo(to_json(described, indent=2))
    return exit_code(len(described), errors)


def model_facts(path: Path) -> dict[str, Any]:
    """Return the card of a model file, and its size."""
    from napari_dental_denoise.models import converted, describe_calibration, read_model_file

    card = read_model_file(converted(path)).card
    size = round(path.stat().st_size / 1e6, 2)
    return {"file": str(path), "megabytes": size, "error map": describe_calibration(card.calibration), **asdict(card)}


def image_facts(path: Path) -> dict[str, Any]:
    """Return size, type, grey values and noise of an image; of several pages, of the first."""
    from napari_dental_denoise.images import FIRST_PAGE, read_radiograph
    from napari_dental_denoise.noise import estimate_noise
    from napari_dental_denoise.pixels import full_scale

    radiograph = read_radiograph(path, FIRST_PAGE)
    info, image = radiograph.info, radiograph.grey
    try:
        estimate = estimate_noise(image)
        noise = {"noise": estimate.text(), **asdict(estimate)}
    except InputError as error:
        noise = {"noise": str(error)}
    return {
        "file": str(path),
        "pages": info.pages,
        "height": image.shape[0],
        "width": image.shape[1],
        "type": str(image.dtype),
        "full scale": full_scale(image),
        "darkest": image.min().item(),
        "brightest": image.max().item(),
        **noise,
        **(dicom_facts(info) if info.is_dicom else {}),
    }


def dicom_facts(info: ImageInfo) -> dict[str, Any]:
    """Return what a DICOM file says of its image, and nothing of the patient."""
    return {
        "modality": info.modality,
        "lowest value is shown": "white" if info.encoding.inverted else "black",
        "bits stored": info.bits,
        "window": info.limits,
        "pixel size in mm": info.pixel_size,
        "pixel size holds": info.spacing,
    }


def _lines(facts: dict[str, Any], indent: str = "") -> list[str]:
    lines = []
    for name, value in facts.items():
        if isinstance(value, dict):
            lines.append(f"{indent}{name}")
            lines.extend(_lines(value, indent + "  "))
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            lines.extend(f"{indent}{name}: {', '.join(_lines(item, ' ')).strip()}" for item in value)
        else:
            shown = f"{value:.4g}" if isinstance(value, float) else value
            lines.append(f"{indent}{name}: {shown}")
    return lines if indent else [*lines, ""]
