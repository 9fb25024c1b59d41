"""Options of the command `train`."""

from __future__ import annotations

import argparse

from napari_dental_denoise.cli.options import (
    Subparsers,
    add_noise,
    add_overwrite,
    add_rows,
    add_settings,
    add_sources,
    named_path,
    source_name,
)
from napari_dental_denoise.config import LEARN_FROM, NOISE, STRATEGIES
from napari_dental_denoise.training import SETTINGS, STARTER_TRAINING

DESCRIPTION = """\
Train a model on clean images: each random patch gets new noise of a random level, so that the model
works for any level. Or train on pairs of noisy and clean images, or on noisy images alone, whose
noise is estimated.
Training starts from the model of the package if the preset has as many channels or more. The model
file holds the best model so far; the checkpoint beside it is for --resume.

  napari-dental-denoise train scans/ -o model.keras --minutes 20
  napari-dental-denoise train clean/ --noisy noisy/ -o model.keras
  napari-dental-denoise train noisy/ --learn-from noisy -o model.keras
  napari-dental-denoise train panoramics/ chests/ --starter -o starter.keras"""


def add_train_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Add the parser of the command and return it."""
    parser = subparsers.add_parser(
        "train",
        help="train a model on a folder of images",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_sources(parser)
    parser.add_argument(
        "-o", "--output", type=named_path, required=True, metavar="MODEL", help="model file to write; ends in .keras"
    )
    parser.add_argument(
        "--learn-from",
        choices=LEARN_FROM,
        help="clean: clean images, to which noise is added; pairs: clean images and, with --noisy, noisy ones; noisy: "
        "noisy images only; default: clean, or pairs with --noisy",
    )
    parser.add_argument(
        "--noisy",
        nargs="+",
        type=source_name,
        metavar="SOURCE",
        help="noisy images, each with the name of its clean image; no noise is added",
    )
    parser.add_argument(
        "--starter",
        action="store_true",
        help="train the model of the package again: SOURCE are the panoramic and the chest radiographs that it was "
        "trained on; synthetic images are generated with --seed; default: "
        f"{STARTER_TRAINING.epochs} epochs of {STARTER_TRAINING.steps_per_epoch} steps",
    )
    add_settings(parser, SETTINGS)
    add_noise(parser, NOISE.training_kind, 2, "range of the ", lambda level: (level.low, level.high))
    add_rows(parser)
    _add_files(parser)
    parser.add_argument(
        "--progress",
        choices=("bar", "jsonl", "none"),
        default="bar",
        help="bar (default): a progress bar; jsonl: one JSON object a line on stdout; none: nothing",
    )
    parser.add_argument(
        "--preview",
        type=named_path,
        metavar="FILE",
        help=".npy file, replaced after each epoch: one validation image noisy, denoised and clean, (3, H, W)",
    )
    parser.add_argument(
        "--stop-with-stdin",
        action="store_true",
        help="stop as with Ctrl-C when standard input ends; for use by other programs",
    )
    return parser


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--resume", action="store_true", help="continue the training of this model file; --start-from is ignored"
    )
    parser.add_argument(
        "--start-from",
        metavar="MODEL",
        help="start from the weights of this model file, whose preset is the same or has fewer channels; starter "
        "(default): from a model of the package, except for classic; nothing: from random weights",
    )
    add_overwrite(parser)
    parser.add_argument(
        "--strategy",
        choices=STRATEGIES,
        default="auto",
        help="devices to train on: single: one; mirrored: all GPUs of this machine; multi-worker: the machines of "
        "TF_CONFIG, of which the first writes the model; auto (default): all that are available",
    )
