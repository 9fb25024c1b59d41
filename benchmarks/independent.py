"""Compare what is read of files with what independent libraries read of them, each library that reads a file."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pydicom
import tifffile
from PIL import Image, ImageOps
from pydicom.pixels import apply_color_lut, get_decoder, pixel_array
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.images import probe, read_radiograph
from napari_dental_denoise.images.formats import DICOM, format_of

WEIGHTS = (0.299, 0.587, 0.114)
# By how much grey values differ that were rounded on the way, or the share of the largest value.
ROUNDED, ROUNDED_SHARE = 2.0, 2e-5
INKS = 4
# Of a file, until it counts as a hang.
SECONDS = 60
RIGHT, REFUSED_BY_ALL, ONLY_REFUSED, ONLY_READ = "right", "refused by all", "refused, read by others", "read only here"
DIFFERS, CRASHED = "differs from all", "crashed or hung"
FINDINGS = (RIGHT, REFUSED_BY_ALL, ONLY_REFUSED, ONLY_READ, DIFFERS, CRASHED)


class Finding(NamedTuple):
    """Outcome of a file: one of FINDINGS, and the reason of a refusal or the differences."""

    path: Path
    kind: str
    told: str


def compare_files(folder: Path) -> Iterator[Finding]:
    """Compare each file below a folder; a process of its own survives decoders that do not."""
    pool = multiprocessing.Pool(1)
    for path in sorted(file for file in folder.rglob("*") if file.is_file()):
        try:
            yield pool.apply_async(compare, (path,)).get(SECONDS)
        except multiprocessing.TimeoutError:
            pool.terminate()
            pool = multiprocessing.Pool(1)
            yield Finding(path, CRASHED, f"no answer within {SECONDS} s")
    pool.terminate()


def compare(path: Path) -> Finding:
    """Compare the pixels of a file, all frames of DICOM or the first page of others, with those of other libraries."""
    warnings.simplefilter("ignore")
    logging.disable()
    wanted = slice(None) if format_of(path) == DICOM else slice(1)
    others = dict(_by_pydicom(path) if wanted == slice(None) else _by_raster_libraries(path))
    try:
        pixels = read_radiograph(path, wanted).pixels
        probe(path)
    except InputError as error:
        told = f"{error} [{', '.join(others)}]"
        return Finding(path, ONLY_REFUSED if others else REFUSED_BY_ALL, told)
    except Exception as error:  # noqa: BLE001 (every other exception is what this counts)
        return Finding(path, CRASHED, repr(error))
    if not others:
        return Finding(path, ONLY_READ, "")
    differences = {name: _difference(pixels, found) for name, found in others.items()}
    kind = RIGHT if min(differences.values()) <= max(ROUNDED, ROUNDED_SHARE * float(np.abs(pixels).max())) else DIFFERS
    return Finding(path, kind, ", ".join(f"{name} {value:g}" for name, value in differences.items()))


def _difference(pixels: np.ndarray, others: np.ndarray) -> float:
    """Return the largest difference of grey values, infinite where the shapes differ."""
    if pixels.shape != others.shape:
        return np.inf
    # Pillow reads colours of 16 bits as 8.
    is_reduced = pixels.dtype == np.uint16 and others.dtype == np.float32
    found = pixels / 257 if is_reduced else pixels.astype(float)
    return float(np.nan_to_num(np.abs(found - others.astype(float))).max(initial=0))


def _by_pydicom(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the pixels by each decoder of pydicom."""
    with contextlib.suppress(Exception):
        dataset = pydicom.dcmread(path, force=True)
        if "PixelData" not in dataset:
            yield "pydicom", dataset.pixel_array
            return
        if not dataset.file_meta.get("TransferSyntaxUID"):
            is_implicit, _ = dataset.original_encoding
            dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if is_implicit else ExplicitVRLittleEndian
        syntax = UID(dataset.file_meta.TransferSyntaxUID)
        plugins = get_decoder(syntax).available_plugins if syntax.is_encapsulated else ("",)
        for plugin in plugins:
            with contextlib.suppress(Exception):
                yield plugin or "pydicom", _grey_of_dicom(dataset, plugin)


def _grey_of_dicom(dataset: pydicom.Dataset, plugin: str) -> np.ndarray:
    pixels = pixel_array(dataset, decoding_plugin=plugin)
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, dataset)
    return _luminance(pixels) if pixels.shape[-1] in (3, 4) and pixels.ndim > 2 else pixels


def _luminance(pixels: np.ndarray) -> np.ndarray:
    return pixels[..., :3].astype(float) @ WEIGHTS


def _by_raster_libraries(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the pixels of the first image by each library that reads a file."""
    for name, read in RASTER_READERS.items():
        with contextlib.suppress(Exception):
            yield name, read(path)


def _by_pillow(path: Path) -> np.ndarray:
    with Image.open(path) as opened:
        image = ImageOps.exif_transpose(opened)
        if image.mode.startswith(("I", "F")):
            return np.asarray(image)
        if image.mode in ("1", "L", "LA", "La"):
            return np.asarray(image.convert("L"))
        colours = image.convert("RGBA") if image.mode in ("P", "PA") else image
        return _luminance(np.asarray(colours.convert("RGB"))).astype(np.float32)


def _by_opencv(path: Path) -> np.ndarray:
    pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    return pixels if pixels.ndim == 2 else _luminance(pixels[..., 2::-1])


def _by_tifffile(path: Path) -> np.ndarray:
    with tifffile.TiffFile(path) as tiff:
        page = next(page.aspage() for page in tiff.pages if not page.is_reduced)
        pixels, white = page.asarray(maxworkers=1), 2**page.bitspersample - 1 if page.sampleformat == 1 else 1
        if page.photometric == tifffile.PHOTOMETRIC.PALETTE:
            pixels, white = page.colormap.T[pixels] >> 8, 255
        pixels = np.moveaxis(pixels, 0, -1) if page.axes.startswith("S") else pixels
        if page.photometric == tifffile.PHOTOMETRIC.SEPARATED:
            pixels = (white - pixels[..., :3].astype(float)) * (white - pixels[..., 3:4].astype(float)) / white
        if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
            pixels = white - pixels
        if 1 < white < 255:
            pixels = pixels * 255.0 / white
        return pixels if pixels.ndim == 2 else _luminance(pixels) if pixels.shape[-1] > 2 else pixels[..., 0]


def _by_pylibjpeg(path: Path) -> np.ndarray:
    import libjpeg

    pixels = libjpeg.decode(path)
    if pixels.shape[-1] == INKS:
        raise ValueError("inks, or light, as a header may tell")
    return pixels if pixels.ndim == 2 else _luminance(pixels)


RASTER_READERS: Mapping[str, Callable[[Path], np.ndarray]] = {
    "Pillow": _by_pillow,
    "OpenCV": _by_opencv,
    "tifffile": _by_tifffile,
    "pylibjpeg": _by_pylibjpeg,
}
