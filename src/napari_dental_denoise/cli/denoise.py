"""`denoise`: denoised copies of images."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_dental_denoise.cli.options import (
    Subparsers,
    add_output_folder,
    add_precision,
    add_rows,
    add_sources,
    number,
)
from napari_dental_denoise.config import ENGINES, INFERENCE
from napari_dental_denoise.models import STARTER, find_model


def add_parser(subparsers: Subparsers) -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "denoise",
        help="write denoised copies of images",
        description="Write denoised copies of images, of any size. The inputs are not changed; 8 bit stays 8 bit "
        "and 16 bit stays 16 bit. A file that cannot be read is listed, and the rest goes on.",
    )
    add_sources(parser)
    parser.add_argument(
        "-m",
        "--model",
        type=find_model,
        default=STARTER,
        help="a .keras model file, as train writes it; or starter (default) or starter-fast, those of the package",
    )
    parser.add_argument(
        "--strength",
        type=number,
        default=INFERENCE.strength,
        help="share of the noise to take away: 0 nothing, 1 all (default), more exaggerates",
    )
    add_engine(parser)
    add_precision(parser)
    add_rows(parser, "denoise only these rows of every image, and copy the others, to keep a caption as it is")
    add_output_folder(parser, "denoised")
    parser.add_argument(
        "--clean",
        type=Path,
        metavar="FOLDER",
        help="clean twins of the images, of the same names below it: the report gives PSNR and SSIM against them",
    )
    parser.set_defaults(run=run)


def add_engine(parser: argparse.ArgumentParser) -> None:
    """What runs the network."""
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default=INFERENCE.engine,
        help="what runs the network: openvino starts in a second (default); keras takes longer, and uses a GPU "
        "where TensorFlow sees one",
    )
    parser.add_argument(
        "--self-ensemble",
        action="store_true",
        default=INFERENCE.self_ensemble,
        help="average the network over eight turns and flips of the image: eight times slower, slightly better",
    )


def run(options: argparse.Namespace) -> int:
    """Denoise each file; the exit code."""
    from napari_dental_denoise.batch import threads_for
    from napari_dental_denoise.cli.outputs import process_files
    from napari_dental_denoise.cli.work import denoise_work
    from napari_dental_denoise.inference import check_strength

    check_strength(options.strength)
    threads = threads_for(options.workers) if options.workers else None
    work = denoise_work(options.model, options, threads)
    # A bad model is told here, before any file is opened.
    derivation = work.derivation(deidentify=options.deidentify)
    return process_files(options, work, derivation, work.settings())
