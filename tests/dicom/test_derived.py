"""A derived image is a new image of the same patient and study, valid, with its source untouched; or of nobody."""

import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import JPEG2000, ExplicitVRBigEndian, ExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit

from napari_dental_denoise.dicom.deidentify import TERMS
from napari_dental_denoise.dicom.derived import write_derived
from napari_dental_denoise.dicom.provenance import Derivation
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.images.radiograph import read_radiograph
from napari_dental_denoise.synthesis.scene import phantom
from tests.dicom_files import (
    PATIENT,
    SECONDARY_CAPTURE,
    as_jpeg,
    code,
    complete,
    compressed,
    everything,
    kinds_in,
    patient_in,
    radiograph,
    save,
)

GREY_WORD_FRAMES = "1.2.840.10008.5.1.4.1.1.7.3"
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
    (algorithm,) = after.DerivationAlgorithmSequence
    assert (algorithm.AlgorithmName, algorithm.AlgorithmParameters) == ("U-Net standard", "strength 1")
    assert algorithm.AlgorithmFamilyCodeSequence[0].CodeMeaning == "Artificial Intelligence"
    assert after.DerivationCodeSequence[0].CodeMeaning == "Image Processing"


@pytest.mark.parametrize("derivation", [DENOISED, NOBODY], ids=["same patient", "nobody"])
def test_the_equipment_is_added_to_that_of_the_source(tmp_path, pixels, derivation):
    scanner = Dataset()
    scanner.Manufacturer = PATIENT
    _, after = derived(radiograph(pixels, bits=12, ContributingEquipmentSequence=[scanner]), tmp_path, derivation)
    *earlier, ours = after.ContributingEquipmentSequence
    assert [equipment.Manufacturer for equipment in earlier] == ([] if derivation.deidentify else [PATIENT])
    assert ours.ManufacturerModelName == "napari-dental-denoise"
    # The time of processing may lead to the visit.
    assert ("ContributionDateTime" in ours) != derivation.deidentify
    assert ("SeriesDate" in after) != derivation.deidentify


@pytest.mark.parametrize(("before", "after"), [(None, "denoised"), ("Bitewing", "Bitewing denoised")])
def test_the_series_is_described_by_what_was_done(tmp_path, pixels, before, after):
    _, made = derived(radiograph(pixels, bits=12, SeriesDescription=before), tmp_path)
    assert made.SeriesDescription == after


def test_a_long_description_of_a_series_keeps_its_end(tmp_path, pixels):
    _, after = derived(radiograph(pixels, bits=12, SeriesDescription="x" * 64), tmp_path)
    assert after.SeriesDescription == "x" * 55 + " denoised"


def test_the_source_image_is_named_with_what_it_has_in_common(tmp_path, pixels):
    before, after = derived(complete(radiograph(pixels, bits=12)), tmp_path)
    (source,) = after.SourceImageSequence
    assert source.ReferencedSOPClassUID == before.SOPClassUID
    assert source.PurposeOfReferenceCodeSequence[0].CodeValue == "121322"  # CID 7202: source of processing
    assert source.SpatialLocationsPreserved == "YES"


@pytest.mark.parametrize("derivation", [DENOISED, NOBODY], ids=["same patient", "nobody"])
@pytest.mark.parametrize(("before", "after"), [(7, 1007), (None, 1000)])
def test_the_series_comes_behind_that_of_the_source(tmp_path, pixels, before, after, derivation):
    _, made = derived(radiograph(pixels, bits=12, SeriesNumber=before), tmp_path, derivation)
    assert made.SeriesNumber == after


@pytest.mark.parametrize("derivation", [DENOISED, NOBODY], ids=["same patient", "nobody"])
def test_values_in_the_upper_bits_move_down(tmp_path, pixels, derivation):
    _, after = derived(radiograph(pixels << 4, bits=12, HighBit=15), tmp_path, derivation)
    assert (after.BitsStored, after.HighBit) == (12, 11)


@pytest.mark.parametrize("group", [0x6000, 0x601E])
def test_an_overlay_in_the_pixels_goes_with_its_bits(tmp_path, pixels, group):
    dataset = radiograph(pixels | 0x8000, bits=12)
    for number, position, data in ((group, 15, None), (0x6002, 0, b"\1" * (pixels.size // 8))):
        dataset.add_new((number, 0x0010), "US", pixels.shape[0])
        dataset.add_new((number, 0x0011), "US", pixels.shape[1])
        dataset.add_new((number, 0x0100), "US", 16 if data is None else 1)
        dataset.add_new((number, 0x0102), "US", position)
        if data is not None:
            dataset.add_new((number, 0x3000), "OW", data)
    _, after = derived(dataset, tmp_path)
    assert not after.group_dataset(group)
    np.testing.assert_array_equal(after.overlay_array(0x6002)[:, :8], [[1, 0, 0, 0, 0, 0, 0, 0]] * 64)
    assert not np.frombuffer(after.PixelData, "<u2").max() >> 12


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
    # Numbers of the exposure stay.
    assert kinds_in(data) <= {"IS", "DS"}
    for known in (before.SOPInstanceUID, before.StudyInstanceUID, before.SeriesInstanceUID, "20250203", "19700102"):
        assert known.encode() not in data
    assert after.PatientIdentityRemoved == "YES"
    assert after.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
    assert after.AnatomicRegionSequence[0].CodeMeaning == "Tooth"


def table(first, last, **attributes):
    item = Dataset()
    values = np.linspace(first, last, 4096).astype("<u2")
    item.LUTDescriptor = [4096, 0, 16]
    item.add_new("LUTData", "OW", values.tobytes())
    for name, value in attributes.items():
        setattr(item, name, value)
    return item


@pytest.mark.parametrize("derivation", [DENOISED, NOBODY], ids=["same patient", "nobody"])
@pytest.mark.parametrize(
    "attributes",
    [
        {"RescaleSlope": -1, "RescaleIntercept": 4095},
        {"ModalityLUTSequence": [table(4095, 0, ModalityLUTType="US", LUTExplanation=PATIENT)]},
        {"VOILUTSequence": [table(65535, 0, LUTExplanation=PATIENT)]},
        {"VOILUTSequence": [table(0, 65535)], "PresentationLUTShape": "INVERSE"},
    ],
    ids=["slope", "modality table", "display table", "shape"],
)
def test_what_is_shown_white_stays_white(tmp_path, pixels, attributes, derivation):
    derived(radiograph(pixels, bits=12, **attributes), tmp_path, derivation)
    before, after = (read_radiograph(tmp_path / f"{name}.dcm").info for name in ("source", "derived"))
    assert before.encoding.inverted
    assert (after.encoding, after.limits) == (before.encoding, before.limits)
    assert derivation is DENOISED or not patient_in((tmp_path / "derived.dcm").read_bytes())


def test_a_big_endian_source_is_derived_little_endian(tmp_path, pixels):
    dataset = radiograph(pixels, bits=12, ModalityLUTSequence=[table(0, 4095, ModalityLUTType="US")])
    expected = np.frombuffer(dataset.ModalityLUTSequence[0].LUTData, "<u2")
    dataset.ModalityLUTSequence[0].LUTData = expected.astype(">u2").tobytes()
    dataset.PixelData = pixels.astype(">u2").tobytes()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    _, after = derived(dataset, tmp_path)
    assert after.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    np.testing.assert_array_equal(np.frombuffer(after.ModalityLUTSequence[0].LUTData, "<u2"), expected)


def test_the_spacing_of_all_frames_stays_without_the_patient(tmp_path, pixels):
    group, measures = Dataset(), Dataset()
    measures.PixelSpacing = [0.1, 0.2]
    group.PixelMeasuresSequence = [measures]
    dataset = radiograph(np.stack([pixels] * 2), bits=12, SharedFunctionalGroupsSequence=[group])
    derived(dataset, tmp_path, NOBODY)
    assert read_radiograph(tmp_path / "derived.dcm").info.pixel_size == (0.1, 0.2)


def test_a_device_with_words_of_its_own_becomes_another_one(tmp_path, pixels):
    dataset = radiograph(pixels, bits=12, modality="MG", ConversionType="FILM BOX")
    _, after = derived(dataset, tmp_path, NOBODY)
    assert (after.Modality, after.ConversionType) == ("OT", "WSD")
    del dataset.Modality
    _, after = derived(dataset, tmp_path / "without", NOBODY)
    assert after.Modality == "OT"


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


def test_a_source_that_was_replaced_is_no_source(tmp_path, pixels):
    source = save(radiograph(pixels, bits=12, PatientID="ALICE"), tmp_path / "a.dcm")
    opened = read_radiograph(source)
    save(radiograph(pixels, bits=12, PatientID="BOB"), source)
    with pytest.raises(InputError, match=r"a\.dcm: was changed or replaced since its pixels were read"):
        write_derived(tmp_path / "out.dcm", source, opened.pixels, DENOISED, sha256=opened.info.sha256)
    assert not (tmp_path / "out.dcm").exists()
    again = read_radiograph(source)
    write_derived(tmp_path / "out.dcm", source, again.pixels, DENOISED, sha256=again.info.sha256)
    assert pydicom.dcmread(tmp_path / "out.dcm").PatientID == "BOB"


@pytest.mark.parametrize(
    ("frames", "wrong"),
    [(3, (64, 96)), (3, (2, 64, 96)), (3, (3, 96, 64)), (1, (2, 64, 96)), (1, (96, 64)), (1, (1, 1, 64, 96))],
)
def test_pixels_of_another_shape_are_refused(tmp_path, pixels, frames, wrong):
    stored = np.stack([pixels] * frames) if frames > 1 else pixels
    source = save(radiograph(stored, bits=12), tmp_path / "a.dcm")
    with pytest.raises(InputError, match=r"must be \(.*64, 96\) uint16 like its source; received"):
        write_derived(tmp_path / "out.dcm", source, np.zeros(wrong, np.uint16), DENOISED)
    with pytest.raises(InputError, match=r"uint16 like its source; received .* int16"):
        write_derived(tmp_path / "out.dcm", source, stored.astype(np.int16), DENOISED)
    assert not (tmp_path / "out.dcm").exists()


def test_one_frame_may_be_an_image_or_a_stack_of_one(tmp_path, pixels):
    source = save(radiograph(pixels, bits=12), tmp_path / "a.dcm")
    write_derived(tmp_path / "out.dcm", source, pixels[np.newaxis], DENOISED)
    np.testing.assert_array_equal(read_radiograph(tmp_path / "out.dcm").pixels, pixels)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("ORIGINAL", ["DERIVED", "PRIMARY"]),
        (None, ["DERIVED", "PRIMARY"]),
        (["DERIVED", "SECONDARY", "POST"], ["DERIVED", "SECONDARY", "POST"]),
    ],
)
def test_the_image_type_is_derived(tmp_path, pixels, before, after):
    _, made = derived(radiograph(pixels, bits=12, ImageType=before), tmp_path)
    assert list(made.ImageType) == after


@pytest.mark.parametrize("told", [None, "00", "01"])
def test_the_loss_of_a_compression_is_not_forgotten(tmp_path, pixels, told):
    small = (pixels >> 4).astype(np.uint8)
    dataset = as_jpeg(radiograph(small), small)
    if told is not None:
        dataset.LossyImageCompression = told
    _, after = derived(dataset, tmp_path)
    assert after.LossyImageCompression == "01"
    _, after = derived(dataset, tmp_path / "nobody", NOBODY)
    assert after.LossyImageCompression == "01"


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({}, ("01", "ISO_15444_1")),
        ({"LossyImageCompression": "00"}, ("00", None)),
        ({"LossyImageCompressionMethod": "ISO_14495_1"}, ("01", ["ISO_14495_1", "ISO_15444_1"])),
    ],
    ids=["not stated", "stated as lossless", "an earlier method"],
)
def test_a_syntax_that_may_lose_counts_as_lossy_unless_the_file_says_otherwise(tmp_path, pixels, stated, expected):
    dataset = compressed(radiograph(pixels, bits=12, **stated), JPEG2000Lossless)
    dataset.file_meta.TransferSyntaxUID = JPEG2000
    _, after = derived(dataset, tmp_path)
    assert (after.LossyImageCompression, after.get("LossyImageCompressionMethod")) == expected


def test_without_loss_nothing_is_said_of_loss(tmp_path, pixels):
    _, after = derived(compressed(radiograph(pixels, bits=12), JPEG2000Lossless), tmp_path)
    assert "LossyImageCompression" not in after


@pytest.mark.parametrize("derivation", [DENOISED, NOBODY], ids=["same patient", "nobody"])
def test_a_model_of_any_name_is_named(tmp_path, pixels, derivation):
    name = "U-Net зуб\\歯\n"
    dataset = radiograph(pixels, bits=12, SpecificCharacterSet="ISO_IR 100", PatientName="Müller^Zoë")
    by = replace(derivation, algorithm=name, description=f"Denoised by {name}")
    _, after = derived(dataset, tmp_path, by)
    assert after.DerivationAlgorithmSequence[0].AlgorithmName == "U-Net зуб/歯"
    assert "зуб" in after.DerivationDescription
    assert str(after.PatientName) == ("" if derivation.deidentify else "Müller^Zoë")


def test_words_in_the_place_of_terms_are_left_out(tmp_path, pixels):
    dataset = complete(radiograph(pixels, bits=12))
    for name in TERMS:
        if name != "PhotometricInterpretation":
            setattr(dataset, name, PATIENT)
    dataset.ImageType = ["ORIGINAL", PATIENT]
    dataset.add_new("KVP", "LO", PATIENT)
    dataset.SOPClassUID = "1.2.3.19700102"
    dataset.AnatomicRegionSequence = [
        code("38199008", "SCT", PATIENT),
        code("1", f"99{PATIENT}", PATIENT),
        code(PATIENT, "SCT", "Tooth"),
        code("T-54010", "SRT", PATIENT),
    ]
    _, after = derived(dataset, tmp_path, NOBODY)
    data = (tmp_path / "derived.dcm").read_bytes()
    assert not patient_in(data)
    assert b"19700102" not in data
    assert list(after.ImageType) == ["DERIVED", "PRIMARY"]
    assert [item.CodeMeaning for item in after.AnatomicRegionSequence] == ["Tooth", "Tooth"]


def test_terms_of_the_standard_are_kept(tmp_path, pixels):
    before, after = derived(complete(radiograph(pixels, bits=12)), tmp_path, NOBODY)
    for name in set(TERMS) - {"ImageType"}:
        assert after.get(name) == before.get(name)
    assert after.ImagerPixelSpacing == before.ImagerPixelSpacing


def computed(pixels):
    """As a reader of storage phosphor plates writes it."""
    dataset = radiograph(pixels, modality="CR", bits=12, ImagerPixelSpacing=[0.1, 0.1])
    dataset.BodyPartExamined, dataset.ViewPosition, dataset.KVP = "JAW", PATIENT[:16], None
    return dataset


def captured(pixels, **attributes):
    """As a program that digitises pictures writes it."""
    dataset = radiograph(pixels, modality="OT", bits=12, **{"SOPClassUID": SECONDARY_CAPTURE, **attributes})
    dataset.ConversionType, dataset.Laterality = "DI", None
    return dataset


def several_frames(pixels):
    dataset = captured(np.stack([pixels] * 3), SOPClassUID=GREY_WORD_FRAMES, BurnedInAnnotation="NO")
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = 0, 1, "US"
    dataset.PageNumberVector, dataset.FrameIncrementPointer = [1, 2, 3], Tag("PageNumberVector")
    return dataset


@pytest.mark.parametrize(
    ("names", "kept"), [(["PageNumberVector"], True), (["PageNumberVector", "FrameLabelVector"], False)]
)
def test_a_pointer_is_kept_if_all_that_it_points_to_is(tmp_path, pixels, names, kept):
    dataset = several_frames(pixels)
    dataset.FrameLabelVector, dataset.FrameIncrementPointer = [PATIENT] * 3, [Tag(name) for name in names]
    _, after = derived(dataset, tmp_path, NOBODY)
    assert "PageNumberVector" in after
    assert ("FrameIncrementPointer" in after) == kept


def inverted(pixels):
    return complete(radiograph(pixels, bits=12, photometric="MONOCHROME1"))


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (Debian: dicom3tools) is not installed")
@pytest.mark.parametrize("derivation", [DENOISED, NOBODY], ids=["same patient", "nobody"])
@pytest.mark.parametrize("kind", [computed, captured, several_frames, inverted])
def test_a_validator_finds_no_error_in_other_kinds(tmp_path, pixels, kind, derivation):
    dataset = kind(pixels)
    dataset.PatientOrientation, dataset.ResponsiblePersonRole = ["L", "F"], "OWNER"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", ""]
    _, after = derived(dataset, tmp_path, derivation)
    assert findings(tmp_path / "source.dcm") == set()
    assert findings(tmp_path / "derived.dcm") == set()
    assert patient_in((tmp_path / "derived.dcm").read_bytes()) != derivation.deidentify
    assert after.get("FrameIncrementPointer") == dataset.get("FrameIncrementPointer")


@st.composite
def stored_images(draw):
    """Dataset and pixels of any sign, polarity, bits and frames."""
    bits, signed, frames = draw(st.integers(8, 16)), draw(st.booleans()), draw(st.integers(1, 3))
    low = -(2 ** (bits - 1)) if signed else 0
    dtype = np.dtype(f"{'i' if signed else 'u'}{1 if bits == 8 else 2}")
    side = st.integers(1, 9)
    shape = (draw(side), draw(side)) if frames == 1 else (frames, draw(side), draw(side))
    values = arrays.arrays(dtype, shape, elements=st.integers(low, low + 2**bits - 1))
    polarity = draw(st.sampled_from(["MONOCHROME1", "MONOCHROME2"]))
    return radiograph(draw(values), bits=bits, photometric=polarity), draw(values)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=stored_images(), derivation=st.sampled_from([DENOISED, NOBODY]))
def test_any_pixels_come_back_bit_for_bit(tmp_path, case, derivation):
    dataset, pixels = case
    source = save(dataset, tmp_path / "source.dcm")
    write_derived(tmp_path / "derived.dcm", source, pixels, derivation, overwrite=True)
    after = read_radiograph(tmp_path / "derived.dcm")
    assert after.pixels.dtype == pixels.dtype
    np.testing.assert_array_equal(after.pixels, pixels)
    assert after.info.encoding == read_radiograph(source).info.encoding


def test_nothing_is_replaced_unasked(tmp_path, pixels):
    derived(radiograph(pixels, bits=12), tmp_path)
    before = (tmp_path / "derived.dcm").read_bytes()
    with pytest.raises(InputError, match="already exists"):
        write_derived(tmp_path / "derived.dcm", tmp_path / "source.dcm", pixels, DENOISED)
    assert (tmp_path / "derived.dcm").read_bytes() == before
