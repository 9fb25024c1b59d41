"""Options that several commands share, and the types of their values."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from napari_dental_denoise.config import INFERENCE, NOISE, PRECISIONS
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.noise import LEVEL_MEANINGS, NOISE_KINDS, noise_kind, spelled

# argparse has no public name for what add_subparsers() gives.
Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 (see above)


def number(text: str) -> float:
    """A number, or a fraction such as 25/255."""
    numerator, _, denominator = text.partition("/")
    try:
        value = float(numerator) / float(denominator or 1)
    except (ValueError, ZeroDivisionError) as error:
        raise argparse.ArgumentTypeError(f"expected a number such as 0.1 or 25/255; received {text!r}") from error
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"expected a finite number; received {text!r}")
    return value


def row_range(text: str) -> slice:
    """Rows as START:STOP, either of which may be missing."""
    start, colon, stop = text.partition(":")
    ends = [int(end) if end.lstrip("-").isdecimal() else None for end in (start, stop)]
    if not colon or any(end and value is None for end, value in zip((start, stop), ends, strict=True)):
        raise argparse.ArgumentTypeError(f"expected rows such as 0:488; received {text!r}")
    return slice(*ends)


def positive(text: str) -> int:
    """A whole number from 1."""
    try:
        value = int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected a whole number; received {text!r}") from error
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 1; received {text!r}")
    return value


def seed_number(text: str) -> int:
    """A whole number from 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number from 0; received {text!r}")
    return int(text)


def add_sources(parser: argparse.ArgumentParser) -> None:
    """Files, folders and patterns."""
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="image files, folders of images, or patterns such as 'scans/**/*.png'",
    )


def add_noise_kind(parser: argparse.ArgumentParser, default: str) -> None:
    """The kind of noise, None where none is given, and its seed."""
    kinds = "; ".join(f"{name}: {kind.title}" for name, kind in NOISE_KINDS.items())
    parser.add_argument(
        "--noise",
        type=spelled,
        choices=list(NOISE_KINDS),
        metavar="KIND",
        help=f"kind of noise ({kinds}); default {default}",
    )
    parser.add_argument(
        "--seed", type=seed_number, default=NOISE.seed, help="the same seed gives the same result; default 0"
    )


def add_levels(parser: argparse.ArgumentParser, nargs: int | str | None, values: str) -> None:
    """A level option for each name that a kind of noise uses."""
    for name, meaning in LEVEL_MEANINGS.items():
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=number, nargs=nargs, metavar=name.upper(), help=f"{values}{meaning}")


def are_levels_given(options: argparse.Namespace) -> bool:
    """Whether there is any level on the command line, of whatever kind of noise."""
    return any(getattr(options, name) is not None for name in LEVEL_MEANINGS)


def given_levels(options: argparse.Namespace, noise: str) -> dict[str, list[float]]:
    """The levels of the command line, checked against the kind of noise, as lists."""
    kind = noise_kind(noise)
    given = {name: getattr(options, name) for name in LEVEL_MEANINGS if getattr(options, name) is not None}
    foreign = [name for name in given if name not in kind.levels]
    if foreign:
        raise InputError(f"{noise} noise has {' and '.join(kind.levels)}, not {', '.join(foreign)}")
    return {name: value if isinstance(value, list) else [value] for name, value in given.items()}


def one_level(options: argparse.Namespace, noise: str) -> Mapping[str, float]:
    """One level by name, the kind's default where none is given."""
    given = given_levels(options, noise)
    return {
        name: given[name][0] if name in given else level.default for name, level in noise_kind(noise).levels.items()
    }


def add_rows(
    parser: argparse.ArgumentParser, meaning: str = "use only these rows of every image, to leave out a caption"
) -> None:
    """A part of every image."""
    parser.add_argument(
        "--rows",
        type=row_range,
        default=slice(None),
        metavar="START:STOP",
        help=meaning,
    )


def add_overwrite(parser: argparse.ArgumentParser) -> None:
    """Permission to replace files."""
    parser.add_argument("--overwrite", action="store_true", help="replace files of the same name")


def add_precision(parser: argparse.ArgumentParser) -> None:
    """The precision of the network's body."""
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default=INFERENCE.precision,
        help="arithmetic of the network's body: auto takes bf16 where the processor has it, at half the time",
    )


def add_output_folder(parser: argparse.ArgumentParser, default: str) -> None:
    """Where results go, and as what."""
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path(default),
        metavar="FOLDER",
        help=f"folder for the results, which keep the names of their inputs; default {default}. "
        "For a single input it may be a file name",
    )
    parser.add_argument(
        "--format",
        choices=("png", "tif", "bmp", "pgm", "dcm"),
        help="file type of the results; default: that of the input, or PNG for JPEG, which would lose again. "
        "A DICOM result is derived from a DICOM input: the same patient and study, a series of its own",
    )
    parser.add_argument(
        "--deidentify",
        action="store_true",
        help="leave patient, staff, place, dates and the identity of the study out of DICOM results; text that is "
        "burned into the pixels stays",
    )
    add_overwrite(parser)
    _add_batch(parser)


def _add_batch(parser: argparse.ArgumentParser) -> None:
    """How many files are worked on."""
    parser.add_argument("--dry-run", action="store_true", help="tell what would be done, and write nothing")
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="CSV with a row for each file; default: FOLDER.csv beside the results. What it says is done with the "
        "same settings is not done again, so that a run that was stopped goes on",
    )
    cluster = parser.add_mutually_exclusive_group()
    cluster.add_argument("--workers", type=positive, metavar="N", help="work in so many processes of this machine")
    cluster.add_argument(
        "--scheduler", metavar="ADDRESS", help="work on a Dask cluster that is there, such as tcp://host:8786"
    )
