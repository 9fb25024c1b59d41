"""Options that several commands share, and parsers of their values."""

from __future__ import annotations

import argparse
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from napari_dental_denoise.config import GREY_LEVELS, INFERENCE, NOISE, PRECISIONS, Levels
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.noise import LEVEL_MEANINGS, NOISE_KINDS, noise_kind, spelled
from napari_dental_denoise.training import SETTINGS, TRAINING, TrainingConfig, option

# argparse has no public name for what add_subparsers() gives.
Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 (see above)
# The unit of a grey level of 8 bit.
GREY_SUFFIX = "gl"
# As in 10,000, whose comma is no decimal one.
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}(?!\d)")
GREY_HELP = f" on the [0, 1] scale; 25{GREY_SUFFIX} or 25/{GREY_LEVELS} is 25 grey levels of 8 bit"


def grey_number(text: str) -> float:
    """Parse a number on the [0, 1] scale of the grey values, or one of 8-bit grey levels such as 25gl."""
    levels = text.removesuffix(GREY_SUFFIX)
    return number(text) if levels == text else number(levels) / GREY_LEVELS


def number(text: str) -> float:
    """Parse a number, or a fraction such as 25/255."""
    numerator, _, denominator = text.partition("/")
    try:
        value = float(numerator) / float(denominator or 1)
    except (ValueError, ZeroDivisionError) as error:
        raise argparse.ArgumentTypeError(
            f"expected a number such as 0.1 or 25/255; received {text!r}{_question(text)}"
        ) from error
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"expected a finite number; received {text!r}")
    return value


def _question(text: str) -> str:
    """Return a question about a number in per cent or with a decimal comma, or an empty text if it is neither."""
    if THOUSANDS.match(text):
        return ""
    plain = text.replace(",", ".")
    try:
        meant = float(plain.rstrip("% ")) / (100 if plain.endswith("%") else 1)
    except ValueError:
        return ""
    return f": did you mean {meant:g}?"


def named_path(text: str) -> Path:
    """Parse the path of a file or folder to write; "/", "." and an empty text name none."""
    path = Path(text)
    if path.name in {"", ".."}:
        raise argparse.ArgumentTypeError(f"expected a path that ends in a name; received {text!r}")
    return path


def source_name(text: str) -> str:
    """Parse a file, folder or pattern to read; an empty text, such as that of an unset variable, is none."""
    if not text:
        raise argparse.ArgumentTypeError("expected a file, folder or pattern; received an empty text")
    return text


def row_range(text: str) -> slice:
    """Parse rows given as START:STOP, either of which may be missing."""
    start, colon, stop = text.partition(":")
    ends = [int(end) if end.lstrip("-").isdecimal() else None for end in (start, stop)]
    if not colon or any(end and value is None for end, value in zip((start, stop), ends, strict=True)):
        raise argparse.ArgumentTypeError(f"expected rows such as 0:488; received {text!r}")
    return slice(*ends)


def positive(text: str) -> int:
    """Parse a whole number from 1."""
    try:
        value = int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected a whole number; received {text!r}") from error
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 1; received {text!r}")
    return value


def whole_number(text: str) -> int:
    """Parse a whole number from 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number from 0; received {text!r}")
    return int(text)


def add_sources(
    parser: argparse.ArgumentParser,
    meaning: str = "image files, folders of images, or patterns such as 'scans/**/*.png'",
) -> None:
    """Add the sources: files, folders and patterns."""
    parser.add_argument("sources", nargs="+", type=source_name, metavar="SOURCE", help=meaning)


def add_settings(parser: argparse.ArgumentParser, names: Iterable[str], defaults: TrainingConfig = TRAINING) -> None:
    """Add an option for each of these settings of a training."""
    length = parser.add_mutually_exclusive_group()
    for name in names:
        setting, default = SETTINGS[name], getattr(defaults, name)
        (length if name in {"epochs", "minutes"} else parser).add_argument(
            option(name),
            type=number if setting.kind is float else setting.kind,
            choices=setting.choices or None,
            help=setting.text + ("" if default is None else f"; default {default}"),
        )


def given_settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings of a training that the command line names."""
    given = {name: getattr(options, name, None) for name in SETTINGS}
    return {name: value for name, value in given.items() if value is not None}


def add_seed(parser: argparse.ArgumentParser) -> None:
    """Add the seed of the noise."""
    parser.add_argument(
        "--seed", type=whole_number, default=NOISE.seed, help="the same seed gives the same result; default 0"
    )


def add_noise(
    parser: argparse.ArgumentParser,
    default: str,
    nargs: int | str | None,
    values: str,
    told: Callable[[Levels], Iterable[float]] = lambda level: [level.default],
) -> None:
    """Add the kind of noise, None where none is given, and an option for each noise level with the values `told`."""
    kinds = "; ".join(f"{name}: {kind.title}" for name, kind in NOISE_KINDS.items())
    parser.add_argument(
        "--noise",
        type=spelled,
        choices=list(NOISE_KINDS),
        metavar="KIND",
        help=f"kind of noise ({kinds}); default {default}",
    )
    for name, meaning in LEVEL_MEANINGS.items():
        by_kind = {kind: noise.levels[name] for kind, noise in NOISE_KINDS.items() if name in noise.levels}
        defaults = _by_value({kind: " ".join(map(_as_typed, told(level))) for kind, level in by_kind.items()})
        is_sigma = name.startswith("sigma")
        parser.add_argument(
            option(name),
            type=grey_number if is_sigma else number,
            nargs=nargs,
            metavar=name.upper(),
            help=f"{values}{meaning}{GREY_HELP if is_sigma else ''}; default {defaults}",
        )


def _by_value(by_kind: Mapping[str, str]) -> str:
    """Return the values of kinds of noise as text, the most frequent one first and without its kinds."""
    (usual, _), *others = Counter(by_kind.values()).most_common()
    kinds = {value: ", ".join(kind for kind, its in by_kind.items() if its == value) for value, _ in others}
    return "; ".join([usual, *(f"{value} for {named}" for value, named in kinds.items())])


def _as_typed(value: float) -> str:
    """Return a number as one types it, grey levels as a fraction."""
    levels = value * GREY_LEVELS
    is_fraction = value != round(value) and math.isclose(levels, round(levels), abs_tol=1e-9) and levels < GREY_LEVELS
    return f"{levels:.0f}/{GREY_LEVELS}" if is_fraction and value != round(value, 2) else f"{value:g}"


def are_levels_given(options: argparse.Namespace) -> bool:
    """Return whether the command line names a noise level."""
    return any(getattr(options, name) is not None for name in LEVEL_MEANINGS)


def given_levels(options: argparse.Namespace, noise: str) -> dict[str, list[float]]:
    """Return the noise levels of the command line as lists; raise InputError if the kind of noise has no such level."""
    kind = noise_kind(noise)
    given = {name: getattr(options, name) for name in LEVEL_MEANINGS if getattr(options, name) is not None}
    foreign = [name for name in given if name not in kind.levels]
    if foreign:
        raise InputError(f"{noise} noise has the levels {', '.join(kind.levels)}; received {', '.join(foreign)}")
    return {name: value if isinstance(value, list) else [value] for name, value in given.items()}


def one_level(options: argparse.Namespace, noise: str) -> Mapping[str, float]:
    """Return the level of each name, which defaults to that of the kind of noise."""
    given = given_levels(options, noise)
    return {
        name: given[name][0] if name in given else level.default for name, level in noise_kind(noise).levels.items()
    }


def add_rows(
    parser: argparse.ArgumentParser, meaning: str = "use only these rows of each image, to leave out a caption"
) -> None:
    """Add the rows of each image to use."""
    parser.add_argument("--rows", type=row_range, default=slice(None), metavar="START:STOP", help=meaning)


def add_overwrite(parser: argparse.ArgumentParser) -> None:
    """Add the permission to replace files."""
    parser.add_argument("--overwrite", action="store_true", help="replace files of the same name")


def add_precision(parser: argparse.ArgumentParser) -> None:
    """Add the precision of inference."""
    parser.add_argument("--precision", choices=PRECISIONS, default=INFERENCE.precision, help=SETTINGS["precision"].text)


def add_output_folder(parser: argparse.ArgumentParser, default: str) -> None:
    """Add the options of commands that write one result for each image."""
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path(default),
        metavar="FOLDER",
        help=f"folder for the results, which keep the names of their inputs; default {default}. For a single "
        "input, a file name",
    )
    parser.add_argument(
        "--format",
        choices=("png", "tif", "bmp", "pgm", "dcm", "ome.zarr"),
        help="file type of the results; default: that of the input, but PNG for JPEG, which is lossy. A DICOM result "
        "needs a DICOM input: same patient and study, new series",
    )
    parser.add_argument(
        "--deidentify",
        action="store_true",
        help="remove patient, staff, place, dates and study identity from DICOM results; of other files, only the "
        "pixels and their size are kept. The results are numbered in the order of the inputs, since names of files and "
        "folders may tell the patient; --dry-run lists the numbers. Text that is found in the pixels is told",
    )
    parser.add_argument(
        "--keep-names", action="store_true", help="with --deidentify, keep the names of files and folders"
    )
    parser.add_argument(
        "--cover-text",
        action="store_true",
        help="cover text that is found in the margins of the pixels with the grey value of its ground, before the "
        "image is processed. Look at the results: not all text is found",
    )
    add_overwrite(parser)
    _add_batch(parser)


def _add_batch(parser: argparse.ArgumentParser) -> None:
    """Add the report and the workers."""
    parser.add_argument("--dry-run", action="store_true", help="list what would be done and write nothing")
    parser.add_argument(
        "--report",
        type=named_path,
        metavar="FILE",
        help="CSV file with a row for each file; default: FOLDER.csv beside the results. Files that it lists as done "
        "with the same settings are skipped, so that a stopped run resumes",
    )
    cluster = parser.add_mutually_exclusive_group()
    cluster.add_argument("--workers", type=positive, metavar="N", help="number of processes on this machine")
    cluster.add_argument(
        "--scheduler", metavar="ADDRESS", help="address of a running Dask cluster, such as tcp://host:8786"
    )
