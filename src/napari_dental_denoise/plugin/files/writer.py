"""Image layers become PNG, TIFF and derived DICOM files: bit depth and pixel size kept, nothing replaced unasked."""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_dental_denoise.dicom import Derivation, write_derived
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.files import is_name
from napari_dental_denoise.images import PNG_SUFFIX, TIFF_SUFFIXES, write_tiff_pages, write_with_pixel_size
from napari_dental_denoise.models import PURPOSE
from napari_dental_denoise.pixels import PixelSize, is_plausible
from napari_dental_denoise.plugin.shared import METADATA, record_encoding, to_grey

DICOM_SUFFIX = ".dcm"
SUFFIXES = (PNG_SUFFIX, *TIFF_SUFFIXES, DICOM_SUFFIX)
# ".jpg" is a format, ".5" and ".5 denoised" are part of a layer's name.
OTHER_FORMAT = re.compile(r"\.[a-z][a-z0-9]{1,5}", re.IGNORECASE)


def write_image_layer(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Write one image layer to PNG, TIFF or DICOM.

    8 and 16 bit stay as they are; floating values go into TIFF, as float32, and so do stacks. Of a lazy
    stack, a page at a time is computed. The pixel size is written where the layer's units are a length.
    DICOM is written of what was worked out from a DICOM file that is still there: a derived image of
    the same patient and study. PNG and TIFF show white high, whatever the polarity of such a file.

    napari's "Save" dialog asks before a file is replaced, `layer.save()` and `viewer.layers.save()`
    do not. So a file that is there is replaced only where the dialog asked for this very name.

    Parameters
    ----------
    path : str
        Ends in .png, .tif, .tiff or .dcm; without a suffix one is added that fits, PNG where it can be.
    data : array of numpy or dask
        (H, W) or (N, H, W).
    meta : dict
        The settings of the layer, as napari hands them to writers.

    Returns
    -------
    list of str
        The file that was written.

    Raises
    ------
    OSError
        If the format cannot hold the image, or the file is there already. No `InputError`: for npe2 a
        ValueError means that there is no writer, and its message is lost.
    """
    try:
        return [str(_write(Path(path), data, meta))]
    except InputError as error:
        raise OSError(str(error)) from error


def _write(path: Path, data: Any, meta: Mapping[str, Any]) -> Path:
    array = data[0] if meta.get("multiscale") else data
    name = str(meta.get("name", "The layer"))
    record = (meta.get("metadata") or {}).get(METADATA, {})
    if path.suffix.lower() == DICOM_SUFFIX:
        return _write_derived(path, name, np.asarray(array), record)
    if "dicom" in record:
        array = to_grey(array, record_encoding(record))
    dtype = _checked_type(name, array, meta)
    target = _with_suffix(path, array.ndim, dtype)
    size = _pixel_size(meta)
    overwrite = _dialog_asked_for(target)
    if not overwrite and is_name(target):
        raise InputError(f"{target.name} is there already: choose another name")
    if array.ndim == 2:
        write_with_pixel_size(target, np.asarray(array, dtype), size, overwrite=overwrite)
    else:
        write_tiff_pages(target, array.astype(dtype, copy=False), size, overwrite=overwrite)
    return target


def _write_derived(path: Path, name: str, pixels: NDArray[np.generic], record: Mapping[str, Any]) -> Path:
    sha256 = record.get("dicom", {}).get("sha256")
    if sha256 is None or "path" not in record or "operation" not in record:
        raise InputError(f"{name} was not made from one DICOM file: choose .png or .tif")
    source = Path(record["path"])
    overwrite = _dialog_asked_for(path)
    write_derived(path, source, pixels, _derivation(record), sha256=sha256, overwrite=overwrite)
    return path


def _derivation(record: Mapping[str, Any]) -> Derivation:
    settings = {name: value for name, value in record.items() if name not in ("dicom", "path", "operation", "version")}
    parameters = ", ".join(f"{name} {value}" for name, value in settings.items())
    if record["operation"] == "denoise":
        return Derivation("denoised", f"Denoised by a U-Net. {PURPOSE}", f"U-Net {record.get('model')}", parameters)
    return Derivation("changed", f"{record['operation']}: {parameters}. {PURPOSE}")


def _checked_type(name: str, array: Any, meta: Mapping[str, Any]) -> np.dtype[Any]:
    """The type to write, in this machine's byte order; refuses what is no grey image."""
    if meta.get("rgb"):
        raise InputError(f"{name} is a colour image: save it with napari's own writer, or make it grey first")
    if array.ndim not in (2, 3):
        raise InputError(f"{name} has {array.ndim} dimensions: expected an image (2) or a stack (3)")
    dtype = np.dtype(array.dtype).newbyteorder("=")
    if dtype not in (np.uint8, np.uint16) and not np.issubdtype(dtype, np.floating):
        raise InputError(f"{name} holds {dtype}: expected 8 or 16 bit or floating; labels go into napari's own writer")
    return dtype


def _with_suffix(path: Path, ndim: int, dtype: np.dtype[Any]) -> Path:
    suffix = path.suffix.lower()
    needs_tiff = ndim > 2 or np.issubdtype(dtype, np.floating)
    if suffix == PNG_SUFFIX and needs_tiff:
        what = "a stack" if ndim > 2 else "floating values"
        raise InputError(f"PNG cannot hold {what}: choose TIFF, {path.stem}.tif")
    if suffix in SUFFIXES:
        return path
    if OTHER_FORMAT.fullmatch(suffix):
        raise InputError(f"{suffix} is not written: choose .png, .tif or .dcm")
    return path.with_name(path.name + (TIFF_SUFFIXES[0] if needs_tiff else PNG_SUFFIX))


def _pixel_size(meta: Mapping[str, Any]) -> PixelSize | None:
    """In mm, or None where the layer has no unit of length, or an impossible one."""
    scale: Sequence[float] = meta.get("scale") or ()
    units: Sequence[Any] = meta.get("units") or ()
    if len(scale) < 2 or len(units) < 2:
        return None
    height, width = (_in_mm(side, unit) for side, unit in zip(scale[-2:], units[-2:], strict=True))
    if height is None or width is None:
        return None
    if not (is_plausible(height) and is_plausible(width)):
        from napari.utils.notifications import show_warning

        show_warning(f"Pixel size not saved: {height:g} x {width:g} mm is none of a radiograph")
        return None
    return height, width


def _in_mm(side: float, unit: Any) -> float | None:
    import pint

    length = pint.get_application_registry().Quantity(abs(float(side)), unit)
    return float(length.to("mm").magnitude) if length.check("[length]") else None


def _dialog_asked_for(path: Path) -> bool:
    """Whether napari's "Save" dialog called, whose user confirmed that this file may be replaced.

    napari tells a writer nothing of this; so its dialog is looked for among the callers. Where it is
    not found, as in another napari, the answer is no, and a file that is there stays.
    """
    for frame, _ in traceback.walk_stack(None):
        if frame.f_code.co_name == "_save_layers_dialog" and "filename" in frame.f_locals:
            return Path(str(frame.f_locals["filename"])) == path
    return False
