"""From many input files to one output file each; a bad one is listed, and the rest goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.cli.console import exit_code, progress_bar, report_left_out, say
from napari_dental_denoise.core.atomic import refuse_existing
from napari_dental_denoise.core.errors import ImageReadError, InputError
from napari_dental_denoise.core.folders import list_files
from napari_dental_denoise.core.images import FLOATING, LOSSLESS_16_BIT, WRITABLE_SUFFIXES, read_image, write_image

Image = NDArray[np.generic]
LOSSY = (".jpg", ".jpeg")


@dataclass
class Outcome:
    """What came of a set of files."""

    done: list[Path] = field(default_factory=list)
    errors: list[InputError] = field(default_factory=list)


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
    outcome = Outcome()
    taken: dict[Path, Path] = {}
    with progress_bar(len(paths), "image") as bar:
        for number, path in enumerate(paths):
            try:
                target = _target(path, output, suffix, single=len(paths) == 1)
                _claim(taken, target, path, overwrite=overwrite)
                outcome.done.append(_process(path, number, work, target, suffix, overwrite=overwrite))
            except ImageReadError as error:
                outcome.errors.append(error)
            except InputError as error:
                outcome.errors.append(ImageReadError(path, str(error)))
            bar.update()
    report_left_out(outcome.errors)
    left_out = f", {len(outcome.errors)} left out" if outcome.errors else ""
    where = f" in {outcome.done[0].parent}" if outcome.done else ""
    say(f"{len(outcome.done)} {verb}{where}{left_out}")
    return exit_code(len(outcome.done), len(outcome.errors))


def _process(
    path: Path, number: int, work: Callable[[Image, int], Image], target: Path, suffix: str | None, *, overwrite: bool
) -> Path:
    image = read_image(path)
    if suffix is None:
        target = _holding(target, image)
    result = work(image, number)
    write_image(target, result, overwrite=overwrite)
    return target


def _target(path: Path, output: Path, suffix: str | None, *, single: bool) -> Path:
    if single and output.suffix.lower() in WRITABLE_SUFFIXES and not output.is_dir():
        return output
    own = path.suffix.lower()
    kept = own if own in WRITABLE_SUFFIXES and own not in LOSSY else ".png"
    return output / f"{path.stem}{suffix or kept}"


def _holding(target: Path, image: Image) -> Path:
    """The same name with a suffix whose format holds the image's type, as a misnamed input may need."""
    if np.issubdtype(image.dtype, np.floating):
        allowed: tuple[str, ...] = FLOATING
    else:
        allowed = LOSSLESS_16_BIT if image.dtype == np.uint16 else WRITABLE_SUFFIXES
    return target if target.suffix.lower() in allowed else target.with_suffix(".tif")


def _claim(taken: dict[Path, Path], target: Path, path: Path, *, overwrite: bool) -> None:
    if target.exists() and target.samefile(path):
        raise InputError("the result would replace the input itself: choose another output")
    if target in taken:
        raise InputError(f"its result would have the name of that of {taken[target]}: give it an output of its own")
    if not overwrite:
        refuse_existing(target)
    taken[target] = path
