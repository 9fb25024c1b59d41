"""Phantoms are reproducible, in range, and show the anatomy that they are given."""

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.restoration import estimate_sigma

from napari_dental_denoise import Anatomy, phantom, phantoms, random_anatomy
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.synthesis.bone import trabeculae

SHAPE = (244, 374)
SLOPES = (2.9, 3.3, 3.7)
# Twenty pixels a mm, one upright molar in the middle, all of it in view.
MOLAR = Anatomy(field_mm=20.0, tooth=6, crowding=0.0, contrast=0.7)
MOLAR_SHAPE = (400, 400)


def mean_over_seeds(anatomy, statistic, seeds=3, shape=SHAPE):
    return np.mean([statistic(phantom(shape, seed, anatomy)) for seed in range(seeds)])


def correlation(one, other):
    return np.corrcoef(one.ravel(), other.ravel())[0, 1]


def spectral_slope(field, low, high):
    window = np.outer(np.hanning(field.shape[0]), np.hanning(field.shape[1]))
    power = np.abs(np.fft.fft2((field - field.mean()) * window)) ** 2
    frequency = np.hypot(*np.meshgrid(*map(np.fft.fftfreq, field.shape), indexing="ij"))
    edges = np.geomspace(low, high, 10)
    mean = [power[(frequency >= a) & (frequency < b)].mean() for a, b in pairwise(edges)]
    return -np.polyfit(np.log(np.sqrt(edges[1:] * edges[:-1])), np.log(mean), 1)[0]


@pytest.mark.parametrize("shape", [(32, 32), (97, 301), (488, 748)])
def test_shape_type_and_range(shape):
    image = phantom(shape, rng=0)
    assert image.shape == shape
    assert image.dtype == np.float32
    assert image.min() >= 0
    assert image.max() <= 1


@settings(max_examples=10)
@given(st.integers(32, 200), st.integers(32, 200), st.integers(0, 2**32))
def test_any_size_of_any_mouth(height, width, seed):
    image = phantom((height, width), seed)
    assert image.shape == (height, width)
    assert image.dtype == np.float32
    assert np.isfinite(image).all()
    assert image.min() >= 0
    assert image.max() <= 1
    assert image.std() > 0.01


def test_the_same_seed_draws_the_same_mouth():
    np.testing.assert_array_equal(phantom((64, 64), rng=3), phantom((64, 64), rng=3))
    first, second = phantoms(2, (64, 64), rng=3)
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, phantoms(1, (64, 64), rng=4)[0])


def test_the_same_seed_draws_the_same_anatomy():
    assert random_anatomy(5) == random_anatomy(5)
    assert random_anatomy(5) != random_anatomy(6)


def test_one_anatomy_has_many_mouths():
    assert not np.array_equal(phantom(SHAPE, 0, MOLAR), phantom(SHAPE, 1, MOLAR))


def test_a_finer_image_shows_the_same_teeth():
    anatomy = Anatomy(bone_density=0.0)
    coarse, fine = phantom((122, 187), 0, anatomy), phantom(SHAPE, 0, anatomy)
    binned = fine.reshape(122, 2, 187, 2).mean((1, 3))
    assert np.corrcoef(coarse.ravel(), binned.ravel())[0, 1] > 0.98


def test_it_has_dark_background_and_bright_enamel():
    for image in phantoms(5, SHAPE):
        assert np.quantile(image, 0.02) < 0.35
        assert np.quantile(image, 0.98) > 0.6


def test_enamel_is_brighter_than_dentine_and_dentine_than_pulp():
    teeth = replace(MOLAR, tooth=5, soft_tissue_mm=0.0)
    for seed in range(4):
        image = phantom(MOLAR_SHAPE, seed, teeth)
        enamel = np.quantile(image[40:200], 0.99)
        row = image[230:260].mean(axis=0)
        centre = 200 + int(np.argmin(row[170:230])) - 30
        dentine = max(row[centre - 35 : centre - 12].max(), row[centre + 12 : centre + 35].max())
        assert enamel > dentine + 0.05
        assert dentine > row[centre] + 0.02


def test_metal_is_brightest():
    sound = mean_over_seeds(MOLAR, lambda image: np.mean(image > 0.98))
    restored = mean_over_seeds(replace(MOLAR, restored=1.0), lambda image: np.mean(image > 0.98))
    implants = mean_over_seeds(replace(MOLAR, implants=1.0, contrast=1.0), lambda image: np.mean(image > 0.98))
    assert sound < 0.01
    assert restored > 0.02
    assert implants > 0.02


@pytest.mark.parametrize("slope", SLOPES)
def test_the_power_of_trabeculae_falls_as_asked(slope):
    spacing = 18.0
    measured = [
        spectral_slope(trabeculae((384, 384), spacing, slope, np.random.default_rng(seed)), 0.5 / spacing, 4 / spacing)
        for seed in range(3)
    ]
    assert np.mean(measured) == pytest.approx(slope, abs=0.3)


def test_there_is_no_pixel_noise():
    for image in phantoms(6, SHAPE, rng=2):
        assert estimate_sigma(image) < 0.002


def test_metal_edges_are_as_sharp_as_the_detector():
    restored = replace(MOLAR, restored=1.0)
    sharp, blurred = (
        mean_over_seeds(replace(restored, blur=blur), lambda image: np.abs(np.diff(image)).max()) for blur in (0.6, 3.0)
    )
    assert sharp > 0.2
    assert blurred < 0.7 * sharp


def test_an_upper_jaw_hangs_from_the_top():
    def top_less_bottom(image):
        return image[:40].mean() - image[-40:].mean()

    assert mean_over_seeds(replace(MOLAR, occlusal_mm=4.0), top_less_bottom) < 0
    assert mean_over_seeds(replace(MOLAR, occlusal_mm=4.0, jaw="upper"), top_less_bottom) > 0


def test_a_bitewing_has_its_gap_in_the_middle():
    bitewing = Anatomy(bitewing=True, crowding=0.0, tilt=0.0)
    for seed in range(3):
        rows = phantom(SHAPE, seed, bitewing).mean(axis=1)
        assert 0.3 < np.argmin(rows) / len(rows) < 0.7


@pytest.mark.parametrize("jaw", ["lower", "upper"])
def test_a_bitewing_has_a_sinus_above_and_none_below(jaw):
    bitewing = Anatomy(field_mm=60.0, bitewing=True, crowding=0.0, jaw=jaw)
    for seed in range(3):
        plain, shown = (phantom((400, 200), seed, replace(bitewing, landmark=value)) for value in (False, True))
        change = (shown - plain).mean(axis=1)
        assert change[:50].mean() < -0.06
        assert change[-50:].mean() > -0.04


def test_the_crown_of_an_impacted_tooth_points_to_its_neighbour():
    lying = Anatomy(field_mm=40.0, tooth=8, crowding=0.0, impaction=90.0, contrast=0.7, occlusal_mm=6.0)
    for seed in range(3):
        # Right of the second molar lies the third, from column 140 to 340.
        columns = phantom((300, 400), seed, lying)[110:210, 140:].mean(axis=0)
        assert np.argmax(columns) < 80


@pytest.mark.parametrize(
    ("name", "less", "more"),
    [
        *[("exposure", 0.2, -0.2), ("cone_cut", 0.0, 0.3), ("crest_mm", 6.0, 1.0), ("missing", 1.0, 0.0)],
        *[("gamma", 1.3, 0.8), ("soft_tissue_mm", 2.0, 20.0), ("occlusal_mm", 6.0, 0.0)],
    ],
)
def test_these_brighten_the_image(name, less, more):
    dark, bright = (mean_over_seeds(replace(MOLAR, **{name: value}), np.mean) for value in (less, more))
    assert bright > dark + 0.01


def test_a_holder_shades_the_crowns():
    plain, held = (phantom(SHAPE, 0, replace(MOLAR, holder=value)) for value in (False, True))
    assert (held - plain)[:20].max() > 0.02


def test_contrast_spreads_the_grey_values():
    flat, steep = (mean_over_seeds(replace(MOLAR, contrast=value), np.std) for value in (0.6, 1.2))
    assert steep > 1.3 * flat


def test_a_wider_ligament_is_a_darker_line_around_the_root():
    thin, wide = (
        mean_over_seeds(replace(MOLAR, ligament_mm=value), lambda image: image[220:].mean(), shape=MOLAR_SHAPE)
        for value in (0.0, 0.6)
    )
    assert wide < thin


def test_root_fillings_brighten_the_roots():
    sound, filled = (phantom(MOLAR_SHAPE, 1, replace(MOLAR, tooth=5, root_filled=share)) for share in (0.0, 1.0))
    assert np.quantile(filled[230:330], 0.97) > np.quantile(sound[230:330], 0.97) + 0.05


def test_caries_darkens_crowns():
    sound, carious = (
        mean_over_seeds(replace(MOLAR, carious=share), lambda image: image[40:180].mean(), shape=MOLAR_SHAPE)
        for share in (0.0, 1.0)
    )
    assert carious < sound


@pytest.mark.parametrize(("border", "level"), [("dark", 0.0), ("bright", 1.0)])
def test_the_sensor_has_an_edge_with_a_corner(border, level):
    image = phantom(SHAPE, 0, replace(MOLAR, sensor_edge=border))
    corners = [image[row, column] for row in (0, -1) for column in (0, -1)]
    assert sum(abs(value - level) < 0.02 for value in corners) >= 1


@pytest.mark.parametrize("roots", [1, 2, 3])
def test_any_number_of_roots_can_be_drawn(roots):
    image = phantom(SHAPE, 0, replace(MOLAR, roots=roots))
    assert np.isfinite(image).all()
    assert not np.array_equal(image, phantom(SHAPE, 0, replace(MOLAR, roots=roots % 3 + 1)))


@pytest.mark.parametrize("change", [{"jaw": "side"}, {"tooth": 9}, {"restored": 1.5}, {"blur": float("nan")}])
def test_an_anatomy_that_cannot_be_drawn_is_refused(change):
    with pytest.raises(InputError, match=next(iter(change))):
        Anatomy(**change)


def test_too_small_is_refused():
    with pytest.raises(InputError, match=r"at least 32 pixels each; received \(31, 100\)"):
        phantom((31, 100))


def test_a_mirrored_mouth_has_the_same_teeth_on_the_other_side():
    sound = replace(MOLAR, field_mm=30.0)
    plain, mirrored = (phantom(SHAPE, 0, replace(sound, mirrored=value)) for value in (False, True))
    assert correlation(plain, mirrored[:, ::-1]) > 0.98
    assert correlation(plain, mirrored) < 0.8


def test_the_row_of_teeth_is_tilted():
    level, tilted = (phantom(SHAPE, 0, Anatomy(field_mm=30.0, bitewing=True, tilt=tilt)) for tilt in (0.0, 15.0))
    matrix = cv2.getRotationMatrix2D((SHAPE[1] / 2, SHAPE[0] / 2), -15, 1)
    turned = cv2.warpAffine(level, matrix, SHAPE[::-1])
    assert correlation(turned[60:-60, 60:-60], tilted[60:-60, 60:-60]) > 0.95


def test_a_sinus_is_dark_above_the_upper_roots():
    upper = Anatomy(field_mm=40.0, jaw="upper")
    plain, shown = (phantom((400, 300), 0, replace(upper, landmark=value)) for value in (False, True))
    assert shown[:100].mean() < plain[:100].mean() - 0.05
    assert shown[300:].mean() == pytest.approx(plain[300:].mean(), abs=0.01)


def test_a_canal_is_a_dark_band_with_bright_borders_below_the_lower_roots():
    plain, shown = (phantom((400, 300), 0, Anatomy(field_mm=40.0, landmark=value)) for value in (False, True))
    change = shown - plain
    assert change[200:].min() < -0.04
    assert change[200:].max() > 0.02
    assert np.abs(change[:100]).mean() < 0.01


def test_every_drawn_anatomy_is_one_of_a_practice():
    drawn = [random_anatomy(seed) for seed in range(400)]
    for name, share in (("bitewing", 0.12), ("mirrored", 0.5), ("landmark", 0.5), ("holder", 0.08)):
        assert np.mean([getattr(anatomy, name) for anatomy in drawn]) == pytest.approx(share, abs=0.08)
    assert np.mean([anatomy.jaw == "upper" for anatomy in drawn]) == pytest.approx(0.4, abs=0.08)
    assert {anatomy.tooth for anatomy in drawn} == set(range(1, 9))
    assert {anatomy.sensor_edge for anatomy in drawn} == {"none", "dark", "bright"}
