"""`export`: write a model in a format of other programs."""

from __future__ import annotations

import argparse

from napari_dental_denoise.cli.console import EXIT_DONE, echo
from napari_dental_denoise.cli.options import Subparsers, add_overwrite, named_path
from napari_dental_denoise.config import EXPORT_FORMATS
from napari_dental_denoise.models import find_model

DESCRIPTION = """\
Write a model in a format of other programs. All take a grey image (batch, height, width, 1) of 32-bit
floating point, black near 0 and white near 1, and give the denoised image.

  bioimageio    a package of the BioImage Model Zoo, with Keras and ONNX weights: MODEL.zip
  onnx          for ONNX Runtime, in many languages and programs: MODEL.onnx
  openvino      for OpenVINO: MODEL.xml, and its weights in MODEL.bin
  saved-model   for TensorFlow and TensorFlow Serving: a folder"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the parser of the command."""
    parser = subparsers.add_parser(
        "export",
        help="write a model for other programs",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", type=find_model, metavar="MODEL", help="a .keras file, starter or starter-fast")
    parser.add_argument("--format", choices=EXPORT_FORMATS, required=True, help="see above")
    parser.add_argument("-o", "--output", type=named_path, required=True, metavar="FILE", help="file to write")
    add_overwrite(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Export one model and return the exit code."""
    from napari_dental_denoise.unet.exchange import export_model

    export_model(options.model, options.output, options.format, overwrite=options.overwrite)
    echo(f"{options.output}: from a grey image on [0, 1] to the denoised image")
    return EXIT_DONE
