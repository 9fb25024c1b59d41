"""Process one file of many: read, process, write, measure; an error becomes the record of that file."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.batch.inputs import Item, may_be_input
from napari_dental_denoise.batch.maps import Processed, map_name, write_map
from napari_dental_denoise.batch.output_names import fitting_name, is_file_name
from napari_dental_denoise.batch.report import Record
from napari_dental_denoise.batch.text import TextRule, examine
from napari_dental_denoise.dicom import Derivation, write_derived
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.evaluation import mean_score, psnr, ssim_or_nan
from napari_dental_denoise.files import check_name, is_file, is_name
from napari_dental_denoise.images import (
    DICOM,
    READABLE_SUFFIXES,
    TIFF_SUFFIXES,
    Radiograph,
    format_of,
    is_dicom_name,
    name_without_suffix,
    read_image,
    read_pages,
    read_radiograph,
    series_encoding,
    stack_slices,
    write_image,
    write_ome_zarr,
    write_tiff_pages,
)
from napari_dental_denoise.images.readers import ZARR_SUFFIX, is_zarr
from napari_dental_denoise.noise import estimate_noise
from napari_dental_denoise.pixels import ImageInfo, PixelEncoding, to_unit_pair

Image = NDArray[np.generic]
# From the stored values of an image or stack, their encoding and its number to those of the result, with its maps.
Work = Callable[[Image, PixelEncoding, int], Processed]
NO_TWIN = "no clean twin"


@dataclass(frozen=True)
class Destination:
    """Place, format and description of the results."""

    # A folder, or a file name where there is one input.
    output: Path
    # Of the results, with its dot; None for that of each input.
    suffix: str | None
    # How DICOM results describe the processing.
    derivation: Derivation
    overwrite: bool = False
    # Folder with a clean twin of each file, which has the same relative path and any image suffix.
    clean: Path | None = None
    # Folders below which nothing is replaced, unless within the output; see `source_folders`.
    inputs: tuple[Path, ...] = ()
    # What to do with text that is burned into the pixels.
    text: TextRule = "ignore"


def process_item(item: Item, destination: Destination, work: Work, *, measure: bool) -> Record:
    """Process one file and return its record, with an error instead of figures if it cannot be processed.

    `measure` estimates the noise before and after, and computes scores against the clean twin.
    """
    try:
        record, before, after = _process(item, destination, work)
    except InputError as error:
        return failed(item, str(error).removeprefix(f"{item.path.name}: "))
    # Whatever a library raises costs one file. Its text is left out: it could quote the file.
    except Exception as error:  # noqa: BLE001 (see above)
        return failed(item, f"internal error ({type(error).__name__})")
    if not measure:
        return record
    try:
        return _measured(record, item, destination.clean, before, after)
    # A result that cannot be measured is still good.
    except Exception as error:  # noqa: BLE001 (see above)
        return _noted(record, f"could not be measured ({type(error).__name__})")


def failed(item: Item, reason: str, note: str = "") -> Record:
    """Return the record of a file that has no result."""
    return Record(item.name, error=item.without_names(reason), note=note, input=item.state)


def _process(item: Item, destination: Destination, work: Work) -> tuple[Record, Image, Image]:
    """Read, process and write a file; return its record and the image before and after."""
    overwrite = destination.overwrite or item.may_overwrite
    start = time.perf_counter()
    radiograph = read_radiograph(item.path)
    target = _target(item, radiograph, destination)
    _check_target(item, target, destination, overwrite=overwrite)
    info, pixels = radiograph.info, radiograph.pixels
    # Grey files of a series are compared; stored values need no black of their own.
    encoding = info.encoding if is_dicom_name(target) else series_encoding(radiograph)
    examined = examine(pixels, encoding, destination.text)
    pixels = examined.pixels
    encoding = encoding.fit(pixels)
    processed = work(pixels, encoding, item.number)
    name = map_name(item.result_folder, target.name)
    for folder in (*processed.without_map, *(each.folder for each in processed.maps)):
        check_name(folder / name, overwrite=overwrite)
    before, after = encoding.to_grey(pixels), encoding.to_grey(processed.pixels)
    if is_dicom_name(target):
        left_out = write_derived(
            target,
            item.path,
            processed.pixels,
            destination.derivation,
            text=examined.text,
            sha256=info.sha256,
            overwrite=overwrite,
        )
    else:
        left_out = []
        # TIFF holds the type of the input; a DICOM file may store white low.
        is_kept = not info.is_dicom and target.suffix.lower() in (*TIFF_SUFFIXES, ZARR_SUFFIX)
        _write(target, processed.pixels if is_kept else after, info, overwrite=overwrite)
    for each in processed.maps:
        write_map(each.folder / name, each, info.pixel_size, overwrite=overwrite)
    for folder in processed.without_map:
        # That of an earlier run would be taken for one of this result.
        (folder / name).unlink(missing_ok=True)
    seconds = time.perf_counter() - start
    shown = target.name if is_file_name(destination.output) else (item.result_folder / target.name).as_posix()
    record = Record(item.name, shown, seconds, input=item.state, removed_structures=processed.removed_structures)
    if processed.error_map_mean is not None:
        record = replace(record, error_map_mean=processed.error_map_mean / (encoding.white or 1))
    return replace(record, note="; ".join([*examined.notes, *processed.notes, *left_out])), before, after


def _target(item: Item, radiograph: Radiograph, destination: Destination) -> Path:
    output = destination.output
    if not is_file_name(output):
        output = output / item.result_folder / fitting_name(radiograph.info, destination.suffix, item.alias)
    if is_dicom_name(output) and not radiograph.info.is_dicom:
        raise InputError(_not_derived(output.suffix))
    return output


def is_there(item: Item, destination: Destination) -> bool:
    """Return whether a file exists at any name that the result may get."""
    output = destination.output
    paths = [output] if is_file_name(output) else [output / item.result_folder / name for name in item.results]
    return any(map(is_name, paths))


def is_refused(item: Item, destination: Destination) -> bool:
    """Return whether a file that may not be overwritten exists at a name that the result may get."""
    return not item.may_overwrite and not destination.overwrite and is_there(item, destination)


def refusal(item: Item, destination: Destination) -> str | None:
    """Return why a file will have no result, as far as its header tells, or None."""
    if is_refused(item, destination):
        return "its result already exists: choose another output, or --overwrite"
    output = destination.output
    wanted = output if is_file_name(output) else Path(f"result{destination.suffix or ''}")
    if is_dicom_name(wanted) and format_of(item.path) is not DICOM:
        return _not_derived(wanted.suffix)
    return None


def _not_derived(suffix: str) -> str:
    return f"is not a DICOM file, which a {suffix} result needs: choose another --format"


def _check_target(item: Item, target: Path, destination: Destination, *, overwrite: bool) -> None:
    """Raise InputError if the result would replace an input, or another file without permission."""
    if is_name(target) and _may_be_input(item, target, destination):
        raise InputError(f"its result would replace {target}: choose another output")
    check_name(target, overwrite=overwrite)


def _may_be_input(item: Item, target: Path, destination: Destination) -> bool:
    if target.exists() and target.samefile(item.path):
        return True
    # An output file is named by the user, for one input; in an output folder, any file may be another input.
    return not is_file_name(destination.output) and may_be_input(target, destination.inputs, destination.output)


def _write(target: Path, result: Image, info: ImageInfo, *, overwrite: bool) -> None:
    step = stack_slices([info]).depth.step
    if target.suffix.lower() == ZARR_SUFFIX:
        sizes = (step, *(info.pixel_size or (None, None)))
        write_ome_zarr(target, result, sizes[-result.ndim :], overwrite=overwrite)
    elif result.ndim == 2:
        write_image(target, result, info.pixel_size, overwrite=overwrite)
    elif target.suffix.lower() in TIFF_SUFFIXES:
        write_tiff_pages(target, result, info.pixel_size, step_mm=step, overwrite=overwrite)
    else:
        raise InputError(f"has {len(result)} pages, which {target.suffix} cannot hold: omit --format, or choose tif")


def _measured(record: Record, item: Item, clean: Path | None, before: Image, after: Image) -> Record:
    """Return the record with noise estimates and scores; what cannot be measured stays empty."""
    record = replace(record, noise_before=_noise(before), noise_after=_noise(after))
    if clean is None:
        return record
    twin = _twin(clean / item.folder, item.path)
    if twin is None:
        return _noted(record, NO_TWIN)
    try:
        return replace(record, **_scores(after, twin))
    except InputError as error:
        return _noted(record, item.without_names(f"clean twin {error}"))


def _noted(record: Record, note: str) -> Record:
    return replace(record, note=f"{record.note}; {note}" if record.note else note)


def _noise(image: Image) -> float | None:
    try:
        return estimate_noise(image if image.ndim == 2 else image[0]).sigma
    except (InputError, MemoryError):
        return None


def _scores(result: Image, twin: Path) -> dict[str, Any]:
    """Return PSNR and SSIM against the twin, if they are finite."""
    reference = read_pages(twin) if result.ndim == 3 else read_image(twin)
    if reference.shape != result.shape:
        raise InputError(f"{twin.name}: is of shape {reference.shape}, the image {result.shape}")
    pair = to_unit_pair(reference, result)
    pages = [np.reshape(image, (-1, *image.shape[-2:])) for image in pair]
    structure = mean_score(ssim_or_nan(*page, data_range=1) for page in zip(*pages, strict=True))
    scores = {"psnr": psnr(*pair, data_range=1), "ssim": structure}
    return {name: score for name, score in scores.items() if math.isfinite(score)}


def _twin(folder: Path, path: Path) -> Path | None:
    name = name_without_suffix(path)
    suffixes = (*READABLE_SUFFIXES, *map(str.upper, READABLE_SUFFIXES))
    names = (path.name, *(name + suffix for suffix in suffixes), name)
    return next((folder / name for name in names if is_file(folder / name) or is_zarr(folder / name)), None)
