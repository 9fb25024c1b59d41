"""napari writer for PNG, TIFF, OME-Zarr and derived DICOM files that keeps bit depth and pixel size."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.config import MODEL_SUFFIX
from napari_dental_denoise.dicom import Derivation, write_derived
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files import is_name
from napari_dental_denoise.images import (
    DICOM_SUFFIX,
    PNG_SUFFIX,
    TIFF_SUFFIXES,
    write_image,
    write_ome_zarr,
    write_tiff_pages,
)
from napari_dental_denoise.images.readers import ZARR_SUFFIX
from napari_dental_denoise.models import PURPOSE
from napari_dental_denoise.pixels import PixelSize, Planes, is_plausible
from napari_dental_denoise.plugin.files.questions import confirm
from napari_dental_denoise.plugin.shared import METADATA, record_encoding, to_grey

# In the record of a layer; the names of its sources may be those of patients.
NO_SETTINGS = ("dicom", "path", "operation", "version", "source")
SUFFIXES = (PNG_SUFFIX, *TIFF_SUFFIXES, DICOM_SUFFIX, ZARR_SUFFIX)
# ".jpg" names a format; ".5" and ".5 denoised" are parts of a layer's name.
OTHER_FORMAT = re.compile(r"\.[a-z][a-z0-9]{1,5}", re.IGNORECASE)


def write_image_layer(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Write one image layer to PNG, TIFF, OME-Zarr or DICOM, as napari calls its writers, and return the path.

    A path that ends in none of .png, .tif, .tiff, .zarr and .dcm gets the suffix .png or, if needed, .tif. 8, 16 and 32
    bit values are written unchanged; 32 bits, floating values, which become float32, and stacks need TIFF, whose pages
    are the images of all axes, or OME-Zarr. A lazy stack is computed page by page. The pixel size is written if the
    layer's units are lengths. A DICOM file needs a layer that was computed from a DICOM file, which must still exist:
    it becomes a derived image of the same patient and study. PNG and TIFF files have white at high values, whatever the
    polarity of a DICOM source.

    An existing file is replaced only if the user confirms it; a script never replaces one. A format that cannot hold
    the image raises OSError: npe2 takes a ValueError, such as InputError, for a missing writer and drops its message.
    """
    try:
        return [str(write_layer(Path(path), data, meta, _check_replacing))]
    except InputError as error:
        raise OSError(str(error)) from error


def write_layer(path: Path, data: Any, meta: Mapping[str, Any], may_replace: Callable[[Path], bool]) -> Path:
    """Write the data of a layer with these settings and return the path, as `write_image_layer` does.

    `may_replace` returns whether an existing file is replaced; raise InputError there to stop.
    """
    array = data[0] if meta.get("multiscale") else data
    name = str(meta.get("name", "The layer"))
    record = (meta.get("metadata") or {}).get(METADATA, {})
    if path.suffix.lower() == DICOM_SUFFIX:
        # Not as it is displayed: what cannot be read is no black image.
        pixels = array if isinstance(array, np.ndarray) else np.stack([*Planes(array)]).reshape(array.shape)
        _write_derived(path, name, np.asarray(pixels), record, may_replace)
        return path
    if "dicom" in record:
        array = to_grey(array, record_encoding(record))
    dtype = _checked_type(name, array, meta)
    images = Planes(array)
    is_stack = len(images.shape) > 2
    target = _with_suffix(path, dtype, is_stack=is_stack)
    sizes = _sizes_in_mm(meta, is_channel_last=images.has_channel)
    size, step = _pixel_size(sizes), _step(sizes)
    overwrite = may_replace(target)
    if target.suffix.lower() == ZARR_SUFFIX:
        known = (step, *(size or (None, None)))
        write_ome_zarr(target, array, known[-len(images.shape) :], overwrite=overwrite)
    elif is_stack:
        write_tiff_pages(target, images, size, step_mm=step, overwrite=overwrite)
    else:
        write_image(target, np.asarray(images[0], dtype), size, overwrite=overwrite)
    return target


def _write_derived(
    path: Path, name: str, pixels: NDArray[np.generic], record: Mapping[str, Any], may_replace: Callable[[Path], bool]
) -> None:
    if not is_derivable(record):
        raise InputError(f"{name} was not made from one DICOM file: choose .png or .tif")
    sha256, overwrite = record["dicom"]["sha256"], may_replace(path)
    source, derivation = Path(record["path"]), derivation_of(record)
    tell(path, write_derived(path, source, pixels, derivation, sha256=sha256, overwrite=overwrite))


def tell(path: Path, left_out: Sequence[str]) -> None:
    """Warn of what a derived file does not take over from its source."""
    if left_out:
        from napari.utils.notifications import show_warning

        show_warning(f"{path.name}: {'; '.join(left_out)}")


def is_derivable(record: Mapping[str, Any]) -> bool:
    """Return whether a record tells of one DICOM file that a layer was made from."""
    return bool(record.get("dicom", {}).get("sha256")) and "path" in record and "operation" in record


def derivation_of(record: Mapping[str, Any]) -> Derivation:
    """Return how a derived file describes what made a layer."""
    settings = {name: value for name, value in record.items() if name not in NO_SETTINGS}
    parameters = ", ".join(f"{name} {value}" for name, value in settings.items())
    if record["operation"] == "denoise":
        model = str(record.get("model"))
        method = f"U-Net {model}" if model.endswith(MODEL_SUFFIX) else model
        by = "a U-Net" if method != model else model
        return Derivation("denoised", f"Denoised by {by}. {PURPOSE}", method, parameters)
    return Derivation("changed", f"{record['operation']}: {parameters}. {PURPOSE}")


def _checked_type(name: str, array: Any, meta: Mapping[str, Any]) -> np.dtype[Any]:
    """Return the type to write, in native byte order; raise InputError unless the layer is a grey image or stack."""
    if meta.get("rgb"):
        raise InputError(f"{name} is a colour image: save it with napari's own writer, or make it grey first")
    dtype = np.dtype(array.dtype).newbyteorder("=")
    if not ((dtype.kind in "ui" and dtype.itemsize <= 4) or dtype.kind == "f"):
        raise InputError(
            f"{name} holds {dtype}: expected integers of 8 to 32 bit or floating; labels go into napari's own writer"
        )
    return dtype


def needs_tiff(dtype: np.dtype[Any], *, is_stack: bool) -> bool:
    """Return whether PNG cannot hold an image or a stack of this type."""
    return is_stack or dtype not in (np.uint8, np.uint16)


def _with_suffix(path: Path, dtype: np.dtype[Any], *, is_stack: bool) -> Path:
    suffix = path.suffix.lower()
    tiff_only = needs_tiff(dtype, is_stack=is_stack)
    if suffix == PNG_SUFFIX and tiff_only:
        what = "a stack" if is_stack else "floating values" if dtype.kind == "f" else f"{dtype} values"
        raise InputError(f"PNG cannot hold {what}: choose TIFF, {path.stem}.tif")
    if suffix in SUFFIXES:
        return path
    if OTHER_FORMAT.fullmatch(suffix):
        raise InputError(f"{suffix} is not written: choose .png, .tif, .zarr or .dcm")
    return path.with_name(path.name + (TIFF_SUFFIXES[0] if tiff_only else PNG_SUFFIX))


def _sizes_in_mm(meta: Mapping[str, Any], *, is_channel_last: bool) -> list[float | None]:
    """Return the size of an element along each axis but that of a channel; None of an axis without a unit of length."""
    scale: Sequence[float] = meta.get("scale") or ()
    units: Sequence[Any] = meta.get("units") or ()
    if is_channel_last:
        scale, units = scale[:-1], units[:-1]
    return [_in_mm(side, unit) for side, unit in zip(scale, units, strict=False)]


def _step(sizes: Sequence[float | None]) -> float | None:
    """Return the distance in mm of the slices of a volume, or None if it is not known or not plausible."""
    step = sizes[0] if len(sizes) == 3 else None
    return step if step is not None and is_plausible(step) else None


def _pixel_size(sizes: Sequence[float | None]) -> PixelSize | None:
    """Return the pixel size in mm, or None if it is not known or not plausible."""
    if len(sizes) < 2:
        return None
    height, width = sizes[-2:]
    if height is None or width is None:
        return None
    if not (is_plausible(height) and is_plausible(width)):
        from napari.utils.notifications import show_warning

        show_warning(f"Pixel size not saved: {height:g} x {width:g} mm is implausible for a radiograph")
        return None
    return height, width


def _in_mm(side: float, unit: Any) -> float | None:
    import pint

    length = pint.get_application_registry().Quantity(abs(float(side)), unit)
    return float(length.to("mm").magnitude) if length.check("[length]") else None


def _check_replacing(path: Path) -> bool:
    """Return whether a file must be replaced; raise InputError if the user does not confirm that."""
    exists = is_name(path)
    # napari's Save dialog asks too, but `layer.save()` does not, and a writer is not told which of them called it.
    if exists and not confirm("Save", f"{path.name} already exists. Replace it?"):
        raise InputError(f"{path.name} already exists: choose another name")
    return exists
