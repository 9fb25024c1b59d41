"""Count what becomes of files of many kinds and of damaged ones: read right, refused, read wrong, crashed.

    python benchmarks/trust.py [--copies 50]
    python benchmarks/trust.py --files FOLDER

The first table is of valid files of several libraries, and of such that hold no image. The second one is of damaged
files: a truncated one must be refused, or give the pixels of the whole file; one with changed bytes may give any
pixels. `leaked` counts error messages that quote the patient, `changed` counts files that reading changed.

With --files, files that others made are compared with what Pillow, OpenCV, tifffile and pydicom read of them. For all
of DICOM and JPEG: `pip install pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg python-gdcm`.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from common import parser_for
from corpus import ENCODERS, NATIVE, PATIENT, Case, corpus, dicom_dataset
from independent import FINDINGS, RIGHT, compare_files
from PIL import Image
from pydicom.uid import RLELossless

from napari_dental_denoise import phantom
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.images import read_radiograph
from napari_dental_denoise.models import STARTER, read_model_file

CHANGED_BYTES = 8
JUDGEMENTS = ("right", "refused with the reason", "refused otherwise", "wrong", "crashed")
COLUMNS = ("tried", "refused", "read", "read wrong", "crashed", "leaked", "changed")


def main() -> None:
    parser = parser_for(__doc__)
    parser.add_argument("--copies", type=int, default=50, help="number of damaged copies of each file")
    parser.add_argument("--files", type=Path, nargs="+", help="compare the files in these folders with other readers")
    arguments = parser.parse_args()
    if arguments.files:
        print_comparisons(arguments.files)
    else:
        print_corpus()
        print_damaged(arguments.copies)


def print_comparisons(folders: Sequence[Path]) -> None:
    """Print what becomes of the files of other people, and on stderr each that is not read right, with the reason."""
    print("| files | number | " + " | ".join(FINDINGS) + " |\n" + "|---" * (2 + len(FINDINGS)) + "|")
    for folder in folders:
        counts: Counter[str] = Counter()
        for finding in compare_files(folder):
            counts[finding.kind] += 1
            if finding.kind != RIGHT:
                print(f"{finding.kind}: {finding.path.relative_to(folder)}: {finding.told}", file=sys.stderr)
        print(f"| {folder.name} | {counts.total()} | " + " | ".join(str(counts[name]) for name in FINDINGS) + " |")


def print_damaged(copies: int) -> None:
    """Read damaged copies of a valid file of each kind, and print what becomes of them."""
    print("\n| kind | " + " | ".join(COLUMNS) + " |\n" + "|---" * (1 + len(COLUMNS)) + "|")
    with tempfile.TemporaryDirectory() as folder:
        for path, read in valid_files(Path(folder)):
            expected = read(path)
            for kind, damage in (("truncated", truncated), ("bytes changed", changed)):
                outcomes = damaged_copies(path, read, damage, copies, expected if kind == "truncated" else None)
                total = sum(outcomes, Counter())
                print(f"| {path.name}, {kind} | " + " | ".join(str(total[name]) for name in COLUMNS) + " |", flush=True)


def print_corpus() -> None:
    """Read each file of the corpus and print what becomes of the files of each kind."""
    counts: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for case in corpus(Path(folder)):
            counts.setdefault(case.kind, Counter())[judged(case)] += 1
    counts["all"] = sum(counts.values(), Counter())
    print("| kind | files | " + " | ".join(JUDGEMENTS) + " |\n" + "|---" * (2 + len(JUDGEMENTS)) + "|")
    for kind, found in counts.items():
        print(f"| {kind} | {found.total()} | " + " | ".join(str(found[name]) for name in JUDGEMENTS) + " |")


def judged(case: Case) -> str:
    """Return what becomes of a file of the corpus; what is not as it must be is told on stderr."""
    try:
        pixels = read_pixels(case.path)
    except InputError as error:
        if isinstance(case.expected, str) and case.expected.lower() in str(error).lower():
            return "refused with the reason"
        told, judgement = str(error), "refused otherwise"
    except Exception as error:  # noqa: BLE001 (every other exception is what this counts)
        told, judgement = repr(error), "crashed"
    else:
        if not isinstance(case.expected, str) and pixels.shape == case.expected.shape:
            difference = float(np.abs(pixels.astype(float) - case.expected).max())
            if difference <= case.tolerance:
                return "right"
            told = f"differs by {difference:g}"
        else:
            told = f"has the shape {pixels.shape}"
        judgement = "wrong"
    print(f"{case.kind}, {case.path.name}: {told}", file=sys.stderr)
    return judgement


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
