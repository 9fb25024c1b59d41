"""Fuzz the reader of DICOM files and of DICOMDIR."""

from __future__ import annotations

import io
import sys
import zlib
from pathlib import Path

import atheris
import imagecodecs
import numpy as np

with atheris.instrument_imports(include=["napari_dental_denoise", "pydicom"]):
    import pydicom
    from pydicom.uid import (
        DeflatedExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        JPEG2000Lossless,
        JPEGLosslessSV1,
        JPEGLSLossless,
    )

    from napari_dental_denoise.dicom import listed_images
    from napari_dental_denoise.errors import ImageReadError
    from napari_dental_denoise.images import probe, read_radiograph

import harness

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.dicom_files import as_jpeg, complete, compressed, encapsulated, radiograph, run_length


def try_file(path: Path) -> None:
    """Read a file in every way; the pixels must be the same after conversion to grey values and back."""
    for ask in (probe, listed_images):
        try:
            ask(path)
        except ImageReadError:
            continue
    try:
        read = read_radiograph(path)
    except ImageReadError:
        return
    np.testing.assert_array_equal(read.info.encoding.from_grey(read.grey, read.pixels), read.pixels)


def seeds() -> dict[str, bytes]:
    """Return a small image in each transfer syntax."""
    grey = (np.arange(24 * 18, dtype=np.uint16).reshape(24, 18) * 9) % 4096
    small = (grey >> 4).astype(np.uint8)
    datasets = {
        "plain": complete(radiograph(grey, bits=12)),
        "inverted": radiograph(grey, bits=12, photometric="MONOCHROME1", PixelPaddingValue=0),
        "signed": radiograph(grey.astype(np.int16) - 2048, bits=12, RescaleSlope=2, WindowCenter=1, WindowWidth=9),
        "colour": radiograph(np.dstack([small] * 3), photometric="RGB"),
        "frames": radiograph(np.stack([grey, grey]), bits=12),
        "jpeg": as_jpeg(radiograph(small), small),
        "runs": run_length(radiograph(grey, bits=12)),
    }
    for syntax in (JPEG2000Lossless, JPEGLSLossless, JPEGLosslessSV1):
        datasets[syntax.keyword] = compressed(radiograph(grey, bits=12), syntax)
    record = pydicom.Dataset()
    record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", ["DISC", "IM1"]
    datasets["directory"] = radiograph(grey, bits=12, DirectoryRecordSequence=[record])
    for syntax in (ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian):
        datasets[syntax.keyword] = radiograph(grey, bits=12)
        datasets[syntax.keyword].file_meta.TransferSyntaxUID = syntax
    files = {name: _bytes(dataset) for name, dataset in datasets.items()}
    # Compressions that pydicom does not write, in place of another one.
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    streams = {
        "1.2.840.10008.1.2.4.110": imagecodecs.jpegxl_encode(small, lossless=True),
        "1.2.840.10008.1.2.8.1": packer.compress(small.tobytes()) + packer.flush(),
    }
    for syntax, stream in streams.items():
        data = _bytes(encapsulated(radiograph(small), JPEG2000Lossless, stream))
        name = JPEG2000Lossless.encode()
        files[syntax] = data.replace(
            name + bytes(len(name) % 2), syntax.encode().ljust(len(name) + len(name) % 2, b"\0")
        )
    return files


def _bytes(dataset: pydicom.Dataset) -> bytes:
    meta = dataset.file_meta
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    data = io.BytesIO()
    dataset.save_as(data, enforce_file_format=True)
    return data.getvalue()


if __name__ == "__main__":
    harness.run(try_file, seeds())
