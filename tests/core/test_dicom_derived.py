"""A derived image is a new image of the same patient and study, valid, with its source untouched; or of nobody."""

import shutil
import subprocess

import numpy as np
import pydicom
import pytest
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit

from napari_dental_denoise.core.dicom_derived import Derivation, write_derived
from napari_dental_denoise.core.errors import InputError
from napari_dental_denoise.core.phantom import phantom
from napari_dental_denoise.core.radiograph import read_radiograph
from tests.dicom_files import as_jpeg, complete, compressed, everything, patient_in, radiograph, save

DENOISED = Derivation("denoised", "Denoised by a U-Net", "U-Net standard", "strength 1")
NOBODY = Derivation("denoised", "Denoised by a U-Net", "U-Net standard", "strength 1", deidentify=True)


@pytest.fixture
def pixels():
    return np.rint(phantom((64, 96), 0) * 4095).astype(np.uint16)


def derived(dataset, folder, derivation=DENOISED, change=1):
    source = save(dataset, folder / "source.dcm")
    before = source.read_bytes()
    stored = read_radiograph(source).pixels ^ np.uint16(change) if dataset.BitsStored > 8 else None
    result = read_radiograph(source).pixels if stored is None else stored
    write_derived(folder / "derived.dcm", source, result, derivation)
    assert source.read_bytes() == before
    np.testing.assert_array_equal(read_radiograph(folder / "derived.dcm").pixels, result)
    return pydicom.dcmread(source), pydicom.dcmread(folder / "derived.dcm")


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_a_derived_image_belongs_to_its_source(tmp_path, pixels, photometric):
    before, after = derived(complete(radiograph(pixels, bits=12, photometric=photometric)), tmp_path)
    for name in ("PatientName", "PatientID", "StudyInstanceUID", "BurnedInAnnotation", "BitsStored", "HighBit"):
        assert after.get(name) == before.get(name)
    for name in ("PhotometricInterpretation", "WindowCenter", "ImagerPixelSpacing", "SOPClassUID", "InstanceNumber"):
        assert after.get(name) == before.get(name)
    assert after.SOPInstanceUID != before.SOPInstanceUID
    assert after.SeriesInstanceUID != before.SeriesInstanceUID
    assert after.file_meta.MediaStorageSOPInstanceUID == after.SOPInstanceUID
    assert list(after.ImageType) == ["DERIVED", "PRIMARY", ""]
    assert after.DerivationDescription == "Denoised by a U-Net"
    assert after.SourceImageSequence[0].ReferencedSOPInstanceUID == before.SOPInstanceUID
    assert after.DerivationAlgorithmSequence[0].AlgorithmName == "U-Net standard"
    assert after.ContributingEquipmentSequence[0].ManufacturerModelName == "napari-dental-denoise"


def test_images_of_one_series_stay_together(tmp_path, pixels):
    series = set()
    for index in range(2):
        dataset = radiograph(pixels, bits=12, SeriesInstanceUID="1.2.3", InstanceNumber=index)
        _, after = derived(dataset, tmp_path / str(index), Derivation("denoised", ""))
        series.add(after.SeriesInstanceUID)
    assert len(series) == 2
    run = Derivation("denoised", "")
    assert run.uid("series 1.2.3") == run.uid("series 1.2.3") != run.uid("series 1.2.4")


def test_private_and_stale_attributes_are_left_out(tmp_path, pixels):
    dataset = radiograph(pixels, bits=12, SmallestImagePixelValue=0)
    dataset.private_block(0x11, "A MAKER", create=True).add_new(1, "LO", "of the pixels before")
    _, after = derived(dataset, tmp_path)
    assert "SmallestImagePixelValue" not in after
    assert not [element for element in after if element.tag.is_private]


def test_a_compressed_source_is_derived_uncompressed(tmp_path, pixels):
    _, after = derived(compressed(radiograph(pixels, bits=12), JPEG2000Lossless), tmp_path)
    assert not after.file_meta.TransferSyntaxUID.is_compressed
    small = (pixels >> 4).astype(np.uint8)
    dataset = as_jpeg(radiograph(small, LossyImageCompression="01"), small)
    before, after = derived(dataset, tmp_path / "lossy")
    assert before.file_meta.TransferSyntaxUID == JPEGBaseline8Bit
    assert after.LossyImageCompression == "01"


def test_a_colour_source_becomes_grey(tmp_path, pixels):
    colours = np.dstack([(pixels >> 4).astype(np.uint8)] * 3)
    _, after = derived(radiograph(colours, photometric="RGB"), tmp_path)
    assert (after.SamplesPerPixel, after.PhotometricInterpretation) == (1, "MONOCHROME2")
    assert "PlanarConfiguration" not in after


def test_nothing_of_the_patient_is_left_on_request(tmp_path, pixels):
    dataset = everything(complete(radiograph(pixels, bits=12)))
    dataset.AnatomicRegionSequence[0].add_new("PatientComments", "LT", dataset.PatientID)
    dataset.private_block(0x11, "A MAKER", create=True).add_new(1, "LO", dataset.PatientID)
    before, after = derived(dataset, tmp_path, NOBODY)
    data = (tmp_path / "derived.dcm").read_bytes()
    assert patient_in((tmp_path / "source.dcm").read_bytes())
    assert not patient_in(data)
    for known in (before.SOPInstanceUID, before.StudyInstanceUID, before.SeriesInstanceUID, "20250203", "19700102"):
        assert known.encode() not in data
    assert after.PatientIdentityRemoved == "YES"
    assert after.AnatomicRegionSequence[0].CodeMeaning == "Tooth"


def findings(path):
    done = subprocess.run([shutil.which("dciodvfy"), "-new", path], capture_output=True, text=True, check=False)
    return {line for line in done.stderr.splitlines() if line.startswith("Error")}


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (Debian: dicom3tools) is not installed")
@pytest.mark.parametrize("derivation", [DENOISED, NOBODY], ids=["same patient", "nobody"])
@pytest.mark.parametrize("modality", ["DX", "IO", "PX"])
def test_a_validator_finds_no_error(tmp_path, pixels, modality, derivation):
    derived(complete(radiograph(pixels, modality=modality, bits=12)), tmp_path, derivation)
    assert findings(tmp_path / "source.dcm") == set()
    assert findings(tmp_path / "derived.dcm") == set()


def test_nothing_is_replaced_unasked(tmp_path, pixels):
    derived(radiograph(pixels, bits=12), tmp_path)
    before = (tmp_path / "derived.dcm").read_bytes()
    with pytest.raises(InputError, match="is there already"):
        write_derived(tmp_path / "derived.dcm", tmp_path / "source.dcm", pixels, DENOISED)
    assert (tmp_path / "derived.dcm").read_bytes() == before
