"""`evaluate`: print PSNR, SSIM and accuracy of models and baselines on the same noisy images."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_dental_denoise.cli.console import echo, exit_code, progress_bar, report_left_out, tell
from napari_dental_denoise.cli.denoise import add_engine
from napari_dental_denoise.cli.options import (
    Subparsers,
    add_noise,
    add_overwrite,
    add_precision,
    add_rows,
    add_seed,
    add_sources,
    are_levels_given,
    given_levels,
    named_path,
    number,
    positive,
    source_name,
)
from napari_dental_denoise.config import GREY_LEVELS, INFERENCE, NOISE
from napari_dental_denoise.errors import ImageReadError, InputError
from napari_dental_denoise.models import STARTER, find_model
from napari_dental_denoise.noise import noise_kind

if TYPE_CHECKING:
    from napari_dental_denoise.evaluation import Denoiser, NoisyPair, Row
    from napari_dental_denoise.pixels import Unit

TEXT = "text"
FORMATS = (TEXT, "csv", "json")
# Levels of white noise, in grey levels of 255, where none is given: from none, which must change nothing, to strong.
SIGMAS = (0, 2, 5, 10, 25, 50)

DESCRIPTION = """\
Add the same noise to clean images for every method, denoise, and compare with the clean images:
PSNR in dB, SSIM, and accuracy (the share of pixels within 0.05 of the clean image, on [0, 1]).
White noise of 0, 2, 5, 10, 25 and 50 of 255 grey levels is added where no kind and no level is given.
With --noisy, use recorded noisy images of the same names instead of added noise.

  napari-dental-denoise evaluate test/ -m model.keras --sigma 10/255 25/255 50/255 --baselines"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the parser of the command."""
    parser = subparsers.add_parser(
        "evaluate",
        help="measure models and baselines on clean images",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_sources(parser)
    add_methods(parser, "evaluate")
    parser.add_argument(
        "--noisy", nargs="+", type=source_name, metavar="SOURCE", help="recorded noisy images, paired by name"
    )
    add_noise(parser, NOISE.kind, "+", "one or more levels: ")
    add_seed(parser)
    add_rows(parser)
    parser.add_argument("--size", type=positive, nargs=2, metavar=("H", "W"), help="resize the clean images first")
    add_inference(parser)
    parser.add_argument(
        "--detail",
        action="store_true",
        help="also tell which share of the contrast of faint spots (4 px, twice the noise) is kept; doubles the time",
    )
    add_table(parser)
    add_overwrite(parser)
    parser.set_defaults(run=run)


def add_methods(parser: argparse.ArgumentParser, verb: str) -> None:
    """Add the models and the baselines to measure."""
    parser.add_argument(
        "-m",
        "--model",
        type=find_model,
        nargs="+",
        help=f"models to {verb}: files, or starter and starter-fast of the package; default: starter, or none with "
        "--baselines",
    )
    parser.add_argument(
        "--baselines",
        action="store_true",
        help=f"{verb} median, non-local means, wavelets, total variation, and BM3D if installed (extra bm3d); they "
        "are given the root mean square of the noise",
    )
    parser.add_argument(
        "--peers",
        type=Path,
        nargs="+",
        default=(),
        metavar="MODEL",
        help=f"networks of other programs to {verb}: ONNX files, or packages of the BioImage Model Zoo with ONNX "
        "weights, from a grey image on [0, 1] to the denoised one",
    )


def add_inference(parser: argparse.ArgumentParser) -> None:
    """Add the settings of the models."""
    parser.add_argument("--strength", type=number, default=INFERENCE.strength, help="as in denoise; default 1")
    add_engine(parser)
    add_precision(parser)


def add_table(parser: argparse.ArgumentParser) -> None:
    """Add the format and the file of the table."""
    parser.add_argument(
        "--format",
        choices=FORMATS,
        help="format of the table; default: by the suffix of FILE, .csv or .json, else text",
    )
    parser.add_argument("-o", "--output", type=named_path, metavar="FILE", help="file for the table; default: stdout")


def table_format(options: argparse.Namespace) -> str:
    """Return the format of the table: the one that is named, or that of the suffix of its file."""
    suffix = options.output.suffix[1:].lower() if options.output else ""
    return str(options.format or (suffix if suffix in FORMATS else TEXT))


def show_table(options: argparse.Namespace, formats: Mapping[str, Callable[[Any], str]], content: object) -> None:
    """Write the table of the content to its file, or print it."""
    from napari_dental_denoise.files import write_text

    table = formats[table_format(options)](content)

    if options.output:
        write_text(options.output, table, overwrite=options.overwrite)
        tell(f"the table is in {options.output}")
    else:
        echo(table.rstrip("\n"))


def run(options: argparse.Namespace) -> int:
    """Evaluate and return the exit code."""
    if options.noisy and (options.noise or options.size or are_levels_given(options)):
        raise InputError("--noisy has noise already: leave out --noise, its level and --size")
    named = options.noise or are_levels_given(options)
    options.noise = options.noise or NOISE.kind
    levels = broadcast_levels(options) if named else [{"sigma": level / GREY_LEVELS} for level in SIGMAS]
    from napari_dental_denoise.batch import check_output_files
    from napari_dental_denoise.evaluation import TABLE_FORMATS
    from napari_dental_denoise.files import check_folder, check_name

    if options.output:
        check_output_files([options.output], [*options.sources, *(options.noisy or ())])
        check_folder(options.output)
        check_name(options.output, overwrite=options.overwrite)
    methods = named_methods(options)
    pairs, count, errors = _pairs(options, levels)
    report_left_out(errors)
    show_table(options, TABLE_FORMATS, measure(pairs, methods, count, detail=options.detail))
    return exit_code(1, len(errors))


def broadcast_levels(options: argparse.Namespace) -> list[Mapping[str, float]]:
    """Return the noise levels to evaluate at; a single value is combined with each value of another level."""
    given = given_levels(options, options.noise)
    names = noise_kind(options.noise).levels
    count = max((len(values) for values in given.values()), default=1)
    for name, values in given.items():
        if len(values) not in (1, count):
            raise InputError(f"expected one {name} or {count} of them; received {len(values)}")
    full = {name: given.get(name, [level.default]) for name, level in names.items()}
    return [{name: values[index if len(values) > 1 else 0] for name, values in full.items()} for index in range(count)]


def named_methods(options: argparse.Namespace) -> dict[str, Denoiser]:
    """Return the models and baselines to measure, by name."""
    from napari_dental_denoise.cli.work import denoise_work
    from napari_dental_denoise.evaluation import NOISY, Peer, available_baselines, model_denoiser
    from napari_dental_denoise.inference import check_strength

    check_strength(options.strength)
    methods = available_baselines() if options.baselines else {}
    for path in options.model or ([] if options.baselines else [STARTER]):
        name = path.stem if path.stem not in {NOISY, *methods} else str(path)
        methods[name] = model_denoiser(denoise_work(path, options).engine(), options.strength)
    for path in options.peers:
        methods[path.stem if path.stem not in {NOISY, *methods} else str(path)] = Peer(path)
    return methods


def _pairs(
    options: argparse.Namespace, levels: Sequence[Mapping[str, float]]
) -> tuple[Iterator[NoisyPair], int, list[ImageReadError]]:
    """Return the pairs, their number, and the files that were left out."""
    from napari_dental_denoise.evaluation import added_noise, given_pairs
    from napari_dental_denoise.images import load_images, match_by_name, resize

    clean = load_images(options.sources, options.rows)
    if options.noisy:
        matched = match_by_name(load_images(options.noisy, options.rows), clean)
        return given_pairs(matched.noisy, matched.clean, "recorded"), len(matched.clean), matched.errors
    images = [resize(image, tuple(options.size)) for image in clean.images] if options.size else clean.images
    sets = (added_noise(images, options.noise, level, options.seed) for level in levels)
    return chain.from_iterable(sets), len(images) * len(levels), clean.errors


def measure(
    pairs: Iterator[NoisyPair], methods: Mapping[str, Denoiser], count: int, *, detail: bool = False
) -> list[Row]:
    """Run each method on each pair and show a progress bar; with `detail`, also with faint spots."""
    from napari_dental_denoise.evaluation import compare, summarise

    details = _faint_spots if detail else None
    scores = []
    with progress_bar(count * (len(methods) + 1), "score") as bar:
        for score in compare(pairs, methods, details):
            scores.append(score)
            bar.update()
    return summarise(scores)


def _faint_spots(pair: NoisyPair) -> Unit:
    from napari_dental_denoise.detail import faint_spots

    return faint_spots(pair.noisy.shape, pair.sigma)
