"""`convert`: add a card and an OpenVINO export to a plain Keras model."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_dental_denoise.cli.console import EXIT_DONE, tell
from napari_dental_denoise.cli.options import Subparsers, add_overwrite, named_path
from napari_dental_denoise.errors import InputError


def add_parser(subparsers: Subparsers) -> None:
    """Add the parser of the command."""
    parser = subparsers.add_parser(
        "convert",
        help="make a Keras model from elsewhere usable",
        description="Add a card and an OpenVINO export to a Keras model that was trained elsewhere: a .keras or .h5 "
        "file, or a package of the BioImage Model Zoo with weights of Keras. It must be a network from one grey image "
        "to another, without Lambda layers and custom classes. Whether it predicts the noise or the image is measured. "
        "denoise converts .keras files by itself, once each.",
    )
    parser.add_argument("model", type=Path, metavar="MODEL", help="a .keras, .h5 or .zip file; it is not changed")
    parser.add_argument("-o", "--output", type=named_path, required=True, metavar="MODEL", help="model file to write")
    add_overwrite(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Convert one model and return the exit code."""
    from napari_dental_denoise.files import is_file

    if is_file(options.output) and is_file(options.model) and options.output.samefile(options.model):
        raise InputError(f"{options.output}: is the model to convert: choose another name")
    from napari_dental_denoise.unet.exchange import convert_model

    card = convert_model(options.model, options.output, overwrite=options.overwrite)
    tell(f"{options.output}: predicts the {card.predicts}, takes sides that are multiples of {card.multiple} pixels")
    return EXIT_DONE
