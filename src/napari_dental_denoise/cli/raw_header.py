"""`raw-header`: write the size and type of raw pixels beside them, so that every program can read them."""

from __future__ import annotations

import argparse

from napari_dental_denoise.cli.console import exit_code, report_left_out, tell
from napari_dental_denoise.cli.options import Subparsers, add_overwrite, add_sources, number, positive, whole_number
from napari_dental_denoise.config import RAW_TYPES
from napari_dental_denoise.errors import InputError

DESCRIPTION = """\
Write the size and type of raw pixels (.raw) into a MetaImage header beside each file (.mhd). Then all commands,
napari, Python, ImageJ and ITK can read them. The number of images in a file follows from its size.

  napari-dental-denoise raw-header scans/*.raw --shape 1440 1920 --type uint16 --pixel-size 0.02"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the parser of the command."""
    parser = subparsers.add_parser(
        "raw-header",
        help="tell the size and type of raw pixels",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_sources(parser, ".raw files, folders of them, or patterns")
    parser.add_argument(
        "--shape", type=positive, nargs=2, metavar=("H", "W"), required=True, help="height and width of an image"
    )
    parser.add_argument("--type", choices=RAW_TYPES, required=True, help="type of the values")
    parser.add_argument("--big-endian", action="store_true", help="the high byte of a value comes first")
    parser.add_argument(
        "--skip", type=whole_number, default=0, metavar="BYTES", help="bytes before the pixels; default 0"
    )
    parser.add_argument("--pixel-size", type=number, metavar="MM", help="side of a pixel in mm")
    parser.add_argument(
        "--step", type=number, metavar="MM", help="distance of the images of a volume in mm; default: the pixel size"
    )
    add_overwrite(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write a header for each file and return the exit code."""
    from napari_dental_denoise.images import list_files
    from napari_dental_denoise.images.readers import RAW_SUFFIX, RawLayout, write_raw_header

    paths = [path for path in list_files(options.sources) if path.suffix.lower() == RAW_SUFFIX]
    if not paths:
        raise InputError(f"no {RAW_SUFFIX} file among the sources")
    side, step = options.pixel_size, options.step
    if side is None and step is not None:
        raise InputError("--step needs --pixel-size")
    spacing = None if side is None else (side if step is None else step, side, side)
    layout = RawLayout(tuple(options.shape), options.type, options.big_endian, options.skip, spacing)
    errors: list[InputError] = []
    for path in paths:
        try:
            header = write_raw_header(path, layout, overwrite=options.overwrite)
        except InputError as error:
            errors.append(error)
        else:
            tell(str(header))
    report_left_out(errors)
    return exit_code(len(paths) - len(errors), len(errors))
