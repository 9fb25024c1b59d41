"""DICOM files give their stored values, whatever their transfer syntax, and nothing of their patient."""

import warnings

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from napari_dental_denoise.core import config, dicom
from napari_dental_denoise.core.dicom import read_dicom
from napari_dental_denoise.core.dicom_header import is_dicom, read_dicom_header
from napari_dental_denoise.core.errors import ImageReadError
from napari_dental_denoise.core.folders import list_files, read_dental
from napari_dental_denoise.core.headers import read_header
from napari_dental_denoise.core.images import read_image, read_pages
from napari_dental_denoise.core.phantom import phantom
from napari_dental_denoise.core.pixel_size import read_pixel_size
from tests.dicom_files import PATIENT, as_jpeg, compressed, everything, patient_in, radiograph, run_length, save

ENCODED = (JPEG2000Lossless, JPEGLSLossless, RLELossless, JPEGLosslessSV1)
NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)


def stored_values(bits, *, signed, shape=(61, 83)):
    """A phantom over the whole range of so many bits."""
    low = -(2 ** (bits - 1)) if signed else 0
    grey = np.rint(phantom((64, 96), 3)[: shape[0], : shape[1]] * (2**bits - 1))
    grey.flat[0], grey.flat[1] = 0, 2**bits - 1
    return (grey + low).astype(f"{'i' if signed else 'u'}{1 if bits <= 8 else 2}")


def write(dataset, path, syntax):
    if syntax == RLELossless:
        return save(run_length(dataset), path)
    if syntax in ENCODED:
        return save(compressed(dataset, syntax), path)
    dataset.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian:
        pixels = np.frombuffer(dataset.PixelData, f"<u{dataset.BitsAllocated // 8}")
        if dataset.BitsAllocated == 16:
            dataset.PixelData = pixels.astype(">u2").tobytes()
    return save(dataset, path)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("syntax", [*NATIVE, *ENCODED], ids=lambda syntax: syntax.keyword)
def test_stored_values_come_back_exactly(tmp_path, syntax, bits, signed, photometric):
    pixels = stored_values(bits, signed=signed)
    dataset = radiograph(pixels, bits=bits, photometric=photometric)
    header, read = read_dicom(write(dataset, tmp_path / "a.dcm", syntax))
    assert (header.shape, header.dtype, header.frames) == (pixels.shape, pixels.dtype, 1)
    assert header.storage.inverted == (photometric == "MONOCHROME1")
    assert read.dtype == pixels.dtype
    assert np.abs(read.astype(int) - pixels).max() == 0
    # Upright, both ends of the range are where they belong.
    upright = read_image(tmp_path / "a.dcm").astype(int)
    black, white = (1, 0) if header.storage.inverted else (0, 1)
    assert (upright.flat[black], upright.flat[white]) == (0, 2**bits - 1)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless, JPEG2000Lossless, JPEGLSLossless])
def test_frames_become_a_stack(tmp_path, syntax):
    frames = np.stack([stored_values(12, signed=False) + index for index in range(3)]) % 4096
    path = write(radiograph(frames, bits=12), tmp_path / "a.dcm", syntax)
    np.testing.assert_array_equal(read_pages(path), frames)
    np.testing.assert_array_equal(read_image(path), frames[0])
    assert read_header(path).pages == 3


@pytest.mark.parametrize("high", [11, 13, 15])
def test_bits_outside_those_stored_are_no_grey(tmp_path, high):
    pixels = stored_values(12, signed=False)
    others = np.uint16(0xFFFF) ^ np.uint16(0xFFF << (high - 11))
    moved = (pixels << (high - 11)) | (others & np.random.default_rng(0).integers(0, 2**16, pixels.shape, np.uint16))
    path = save(radiograph(moved, bits=12, HighBit=high), tmp_path / "a.dcm")
    np.testing.assert_array_equal(read_dicom(path)[1], pixels)


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL"])
def test_colour_becomes_grey(tmp_path, photometric):
    grey = stored_values(8, signed=False)
    colours = np.dstack([grey] * 3)
    if photometric == "YBR_FULL":
        colours[..., 1:] = 128
    path = save(radiograph(colours, photometric=photometric), tmp_path / "a.dcm")
    np.testing.assert_array_equal(read_image(path), grey)


def test_a_palette_becomes_grey(tmp_path):
    indices = stored_values(8, signed=False)
    table = np.arange(255, -1, -1).astype("<u2") * 257
    dataset = radiograph(indices, photometric="PALETTE COLOR")
    for colour in ("Red", "Green", "Blue"):
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(dataset, f"{colour}PaletteColorLookupTableData", table.tobytes())
    np.testing.assert_array_equal(read_image(save(dataset, tmp_path / "a.dcm")), table[indices])


def test_baseline_jpeg_is_read(tmp_path):
    pixels = stored_values(8, signed=False)
    path = save(as_jpeg(radiograph(pixels), pixels), tmp_path / "a.dcm")
    assert np.abs(read_image(path).astype(int) - pixels).mean() < 3


@pytest.mark.parametrize(
    ("attributes", "limits"),
    [
        ({"WindowCenter": 2048, "WindowWidth": 4096}, (0, 4095)),
        ({"WindowCenter": [600, 900], "WindowWidth": [201, 10]}, (499.5, 699.5)),
        ({"WindowCenter": 600, "WindowWidth": 200, "VOILUTFunction": "LINEAR_EXACT"}, (500, 700)),
        # The window is on the values behind the rescale: 2 * stored - 1000.
        (
            {
                "WindowCenter": 0,
                "WindowWidth": 1000,
                "VOILUTFunction": "LINEAR_EXACT",
                "RescaleSlope": 2,
                "RescaleIntercept": -1000,
            },
            (250, 750),
        ),
        ({"WindowCenter": 600, "WindowWidth": 0}, None),
        ({"WindowCenter": 99999, "WindowWidth": 3}, None),
        ({}, None),
    ],
)
def test_the_window_is_given_in_stored_values(tmp_path, attributes, limits):
    path = save(radiograph(stored_values(12, signed=False), bits=12, **attributes), tmp_path / "a.dcm")
    assert read_dicom_header(path).limits == (limits and pytest.approx(limits))


def test_a_window_behind_a_lookup_table_is_gone_back_through(tmp_path):
    table = pydicom.Dataset()
    table.LUTDescriptor, table.ModalityLUTType = [4096, 0, 16], "US"
    table.LUTData = (np.arange(4096) ** 2 // 256).astype("<u2").tobytes()
    dataset = radiograph(stored_values(12, signed=False), bits=12, ModalityLUTSequence=[table])
    dataset["ModalityLUTSequence"].value[0]["LUTDescriptor"].VR = "US"
    dataset["ModalityLUTSequence"].value[0]["LUTData"].VR = "OW"
    dataset.WindowCenter, dataset.WindowWidth, dataset.VOILUTFunction = 2500, 1800, "LINEAR_EXACT"
    low, high = read_dicom_header(save(dataset, tmp_path / "a.dcm")).limits
    assert low == np.ceil(np.sqrt(1600 * 256))
    assert high == pytest.approx(np.sqrt(3401 * 256), abs=1)


@pytest.mark.parametrize(
    ("attributes", "size", "where"),
    [
        ({"PixelSpacing": [0.2, 0.1], "ImagerPixelSpacing": [0.3, 0.3]}, (0.2, 0.1), "calibrated"),
        ({"ImagerPixelSpacing": [0.03, 0.04]}, (0.03, 0.04), "at the detector"),
        ({"NominalScannedPixelSpacing": [0.05, 0.05]}, (0.05, 0.05), "of the film scanner"),
        ({"PixelSpacing": [0, 0]}, None, None),
        ({}, None, None),
    ],
)
def test_the_pixel_size_says_where_it_holds(tmp_path, attributes, size, where):
    path = save(radiograph(stored_values(8, signed=False), **attributes), tmp_path / "a.dcm")
    header = read_dicom_header(path)
    assert (header.pixel_size, header.spacing) == (size, where)
    assert read_pixel_size(path) == size


def test_files_are_known_by_their_content(tmp_path):
    pixels = stored_values(8, signed=False)
    for name in ("IM000001", "1.2.840.113619.2", "picture.png", "a.dcm"):
        path = save(radiograph(pixels), tmp_path / name)
        assert is_dicom(path)
        np.testing.assert_array_equal(read_image(path), pixels)
    assert read_dental(tmp_path).shape == (4, *pixels.shape)
    assert not is_dicom(tmp_path / "missing.dcm")


def test_a_file_without_preamble_is_read_by_its_suffix(tmp_path):
    dataset = radiograph(stored_values(8, signed=False))
    del dataset.file_meta
    dataset.save_as(tmp_path / "old.dcm", implicit_vr=True, little_endian=True)
    np.testing.assert_array_equal(read_image(tmp_path / "old.dcm"), stored_values(8, signed=False))


def test_a_dicomdir_stands_for_the_images_that_it_names(tmp_path):
    from pydicom.fileset import FileSet

    fileset = FileSet()
    for index in range(3):
        dataset = radiograph(stored_values(8, signed=False), InstanceNumber=index)
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", "1.2.3.4"
        fileset.add(pydicom.dcmread(save(dataset, tmp_path / "source" / f"{index}")))
    fileset.write(tmp_path / "disc")
    files = list_files([tmp_path / "disc"])
    assert len(files) == 3
    assert all(path.is_file() and tmp_path / "disc" in path.parents for path in files)
    assert list_files([tmp_path / "disc" / "DICOMDIR"]) == files
    assert read_dental(tmp_path / "disc").shape == (3, 61, 83)


def test_a_dicomdir_cannot_lead_out_of_its_folder(tmp_path):
    secret = save(radiograph(stored_values(8, signed=False)), tmp_path / "outside.dcm")
    names = (["..", "outside.dcm"], [str(secret)], ["IMAGES", "IM1"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        records = [pydicom.Dataset() for _ in names]
        for record, parts in zip(records, names, strict=True):
            record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", parts
        table = radiograph(stored_values(8, signed=False), DirectoryRecordSequence=records)
        path = save(table, tmp_path / "disc" / "DICOMDIR")
    assert list_files([path]) == [tmp_path / "disc" / "IMAGES" / "IM1"]


def compress_as(dataset, syntax, frame):
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].is_undefined_length = True


DAMAGES = {
    "short": lambda dataset: setattr(dataset, "PixelData", dataset.PixelData[:100]),
    "huge": lambda dataset: dataset.update({"Rows": 60000, "Columns": 60000}),
    "no_rows": lambda dataset: delattr(dataset, "Rows"),
    "no_pixels": lambda dataset: delattr(dataset, "PixelData"),
    "zero": lambda dataset: setattr(dataset, "Rows", 0),
    "bits": lambda dataset: setattr(dataset, "BitsStored", 99),
    "photometric": lambda dataset: setattr(dataset, "PhotometricInterpretation", "HSV"),
    "video": lambda dataset: compress_as(dataset, "1.2.840.10008.1.2.4.100", b"\0\0\0\1"),
    "claims": lambda dataset: as_jpeg(dataset, np.zeros((600, 600), np.uint8)),
    "no_frame": lambda dataset: compress_as(dataset, JPEGBaseline8Bit, b"\xff\xd8\xff\xd9"),
}


def damaged(name, pixels, folder):
    """A file that cannot be read."""
    dataset = radiograph(pixels)
    DAMAGES.get(name, lambda _: None)(dataset)
    path = save(dataset, folder / f"{name}.dcm")
    if name == "half":
        path.write_bytes(path.read_bytes()[:700])
    if name == "text":
        path.write_text("tooth 36")
    return path


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("short", "truncated or damaged"),
        ("huge", "claims 60000x60000"),
        ("no_rows", "without an image"),
        ("no_pixels", "with none where pixels"),
        ("zero", "expected at least one"),
        ("bits", "stores 99 bits in 8"),
        ("photometric", "photometric interpretation"),
        ("video", "transfer syntax that is not read"),
        ("claims", "not of the size"),
        ("no_frame", "not of the size"),
        ("half", "DICOM file"),
        ("text", "DICOM file"),
    ],
)
def test_bad_files_are_refused_with_a_reason_that_names_no_patient(tmp_path, name, reason, caplog, capfd, recwarn):
    path = damaged(name, stored_values(8, signed=False), tmp_path)
    with pytest.raises(ImageReadError, match=reason) as raised:
        read_image(path)
    assert not patient_in(raised.value, caplog.text, capfd.readouterr(), [str(item.message) for item in recwarn])


def test_a_deflated_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_dental_denoise.core.dicom_header.LIMITS", config.Limits(dicom_bytes=2**20))
    dataset = radiograph(np.zeros((2000, 2000), np.uint8))
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    path = save(dataset, tmp_path / "a.dcm")
    assert path.stat().st_size < 2**15
    with pytest.raises(ImageReadError, match="unpacks to more than 1 MiB"):
        read_image(path)


def test_a_missing_decoder_is_named_with_its_cure(tmp_path, monkeypatch):
    path = save(compressed(radiograph(stored_values(8, signed=False)), JPEGLSLossless), tmp_path / "a.dcm")
    monkeypatch.setattr(dicom, "_codec", lambda _: None)
    with pytest.raises(ImageReadError, match=r"JPEG-LS.*pip install imagecodecs"):
        read_image(path)


def test_nothing_of_the_patient_is_read(tmp_path):
    dataset = radiograph(stored_values(8, signed=False))
    everything(dataset)
    path = save(dataset, tmp_path / "a.dcm")
    assert path.read_bytes().decode("latin1").count(PATIENT) > 700
    header, _ = read_dicom(path)
    assert not patient_in(header, header.record())
    assert "20250203" not in repr(header.record())
