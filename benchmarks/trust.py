"""What bad input gets, and whether DICOM files come back exactly, as two tables.

    python benchmarks/trust.py [--copies 50]

A file that was cut must be refused, or give the pixels that it had; of one with changed bytes any
pixels may come. `leaked` counts reasons that quote the patient; `changed` files that are not what they were.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pydicom
from PIL import Image

from napari_dental_denoise.dicom import Derivation, write_derived
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.images import read_radiograph
from napari_dental_denoise.models import STARTER, read_model_file

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.dicom.test_pixel_data import ENCODED, NATIVE, stored_values, write
from tests.dicom_files import as_jpeg, everything, patient_in, radiograph, save
from tests.hostile import write_hostile

BITS = (8, 10, 12, 14, 16)
SIGNED = {"unsigned": False, "signed": True}
PHOTOMETRIC = ("MONOCHROME1", "MONOCHROME2")
FLIPPED = 8
COLUMNS = ("tried", "refused", "read", "read wrong", "crashed", "leaked", "changed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--copies", type=int, default=50, help="of each kind of bad file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        matrix(Path(folder))
        bad_files(Path(folder), options.copies)


def matrix(folder: Path) -> None:
    """The largest error of a pixel that is read, and of one that is read, derived and read again."""
    print("| transfer syntax | files | read | derived |\n|---|---|---|---|")
    for syntax in (*NATIVE, *ENCODED):
        errors = [
            round_trip(folder / f"{syntax.keyword}{number}.dcm", syntax, *combination)
            for number, combination in enumerate(itertools.product(BITS, SIGNED, PHOTOMETRIC))
        ]
        read, derived = (max(column) for column in zip(*errors, strict=True))
        print(f"| {syntax.keyword} | {len(errors)} | {read} | {derived} |", flush=True)
    print(f"\n{', '.join(map(str, BITS))} bits stored, signed and unsigned, both polarities\n")


def round_trip(path: Path, syntax: pydicom.uid.UID, bits: int, signed: str, photometric: str) -> tuple[int, int]:
    """The two errors of one file."""
    pixels = stored_values(bits, signed=SIGNED[signed])
    write(radiograph(pixels, bits=bits, photometric=photometric), path, syntax)
    read = read_radiograph(path).pixels
    result = path.with_suffix(".derived.dcm")
    write_derived(result, path, read, Derivation("denoised", "Denoised"))
    again = pydicom.dcmread(result).pixel_array
    return tuple(int(np.abs(values.astype(int) - pixels).max()) for values in (read, again))


def bad_files(folder: Path, copies: int) -> None:
    """What each kind of bad file gets."""
    print("| kind | " + " | ".join(COLUMNS) + " |\n" + "|---" * (1 + len(COLUMNS)) + "|")
    hostile = folder / "hostile"
    hostile.mkdir()
    write_hostile(hostile, copies)
    print_row("empty, random, foreign, lying", (tried(path, read_pixels, None) for path in sorted(hostile.iterdir())))
    for path, read in valid_files(folder):
        expected = read(path)
        for kind, change in (("cut", cut), ("bytes changed", flipped)):
            count = copies if path.suffix != ".keras" else -(-copies // 5)
            outcomes = damaged(path, read, change, count, expected if kind == "cut" else None)
            print_row(f"{path.name}, {kind}", outcomes)


def print_row(kind: str, outcomes: Iterator[Counter[str]]) -> None:
    """The sum of the outcomes."""
    total = sum(outcomes, Counter())
    print(f"| {kind} | " + " | ".join(str(total[column]) for column in COLUMNS) + " |", flush=True)


def damaged(
    path: Path, read: Callable, change: Callable, copies: int, expected: np.ndarray | None
) -> Iterator[Counter[str]]:
    """The outcome of each damaged copy of a file."""
    data = path.read_bytes()
    bad = path.with_name(f"bad{path.suffix}")
    for seed in range(copies):
        bad.write_bytes(change(data, np.random.default_rng(seed)))
        yield tried(bad, read, expected)


def tried(path: Path, read: Callable[[Path], np.ndarray], expected: np.ndarray | None) -> Counter[str]:
    """What reading one file comes to."""
    before = path.read_bytes() if path.exists() else b""
    outcome = Counter(tried=1)
    try:
        pixels = read(path)
    except InputError as error:
        outcome["refused"] += 1
        outcome["leaked"] += patient_in(str(error))
    except Exception as error:  # noqa: BLE001 (whatever else comes is what is counted here)
        print(f"{path.name}: {type(error).__name__}: {error}", file=sys.stderr)
        outcome["crashed"] += 1
    else:
        wrong = expected is not None and not np.array_equal(pixels, expected)
        outcome["read wrong" if wrong else "read"] += 1
    outcome["changed"] += (path.read_bytes() if path.exists() else b"") != before
    return outcome


def cut(data: bytes, rng: np.random.Generator) -> bytes:
    """The beginning of a file."""
    return data[: rng.integers(len(data))]


def flipped(data: bytes, rng: np.random.Generator) -> bytes:
    """A file of which some bytes are others."""
    changed = bytearray(data)
    for place in rng.integers(len(data), size=FLIPPED):
        changed[place] = rng.integers(256)
    return bytes(changed)


def read_pixels(path: Path) -> np.ndarray:
    """The pixels of a radiograph."""
    return read_radiograph(path).pixels


def read_weights(path: Path) -> np.ndarray:
    """The weights of a model file."""
    return np.frombuffer(read_model_file(path).weights, np.uint8)


def valid_files(folder: Path) -> Iterator[tuple[Path, Callable[[Path], np.ndarray]]]:
    """A good file of each kind, and how it is read."""
    small, wide = stored_values(8, signed=False), stored_values(12, signed=False)
    for name, image in (("8.png", small), ("16.png", wide), ("8.jpg", small), ("8.bmp", small), ("16.pgm", wide)):
        cv2.imwrite(str(folder / name), image)
        yield folder / name, read_pixels
    for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        path = folder / f"{compression}.tif"
        Image.fromarray(small).save(path, compression=compression)
        yield path, read_pixels
    for syntax in (*NATIVE, *ENCODED):
        path = folder / f"{syntax.keyword}.dcm"
        write(everything(radiograph(wide, bits=12)), path, syntax)
        yield path, read_pixels
    yield save(as_jpeg(everything(radiograph(small)), small), folder / "JPEGBaseline8Bit.dcm"), read_pixels
    (folder / "model.keras").write_bytes(STARTER.read_bytes())
    yield folder / "model.keras", read_weights


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # pydicom's, of the files that are made here
    main()
