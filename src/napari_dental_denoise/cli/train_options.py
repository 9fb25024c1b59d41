"""What the command `train` can be asked for."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_dental_denoise.cli.options import (
    Subparsers,
    add_levels,
    add_noise_kind,
    add_overwrite,
    add_precision,
    add_rows,
    add_sources,
    number,
    positive,
)
from napari_dental_denoise.config import LEARN_FROM, NOISE, PRESETS, STARTER_TRAINING, STRATEGIES, TRAINING

DESCRIPTION = """\
Learn a model from clean images: noise is added anew to every random patch, of a kind and level drawn
at random, so that the model is blind to both. Or learn from pairs of noisy and clean images, or from
noisy images alone, whose noise is estimated.
The training begins with the model of the package where the preset is its own or a wider one. The best
model so far is kept in the model file; beside it lies a checkpoint for --resume.

  napari-dental-denoise train scans/ -o model.keras --minutes 20
  napari-dental-denoise train clean/ --noisy noisy/ -o model.keras
  napari-dental-denoise train noisy/ --learn-from noisy -o model.keras
  napari-dental-denoise train panoramics/ --starter -o starter.keras"""


def describe(subparsers: Subparsers) -> argparse.ArgumentParser:
    """The parser of the command."""
    parser = subparsers.add_parser(
        "train",
        help="learn a model from a folder of images",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_sources(parser)
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="MODEL", help="model file to write; ends in .keras"
    )
    parser.add_argument(
        "--learn-from",
        choices=LEARN_FROM,
        help="clean: clean images, to which noise is added; pairs: clean images and, by --noisy, a noisy one of each; "
        "noisy: only noisy images; default: clean, or pairs where --noisy is given",
    )
    parser.add_argument(
        "--noisy",
        nargs="+",
        metavar="SOURCE",
        help="noisy images, each with the name of its clean one; no noise is added then",
    )
    parser.add_argument(
        "--starter",
        action="store_true",
        help="make the model of the package again: SOURCE holds the panoramic radiographs that it was trained on; "
        "synthetic radiographs are drawn besides, by --seed",
    )
    parser.add_argument(
        "--preset",
        choices=list(PRESETS),
        help=f"design of the network: fast, standard and best cost more and give more; classic is the textbook "
        f"U-Net; default {TRAINING.preset}",
    )
    _add_course(parser)
    add_noise_kind(parser, NOISE.training_kind)
    add_levels(parser, 2, "lowest and highest ")
    add_rows(parser)
    _add_files(parser)
    add_precision(parser)
    parser.add_argument(
        "--progress",
        choices=("bar", "jsonl", "none"),
        default="bar",
        help="bar: for a reader (default); jsonl: one JSON object a line on stdout, for other programs",
    )
    parser.add_argument(
        "--preview",
        type=Path,
        metavar="FILE",
        help="after each epoch, write one validation image there: a .npy file "
        "of (3, H, W) with the noisy, the denoised and the clean image",
    )
    parser.add_argument(
        "--stop-with-stdin",
        action="store_true",
        help="stop as with Ctrl-C when standard input ends: for programs that start this one",
    )
    return parser


def _add_course(parser: argparse.ArgumentParser) -> None:
    length = parser.add_mutually_exclusive_group()
    fewest, most = TRAINING.steps_per_epoch_range
    length.add_argument(
        "--epochs",
        type=positive,
        help=f"passes, with those before a --resume; in one, random patches cover the images once, in {fewest} to "
        f"{most} batches; default {TRAINING.epochs}, with --starter {STARTER_TRAINING.epochs}",
    )
    length.add_argument(
        "--minutes", type=number, help="train for this long instead, with the minutes before a --resume"
    )
    parser.add_argument(
        "--steps-per-epoch",
        type=positive,
        metavar="N",
        help=f"batches in an epoch; default: as many as cover the images, {fewest} to {most}",
    )
    parser.add_argument(
        "--batch-size",
        type=positive,
        help=f"patches in one step; default {TRAINING.batch_size}",
    )
    parser.add_argument(
        "--patch-size",
        type=positive,
        help=f"side of a patch in pixels; default {TRAINING.patch_size}",
    )
    parser.add_argument(
        "--validation-split",
        type=number,
        help=f"share of the files that is kept to validate with; default {TRAINING.validation_split}",
    )
    parser.add_argument(
        "--learning-rate",
        type=number,
        help=f"at the start; it falls to 0; default {TRAINING.learning_rate}",
    )


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the training of the same model file; it has its weights already, so --start-from does nothing",
    )
    parser.add_argument(
        "--start-from",
        metavar="MODEL",
        help="begin with the weights of this model file, of the same preset or one with fewer channels; starter "
        "(default): with a model of the package, which all but classic can; nothing: with random weights",
    )
    add_overwrite(parser)
    parser.add_argument(
        "--strategy",
        choices=STRATEGIES,
        default="auto",
        help="which devices learn together: single: one; mirrored: all GPUs of this machine; multi-worker: the "
        "machines of TF_CONFIG, of which only the first writes and speaks; auto (default): what is there",
    )
