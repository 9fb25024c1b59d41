"""`convert`: make a plain Keras model usable."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_dental_denoise.cli.console import EXIT_DONE, say
from napari_dental_denoise.cli.options import Subparsers, add_overwrite


def add_parser(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "convert",
        help="make a Keras model that was trained elsewhere usable",
        description="Add a card and an OpenVINO export to a Keras model that was trained elsewhere. It must be a "
        "network from one grey image to another, with no Lambda layer and no class of its own; whether it predicts "
        "the noise or the image is found out. denoise does this by itself, once for each model.",
    )
    parser.add_argument("model", type=Path, metavar="MODEL", help="a .keras file; it is not changed")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="MODEL", help="model file to write")
    add_overwrite(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Convert one model; the exit code."""
    from napari_dental_denoise.unet import convert_model

    card = convert_model(options.model, options.output, overwrite=options.overwrite)
    say(f"{options.output}: predicts the {card.predicts}, takes sides that are multiples of {card.multiple} pixels")
    return EXIT_DONE
