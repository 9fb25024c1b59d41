"""Text in the pixels is told when patients are to be removed, and covered on request."""

import csv

import cv2
import numpy as np
import pydicom
import pytest

from napari_dental_denoise.cli import main
from napari_dental_denoise.images.radiograph import read_image
from napari_dental_denoise.images.text import find_text
from napari_dental_denoise.images.writer import write_image
from napari_dental_denoise.synthesis.scene import phantom
from tests.dicom_files import radiograph, save

PLAIN = np.rint(np.pad(phantom((170, 300), 3), ((30, 0), (0, 0))) * 4095).astype(np.uint16)
STROKES = cv2.putText(np.zeros(PLAIN.shape, np.uint8), "Mueller 1970", (9, 21), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255)
NAMED = np.where(STROKES > 0, 4095, PLAIN).astype(np.uint16)


def run(*arguments):
    return main(["add-noise", *map(str, arguments), "--sigma", "0.002"])


def notes(path):
    with path.open(newline="") as file:
        return [row["note"] for row in csv.DictReader(file)]


@pytest.fixture
def scans(tmp_path):
    save(radiograph(NAMED, bits=12, BurnedInAnnotation="NO"), tmp_path / "in" / "a.dcm")
    save(radiograph(PLAIN, bits=12), tmp_path / "in" / "b.dcm")
    write_image(tmp_path / "in" / "c.png", NAMED)
    return tmp_path / "in"


def test_text_is_told_where_patients_are_removed(scans, tmp_path, capsys):
    assert run(scans, "-o", tmp_path / "out", "--deidentify") == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("2 with text in the pixels")
    told = notes(tmp_path / "out.csv")
    assert told[0].startswith("text in the pixels at rows ")
    assert told[1] == ""
    assert told[2] == told[0]
    first, second = (pydicom.dcmread(tmp_path / "out" / f"image_000{number}.dcm") for number in (1, 2))
    assert first.BurnedInAnnotation == "YES"
    assert "was left" in first.DeidentificationMethod
    assert "BurnedInAnnotation" not in second
    assert "no text was found" in second.DeidentificationMethod
    assert find_text(read_image(tmp_path / "out" / "image_0003.png"))


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_text_is_covered_on_request(tmp_path, capsys, photometric):
    stored = 4095 - NAMED if photometric == "MONOCHROME1" else NAMED
    save(radiograph(stored, bits=12, photometric=photometric, BurnedInAnnotation="YES"), tmp_path / "in" / "a.dcm")
    assert run(tmp_path / "in", "-o", tmp_path / "out", "--deidentify", "--cover-text") == 0
    assert "1 with covered text in the pixels" in capsys.readouterr().out
    assert notes(tmp_path / "out.csv")[0].startswith("covered text in the pixels at rows ")
    result = pydicom.dcmread(tmp_path / "out" / "image_0001.dcm")
    assert result.BurnedInAnnotation == "NO"
    assert "was covered" in result.DeidentificationMethod
    assert [code.CodeValue for code in result.DeidentificationMethodCodeSequence] == ["113100", "113101"]
    image = read_image(tmp_path / "out" / "image_0001.dcm")
    assert find_text(image) == []
    assert image[:28].max() < 200
    np.testing.assert_allclose(image[60:], PLAIN[60:], atol=60)


def test_covering_needs_no_deidentification_and_is_a_setting_of_its_own(scans, tmp_path, capsys):
    assert run(scans, "-o", tmp_path / "out") == 0
    assert "text" not in capsys.readouterr().out
    assert notes(tmp_path / "out.csv") == ["", "", ""]
    assert run(scans, "-o", tmp_path / "out", "--cover-text", "--overwrite") == 0
    assert "done before" not in capsys.readouterr().out
    result = pydicom.dcmread(tmp_path / "out" / "a.dcm")
    assert result.PatientID
    assert result.BurnedInAnnotation == "NO"
    assert find_text(read_image(tmp_path / "out" / "c.png")) == []


def test_the_place_in_a_single_file_is_printed(scans, tmp_path, capsys):
    assert run(scans / "c.png", "-o", tmp_path / "c.png", "--deidentify") == 0
    assert "text in the pixels at rows " in capsys.readouterr().out


def test_pages_are_covered_one_by_one(tmp_path):
    stack = radiograph(np.stack([PLAIN, NAMED, PLAIN]), bits=12)
    save(stack, tmp_path / "in" / "a.dcm")
    assert run(tmp_path / "in", "-o", tmp_path / "out", "--cover-text") == 0
    assert notes(tmp_path / "out.csv")[0].startswith("covered text in the pixels at page 2, rows ")
