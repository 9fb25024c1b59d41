"""Count what becomes of damaged files: refused, read, read wrong, crashed.

    python benchmarks/trust.py [--copies 50]

A truncated file must be refused, or give the pixels of the whole file; a file with changed bytes may give any pixels.
`leaked` counts error messages that quote the patient, `changed` counts files that reading changed.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import pydicom
from common import parser_for
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

from napari_dental_denoise import phantom
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.images import read_radiograph
from napari_dental_denoise.models import STARTER, read_model_file

PATIENT = "ZQXPATIENT"
CHANGED_BYTES = 8
COLUMNS = ("tried", "refused", "read", "read wrong", "crashed", "leaked", "changed")
NATIVE = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian)
ENCODERS: dict[pydicom.uid.UID, Callable[[np.ndarray], bytes]] = {
    JPEG2000Lossless: lambda pixels: imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="j2k", reversible=True),
    JPEGLSLossless: imagecodecs.jpegls_encode,
    JPEGLosslessSV1: lambda pixels: imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=1, bitspersample=12),
}


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--copies", type=int, default=50, help="number of damaged copies of each file")
    copies = parser.parse_args().copies
    print("| kind | " + " | ".join(COLUMNS) + " |\n" + "|---" * (1 + len(COLUMNS)) + "|")
    with tempfile.TemporaryDirectory() as folder:
        for path, read in valid_files(Path(folder)):
            expected = read(path)
            for kind, damage in (("truncated", truncated), ("bytes changed", changed)):
                outcomes = damaged_copies(path, read, damage, copies, expected if kind == "truncated" else None)
                total = sum(outcomes, Counter())
                print(f"| {path.name}, {kind} | " + " | ".join(str(total[name]) for name in COLUMNS) + " |", flush=True)


def valid_files(folder: Path) -> Iterator[tuple[Path, Callable[[Path], np.ndarray]]]:
    """Write a valid file of each kind, and yield it with the function that reads it."""
    clean = phantom((61, 83), 3)
    small, wide = np.rint(clean * 255).astype(np.uint8), np.rint(clean * 4095).astype(np.uint16)
    for name, image in (("8.png", small), ("16.png", wide), ("8.jpg", small), ("8.bmp", small), ("16.pgm", wide)):
        cv2.imwrite(str(folder / name), image)
        yield folder / name, read_pixels
    for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        Image.fromarray(small).save(folder / f"{compression}.tif", compression=compression)
        yield folder / f"{compression}.tif", read_pixels
    for syntax in (*NATIVE, RLELossless, *ENCODERS):
        path = folder / f"{syntax.keyword}.dcm"
        dicom_dataset(wide, syntax).save_as(path, enforce_file_format=True)
        yield path, read_pixels
    (folder / "model.keras").write_bytes(STARTER.read_bytes())
    yield folder / "model.keras", lambda path: np.frombuffer(read_model_file(path).weights, np.uint8)


def dicom_dataset(pixels: np.ndarray, syntax: pydicom.uid.UID) -> pydicom.Dataset:
    """Return a 12-bit radiograph of an invented patient in a transfer syntax."""
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if syntax == RLELossless else syntax
    dataset.SOPClassUID, dataset.SOPInstanceUID = DigitalXRayImageStorageForPresentation, generate_uid()
    dataset.Modality, dataset.PatientName, dataset.PatientID = "DX", f"{PATIENT}^Ada", PATIENT
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PixelRepresentation = 1, "MONOCHROME2", 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    encode = ENCODERS.get(syntax)
    dataset.PixelData = encapsulate([encode(pixels)]) if encode else pixels.tobytes()
    dataset["PixelData"].VR = "OB" if encode else "OW"
    dataset["PixelData"].is_undefined_length = encode is not None
    if syntax == RLELossless:
        dataset.compress(RLELossless, encoding_plugin="pydicom")
    return dataset


def damaged_copies(
    path: Path, read: Callable, damage: Callable, copies: int, expected: np.ndarray | None
) -> Iterator[Counter[str]]:
    """Yield the outcome of each damaged copy of a file."""
    data = path.read_bytes()
    copy = path.with_name(f"bad{path.suffix}")
    for seed in range(copies):
        copy.write_bytes(damage(data, np.random.default_rng(seed)))
        yield outcome_of(copy, read, expected)


def outcome_of(path: Path, read: Callable[[Path], np.ndarray], expected: np.ndarray | None) -> Counter[str]:
    """Return what reading one file leads to."""
    before = path.read_bytes()
    outcome = Counter(tried=1)
    try:
        pixels = read(path)
    except InputError as error:
        outcome["refused"] += 1
        outcome["leaked"] += PATIENT.lower() in str(error).lower()
    except Exception as error:  # noqa: BLE001 (every other exception is what this counts)
        print(f"{path.name}: {type(error).__name__}: {error}", file=sys.stderr)
        outcome["crashed"] += 1
    else:
        wrong = expected is not None and not np.array_equal(pixels, expected)
        outcome["read wrong" if wrong else "read"] += 1
    outcome["changed"] += path.read_bytes() != before
    return outcome


def truncated(data: bytes, rng: np.random.Generator) -> bytes:
    """Return the beginning of a file."""
    return data[: rng.integers(len(data))]


def changed(data: bytes, rng: np.random.Generator) -> bytes:
    """Return a file with some random bytes."""
    damaged = bytearray(data)
    for place in rng.integers(len(data), size=CHANGED_BYTES):
        damaged[place] = rng.integers(256)
    return bytes(damaged)


def read_pixels(path: Path) -> np.ndarray:
    """Return the pixels of a radiograph."""
    return read_radiograph(path).pixels


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # pydicom warns of the files that are made here
    main()
