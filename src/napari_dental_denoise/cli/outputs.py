"""From many input files to one output file each; a bad one is listed, and the rest goes on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.cli.console import exit_code, progress_bar, report_left_out, say
from napari_dental_denoise.core.atomic import refuse_existing
from napari_dental_denoise.core.errors import ImageReadError, InputError
from napari_dental_denoise.core.folders import list_files
from napari_dental_denoise.core.headers import read_header
from napari_dental_denoise.core.images import FLOATING, LOSSLESS_16_BIT, WRITABLE_SUFFIXES, read_image, read_pages
from napari_dental_denoise.core.pixel_size import PixelSize, read_pixel_size, write_tiff_pages, write_with_pixel_size

Image = NDArray[np.generic]
LOSSY = (".jpg", ".jpeg")


def process_files(
    sources: Sequence[str],
    work: Callable[[Image, int], Image],
    output: Path,
    suffix: str | None,
    *,
    overwrite: bool,
    verb: str,
) -> int:
    """Read each file, work on it, write the result; report and give the exit code.

    Parameters
    ----------
    sources : sequence of str
        Files, folders and patterns.
    work : callable
        From an image and its number to the result.
    output : Path
        A folder, or a file name where there is one input.
    suffix : str, optional
        Of the results, with its dot; by default that of each input.
    overwrite : bool
        Replace files of the same name.
    verb : str
        What was done, for the report.
    """
    paths = list_files(sources)
    if output.suffix.lower() in WRITABLE_SUFFIXES and not output.is_dir():
        _check_file_name(paths, output, suffix)
    done: list[Path] = []
    errors = 0
    taken = {path.resolve(): path for path in paths}
    with progress_bar(len(paths), "image") as bar:
        for number, path in enumerate(paths):
            try:
                image = _read(path)
                target = _target(path, image, output, suffix)
                _claim(taken, target, overwrite=overwrite)
                _write(target, work(image, number), read_pixel_size(path), overwrite=overwrite)
                done.append(target)
            except InputError as error:
                errors += 1
                problem = error if isinstance(error, ImageReadError) else ImageReadError(path, str(error))
                with bar.external_write_mode(file=sys.stderr):
                    report_left_out([problem])
            bar.update()
    left_out = f", {errors} left out" if errors else ""
    where = f" in {done[0].parent}" if done else ""
    say(f"{len(done)} {verb}{where}{left_out}")
    return exit_code(len(done), errors)


def _read(path: Path) -> Image:
    return read_pages(path) if read_header(path).pages > 1 else read_image(path)


def _write(target: Path, result: Image, pixel_size: PixelSize | None, *, overwrite: bool) -> None:
    if result.ndim == 2:
        write_with_pixel_size(target, result, pixel_size, overwrite=overwrite)
    elif target.suffix.lower() in FLOATING:
        write_tiff_pages(target, result, pixel_size, overwrite=overwrite)
    else:
        raise InputError(
            f"has {len(result)} pages, which {target.suffix} cannot hold: leave out --format, or choose tif"
        )


def _check_file_name(paths: Sequence[Path], output: Path, suffix: str | None) -> None:
    if len(paths) > 1:
        raise InputError(f"{output}: a file name for {len(paths)} inputs; expected a folder")
    if suffix is not None and suffix != output.suffix.lower():
        raise InputError(f"{output}: the name and --format {suffix[1:]} differ: leave out --format")


def _target(path: Path, image: Image, output: Path, suffix: str | None) -> Path:
    if output.suffix.lower() in WRITABLE_SUFFIXES and not output.is_dir():
        return output
    own = path.suffix.lower()
    kept = own if own in WRITABLE_SUFFIXES and own not in LOSSY else ".png"
    target = output / f"{path.stem}{suffix or kept}"
    return target if suffix else _holding(target, image)


def _holding(target: Path, image: Image) -> Path:
    """The same name with a suffix whose format holds the image's type, as a misnamed input may need."""
    if np.issubdtype(image.dtype, np.floating):
        allowed: tuple[str, ...] = FLOATING
    else:
        allowed = LOSSLESS_16_BIT if image.dtype == np.uint16 else WRITABLE_SUFFIXES
    return target if target.suffix.lower() in allowed else target.with_suffix(".tif")


def _claim(taken: dict[Path, Path], target: Path, *, overwrite: bool) -> None:
    """Neither an input nor another result may be replaced, whatever is allowed."""
    place = target.resolve()
    if place in taken:
        raise InputError(f"its result would replace {taken[place]}: choose another output")
    if not overwrite:
        refuse_existing(target)
    taken[place] = target
