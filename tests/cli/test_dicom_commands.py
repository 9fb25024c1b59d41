"""DICOM from the command line: a derived file for each, in the right polarity, and no word of the patient."""

import numpy as np
import pydicom
import pytest

from napari_dental_denoise.cli import main
from napari_dental_denoise.evaluation.metrics import psnr
from napari_dental_denoise.images.radiograph import read_image, read_radiograph
from napari_dental_denoise.noise.pointwise import add_gaussian_noise
from napari_dental_denoise.synthesis.scene import phantom
from tests.dicom_files import patient_in, radiograph, save


@pytest.fixture
def clean():
    return np.rint(phantom((128, 160), 5) * 4095).astype(np.uint16)


def noisy_file(clean, path, photometric, **attributes):
    noisy = add_gaussian_noise(clean, 0.1, rng=0)
    stored = 4095 - noisy if photometric == "MONOCHROME1" else noisy
    return save(radiograph(stored, bits=12, photometric=photometric, **attributes), path), noisy


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_dicom_is_denoised_in_the_right_polarity_and_stays_dicom(tmp_path, clean, photometric, capsys):
    path, noisy = noisy_file(clean, tmp_path / "in" / "IM000001", photometric, PixelSpacing=[0.1, 0.1])
    assert main(["denoise", str(tmp_path / "in"), "-o", str(tmp_path / "out")]) == 0
    result = tmp_path / "out" / "IM000001.dcm"
    assert pydicom.dcmread(result).PhotometricInterpretation == photometric
    assert pydicom.dcmread(result).PatientID == pydicom.dcmread(path).PatientID
    assert psnr(clean, read_image(result), data_range=4095) > psnr(clean, noisy, data_range=4095) + 8
    assert not patient_in(capsys.readouterr())


def test_both_polarities_give_the_same_pixels(tmp_path, clean):
    for name in ("MONOCHROME1", "MONOCHROME2"):
        noisy_file(clean, tmp_path / "in" / f"{name}.dcm", name)
    assert main(["denoise", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--format", "png"]) == 0
    first, second = (read_image(tmp_path / "out" / f"{name}.png") for name in ("MONOCHROME1", "MONOCHROME2"))
    np.testing.assert_array_equal(first, second)


def test_padding_stays_as_it_is(tmp_path, clean):
    padded = add_gaussian_noise(clean, 0.1, rng=0)
    padded[:, :40] = 65535
    path = save(radiograph(padded, bits=16, PixelPaddingValue=65535), tmp_path / "a.dcm")
    assert main(["denoise", str(path), "-o", str(tmp_path / "out.dcm")]) == 0
    result = read_radiograph(tmp_path / "out.dcm").pixels
    assert (result[:, :40] == 65535).all()
    assert result[:, 40:].max() <= 4095
    assert psnr(clean[:, 40:], result[:, 40:], data_range=4095) > 26


def test_patients_are_left_out_on_request(tmp_path, clean, capsys):
    path, _ = noisy_file(clean, tmp_path / "a.dcm", "MONOCHROME2")
    assert main(["add-noise", str(path), "-o", str(tmp_path / "out"), "--deidentify"]) == 0
    assert not patient_in((tmp_path / "out" / "image_0001.dcm").read_bytes(), capsys.readouterr())


def test_dicom_is_not_made_from_nothing(tmp_path, folder, capsys):
    assert main(["denoise", str(folder), "-o", str(tmp_path / "out"), "--format", "dcm"]) == 2
    assert "is not a DICOM file, which a .dcm result needs" in capsys.readouterr().err


def test_info_tells_nothing_of_the_patient(tmp_path, clean, capsys):
    path, _ = noisy_file(clean, tmp_path / "a.dcm", "MONOCHROME1", ImagerPixelSpacing=[0.1, 0.1])
    assert main(["info", str(path)]) == 0
    said = capsys.readouterr()
    assert not patient_in(said)
    for part in ("lowest value is shown: white", "at the detector", "DX", "12"):
        assert part in said.out


def test_dicom_can_be_evaluated_and_learned_from(tmp_path, clean, capsys):
    for index in range(3):
        save(radiograph(np.rot90(clean, index).copy(), bits=12), tmp_path / "in" / f"{index}.dcm")
    assert main(["evaluate", str(tmp_path / "in"), "--sigma", "25/255"]) == 0
    assert not patient_in(capsys.readouterr())
