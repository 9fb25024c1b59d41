"""`add-noise`: write copies of images with known noise."""

from __future__ import annotations

import argparse

from napari_dental_denoise.cli.options import Subparsers, add_noise, add_output_folder, add_seed, add_sources, one_level
from napari_dental_denoise.config import NOISE


def add_parser(subparsers: Subparsers) -> None:
    """Add the parser of the command."""
    parser = subparsers.add_parser(
        "add-noise",
        help="write copies of images with noise of a known kind and level",
        description="Write copies of images with noise of a known kind and level, to test denoisers with. "
        "The inputs are not changed; 8 bit stays 8 bit and 16 bit stays 16 bit.",
    )
    add_sources(parser)
    add_noise(parser, NOISE.kind, None, "")
    add_seed(parser)
    add_output_folder(parser, "noisy")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Add noise to each file and return the exit code."""
    from napari_dental_denoise.cli.outputs import process_files
    from napari_dental_denoise.cli.work import NoiseWork
    from napari_dental_denoise.dicom import Derivation
    from napari_dental_denoise.models import PURPOSE

    noise = options.noise or NOISE.kind
    work = NoiseWork(noise, dict(one_level(options, noise)), options.seed)
    levels = ", ".join(f"{name} {value:g}" for name, value in work.levels.items())
    settings = f"{noise} noise ({levels}, seed {options.seed})"
    derivation = Derivation(
        "with noise", f"{settings} added, to test a method. {PURPOSE}", deidentify=options.deidentify
    )
    return process_files(options, work, derivation, settings)
