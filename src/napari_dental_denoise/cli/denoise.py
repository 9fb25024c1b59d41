"""`denoise`: write denoised copies of images."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from napari_dental_denoise.cli.options import (
    Subparsers,
    add_output_folder,
    add_precision,
    add_rows,
    add_sources,
    number,
)
from napari_dental_denoise.config import ENGINES, INFERENCE, SHARES, USUAL_SHARE
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.models import STARTER, find_model

if TYPE_CHECKING:
    from napari_dental_denoise.batch import MapFolders


def add_parser(subparsers: Subparsers) -> None:
    """Add the parser of the command."""
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
        help="a .keras model file; or a model of the package, starter (default) or starter-fast",
    )
    parser.add_argument(
        "--strength",
        type=number,
        default=INFERENCE.strength,
        help="share of the noise to remove: 0 none, 1 all (default); larger values exaggerate",
    )
    add_engine(parser)
    add_precision(parser)
    add_rows(parser, "denoise only these rows of each image and copy the others, to keep a caption unchanged")
    add_output_folder(parser, "denoised")
    parser.add_argument(
        "--clean",
        type=Path,
        metavar="FOLDER",
        help="folder of clean images with the same names: the report gives PSNR and SSIM against them",
    )
    _add_maps(parser)
    parser.set_defaults(run=run)


def _add_maps(parser: argparse.ArgumentParser) -> None:
    """Add the folders of maps, and the share that an error map holds for."""
    parser.add_argument(
        "--error-map",
        type=Path,
        metavar="FOLDER",
        help="folder for TIFF files with the error of each pixel, in grey values: for 90 %% of the pixels the truth is "
        "expected within plus or minus this. A model of your own needs a training on clean images for it",
    )
    parser.add_argument(
        "--share",
        type=_share,
        default=USUAL_SHARE,
        help=f"share of the pixels that --error-map holds for, {', '.join(map(str, SHARES))}; default {USUAL_SHARE:g}",
    )
    parser.add_argument(
        "--removed-map",
        type=Path,
        metavar="FOLDER",
        help="folder for TIFF files that show where structure was removed, not noise alone",
    )


def _share(text: str) -> float:
    """Parse a share of the pixels that error maps hold for."""
    from napari_dental_denoise.inference import check_share

    value = number(text)
    try:
        check_share(value)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return value


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Add the engine that runs the network, and the self-ensemble."""
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default=INFERENCE.engine,
        help="library that runs the network: openvino (default) starts fast; keras starts slowly, but uses a GPU "
        "that TensorFlow finds",
    )
    parser.add_argument(
        "--self-ensemble",
        action="store_true",
        default=INFERENCE.self_ensemble,
        help="self-ensemble: average the results for 8 orientations of the image; slightly better, 8 times slower",
    )


def run(options: argparse.Namespace) -> int:
    """Denoise each file and return the exit code."""
    from napari_dental_denoise.batch import threads_for
    from napari_dental_denoise.cli.outputs import process_files
    from napari_dental_denoise.cli.work import denoise_work
    from napari_dental_denoise.inference import check_error_map, check_strength

    check_strength(options.strength)
    maps = _map_folders(options)
    threads = threads_for(options.workers) if options.workers else None
    work = denoise_work(options.model, options, threads, maps)
    # Reads the model: an error in it is reported before any image is opened.
    derivation = work.derivation(deidentify=options.deidentify)
    if maps.error is not None:
        check_error_map(work.engine().card)
    return process_files(options, work, derivation, work.settings(), maps)


def _map_folders(options: argparse.Namespace) -> MapFolders:
    """Return the folders of the maps; raise InputError if they hold other files of the run, or have no meaning."""
    from napari_dental_denoise.batch import MapFolders, check_output, is_file_name, lies_in

    # A worker of a cluster has another current folder.
    error, removed = (folder and folder.absolute() for folder in (options.error_map, options.removed_map))
    folders = MapFolders(error, removed, options.share)
    if error is not None and options.strength != 1:
        raise InputError(f"--error-map holds for --strength 1 only; received {options.strength:g}")
    output = options.output.parent if is_file_name(options.output) else options.output
    for folder in folders:
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder}: expected a folder for maps; received a file")
        check_output(folder, options.sources)
        if lies_in(folder, [output, *(other for other in folders if other is not folder)]):
            raise InputError(f"{folder}: expected a folder of its own for maps; received one with other images")
    return folders
