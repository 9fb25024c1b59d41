"""Slices of a series are in the order of the patient, at their distance, and on one scale of grey values."""

import math

import numpy as np
import pydicom
import pytest

from napari_dental_denoise.dicom.derived import write_derived
from napari_dental_denoise.images.folders import read_dental, series_encoding
from napari_dental_denoise.images.formats import probe
from napari_dental_denoise.images.loading import load_images
from napari_dental_denoise.images.radiograph import read_radiograph
from napari_dental_denoise.images.slices import order_slices, stack_slices
from napari_dental_denoise.synthesis.scene import phantom
from tests.dicom.test_derived import DENOISED, NOBODY
from tests.dicom.test_pixel_data import functional_groups
from tests.dicom_files import radiograph, save

PIXELS = np.rint(phantom((64, 96), 3)[:20, :30] * 1000).astype(np.int16)
AXIAL, CORONAL = [1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, -1]
SERIES = {"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.2.3", "PixelSpacing": [0.3, 0.3]}


def write_slices(folder, places, *, orientation=AXIAL, pixels=PIXELS, **attributes):
    """Slices at these places along z, whose names, numbers and times say otherwise; an attribute may be a list."""
    for index, place in enumerate(places):
        own = {name: value[index] if isinstance(value, list) else value for name, value in attributes.items()}
        along = [0, place, 0] if orientation is CORONAL else [0, 0, place]
        dataset = radiograph(pixels + pixels.dtype.type(index), modality="CT", **SERIES)
        dataset.ImagePositionPatient, dataset.ImageOrientationPatient = (
            (place if isinstance(place, list) else along),
            orientation,
        )
        dataset.InstanceNumber, dataset.ContentTime = 9 - index, f"10{(index * 7) % 5}000"
        for name, value in own.items():
            setattr(dataset, name, value)
        save(dataset, folder / f"CT.1.2.{(index * 3) % 7}")
    return ordered(folder)


def ordered(folder):
    return order_slices([probe(path) for path in sorted(folder.iterdir())])


def stacked(images):
    slices = stack_slices(images)
    pixels = [frame.convert(read_radiograph(frame.image.path).pixels) for frame in slices.frames]
    return slices, np.stack(pixels)


@pytest.mark.parametrize("orientation", [AXIAL, CORONAL], ids=["axial", "coronal"])
def test_slices_are_in_the_order_of_their_places_and_as_far_apart(tmp_path, orientation):
    places = [0.6, -0.3, 0.0, 0.3]
    slices, pixels = stacked(write_slices(tmp_path, places, orientation=orientation))
    np.testing.assert_array_equal(pixels[:, 0, 0] - PIXELS[0, 0], [1, 2, 3, 0])
    assert slices.depth.step == pytest.approx(0.3)
    assert slices.depth.origin == pytest.approx((-0.3, 0, 0))
    assert slices.depth.problem == ""
    assert slices.dtype == np.int16


def test_the_origin_is_that_of_the_axes_of_the_slices(tmp_path):
    images = write_slices(tmp_path, [[10, 20, 31], [10, 20, 30]])
    assert stack_slices(images).depth.origin == pytest.approx((30, 20, 10))


@pytest.mark.parametrize(
    ("places", "problem"),
    [
        ([0, 0.3, 0.6, 1.2, 1.5], "slices missing: 1"),
        ([0, 0.3, 0.3, 0.6, 0.9], "slices at the place of another: 1"),
        ([0, 0.3, 0.6, 1.0, 1.3], "uneven steps between slices: 0.3 to 0.4 mm"),
    ],
)
def test_what_is_wrong_with_the_places_is_told(tmp_path, places, problem):
    depth = stack_slices(write_slices(tmp_path, places)).depth
    assert depth.problem == problem
    assert depth.step == pytest.approx(0.3)


def test_without_places_number_and_time_decide_but_never_that_of_the_content(tmp_path):
    for index, (number, time) in enumerate([(3, "1001"), (1, "1009"), (2, "1000")]):
        dataset = radiograph(PIXELS + np.int16(index), **SERIES)
        dataset.InstanceNumber, dataset.AcquisitionTime, dataset.ContentTime = number, time, f"100{index}"
        save(dataset, tmp_path / f"{index}.dcm")
    assert [image.path.stem for image in ordered(tmp_path)] == ["1", "2", "0"]
    for path in tmp_path.iterdir():
        dataset = pydicom.dcmread(path)
        del dataset.InstanceNumber
        dataset.save_as(path)
    assert [image.path.stem for image in ordered(tmp_path)] == ["2", "0", "1"]
    assert stack_slices(ordered(tmp_path)).depth.step is None


def test_slices_of_other_bits_are_one_stack(tmp_path):
    images = write_slices(tmp_path, [0, 1, 2], BitsStored=[12, 16, 12], HighBit=[11, 15, 11])
    slices, pixels = stacked(images)
    assert slices.encoding.bits == 16
    np.testing.assert_array_equal(pixels, [PIXELS, PIXELS + 1, PIXELS + 2])


@pytest.mark.parametrize(
    ("slopes", "offsets", "dtype", "expected"),
    [
        ([1, 1], [-1024, 0], np.int16, [0, 1024]),
        ([2, 2], [-1024, 0], np.int16, [0, 512]),
        # Beyond 16 bits.
        ([1, 1], [0, 65536], np.int32, [0, 65536]),
    ],
)
def test_slices_of_other_rescale_come_to_one_scale_without_loss(tmp_path, slopes, offsets, dtype, expected):
    images = write_slices(
        tmp_path,
        [0, 1],
        BitsStored=12,
        HighBit=11,
        RescaleSlope=slopes,
        RescaleIntercept=offsets,
        WindowCenter=500,
        WindowWidth=1001,
    )
    slices, pixels = stacked(images)
    assert pixels.dtype == slices.dtype == dtype
    values = pixels.astype(int) - [[[0]], [[1]]]
    np.testing.assert_array_equal(values, PIXELS[np.newaxis].astype(int) + np.reshape(expected, (2, 1, 1)))
    # The window is in the values of the scanner.
    assert slices.limits == pytest.approx(tuple((end - offsets[0]) / slopes[0] for end in (-0.5, 999.5)))


def test_slices_of_slopes_of_their_own_become_the_values_of_the_scanner(tmp_path):
    images = write_slices(tmp_path, [0, 1], RescaleSlope=[0.25, 0.37], RescaleIntercept=[0, 5])
    slices, pixels = stacked(images)
    assert slices.dtype == np.float32
    np.testing.assert_allclose(pixels, [0.25 * PIXELS, 0.37 * (PIXELS + 1) + 5], rtol=1e-6)


def test_padding_of_several_values_becomes_one(tmp_path):
    pixels = PIXELS.copy()
    pixels[:3] = -2000
    images = write_slices(tmp_path, [0, 1], pixels=pixels, PixelPaddingValue=[-2000, -1999], BitsStored=12, HighBit=11)
    slices, stack = stacked(images)
    assert slices.dtype == np.int16
    is_padding = slices.encoding.is_padding(stack)
    assert is_padding[:, :3].all()
    assert not is_padding[:, 3:].any()
    np.testing.assert_array_equal(stack[:, 3:], [pixels[3:], pixels[3:] + 1])


@pytest.mark.parametrize("missing", ["SeriesInstanceUID", "StudyInstanceUID"])
def test_slices_without_a_series_are_put_together_by_what_they_share(tmp_path, missing):
    both = ("SeriesInstanceUID", "StudyInstanceUID")
    uids = both if missing == both[1] else both[:1]
    series = set()
    for index in range(3):
        dataset = radiograph(PIXELS, modality="CT", **SERIES)
        for name in uids:
            delattr(dataset, name)
        dataset.ImagePositionPatient, dataset.ImageOrientationPatient = [0, 0, index], AXIAL
        series.add(probe(save(dataset, tmp_path / "one" / str(index))).series)
    assert len(series) == 1
    dataset.ImageOrientationPatient = CORONAL
    assert probe(save(dataset, tmp_path / "one" / "other")).series not in series


def test_signed_images_of_a_series_have_one_black_point(tmp_path):
    """One with air, one with metal: the same tissue keeps its grey."""
    for index, extreme in enumerate([-1000, 0, -2000, -4000]):
        pixels = np.full((20, 30), -900, np.int16)
        pixels[0, 0] = extreme
        save(radiograph(pixels, InstanceNumber=index, **SERIES), tmp_path / f"{index}.dcm")
    images = read_dental(tmp_path)
    assert [image[5, 5] for image in images] == [3196] * 4
    assert images.dtype == np.uint16
    # A file at a time, as it is denoised to TIFF.
    alone = [read_radiograph(path) for path in sorted(tmp_path.iterdir())]
    assert [series_encoding(each).to_grey(each.pixels)[5, 5] for each in alone] == [3196] * 4
    # For training, in memory and in their files.
    for memory in (math.inf, 1):
        assert [np.asarray(image)[5, 5] for image in load_images([tmp_path], memory_bytes=memory).images] == [3196] * 4


def test_images_of_a_series_are_read_on_one_scale(tmp_path):
    for index, offset in enumerate([-1024, 0]):
        tissue = np.full((20, 30), 500 - offset, np.int16)
        save(radiograph(tissue, bits=12, RescaleSlope=1, RescaleIntercept=offset, **SERIES), tmp_path / f"{index}.dcm")
    first, second = read_dental(tmp_path)
    np.testing.assert_array_equal(first, second)


def enhanced(frames, **frame_attributes):
    """An enhanced image with places and other attributes of its frames."""
    pixels = np.stack([PIXELS + np.int16(index) for index in range(frames)])
    dataset = radiograph(pixels, modality="CT", PixelSpacing=[0.3, 0.3])
    shared = {"PlaneOrientationSequence": {"ImageOrientationPatient": AXIAL}}
    dataset.SharedFunctionalGroupsSequence = [functional_groups(**shared)]
    dataset.PerFrameFunctionalGroupsSequence = [
        functional_groups(**{macro: values[index] for macro, values in frame_attributes.items()})
        for index in range(frames)
    ]
    return dataset, pixels


@pytest.mark.parametrize("places", [[0, 0.3, 0.6], [0.6, 0.3, 0]], ids=["up", "down"])
def test_frames_have_places_too(tmp_path, places):
    dataset, pixels = enhanced(3, PlanePositionSequence=[{"ImagePositionPatient": [0, 0, place]} for place in places])
    info = probe(save(dataset, tmp_path / "a.dcm"))
    slices = stack_slices([info])
    assert slices.depth.step == pytest.approx(0.3)
    assert slices.depth.origin == pytest.approx((places[0] if places[0] < places[1] else -places[0], 0, 0))
    for derivation, name in ((DENOISED, "b.dcm"), (NOBODY, "c.dcm")):
        write_derived(tmp_path / name, tmp_path / "a.dcm", pixels, derivation)
        assert stack_slices([probe(tmp_path / name)]).depth == slices.depth


def test_frames_of_another_scale_come_to_one(tmp_path):
    scale = [{"RescaleSlope": 1, "RescaleIntercept": offset} for offset in (0, 100)]
    windows = [{"WindowCenter": center, "WindowWidth": 101} for center in (50, 150)]
    dataset, pixels = enhanced(2, PixelValueTransformationSequence=scale, FrameVOILUTSequence=windows)
    info = probe(save(dataset, tmp_path / "a.dcm"))
    slices = stack_slices([info])
    converted = [frame.convert(page) for frame, page in zip(slices.frames, pixels, strict=True)]
    np.testing.assert_array_equal(converted, [pixels[0], pixels[1] + 100])
    assert slices.limits == pytest.approx((-0.5, 199.5))
