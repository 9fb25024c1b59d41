"""From many input files to one output file each; a bad one is listed, and the rest goes on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.cli.console import exit_code, progress_bar, report_left_out, say
from napari_dental_denoise.core.atomic import refuse_existing
from napari_dental_denoise.core.dicom_derived import Derivation, write_derived
from napari_dental_denoise.core.dicom_header import SUFFIXES as DICOM_SUFFIXES
from napari_dental_denoise.core.errors import ImageReadError, InputError
from napari_dental_denoise.core.folders import list_files
from napari_dental_denoise.core.images import FLOATING, LOSSLESS_16_BIT, WRITABLE_SUFFIXES
from napari_dental_denoise.core.pixel_size import write_tiff_pages, write_with_pixel_size
from napari_dental_denoise.core.radiograph import Radiograph, read_radiograph

Image = NDArray[np.generic]
LOSSY = (".jpg", ".jpeg")


def process_files(
    sources: Sequence[str],
    work: Callable[[Image, int], Image],
    output: Path,
    suffix: str | None,
    derivation: Derivation,
    *,
    overwrite: bool,
) -> int:
    """Read each file, work on it, write the result; report and give the exit code.

    Parameters
    ----------
    sources : sequence of str
        Files, folders and patterns.
    work : callable
        From an image or a stack, white high, and its number to the result.
    output : Path
        A folder, or a file name where there is one input.
    suffix : str, optional
        Of the results, with its dot; by default that of each input.
    derivation : Derivation
        What is done, for the report and for DICOM results.
    overwrite : bool
        Replace files of the same name.
    """
    paths = list_files(sources)
    if _is_file_name(output):
        _check_file_name(paths, output, suffix)
    done: list[Path] = []
    errors = 0
    taken = {path.resolve(): path for path in paths}
    with progress_bar(len(paths), "image") as bar:
        for number, path in enumerate(paths):
            try:
                radiograph = read_radiograph(path)
                target = _target(path, radiograph, output, suffix)
                _claim(taken, target, overwrite=overwrite)
                result = work(radiograph.upright, number)
                if target.suffix.lower() in DICOM_SUFFIXES:
                    stored = radiograph.storage.restore(result, radiograph.pixels)
                    write_derived(target, path, stored, derivation, overwrite=overwrite)
                else:
                    _write(target, radiograph, result, overwrite=overwrite)
                done.append(target)
            except InputError as error:
                errors += 1
                problem = error if isinstance(error, ImageReadError) else ImageReadError(path, str(error))
                with bar.external_write_mode(file=sys.stderr):
                    report_left_out([problem])
            bar.update()
    left_out = f", {errors} left out" if errors else ""
    where = f" in {done[0].parent}" if done else ""
    say(f"{len(done)} images {derivation.verb}{where}{left_out}")
    return exit_code(len(done), errors)


def _write(target: Path, radiograph: Radiograph, result: Image, *, overwrite: bool) -> None:
    result = radiograph.storage.keep_padding(result, radiograph.upright, radiograph.pixels)
    if result.ndim == 2:
        write_with_pixel_size(target, result, radiograph.pixel_size, overwrite=overwrite)
    elif target.suffix.lower() in FLOATING:
        write_tiff_pages(target, result, radiograph.pixel_size, overwrite=overwrite)
    else:
        raise InputError(
            f"has {len(result)} pages, which {target.suffix} cannot hold: leave out --format, or choose tif"
        )


def _is_file_name(output: Path) -> bool:
    return output.suffix.lower() in (*WRITABLE_SUFFIXES, *DICOM_SUFFIXES) and not output.is_dir()


def _check_file_name(paths: Sequence[Path], output: Path, suffix: str | None) -> None:
    if len(paths) > 1:
        raise InputError(f"{output}: a file name for {len(paths)} inputs; expected a folder")
    if suffix is not None and suffix != output.suffix.lower():
        raise InputError(f"{output}: the name and --format {suffix[1:]} differ: leave out --format")


def _target(path: Path, radiograph: Radiograph, output: Path, suffix: str | None) -> Path:
    target = output if _is_file_name(output) else output / _name(path, radiograph, suffix)
    if target.suffix.lower() in DICOM_SUFFIXES and radiograph.dicom is None:
        raise InputError(f"is no DICOM file, from which {target.suffix} could be derived: choose another --format")
    return target if suffix or _is_file_name(output) else _holding(target, radiograph.pixels)


def _name(path: Path, radiograph: Radiograph, suffix: str | None) -> str:
    own = path.suffix.lower()
    if radiograph.dicom is not None:
        # Files on discs and in archives are named by numbers: 1.2.840.113 has no suffix.
        stem = path.stem if own in DICOM_SUFFIXES else path.name
        return f"{stem}{suffix or DICOM_SUFFIXES[0]}"
    return f"{path.stem}{suffix or (own if own in WRITABLE_SUFFIXES and own not in LOSSY else '.png')}"


def _holding(target: Path, image: Image) -> Path:
    """The same name with a suffix whose format holds the image's type, as a misnamed input may need."""
    if target.suffix.lower() in DICOM_SUFFIXES:
        return target
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
