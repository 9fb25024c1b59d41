"""A deflated DICOM file is refused before it takes the memory, whatever its file meta says; a whole one is read."""

import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from napari_dental_denoise import config
from napari_dental_denoise.dicom.file import DEFLATED
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.images import probe, read_radiograph
from tests.dicom_files import radiograph, save

SYNTAX = b"\x02\x00\x10\x00UI" + struct.pack("<H", len(DEFLATED)) + DEFLATED.encode()


def group_length(length):
    return b"\x02\x00\x00\x00UL\x04\x00" + struct.pack("<I", length)


PREAMBLE = bytes(128) + b"DICM"
STARTS = {
    "right length": PREAMBLE + group_length(len(SYNTAX)) + SYNTAX,
    "length of 0": PREAMBLE + group_length(0) + SYNTAX,
    "length too large": PREAMBLE + group_length(2**31) + SYNTAX,
    "no length": PREAMBLE + SYNTAX,
    "no preamble": group_length(len(SYNTAX)) + SYNTAX,
    "no preamble, no length": SYNTAX,
}


def deflated(size):
    """Elements of unknown value that unpack to so many bytes."""
    deflater = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    element = b"\x09\x00\x10\x10OB\x00\x00" + struct.pack("<I", size)
    pieces = [deflater.compress(element), *(deflater.compress(bytes(2**20)) for _ in range(size // 2**20))]
    return b"".join([*pieces, deflater.flush()])


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
@pytest.mark.parametrize("read", [probe, read_radiograph])
def test_a_deflated_bomb_is_refused_whatever_its_file_meta_says(start, read, tmp_path, monkeypatch):
    monkeypatch.setattr("napari_dental_denoise.dicom.file.LIMITS", config.Limits(dicom_bytes=2**20))
    path = tmp_path / "a.dcm"
    path.write_bytes(start + deflated(4 * 2**20))
    assert path.stat().st_size < 2**14
    with pytest.raises(ImageReadError, match="unpacks to more than 1 MiB"):
        read(path)


def test_what_a_command_hides_from_the_guard_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_dental_denoise.dicom.file.LIMITS", config.Limits(dicom_bytes=2**20))
    path = tmp_path / "a.dcm"
    length = 3
    command = b"\x00\x00" + struct.pack("<HI", 1, length) + b"\x03\x00\x00"
    path.write_bytes(STARTS["right length"] + command + deflated(4 * 2**20))
    with pytest.raises(ImageReadError, match="unpacks to more than 1 MiB"):
        probe(path)


def test_a_deflated_file_within_the_limit_is_read(tmp_path):
    dataset = radiograph(np.arange(4000, dtype=np.uint16).reshape(50, 80))
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    pixels = read_radiograph(save(dataset, tmp_path / "a.dcm")).pixels
    np.testing.assert_array_equal(pixels, np.arange(4000).reshape(50, 80))


PEAK = """
import resource, sys
from pathlib import Path

from napari_dental_denoise.dicom.file import check_dicom_file
import pydicom, pydicom.filereader
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = peak()
try:
    with open(sys.argv[1], "rb") as file:
        check_dicom_file(Path(sys.argv[1]), file)
except ValueError as error:
    assert "unpacks to more than 1024 MiB" in str(error), error
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="resource is of POSIX")
def test_the_guard_itself_takes_little_memory(tmp_path):
    path = tmp_path / "a.dcm"
    path.write_bytes(STARTS["length of 0"] + deflated(1100 * 2**20))
    taken = subprocess.run([sys.executable, "-c", PEAK, path], check=True, capture_output=True, text=True).stdout
    assert int(taken) < 32
