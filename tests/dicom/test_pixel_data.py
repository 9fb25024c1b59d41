"""DICOM files give their stored values, whatever their transfer syntax, and nothing of their patient."""

import gc
import io
import struct
import warnings

import imagecodecs
import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pydicom.encaps import generate_frames
from pydicom.pixels import convert_color_space
from pydicom.uid import (
    UID,
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

from napari_dental_denoise import config
from napari_dental_denoise.dicom import codestream as dicom
from napari_dental_denoise.dicom.header import read_attributes
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.images.folders import list_files, read_dental
from napari_dental_denoise.images.formats import DICOM, format_of, probe
from napari_dental_denoise.images.radiograph import read_image, read_pages, read_radiograph
from napari_dental_denoise.synthesis.scene import phantom
from tests.dicom_files import (
    PATIENT,
    SECONDARY_CAPTURE,
    TOKENS,
    as_jpeg,
    compressed,
    encapsulated,
    everything,
    kinds_in,
    lookup_table,
    patient_in,
    radiograph,
    run_length,
    save,
    spoil,
)

ENCODED = (JPEG2000Lossless, JPEGLSLossless, RLELossless, JPEGLosslessSV1)
NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)


def stored_in(path):
    radiograph = read_radiograph(path)
    return radiograph.info, radiograph.pixels


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
    info, stored = stored_in(write(dataset, tmp_path / "a.dcm", syntax))
    assert (info.shape, info.dtype, info.pages) == (pixels.shape, pixels.dtype, 1)
    assert info.encoding.inverted == (photometric == "MONOCHROME1")
    assert stored.dtype == pixels.dtype
    assert np.abs(stored.astype(int) - pixels).max() == 0
    # As grey, both ends of the range are where they belong.
    shown = read_image(tmp_path / "a.dcm").astype(int)
    black, white = (1, 0) if info.encoding.inverted else (0, 1)
    assert (shown.flat[black], shown.flat[white]) == (0, 2**bits - 1)


@pytest.mark.quick
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless, JPEG2000Lossless, JPEGLSLossless])
def test_frames_become_a_stack(tmp_path, syntax):
    frames = np.stack([stored_values(12, signed=False) + index for index in range(3)]) % 4096
    path = write(radiograph(frames, bits=12), tmp_path / "a.dcm", syntax)
    np.testing.assert_array_equal(read_pages(path), frames)
    np.testing.assert_array_equal(read_image(path), frames[0])
    assert probe(path).pages == 3


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("high", [11, 13, 15])
def test_bits_outside_those_stored_are_no_grey(tmp_path, high, signed):
    pixels = stored_values(12, signed=signed)
    others = np.uint16(0xFFFF) ^ np.uint16(0xFFF << (high - 11))
    moved = (pixels.view(np.uint16) & 0xFFF) << (high - 11)
    moved |= others & np.random.default_rng(0).integers(0, 2**16, pixels.shape, np.uint16)
    path = save(radiograph(moved.view(pixels.dtype), bits=12, HighBit=high), tmp_path / "a.dcm")
    np.testing.assert_array_equal(stored_in(path)[1], pixels)


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless])
def test_the_high_bit_does_not_move_compressed_pixels(tmp_path, syntax, signed):
    # PS3.5 8.2: it describes the pixels before compression; a codestream holds those stored alone.
    pixels = stored_values(12, signed=signed)
    path = write(radiograph(pixels, bits=12, HighBit=15), tmp_path / "a.dcm", syntax)
    np.testing.assert_array_equal(stored_in(path)[1], pixels)


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL"])
def test_colour_becomes_grey(tmp_path, photometric):
    grey = stored_values(8, signed=False)
    colours = np.dstack([grey] * 3)
    if photometric == "YBR_FULL":
        colours[..., 1:] = 128
    path = save(radiograph(colours, photometric=photometric), tmp_path / "a.dcm")
    np.testing.assert_array_equal(read_image(path), grey)


COLOURS = np.dstack([np.rint(phantom((64, 96), seed)[:61, :83] * 255) for seed in range(3)]).astype(np.uint8)


def luminance_first(colours):
    return convert_color_space(colours, "RGB", "YBR_FULL")


def with_jfif(frame):
    """A lossless JPEG with a header of JFIF, which would mean other colours."""
    start = frame.index(b"\xff\xee")
    return frame[:start] + b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" + frame[start + 16 :]


@pytest.mark.parametrize(
    ("syntax", "photometric", "encode"),
    [
        (JPEGLSLossless, "RGB", imagecodecs.jpegls_encode),
        (JPEGLSLossless, "YBR_FULL", lambda colours: imagecodecs.jpegls_encode(luminance_first(colours))),
        (JPEGLosslessSV1, "RGB", lambda colours: imagecodecs.jpeg8_encode(colours, lossless=True, predictor=1)),
        (
            JPEGLosslessSV1,
            "RGB",
            lambda colours: with_jfif(imagecodecs.jpeg8_encode(colours, lossless=True, predictor=1)),
        ),
        (
            JPEGLosslessSV1,
            "YBR_FULL",
            lambda colours: imagecodecs.jpeg8_encode(luminance_first(colours), lossless=True, predictor=1),
        ),
        (
            JPEG2000Lossless,
            "YBR_RCT",
            lambda colours: imagecodecs.jpeg2k_encode(colours, level=0, codecformat="j2k", reversible=True, mct=True),
        ),
        (
            JPEG2000Lossless,
            "RGB",
            lambda colours: imagecodecs.jpeg2k_encode(colours, level=0, codecformat="j2k", reversible=True, mct=False),
        ),
    ],
    ids=["JPEG-LS RGB", "JPEG-LS YBR", "JPEG RGB", "JPEG RGB, JFIF", "JPEG YBR", "JPEG 2000 RCT", "JPEG 2000 RGB"],
)
def test_compressed_colours_become_the_same_grey(tmp_path, syntax, photometric, encode):
    dataset = radiograph(COLOURS, photometric="RGB")
    dataset.PhotometricInterpretation = photometric
    read = read_image(save(encapsulated(dataset, syntax, encode(COLOURS)), tmp_path / "a.dcm"))
    weighted = COLOURS @ [0.299, 0.587, 0.114]
    # Rounding alone, twice where the colours were stored as luminance and chroma.
    assert np.abs(read - weighted).max() < 1.5


def test_wide_colours_of_jpeg_2000_are_read(tmp_path):
    wide = COLOURS.astype(np.uint16) * 257
    frame = imagecodecs.jpeg2k_encode(wide, level=0, codecformat="j2k", reversible=True)
    read = read_image(
        save(encapsulated(radiograph(wide, photometric="RGB"), JPEG2000Lossless, frame), tmp_path / "a.dcm")
    )
    assert read.dtype == np.uint16
    assert np.abs(read - wide @ [0.299, 0.587, 0.114]).max() < 2


def test_a_segmented_palette_becomes_grey(tmp_path):
    indices = stored_values(8, signed=False)
    dataset = radiograph(indices, photometric="PALETTE COLOR")
    # One entry of black, and 255 in a line to white.
    segments = np.array([0, 1, 0, 1, 255, 65535], "<u2").tobytes()
    for colour in ("Red", "Green", "Blue"):
        dataset.add_new(f"{colour}PaletteColorLookupTableDescriptor", "US", [256, 0, 16])
        setattr(dataset, f"Segmented{colour}PaletteColorLookupTableData", segments)
    assert np.abs(read_image(save(dataset, tmp_path / "a.dcm")) - indices * 257.0).max() < 2


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
        # PS3.3 C.11.2.1.3: these two may be as narrow as they like; LINEAR of width 1 is a threshold.
        ({"WindowCenter": 600, "WindowWidth": 1, "VOILUTFunction": "LINEAR_EXACT"}, (599.5, 600.5)),
        ({"WindowCenter": 600, "WindowWidth": 0.5, "VOILUTFunction": "SIGMOID"}, (599.75, 600.25)),
        ({"WindowCenter": 600, "WindowWidth": 1, "VOILUTFunction": "LINEAR"}, None),
        ({"WindowCenter": 600, "WindowWidth": 0, "VOILUTFunction": "LINEAR_EXACT"}, None),
        ({"WindowCenter": 600, "WindowWidth": 0}, None),
        ({"WindowCenter": 99999, "WindowWidth": 3}, None),
        ({}, None),
    ],
)
def test_the_window_is_given_in_stored_values(tmp_path, attributes, limits):
    path = save(radiograph(stored_values(12, signed=False), bits=12, **attributes), tmp_path / "a.dcm")
    assert probe(path).limits == (limits and pytest.approx(limits))


def test_a_window_behind_a_lookup_table_is_gone_back_through(tmp_path):
    table = lookup_table(np.arange(4096) ** 2 // 256)
    dataset = radiograph(stored_values(12, signed=False), bits=12, ModalityLUTSequence=[table])
    dataset.WindowCenter, dataset.WindowWidth, dataset.VOILUTFunction = 2500, 1800, "LINEAR_EXACT"
    low, high = probe(save(dataset, tmp_path / "a.dcm")).limits
    assert low == np.ceil(np.sqrt(1600 * 256))
    assert high == pytest.approx(np.sqrt(3401 * 256), abs=1)


RISING, FALLING = np.arange(4096), np.arange(4095, -1, -1)
WINDOW = {"WindowCenter": 2048, "WindowWidth": 4096}
# What turns values round on their way to light, and whether the lowest is white in the end.
POLARITIES = {
    "plain": ("MONOCHROME2", {}, False),
    "inverse": ("MONOCHROME1", {}, True),
    "said twice": ("MONOCHROME1", {"PresentationLUTShape": "INVERSE"}, True),
    "by its shape": ("MONOCHROME2", {"PresentationLUTShape": "INVERSE"}, True),
    "identity": ("MONOCHROME2", {"PresentationLUTShape": "IDENTITY"}, False),
    "slope": ("MONOCHROME2", {"RescaleSlope": -1, "RescaleIntercept": 4095}, True),
    "slope and window": ("MONOCHROME2", {"RescaleSlope": -1, "RescaleIntercept": 4095, **WINDOW}, True),
    "slope, inverse": ("MONOCHROME1", {"RescaleSlope": -1, "RescaleIntercept": 4095}, False),
    "modality table": ("MONOCHROME2", {"ModalityLUTSequence": [lookup_table(FALLING)]}, True),
    "modality table, inverse": ("MONOCHROME1", {"ModalityLUTSequence": [lookup_table(FALLING)]}, False),
    "VOI table": ("MONOCHROME2", {"VOILUTSequence": [lookup_table(FALLING)]}, True),
    "rising tables": (
        "MONOCHROME2",
        {"VOILUTSequence": [lookup_table(RISING)], "ModalityLUTSequence": [lookup_table(RISING)]},
        False,
    ),
    "two falling tables": (
        "MONOCHROME2",
        {"VOILUTSequence": [lookup_table(FALLING)], "ModalityLUTSequence": [lookup_table(FALLING)]},
        False,
    ),
    # A window stands in for the table.
    "VOI table and window": ("MONOCHROME2", {"VOILUTSequence": [lookup_table(FALLING)], **WINDOW}, False),
}


@pytest.mark.parametrize("name", list(POLARITIES))
def test_what_is_shown_white_is_read_white(tmp_path, name):
    photometric, attributes, inverted = POLARITIES[name]
    pixels = stored_values(12, signed=False)
    path = save(radiograph(pixels, bits=12, photometric=photometric, **attributes), tmp_path / "a.dcm")
    info, stored = stored_in(path)
    np.testing.assert_array_equal(stored, pixels)
    assert info.encoding.inverted == inverted
    np.testing.assert_array_equal(read_image(path), 4095 - pixels if inverted else pixels)
    if info.limits is not None:
        low, high = info.limits
        assert low < high


@pytest.mark.parametrize("count", [255, 2**16])
def test_tables_of_bytes_and_of_all_values_are_read(tmp_path, count):
    table = lookup_table(np.arange(count)[::-1])
    if count == 255:
        table.add_new("LUTData", "OW", bytes(range(254, -1, -1)) + b"\0")
    path = save(radiograph(stored_values(16, signed=False), VOILUTSequence=[table]), tmp_path / "a.dcm")
    info = probe(path)
    assert info.encoding.inverted
    assert info.limits == (0, count - 1)


@pytest.mark.parametrize(
    ("signed", "first", "limits"),
    [
        (True, 2**16 - 2048, (-2048, 2047)),
        (True, 2**15, (-(2**15), -(2**15) + 4095)),
        (True, 100, (100, 4195)),
        (False, 40_000, (40_000, 44_095)),
    ],
)
def test_the_first_value_of_a_table_has_the_sign_of_the_pixels(tmp_path, signed, first, limits):
    # PS3.3 C.11.2.1.1: the descriptor stores it as the pixels are stored.
    table = lookup_table(np.arange(4096), first)
    path = save(radiograph(stored_values(16, signed=signed), VOILUTSequence=[table]), tmp_path / "a.dcm")
    assert probe(path).limits == limits


@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [
        ("WindowCenter", "DS", b"abc "),
        ("WindowWidth", "DS", b"1e999 "),
        ("InstanceNumber", "IS", b"A1"),
        ("AcquisitionNumber", "IS", b"1.5 "),
        ("PixelSpacing", "DS", b"0.1\\wide"),
        ("RescaleSlope", "DS", b"one "),
        ("RescaleSlope", "DS", b"1e999 "),
        ("PixelPaddingValue", "US", b"\1\0\2\0"),
        ("PixelPaddingRangeLimit", "US", b"\1"),
        ("PixelPaddingValue", "US", b"\1"),
        ("VOILUTSequence", "UN", b"no sequence "),
        ("ModalityLUTSequence", "UN", b"\1\2\3"),
        ("SharedFunctionalGroupsSequence", "UN", b"\1\2"),
        ("PresentationLUTShape", "CS", b"\\"),
        ("HighBit", "US", b""),
        ("AcquisitionDate", "DA", b"yesterday "),
    ],
)
def test_a_bad_value_that_an_image_can_do_without_is_left_out(tmp_path, name, kind, text):
    pixels = stored_values(12, signed=False)
    dataset = radiograph(pixels, bits=12, WindowCenter=1000, WindowWidth=501, ImagerPixelSpacing=[0.2, 0.2])
    dataset.pop(name, None)
    path = spoil(save(dataset, tmp_path / "a.dcm"), name, kind, text)
    info, stored = stored_in(path)
    np.testing.assert_array_equal(stored, pixels)
    np.testing.assert_array_equal(read_image(path), pixels)
    assert info.limits == (None if name.startswith("Window") else (749.5, 1249.5))
    assert (info.pixel_size, info.spacing) == ((0.2, 0.2), "at the detector")
    assert info.encoding.padding is None or name == "PixelPaddingRangeLimit"


def test_padding_is_not_shown_as_black(tmp_path):
    pixels = np.full((20, 30), 700, np.uint16)
    pixels[10:], pixels[:2] = 900, 0
    padded = save(radiograph(pixels, PixelPaddingValue=0), tmp_path / "padded.dcm")
    assert read_radiograph(padded).limits == (700, 900)
    assert read_radiograph(save(radiograph(pixels), tmp_path / "plain.dcm")).limits == (0, 900)


@pytest.mark.parametrize(
    ("kind", "values", "padding"),
    [
        ("US", {"PixelPaddingValue": 63536}, (-2000, -2000)),
        ("SS", {"PixelPaddingValue": -2000}, (-2000, -2000)),
        ("US", {"PixelPaddingValue": 63536, "PixelPaddingRangeLimit": 64536}, (-2000, -1000)),
    ],
)
def test_padding_of_signed_pixels_is_found_however_it_is_declared(tmp_path, kind, values, padding):
    pixels = np.full((20, 30), 500, np.int16)
    pixels[:5] = -2000
    pixels[5:10] = -1000
    dataset = radiograph(pixels)
    for name, value in values.items():
        dataset.add_new(name, kind, value)
    info, stored = stored_in(save(dataset, tmp_path / "a.dcm"))
    assert info.encoding.padding == padding
    np.testing.assert_array_equal(info.encoding.is_padding(stored), (pixels >= padding[0]) & (pixels <= padding[1]))


def test_padding_of_unsigned_pixels_declared_as_signed(tmp_path):
    dataset = radiograph(np.full((20, 30), 65535, np.uint16))
    dataset.add_new("PixelPaddingValue", "SS", -1)
    assert probe(save(dataset, tmp_path / "a.dcm")).encoding.padding == (65535, 65535)


def functional_groups(**macros):
    """An item of the functional groups: each macro as a dictionary."""
    group = pydicom.Dataset()
    for name, attributes in macros.items():
        item = pydicom.Dataset()
        for attribute, value in attributes.items():
            setattr(item, attribute, value)
        item.FrameComments = PATIENT
        setattr(group, name, [item])
    return group


MEASURES = {"PixelMeasuresSequence": {"PixelSpacing": [0.2, 0.1]}}
SHOWN = {"FrameVOILUTSequence": {"WindowCenter": 1000, "WindowWidth": 501}}
OTHERS = {"FrameVOILUTSequence": {"WindowCenter": 2000, "WindowWidth": 501}}
TURNED = {"PixelValueTransformationSequence": {"RescaleSlope": -1, "RescaleIntercept": 4095}}


@pytest.mark.parametrize(
    ("shared", "frames", "size", "limits", "inverted"),
    [
        ({**MEASURES, **SHOWN}, [{}, {}], (0.2, 0.1), (749.5, 1249.5), False),
        ({}, [{**MEASURES, **SHOWN}] * 2, (0.2, 0.1), (749.5, 1249.5), False),
        (MEASURES, [SHOWN, OTHERS], (0.2, 0.1), (749.5, 2249.5), False),
        ({**SHOWN, **TURNED}, [{}, MEASURES], None, (4095 - 1249.5, 4095 - 749.5), True),
    ],
    ids=["shared", "for each frame", "frames that differ", "of one frame alone"],
)
def test_enhanced_images_say_of_all_frames_what_plain_ones_say(tmp_path, shared, frames, size, limits, inverted):
    pixels = np.stack([stored_values(12, signed=False)] * 2)
    # What is there without a value is as good as missing.
    dataset = radiograph(pixels, bits=12, PixelSpacing=None)
    dataset.SharedFunctionalGroupsSequence = [functional_groups(**shared)]
    dataset.PerFrameFunctionalGroupsSequence = [functional_groups(**frame) for frame in frames]
    path = save(dataset, tmp_path / "a.dcm")
    info, stored = stored_in(path)
    np.testing.assert_array_equal(stored, pixels)
    assert (info.pixel_size, info.limits, info.encoding.inverted) == (size, limits, inverted)
    assert not patient_in(info, read_attributes(path, io.BytesIO(path.read_bytes())))


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
    info = probe(path)
    assert (info.pixel_size, info.spacing) == (size, where)
    assert probe(path).pixel_size == size


def test_images_are_ordered_by_acquisition_and_then_by_instance(tmp_path):
    numbers = [(1, 5), (2, 1), (2, 10), (10, 2)]
    images = []
    for acquisition, instance in reversed(numbers):
        dataset = radiograph(stored_values(8, signed=False), AcquisitionNumber=acquisition, InstanceNumber=instance)
        images.append(probe(save(dataset, tmp_path / f"{acquisition}-{instance}.dcm")))
    ordered = sorted(images, key=lambda image: image.order)
    assert [image.path.stem for image in ordered] == ["1-5", "2-1", "2-10", "10-2"]


def test_files_are_known_by_their_content(tmp_path):
    pixels = stored_values(8, signed=False)
    for name in ("IM000001", "1.2.840.113619.2", "picture.png", "a.dcm"):
        path = save(radiograph(pixels), tmp_path / name)
        assert format_of(path) is DICOM
        np.testing.assert_array_equal(read_image(path), pixels)
    assert read_dental(tmp_path).shape == (4, *pixels.shape)
    assert format_of(tmp_path / "missing.dcm") is not DICOM


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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # of the temporary folder that it leaves to chance
        del fileset
        gc.collect()
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


DAMAGES = {
    "short": lambda dataset: setattr(dataset, "PixelData", dataset.PixelData[:100]),
    "huge": lambda dataset: dataset.update({"Rows": 60000, "Columns": 60000}),
    "no_rows": lambda dataset: delattr(dataset, "Rows"),
    "no_pixels": lambda dataset: delattr(dataset, "PixelData"),
    "zero": lambda dataset: setattr(dataset, "Rows", 0),
    "negative": lambda dataset: setattr(dataset, "NumberOfFrames", -1),
    "bits": lambda dataset: setattr(dataset, "BitsStored", 99),
    "photometric": lambda dataset: setattr(dataset, "PhotometricInterpretation", "HSV"),
    "video_colours": lambda dataset: setattr(dataset, "PhotometricInterpretation", "YBR_PARTIAL_420"),
    "video": lambda dataset: encapsulated(dataset, UID("1.2.840.10008.1.2.4.100"), b"\0\0\0\1"),
    "claims": lambda dataset: as_jpeg(dataset, np.zeros((600, 600), np.uint8)),
    "no_frame": lambda dataset: encapsulated(dataset, JPEGBaseline8Bit, b"\xff\xd8\xff\xd9"),
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
        ("short", "its pixels have 100 of 5063 bytes"),
        ("huge", "claims 60000x60000"),
        ("no_rows", "without an image"),
        ("no_pixels", "without pixels, but for the header"),
        ("zero", "expected at least one"),
        ("negative", "in -1 frames; expected at least one"),
        ("bits", "stores 99 bits in 8"),
        ("photometric", "photometric interpretation"),
        ("video_colours", "photometric interpretation"),
        ("video", r"compressed in a way that is not read \(MPEG2 Main Profile"),
        ("claims", "not of the size"),
        ("no_frame", "no frame of JPEG.*its header says JPEG Baseline"),
        ("half", "DICOM file"),
        ("text", "is not an image"),
    ],
)
def test_bad_files_are_refused_with_a_reason_that_names_no_patient(tmp_path, name, reason, caplog, capfd, recwarn):
    path = damaged(name, stored_values(8, signed=False), tmp_path)
    with pytest.raises(ImageReadError, match=reason) as raised:
        read_image(path)
    assert not patient_in(raised.value, caplog.text, capfd.readouterr(), [str(item.message) for item in recwarn])


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_frame_that_was_cut_is_refused(tmp_path, syntax, share):
    pixels = stored_values(8, signed=False)
    dataset = radiograph(pixels)
    whole = as_jpeg(dataset, pixels) if syntax == JPEGBaseline8Bit else compressed(dataset, syntax)
    (frame,) = generate_frames(whole.PixelData, number_of_frames=1)
    cut = encapsulated(whole, syntax, frame[: int(len(frame) * share)])
    with pytest.raises(ImageReadError, match="truncated"):
        read_image(save(cut, tmp_path / "cut.dcm"))
    padded = encapsulated(whole, syntax, frame.rstrip(b"\0") + bytes(7))
    assert read_image(save(padded, tmp_path / "padded.dcm")).shape == pixels.shape


def jpeg_with(markers):
    """A JPEG of 6000x6000 that says something in front of its header."""
    data = imagecodecs.jpeg8_encode(np.zeros((6000, 6000), np.uint8))
    return data[:2] + markers + data[2:]


def small_header(width=83, height=61):
    """The header of a frame of that size, to be found by who reads markers wrongly."""
    return b"\xff\xc0\0\x0b\x08" + struct.pack(">2H", height, width) + b"\1\1\x11\0"


def box(kind, content):
    return struct.pack(">I", 8 + len(content)) + kind + content


def disguised(kind):
    """Frames of 6000x6000 pixels that seem to be of 83x61."""
    if kind == "JP2":
        data = imagecodecs.jpeg2k_encode(np.zeros((6000, 6000), np.uint8), codecformat="jp2")
        small = imagecodecs.jpeg2k_encode(np.zeros((61, 83), np.uint8), codecformat="j2k")
        return data[:12] + box(b"uuid", bytes(16) + box(b"jp2c", small)) + data[12:]
    # What stands alone has no length; who takes the next marker for one leaps into the segment behind it.
    lone = {"temporary": b"\xff\x01", "restart": b"\xff\xd0", "nothing": b"\xff\0"}[kind]
    content = (bytes(0xFFE0 - 4) + small_header()).ljust(0xFFFF - 2, b"\0")
    return jpeg_with(lone + b"\xff\xe0\xff\xff" + content)


@pytest.mark.parametrize("kind", ["JP2", "temporary", "restart", "nothing"])
def test_a_frame_that_hides_its_size_is_refused_before_it_is_decoded(tmp_path, kind, monkeypatch):
    syntax = JPEG2000Lossless if kind == "JP2" else JPEGBaseline8Bit
    dataset = encapsulated(radiograph(stored_values(8, signed=False)), syntax, disguised(kind))
    monkeypatch.setattr(dicom, "installed", lambda _: pytest.fail("decoded"))
    with pytest.raises(ImageReadError, match="not of the size"):
        read_image(save(dataset, tmp_path / "a.dcm"))


def test_a_wrapped_codestream_is_read(tmp_path):
    pixels = stored_values(8, signed=False)
    frame = imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="jp2", reversible=True)
    dataset = encapsulated(radiograph(pixels), JPEG2000Lossless, frame)
    np.testing.assert_array_equal(read_image(save(dataset, tmp_path / "a.dcm")), pixels)


def test_a_frame_of_more_colours_than_its_header_says_is_refused(tmp_path):
    frame = imagecodecs.jpeg2k_encode(np.zeros((61, 83, 60), np.uint8), codecformat="j2k", planar=False)
    dataset = encapsulated(radiograph(stored_values(8, signed=False)), JPEG2000Lossless, frame)
    with pytest.raises(ImageReadError, match="not of the size"):
        read_image(save(dataset, tmp_path / "a.dcm"))


def test_a_deflated_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_dental_denoise.dicom.file.LIMITS", config.Limits(dicom_bytes=2**20))
    dataset = radiograph(np.zeros((2000, 2000), np.uint8))
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    path = save(dataset, tmp_path / "a.dcm")
    assert path.stat().st_size < 2**15
    with pytest.raises(ImageReadError, match="unpacks to more than 1 MiB"):
        read_image(path)


def test_a_missing_decoder_is_named_with_its_cure(tmp_path, monkeypatch):
    path = save(compressed(radiograph(stored_values(8, signed=False)), JPEGLSLossless), tmp_path / "a.dcm")
    monkeypatch.setattr(dicom, "installed", lambda _: None)
    with pytest.raises(ImageReadError, match=r"JPEG-LS.*pip install imagecodecs"):
        read_image(path)


# The order of acquisition is known by them, and by nobody else.
OF_THE_ORDER = {"DA", "TM", "DT", "IS"}


def test_nothing_of_the_patient_is_read(tmp_path):
    pixels = stored_values(8, signed=False)
    path = save(everything(radiograph(pixels)), tmp_path / "a.dcm")
    assert kinds_in(path.read_bytes()) == set(TOKENS)
    assert path.read_bytes().decode("latin1").count(PATIENT) > 2000
    info, stored = stored_in(path)
    np.testing.assert_array_equal(stored, pixels)
    assert kinds_in(info) <= OF_THE_ORDER
    assert kinds_in(info.record()) == set()
    assert not patient_in(info, read_attributes(path, io.BytesIO(path.read_bytes())))


@pytest.mark.parametrize("name", sorted(DAMAGES))
def test_no_error_names_the_patient(tmp_path, name, caplog, capfd, recwarn):
    dataset = everything(radiograph(stored_values(8, signed=False)))
    DAMAGES[name](dataset)
    path = save(dataset, tmp_path / "a.dcm")
    with pytest.raises(ImageReadError) as raised:
        read_image(path)
    said = (str(raised.value), caplog.text, capfd.readouterr(), [str(item.message) for item in recwarn])
    assert kinds_in(*said) == set()


@pytest.mark.parametrize("frames", [1, 2])
@pytest.mark.parametrize("modality", ["OT", "SC"])
def test_a_secondary_capture_is_read_as_such(tmp_path, modality, frames):
    pixels = np.stack([stored_values(8, signed=False)] * frames)
    dataset = radiograph(pixels, modality=modality, SOPClassUID=SECONDARY_CAPTURE, ConversionType="WSD")
    for name in ("AcquisitionDate", "AcquisitionTime", "InstanceNumber"):
        delattr(dataset, name)
    path = save(dataset, tmp_path / "a.dcm")
    info, _ = stored_in(path)
    assert (info.modality, info.pixel_size, info.spacing) == (modality, None, None)
    np.testing.assert_array_equal(read_pages(path), pixels)


@st.composite
def stored_images(draw):
    """Values over any range of 8 to 16 bits, whatever else is in the bits allocated, and how they are written."""
    bits, signed = draw(st.integers(8, 16)), draw(st.booleans())
    low = -(2 ** (bits - 1)) if signed else 0
    dtype = f"{'i' if signed else 'u'}{1 if bits == 8 else 2}"
    shape = draw(arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=20))
    pixels = draw(arrays.arrays(dtype, shape, elements=st.integers(low, low + 2**bits - 1)))
    # imagecodecs writes lossless JPEG of a few pixels, and JPEG 2000 of fewer than 16, in ways of its own.
    syntaxes = [*NATIVE, RLELossless, JPEGLSLossless]
    return pixels, bits, draw(st.sampled_from(["MONOCHROME1", "MONOCHROME2"])), draw(st.sampled_from(syntaxes))


@settings(max_examples=80)
@given(case=stored_images())
def test_whatever_is_stored_is_read_exactly(tmp_path_factory, case):
    pixels, bits, photometric, syntax = case
    path = tmp_path_factory.mktemp("stored") / "a.dcm"
    info, stored = stored_in(write(radiograph(pixels, bits=bits, photometric=photometric), path, syntax))
    assert stored.dtype == pixels.dtype
    np.testing.assert_array_equal(stored, pixels)
    assert info.encoding.inverted == (photometric == "MONOCHROME1")
    shown = read_image(path)
    np.testing.assert_array_equal(info.encoding.from_grey(shown, stored), pixels)
    grey = -pixels.astype(int) if info.encoding.inverted else pixels.astype(int)
    np.testing.assert_array_equal(shown.astype(int) - shown.flat[0], grey - grey.flat[0])
