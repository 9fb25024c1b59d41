"""`convert` and `export`: models from other programs, and for them."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_dental_denoise.cli.console import EXIT_DONE, LOADING_TENSORFLOW, tell
from napari_dental_denoise.cli.options import Subparsers, add_overwrite, named_path
from napari_dental_denoise.config import EXPORT_FORMATS
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.models import find_model

EXPORT_DESCRIPTION = """\
Write a model in a format of other programs. All take a grey image (batch, height, width, 1) of 32-bit
floating point, black near 0 and white near 1, and give the denoised image.

  bioimageio    a package of the BioImage Model Zoo, with Keras and ONNX weights: MODEL.zip
  onnx          for ONNX Runtime, in many languages and programs: MODEL.onnx
  openvino      for OpenVINO: MODEL.xml, and its weights in MODEL.bin
  saved-model   for TensorFlow and TensorFlow Serving: a folder"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the parsers of both commands."""
    _add_convert(subparsers)
    _add_export(subparsers)


def _add_convert(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser(
        "convert",
        help="make a Keras model from elsewhere usable",
        description="Add a card and an OpenVINO export to a Keras model that was trained elsewhere: a .keras or .h5 "
        "file, or a package of the BioImage Model Zoo with weights of Keras. It must be a network from one grey image "
        "to another, without Lambda layers and custom classes. Whether it predicts the noise or the image is measured. "
        "denoise converts .keras files by itself, once each.",
    )
    parser.add_argument(
        "model",
        type=Path,
        metavar="MODEL",
        help="a .keras, .h5 or .zip file, or a folder with an unpacked package; it is not changed",
    )
    parser.add_argument("-o", "--output", type=named_path, required=True, metavar="MODEL", help="model file to write")
    add_overwrite(parser)
    parser.set_defaults(run=_convert)


def _add_export(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser(
        "export",
        help="write a model for other programs",
        description=EXPORT_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", type=find_model, metavar="MODEL", help="a .keras file, starter or starter-fast")
    parser.add_argument("--format", choices=EXPORT_FORMATS, required=True, help="format to write: see above")
    parser.add_argument("-o", "--output", type=named_path, required=True, metavar="FILE", help="file to write")
    add_overwrite(parser)
    parser.set_defaults(run=_export)


def _convert(options: argparse.Namespace) -> int:
    """Convert one model and return the exit code."""
    from napari_dental_denoise.files import is_file

    if is_file(options.output) and is_file(options.model) and options.output.samefile(options.model):
        raise InputError(f"{options.output}: is the model to convert: choose another name")
    tell(LOADING_TENSORFLOW)
    from napari_dental_denoise.unet.exchange import convert_model

    card = convert_model(options.model, options.output, overwrite=options.overwrite)
    tell(f"{options.output}: predicts the {card.predicts}, takes sides that are multiples of {card.multiple} pixels")
    return EXIT_DONE


def _export(options: argparse.Namespace) -> int:
    """Export one model and return the exit code."""
    from napari_dental_denoise.unet.exchange import check_export_name

    check_export_name(options.output, options.format, overwrite=options.overwrite)
    # A wrong name is told before.
    tell(LOADING_TENSORFLOW)
    from napari_dental_denoise.unet.exchange import export_model

    export_model(options.model, options.output, options.format, overwrite=options.overwrite)
    tell(f"{options.output}: from a grey image on [0, 1] to the denoised image")
    return EXIT_DONE
