"""Files that break the standard are read right where the pixels leave no doubt; others are refused as what they are."""

import struct
import zlib

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000,
    UID,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from napari_dental_denoise.dicom.derived import write_derived
from napari_dental_denoise.errors import ImageReadError
from napari_dental_denoise.images.formats import probe
from napari_dental_denoise.images.radiograph import read_image, read_pages, read_radiograph
from napari_dental_denoise.synthesis.scene import phantom
from tests.dicom.test_derived import DENOISED, NOBODY
from tests.dicom_files import PIXELS, as_jpeg, compressed, encapsulated, radiograph, run_length, save, spoil

# Syntaxes that pydicom does not know.
DEFLATED_FRAMES = UID("1.2.840.10008.1.2.8.1")
JPEG_XL_LOSSLESS = UID("1.2.840.10008.1.2.4.110")
GREY = np.rint(phantom((64, 96), 3)[:61, :83] * 255).astype(np.uint8)
WIDE = np.rint(phantom((64, 96), 3)[:61, :83] * 4095).astype(np.uint16)
COLOURS = np.dstack([np.rint(phantom((64, 96), seed)[:61, :83] * 255) for seed in range(3)]).astype(np.uint8)
LUMINANCE = COLOURS @ [0.299, 0.587, 0.114]


def stored(dataset, folder):
    return read_radiograph(save(dataset, folder / "a.dcm")).pixels


def beyond(values, precision, **options):
    """A codestream with values above the 12 bits that the header of the file states."""
    return imagecodecs.jpeg2k_encode(values, level=0, codecformat="j2k", bitspersample=precision, **options)


@pytest.mark.parametrize(
    ("syntax", "encode"),
    [
        (JPEG2000, lambda values: beyond(values, 16, reversible=True)),
        (JPEGLSNearLossless, lambda values: imagecodecs.jpegls_encode(values, level=0)),
    ],
    ids=["JPEG 2000", "JPEG-LS"],
)
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_what_a_loss_lifts_above_the_stored_bits_stays_white(tmp_path, syntax, encode, signed):
    values = WIDE.copy()
    values[10:20] = 4097
    if signed and syntax == JPEG2000:
        values = values.astype(np.int16) - 2048
    kind = np.int16 if signed else np.uint16
    dataset = encapsulated(radiograph(WIDE.astype(kind), bits=12), syntax, encode(values))
    read = stored(dataset, tmp_path)
    highest = 4095 if not signed else 2047 if syntax == JPEG2000 else -1
    assert (read[10:20] == highest).all()
    assert read.dtype == kind


def test_an_overlay_in_unused_bits_of_a_lossy_syntax_stays_apart(tmp_path):
    dataset = radiograph(WIDE, bits=12)
    dataset.add_new(0x60000100, "US", 16)
    dataset.add_new(0x60000102, "US", 12)
    with_overlay = WIDE | np.uint16(1 << 12)
    dataset = encapsulated(dataset, JPEG2000, beyond(with_overlay, 16, reversible=True))
    np.testing.assert_array_equal(stored(dataset, tmp_path), WIDE)


def without(frame, marker):
    """A JPEG without the segments of this marker."""
    start = frame.find(bytes([0xFF, marker]))
    while start >= 0:
        frame = frame[:start] + frame[start + 2 + int.from_bytes(frame[start + 2 : start + 4], "big") :]
        start = frame.find(bytes([0xFF, marker]))
    return frame


def jpeg(colorspace, subsampling="444"):
    return imagecodecs.jpeg8_encode(COLOURS, level=98, outcolorspace=colorspace, subsampling=subsampling)


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL", "YBR_FULL_422"])
@pytest.mark.parametrize(
    "frame",
    [jpeg("YCBCR"), without(jpeg("YCBCR"), 0xE0), jpeg("RGB"), without(jpeg("RGB"), 0xEE)],
    ids=["YCbCr", "YCbCr without APP0", "RGB", "RGB without APP14"],
)
def test_a_jpeg_knows_its_colours_whatever_the_header_says(tmp_path, photometric, frame):
    dataset = radiograph(COLOURS, photometric="RGB")
    dataset.PhotometricInterpretation = photometric
    read = stored(encapsulated(dataset, JPEGBaseline8Bit, frame), tmp_path)
    assert np.abs(read - LUMINANCE).max() < 12
    assert np.abs(read - LUMINANCE).mean() < 1.5


@pytest.mark.parametrize(
    ("dtype", "keyword"),
    [(np.float32, "FloatPixelData"), (np.float64, "DoubleFloatPixelData"), (np.uint32, None), (np.int32, None)],
)
@pytest.mark.parametrize("derivation", [DENOISED, NOBODY], ids=["same patient", "nobody"])
def test_wide_and_floating_pixels_are_read_and_derived_in_their_own_type(tmp_path, dtype, keyword, derivation):
    values = (WIDE.astype(float) * (1 / 3 if keyword else 300_000) - (9 if keyword else 0)).astype(dtype)
    dataset = radiograph(values)
    if keyword:
        for name in ("PixelData", "BitsStored", "HighBit", "PixelRepresentation"):
            delattr(dataset, name)
        setattr(dataset, keyword, values.tobytes())
    path = save(dataset, tmp_path / "a.dcm")
    info, read = read_radiograph(path).info, read_radiograph(path).pixels
    assert (info.dtype, read.dtype, info.bits) == (dtype, dtype, 8 * values.itemsize)
    np.testing.assert_array_equal(read, values)
    write_derived(tmp_path / "b.dcm", path, values + dtype(1), derivation)
    np.testing.assert_array_equal(read_radiograph(tmp_path / "b.dcm").pixels, values + dtype(1))


def deflated(data):
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def runs_of_bits(data):
    return struct.pack("<16L", 1, 64, *[0] * 14) + imagecodecs.packbits_encode(data)


@pytest.mark.parametrize(
    "packed", [None, (DEFLATED_FRAMES, deflated), (RLELossless, runs_of_bits)], ids=["native", "deflated", "runs"]
)
def test_a_mask_of_single_bits_is_read(tmp_path, packed):
    mask = (GREY > 99).astype(np.uint8)
    dataset = radiograph(np.stack([mask, 1 - mask]))
    dataset.BitsAllocated = dataset.BitsStored = 1
    dataset.HighBit = 0
    dataset.PixelData = np.packbits(np.stack([mask, 1 - mask]).ravel(), bitorder="little").tobytes() + b"\0"
    path = save(dataset, tmp_path / "a.dcm")
    if packed:
        syntax, pack = packed
        repack(path, syntax, *[pack(np.packbits(frame, bitorder="little").tobytes()) for frame in (mask, 1 - mask)])
    np.testing.assert_array_equal(read_pages(path), [mask, 1 - mask])
    np.testing.assert_array_equal(read_radiograph(path, slice(1, 2)).pixels, 1 - mask)


@pytest.mark.parametrize("missing", ["PhotometricInterpretation", "BitsStored", "SamplesPerPixel", "HighBit"])
@pytest.mark.parametrize("pixels", [GREY, WIDE, COLOURS], ids=["8 bit", "16 bit", "colour"])
def test_what_the_pixels_tell_need_not_be_in_the_header(tmp_path, missing, pixels):
    dataset = radiograph(pixels, photometric="RGB" if pixels.ndim == 3 else "MONOCHROME2")
    delattr(dataset, missing)
    expected = pixels if pixels.ndim == 2 else LUMINANCE
    path = save(dataset, tmp_path / "a.dcm")
    read = read_radiograph(path).pixels
    assert np.abs(read - expected).max() < 1
    # A file that was read can be derived from.
    write_derived(tmp_path / "b.dcm", path, read, DENOISED)
    np.testing.assert_array_equal(read_radiograph(tmp_path / "b.dcm").pixels, read)


@pytest.mark.parametrize("pixels", [GREY, WIDE, COLOURS], ids=["8 bit", "16 bit", "colour"])
def test_a_header_without_any_description_is_enough(tmp_path, pixels):
    dataset = radiograph(pixels, photometric="RGB" if pixels.ndim == 3 else "MONOCHROME2")
    for name in ("PhotometricInterpretation", "BitsStored", "HighBit", "PixelRepresentation", "PlanarConfiguration"):
        dataset.pop(name, None)
    if pixels.ndim == 2:
        del dataset.SamplesPerPixel, dataset.BitsAllocated
    else:
        del dataset.SamplesPerPixel
    assert np.abs(stored(dataset, tmp_path) - (pixels if pixels.ndim == 2 else LUMINANCE)).max() < 1


def test_a_jpeg_describes_itself(tmp_path):
    dataset = as_jpeg(radiograph(GREY), GREY)
    described = ("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated", "BitsStored")
    for name in (*described, "HighBit", "PixelRepresentation"):
        delattr(dataset, name)
    assert np.abs(stored(dataset, tmp_path).astype(int) - GREY).mean() < 3


def with_pixels(content, data, length):
    """The same file with these pixels, with a length that need not be theirs."""
    return content[: content.rindex(PIXELS)] + PIXELS + b"OB\0\0" + struct.pack("<L", length) + data


def called(content, syntax):
    """The same file with another transfer syntax in its meta information."""
    old, new = ExplicitVRLittleEndian.encode() + b"\0", str(syntax).encode() + b"\0" * (len(str(syntax)) % 2)
    at, start = content.index(old), content.index(b"\x02\0\0\0UL") + 8
    (group,) = struct.unpack("<L", content[start : start + 4])
    content = content[: at - 2] + struct.pack("<H", len(new)) + new + content[at + len(old) :]
    return content[:start] + struct.pack("<L", group + len(new) - len(old)) + content[start + 4 :]


def items(*frames):
    return encapsulate(list(frames), has_bot=False)


def repack(path, syntax, *frames):
    """Write other pixels into a file, compressed as pydicom does not write them."""
    path.write_bytes(called(with_pixels(path.read_bytes(), items(*frames), UNDEFINED), syntax))
    return path


LEFT_OVER = b"\0\0\0\0 left over"
FRAME = as_jpeg(radiograph(GREY), GREY)
JPEG = pydicom.encaps.get_frame(FRAME.PixelData, 0, number_of_frames=1)
RUNS = pydicom.encaps.get_frame(run_length(radiograph(GREY)).PixelData, 0, number_of_frames=1)
NATIVE = GREY.tobytes() + b"\0"
UNDEFINED = 0xFFFFFFFF


@pytest.mark.parametrize(
    ("syntax", "data", "length"),
    [
        (JPEGBaseline8Bit, items(JPEG), UNDEFINED),
        (JPEGBaseline8Bit, items(JPEG) + b"\xfe\xff\xdd\xe0\0\0\0\0" + b"behind the pixels", UNDEFINED),
        (JPEGBaseline8Bit, items(JPEG, b"stray item"), UNDEFINED),
        (JPEGBaseline8Bit, items(JPEG[:500], JPEG[500:]), UNDEFINED),
        (JPEGBaseline8Bit, items(JPEG) + LEFT_OVER, UNDEFINED),
        (JPEGBaseline8Bit, JPEG, len(JPEG)),
        (JPEGBaseline8Bit, items(JPEG), len(items(JPEG))),
        (ExplicitVRLittleEndian, items(JPEG), UNDEFINED),
        (ExplicitVRLittleEndian, JPEG, len(JPEG)),
        (JPEG2000Lossless, items(JPEG), UNDEFINED),
        (UID("1.2.3.4.5"), items(JPEG), UNDEFINED),
        (JPEGBaseline8Bit, NATIVE, len(NATIVE)),
        (ExplicitVRLittleEndian, NATIVE + b"bytes behind the pixels.", len(NATIVE) + 24),
        (ExplicitVRLittleEndian, NATIVE + b"bytes behind the pixels.", len(NATIVE)),
    ],
    ids=[
        *("no delimiter", "bytes behind", "stray item", "two fragments", "lost delimiter", "bare JPEG", "items"),
        *("native syntax", "bare and native", "another syntax", "private syntax", "not compressed", "long", "more"),
    ],
)
def test_pixels_are_found_and_decoded_by_what_they_are(tmp_path, syntax, data, length):
    path = save(radiograph(GREY), tmp_path / "a.dcm")
    path.write_bytes(called(with_pixels(path.read_bytes(), data, length), syntax))
    read = read_radiograph(path).pixels
    assert np.abs(read.astype(int) - GREY).mean() < (3 if data.find(JPEG[:99]) >= 0 else 1e-9)
    write_derived(tmp_path / "b.dcm", path, read, DENOISED)
    np.testing.assert_array_equal(read_radiograph(tmp_path / "b.dcm").pixels, read)
    # The loss is that of the frame, whatever the file calls it.
    if JPEG[:99] in data:
        assert pydicom.dcmread(tmp_path / "b.dcm").LossyImageCompression == "01"


@pytest.mark.parametrize(
    ("encode", "bits", "syntax"),
    [
        (lambda values: imagecodecs.jpeg8_encode(values, level=100, bitspersample=12), 12, JPEGExtended12Bit),
        (
            lambda values: imagecodecs.jpeg8_encode(values, lossless=True, predictor=4, bitspersample=16),
            16,
            JPEGLosslessSV1,
        ),
        (imagecodecs.jpegls_encode, 16, JPEGLSLossless),
        (imagecodecs.jpegls_encode, 12, JPEGLSLossless),
    ],
    ids=["JPEG, 12 bit", "lossless JPEG, 16 bit", "JPEG-LS, 16 bit", "JPEG-LS, 12 bit"],
)
def test_wide_codestreams_are_read(tmp_path, encode, bits, syntax):
    values = WIDE if bits == 12 else WIDE * np.uint16(16)
    dataset = encapsulated(radiograph(values, bits=bits), syntax, encode(values))
    error = np.abs(stored(dataset, tmp_path).astype(int) - values)
    assert error.max() <= (20 if syntax == JPEGExtended12Bit else 0)
    assert error.mean() < 3


@pytest.mark.parametrize("values", [GREY, WIDE, WIDE.astype(np.int16) - 2048], ids=["8 bit", "12 bit", "signed"])
def test_deflated_frames_are_read(tmp_path, values):
    frames = np.stack([values, values[::-1]])
    path = save(radiograph(frames, bits=8 if values is GREY else 12), tmp_path / "a.dcm")
    repack(path, DEFLATED_FRAMES, *[deflated(frame.tobytes()) for frame in frames])
    np.testing.assert_array_equal(read_radiograph(path).pixels, frames)
    np.testing.assert_array_equal(read_radiograph(path, slice(1, 2)).pixels, frames[1])
    write_derived(tmp_path / "b.dcm", path, frames, DENOISED)
    np.testing.assert_array_equal(read_radiograph(tmp_path / "b.dcm").pixels, frames)


def test_a_deflated_frame_that_is_too_short_is_refused(tmp_path):
    path = repack(save(radiograph(GREY), tmp_path / "a.dcm"), DEFLATED_FRAMES, deflated(GREY.tobytes()[:-500]))
    with pytest.raises(ImageReadError, match="truncated or damaged"):
        read_image(path)


@pytest.mark.parametrize("container", [False, True], ids=["bare", "boxes"])
@pytest.mark.parametrize("values", [GREY, WIDE, COLOURS], ids=["8 bit", "12 bit", "colour"])
def test_jpeg_xl_is_read(tmp_path, values, container):
    colour = values.ndim == 3
    dataset = radiograph(values, bits=12 if values is WIDE else 8, photometric="RGB" if colour else "MONOCHROME2")
    bits = None if values is GREY or colour else 12
    frame = imagecodecs.jpegxl_encode(values, lossless=True, bitspersample=bits, usecontainer=container)
    path = repack(save(dataset, tmp_path / "a.dcm"), JPEG_XL_LOSSLESS, frame)
    read = read_radiograph(path).pixels
    assert np.abs(read - (LUMINANCE if colour else values)).max() < 1
    assert probe(path).dtype == read.dtype
    write_derived(tmp_path / "b.dcm", path, read, DENOISED)
    np.testing.assert_array_equal(read_radiograph(tmp_path / "b.dcm").pixels, read)


@pytest.mark.parametrize(("number", "method"), [(110, None), (111, "ISO_10918_1"), (112, "ISO_18181_1")])
def test_a_loss_in_jpeg_xl_is_stated(tmp_path, number, method):
    frame = imagecodecs.jpegxl_encode(GREY, lossless=number == 110)
    syntax = UID(f"1.2.840.10008.1.2.4.{number}")
    path = repack(save(radiograph(GREY), tmp_path / "a.dcm"), syntax, frame)
    write_derived(tmp_path / "b.dcm", path, read_image(path), DENOISED)
    assert pydicom.dcmread(tmp_path / "b.dcm").get("LossyImageCompressionMethod") == method


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless, JPEGLosslessSV1])
def test_one_frame_of_many_is_read_alone(tmp_path, syntax):
    frames = np.stack([WIDE, WIDE[::-1], WIDE[:, ::-1]])
    path = save(compressed(radiograph(frames, bits=12), syntax), tmp_path / "a.dcm")
    np.testing.assert_array_equal(read_radiograph(path, slice(1, 2)).pixels, frames[1])
    np.testing.assert_array_equal(read_radiograph(path).pixels, frames)
    content = path.read_bytes()
    path.write_bytes(content[: content.rindex(b"\xfe\xff\0\xe0")])
    np.testing.assert_array_equal(read_image(path), frames[0])
    with pytest.raises(ImageReadError, match="truncated DICOM file: it has 2 of 3 frames"):
        read_pages(path)


@pytest.mark.parametrize(
    ("syntax", "name"),
    [
        (UID("1.2.840.10008.1.2.4.102"), r"\(MPEG-4 AVC/H.264 High Profile"),
        (UID("1.2.840.113619.5.2.1"), r"transfer syntax 1\.2\.840\.113619\.5\.2\.1"),
    ],
)
def test_a_compression_that_is_not_read_is_named(tmp_path, syntax, name):
    path = save(radiograph(GREY), tmp_path / "a.dcm")
    path.write_bytes(called(with_pixels(path.read_bytes(), items(bytes(4)), UNDEFINED), syntax))
    with pytest.raises(ImageReadError, match=name):
        read_image(path)


def test_a_class_that_only_the_meta_information_names_is_kept(tmp_path):
    path = save(radiograph(GREY), tmp_path / "a.dcm")
    dataset = pydicom.dcmread(path)
    expected = dataset.SOPClassUID
    del dataset.SOPClassUID
    dataset.save_as(path)
    write_derived(tmp_path / "b.dcm", path, GREY, DENOISED)
    assert pydicom.dcmread(tmp_path / "b.dcm").SOPClassUID == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("PixelSpacing", b"0,143\\0,143 ", (0.143, 0.143)),
        ("PixelSpacing", b" 0.143 \\ 0.2 ", (0.143, 0.2)),
        ("PixelSpacing", b"0.143 ", (0.143, 0.143)),
        ("PixelSpacing", b"0,143 ", (0.143, 0.143)),
        ("ImagerPixelSpacing", b"0.143,0.2 ", (0.143, 0.2)),
    ],
)
@pytest.mark.parametrize("derivation", [DENOISED, NOBODY], ids=["same patient", "nobody"])
def test_a_pixel_size_is_understood_however_it_is_written(tmp_path, name, text, expected, derivation):
    path = spoil(save(radiograph(WIDE, bits=12), tmp_path / "a.dcm"), name, "DS", text)
    assert probe(path).pixel_size == expected
    write_derived(tmp_path / "b.dcm", path, WIDE, derivation)
    assert probe(tmp_path / "b.dcm").pixel_size == expected


def test_a_ratio_of_the_sides_is_known_without_a_size(tmp_path):
    info = probe(save(radiograph(GREY, PixelAspectRatio=[4, 3]), tmp_path / "a.dcm"))
    assert (info.aspect, info.pixel_size) == (pytest.approx(4 / 3), None)


def test_a_window_in_small_units_is_that_of_its_values(tmp_path):
    scaled = {"RescaleSlope": 0.0001, "RescaleIntercept": 0, "WindowCenter": 0.2, "WindowWidth": 0.3}
    assert probe(save(radiograph(WIDE, bits=12, **scaled), tmp_path / "a.dcm")).limits == pytest.approx((500, 3500))


@pytest.mark.parametrize("number", [b"99999999999 ", b"seven "])
def test_a_number_of_the_series_that_cannot_be_is_replaced(tmp_path, number):
    dataset = radiograph(GREY)
    del dataset.SeriesNumber
    path = spoil(save(dataset, tmp_path / "a.dcm"), "SeriesNumber", "IS", number)
    write_derived(tmp_path / "b.dcm", path, GREY, DENOISED)
    assert pydicom.dcmread(tmp_path / "b.dcm").SeriesNumber == 1000


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
@pytest.mark.parametrize("name", ["a.dcm", "IM1", "scan.png", "1.2.3"])
def test_a_file_without_preamble_is_known_under_any_name(tmp_path, name, syntax):
    dataset = radiograph(GREY)
    dataset.file_meta.TransferSyntaxUID = syntax
    content = save(dataset, tmp_path / "whole.dcm").read_bytes()
    path = tmp_path / name
    start = content.index(b"\x08\0\x08\0")
    path.write_bytes(content[start:])
    np.testing.assert_array_equal(read_image(path), GREY)
    assert probe(path).is_dicom


@pytest.mark.parametrize("kind", ["png", "jpg", "tif"])
def test_an_image_that_is_called_dcm_is_read_as_what_it_is(tmp_path, kind):
    from PIL import Image

    Image.fromarray(GREY).save(tmp_path / f"a.{kind}")
    (tmp_path / f"a.{kind}").rename(tmp_path / "a.dcm")
    assert not probe(tmp_path / "a.dcm").is_dicom
    assert np.abs(read_image(tmp_path / "a.dcm").astype(int) - GREY).mean() < 3
