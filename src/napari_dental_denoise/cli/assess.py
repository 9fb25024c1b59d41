"""`assess`: measure which faint details models and baselines keep, or map it for one image."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_dental_denoise.cli.console import echo, exit_code, progress_bar, report_left_out, tell
from napari_dental_denoise.cli.evaluate import (
    add_inference,
    add_methods,
    add_table,
    broadcast_levels,
    named_methods,
    show_table,
)
from napari_dental_denoise.cli.options import (
    Subparsers,
    add_noise,
    add_overwrite,
    add_rows,
    add_seed,
    add_sources,
    are_levels_given,
    grey_number,
    named_path,
    number,
    positive,
)
from napari_dental_denoise.config import GREY_LEVELS, NOISE
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.models import STARTER
from napari_dental_denoise.progress import Progress, Result, finish

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from napari_dental_denoise.detail import Assessment, AssessmentPlan, DetailMap, StackDenoiser

# In grey levels.
DEFAULT_SIGMAS = (5, 10, 25)
QUICK_SAMPLES = 60
TIFF_SUFFIX = ".tif"

DESCRIPTION = """\
Put faint details into clean images, add noise, denoise, and measure what is left of the details: the share of their
contrast, how often model observers find them, the smallest contrast that is found, the sharpness of edges, the spectra
of the noise, and how much exposure denoising is worth. PSNR tells none of these.

  napari-dental-denoise assess references/ -m model.keras --baselines --figure detail.png

With --detail-map, one image of any kind is enough: details are put into the image itself, and the map shows which share
of their contrast survives at each place.

  napari-dental-denoise assess scan.png --detail-map map.tif"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the parser of the command."""
    parser = subparsers.add_parser(
        "assess",
        help="measure which faint details models and baselines keep",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_sources(parser)
    add_methods(parser, "assess")
    add_noise(parser, NOISE.kind, "+", "one or more levels: ")
    _add_details(parser)
    add_seed(parser)
    add_rows(parser)
    add_inference(parser)
    add_table(parser)
    parser.add_argument("--figure", type=named_path, metavar="FILE", help="file for the curves: PNG, PDF, SVG or JPEG")
    parser.add_argument(
        "--detail-map",
        type=named_path,
        metavar="FILE",
        help="map one image instead: a .tif file of shares (float32, 1 is all of the contrast), and a picture of the "
        "same name with the suffix .png",
    )
    add_overwrite(parser)
    parser.set_defaults(run=run)


def _add_details(parser: argparse.ArgumentParser) -> None:
    """Add the options of the details."""
    parser.add_argument(
        "--signal",
        choices=("disc", "ellipse", "line", "double-edge", "step-hole", "trabeculae"),
        default="disc",
        help="kind of detail; default disc",
    )
    parser.add_argument(
        "--size",
        type=number,
        nargs="+",
        metavar="SIZE",
        help="radii of discs, widths of lines, in pixels or, with --pixel-size, in mm; default 2 4 8 pixels, or 4 "
        "for a map",
    )
    parser.add_argument("--pixel-size", type=number, metavar="MM", help="side of a pixel, for sizes in mm")
    parser.add_argument(
        "--contrast",
        type=grey_number,
        nargs="+",
        metavar="CONTRAST",
        help="contrasts on the [0, 1] scale, such as 0.1 or 10gl, which is 10 grey levels of 8 bit; default: 0.5 to 4 "
        "times what is just found in the noise; for a map, twice the estimated noise",
    )
    parser.add_argument("--samples", type=positive, metavar="N", help="pieces of images to use; default 200")
    parser.add_argument("--quick", action="store_true", help=f"use {QUICK_SAMPLES} pieces, for a first look")


def run(options: argparse.Namespace) -> int:
    """Assess, or map one image, and return the exit code."""
    from napari_dental_denoise.batch import check_output_files
    from napari_dental_denoise.evaluation import check_figure_name
    from napari_dental_denoise.files import check_folder, check_name
    from napari_dental_denoise.images import list_files

    picture = options.detail_map.with_suffix(".png") if options.detail_map else None
    if picture and options.detail_map.suffix.lower() not in {TIFF_SUFFIX, ".tiff"}:
        raise InputError(f"{options.detail_map.name}: expected a name with the suffix {TIFF_SUFFIX}")
    files = list_files(options.sources)
    written = [path for path in (options.output, options.figure, options.detail_map, picture) if path]
    check_output_files(written, options.sources)
    for figure in filter(None, (options.figure, picture)):
        check_figure_name(figure)
    for path in written:
        check_name(path, overwrite=options.overwrite)
        check_folder(path)
    return _map(options, files, picture) if picture else _assess(options)


def _assess(options: argparse.Namespace) -> int:
    from napari_dental_denoise.detail import DETAIL_FORMATS, Noise, assess_steps, assessment_figure
    from napari_dental_denoise.evaluation import save_figure
    from napari_dental_denoise.images import load_images
    from napari_dental_denoise.pixels import to_unit

    options.noise = options.noise or NOISE.kind
    if options.sigma is None and options.noise == NOISE.kind:
        options.sigma = [level / GREY_LEVELS for level in DEFAULT_SIGMAS]
    noises = [Noise.of_kind(options.noise, levels) for levels in broadcast_levels(options)]
    plan = _plan(options)
    methods = _methods(options)
    loaded = load_images(options.sources, options.rows)
    report_left_out(loaded.errors)
    images = [to_unit(image) for image in loaded.images]
    assessment: Assessment = _finish(assess_steps(images, methods, noises, plan))
    show_table(options, DETAIL_FORMATS, assessment)
    if options.figure:
        save_figure(assessment_figure(assessment), options.figure, overwrite=options.overwrite)
        tell(f"the curves are in {options.figure}")
    return exit_code(1, len(loaded.errors))


def _plan(options: argparse.Namespace) -> AssessmentPlan:
    from napari_dental_denoise.detail import AssessmentPlan

    plan = AssessmentPlan(signal=options.signal, contrasts=tuple(options.contrast or ()), seed=options.seed)
    if options.size:
        plan = replace(plan, sizes=tuple(_pixels(options)))
    samples = options.samples or (QUICK_SAMPLES if options.quick else plan.samples)
    return replace(plan, samples=samples)


def _pixels(options: argparse.Namespace) -> list[float]:
    """Return the sizes of the details, in pixels."""
    from napari_dental_denoise.detail import in_pixels

    return [in_pixels(size, 1.0 if options.pixel_size is None else options.pixel_size) for size in options.size]


def _methods(options: argparse.Namespace) -> dict[str, StackDenoiser]:
    """Return models and baselines, as functions of stacks."""
    from napari_dental_denoise.detail import on_stacks
    from napari_dental_denoise.evaluation import available_baselines

    baselines = available_baselines()
    # Models take stacks as they are.
    return {name: on_stacks(method) if name in baselines else method for name, method in named_methods(options).items()}


def _map(options: argparse.Namespace, files: Sequence[Path], picture: Path) -> int:
    from napari_dental_denoise.cli.work import denoise_work
    from napari_dental_denoise.detail import RADIUS, denoiser_steps, detail_map_figure, detail_map_steps
    from napari_dental_denoise.evaluation import save_figure
    from napari_dental_denoise.images import read_image, take_rows, write_image
    from napari_dental_denoise.inference import check_strength
    from napari_dental_denoise.pixels import to_unit

    if len(files) != 1:
        raise InputError(f"--detail-map is for one image; received {len(files)} files")
    several = any(len(given or ()) > 1 for given in (options.model, options.size, options.contrast))
    if options.baselines or options.peers or several:
        raise InputError("--detail-map is for one model, one size and one contrast")
    unused = (options.output, options.figure, options.noise, options.samples, are_levels_given(options), options.quick)
    if any(unused) or options.format or options.signal != "disc":
        raise InputError("--detail-map has a disc and no table: leave out the options of noise, samples and tables")
    check_strength(options.strength)
    (model,) = options.model or [STARTER]
    engine = denoise_work(model, options).engine()
    unit = to_unit(take_rows(read_image(files[0]), options.rows))
    radius = _pixels(options)[0] if options.size else RADIUS
    contrast = options.contrast[0] if options.contrast else None
    denoise = denoiser_steps(engine, options.strength)
    detail_map: DetailMap = _finish(detail_map_steps(unit, denoise, radius=radius, contrast=contrast))
    write_image(options.detail_map, detail_map.share, overwrite=options.overwrite)
    save_figure(detail_map_figure(unit, detail_map), picture, overwrite=options.overwrite)
    echo(str(detail_map))
    tell(f"the map is in {options.detail_map}, its picture in {picture}")
    return exit_code(1, 0)


def _finish(steps: Generator[Progress, None, Result]) -> Result:
    """Run the steps with a progress bar and return their result."""
    with progress_bar(1, "step") as bar:

        def show(progress: Progress) -> None:
            bar.total = progress.total
            bar.update(progress.done - bar.n)

        return finish(steps, show)
