"""`denoise`: denoised copies of images."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.cli.options import (
    Subparsers,
    add_output_folder,
    add_precision,
    add_sources,
    number,
)
from napari_dental_denoise.core.config import ENGINES, INFERENCE, EngineName, Precision
from napari_dental_denoise.core.starter import STARTER

if TYPE_CHECKING:
    from napari_dental_denoise.core.dicom_derived import Derivation
    from napari_dental_denoise.core.engine import Engine


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
        type=Path,
        default=STARTER,
        help="a .keras model file, as train writes it; default: that of the package",
    )
    parser.add_argument(
        "--strength",
        type=number,
        default=INFERENCE.strength,
        help="share of the noise to take away: 0 nothing, 1 all (default), more exaggerates",
    )
    add_engine(parser)
    add_precision(parser)
    add_output_folder(parser, "denoised")
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


def open_engine(path: Path, options: argparse.Namespace) -> Engine:
    """The engine that the options ask for."""
    engine = _open_plain_engine(path, options.engine, options.precision)
    if not options.self_ensemble:
        return engine
    from napari_dental_denoise.core.self_ensemble import SelfEnsemble

    return SelfEnsemble(engine)


def _open_plain_engine(path: Path, engine: EngineName, precision: Precision) -> Engine:
    if engine == "keras":
        from napari_dental_denoise.unet.engine import KerasEngine

        return KerasEngine(path, precision)
    from napari_dental_denoise.core.engine import load_engine

    return load_engine(path, precision)


def run(options: argparse.Namespace) -> int:
    """Denoise each file; the exit code."""
    from napari_dental_denoise.cli.outputs import process_files
    from napari_dental_denoise.core import inference

    engine = open_engine(options.model, options)

    def work(image: NDArray[np.generic], _number: int) -> NDArray[np.generic]:
        return inference.denoise(image, engine, strength=options.strength)

    inference.check_strength(options.strength)
    suffix = f".{options.format}" if options.format else None
    derivation = _derivation(options, engine)
    return process_files(options.sources, work, options.output, suffix, derivation, overwrite=options.overwrite)


def _derivation(options: argparse.Namespace, engine: Engine) -> Derivation:
    from napari_dental_denoise.core.dicom_derived import Derivation
    from napari_dental_denoise.core.model_file import PURPOSE

    parameters = (
        f"strength {options.strength:g}, precision {options.precision}, engine {options.engine}, "
        f"self-ensemble {options.self_ensemble}, weights SHA-256 {engine.card.weights_sha256}"
    )
    return Derivation(
        "denoised",
        f"Denoised by a U-Net ({engine.card.preset}). {PURPOSE}",
        f"U-Net {engine.card.preset}",
        parameters,
        deidentify=options.deidentify,
    )
