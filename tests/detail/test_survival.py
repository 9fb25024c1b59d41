"""The detail map of a linear filter is the filter's own response, and that of a model tells where details vanish."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_dental_denoise import DetailMap, add_gaussian_noise, denoise, detail_map, load_engine, phantom, to_unit
from napari_dental_denoise.detail.figure import detail_map_figure
from napari_dental_denoise.detail.signals import disc
from napari_dental_denoise.detail.survival import denoiser_steps, detail_map_steps, in_one_step
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.models import find_model
from napari_dental_denoise.progress import finish


@pytest.fixture(scope="module")
def noisy():
    return to_unit(add_gaussian_noise(phantom((160, 200), rng=0), 20 / 255, rng=1))


@pytest.mark.parametrize("radius", [2.0, 4.0, 7.5])
@pytest.mark.parametrize("blur", [0.8, 1.5])
def test_the_map_of_a_linear_filter_is_its_own_response(noisy, radius, blur):
    found = finish(
        detail_map_steps(noisy, in_one_step(lambda image: gaussian_filter(image, blur, mode="constant")), radius=radius)
    )
    signal = disc((101, 101), radius)
    expected = (gaussian_filter(signal, blur) * signal).sum() / (signal**2).sum()
    inner = found.share[30:-30, 30:-30]
    np.testing.assert_allclose(inner, expected, atol=0.005)
    assert found.share.shape == noisy.shape
    assert found.share.dtype == np.float32


def test_shares_are_those_of_each_place(noisy):
    """Details survive in the left half only."""
    left = np.zeros(noisy.shape, np.float32)
    left[:, :100] = 1
    share = finish(detail_map_steps(noisy, in_one_step(lambda image: left * image), radius=3.0)).share
    assert share[:, :80].min() > 0.99
    assert np.abs(share[:, 120:]).max() < 0.01


@pytest.mark.parametrize("contrast", [0.1, -0.1])
def test_contrast_does_not_matter_to_a_linear_filter(noisy, contrast):
    found = finish(detail_map_steps(noisy, in_one_step(lambda image: image / 2), radius=4.0, contrast=contrast))
    np.testing.assert_allclose(found.share, 0.5, atol=1e-3)
    assert found.contrast == contrast


def test_by_default_the_contrast_is_twice_the_noise(noisy):
    found = detail_map(noisy, "starter-fast")
    assert found.sigma == pytest.approx(20 / 255, rel=0.15)
    assert found.contrast == pytest.approx(2 * found.sigma)
    assert 0.3 < np.median(found.share) < 0.95
    low, median = np.clip(100 * np.array([found.share.min(), np.median(found.share)]), 0, 100)
    assert str(found) == (
        f"A spot of 4 px at twice the noise keeps {median:.0f} % of its contrast here (median); least {low:.0f} %"
    )


def test_a_contrast_to_strong_noise_is_at_most_all_of_the_range(noisy):
    steps = detail_map_steps(noisy, in_one_step(lambda image: image / 2), contrast_to_noise=1 / 0.05)
    assert finish(steps).contrast == 1


def test_at_less_strength_more_is_kept(noisy):
    full, half, none = (detail_map(noisy, "starter-fast", strength=strength).share for strength in (1, 0.5, 0))
    np.testing.assert_allclose(none, 1, atol=1e-3)
    np.testing.assert_allclose(half, (full + 1) / 2, atol=1e-3)


def test_the_map_tells_what_becomes_of_a_detail_of_ones_own(noisy):
    radius, contrast = 4.0, 0.16
    found = detail_map(noisy, "starter-fast", radius=radius, contrast=contrast)
    signal = np.zeros(noisy.shape, np.float32)
    # A place of the grid.
    signal[80 - 16 - 8 : 80 + 17 - 8, 80 - 16 + 8 : 80 + 17 + 8] = contrast * disc((33, 33), radius)
    difference = denoise_unit_of(noisy + signal) - denoise_unit_of(noisy)
    share = (difference * signal).sum() / (signal**2).sum()
    row, column = np.argwhere(signal == signal.max()).mean(axis=0).round().astype(int)
    assert found.share[row, column] == pytest.approx(share, abs=0.1)


def denoise_unit_of(image):
    # Floating images have white at 1 unless they exceed it by far.
    return denoise(image, "starter-fast")


def test_an_image_without_noise_is_told_in_grey_levels():
    found = finish(detail_map_steps(np.full((64, 64), 0.5, np.float32), in_one_step(lambda image: image)))
    assert str(found) == "A spot of 4 px at 2 grey levels keeps 100 % of its contrast here (median); least 100 %"


def test_dark_and_strong_spots_are_told_in_words():
    share = np.full((2, 2), 0.5, np.float32)
    assert str(DetailMap(share, 4, -0.2, 0.1)).startswith("A dark spot of 4 px at twice the noise keeps 50 %")
    assert str(DetailMap(share, 4, 1.0, 0.01)).startswith("A spot of 4 px at 100 times the noise keeps 50 %")


@pytest.mark.parametrize("shape", [(9, 9), (20, 31), (33, 64)])
def test_small_images_have_maps(shape):
    image = np.random.default_rng(0).random(shape, np.float32)
    found = finish(detail_map_steps(image, in_one_step(lambda image: image), radius=2.0, contrast=0.1))
    np.testing.assert_allclose(found.share, 1, atol=1e-3)


def test_the_input_is_not_changed(noisy):
    before = noisy.copy()
    detail_map(noisy, "starter-fast")
    np.testing.assert_array_equal(noisy, before)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"radius": 0}, r"radius must be a number in \(0, inf\); received 0"),
        ({"radius": 81}, "radius of 81 pixels: the image has 160 x 200 pixels"),
        ({"contrast": 10}, r"contrast must be a number in \[-1, 1\]; received 10 \(10 grey levels of 8 bit are 10/255"),
        ({"contrast": 1.08}, r"contrast must be a number in \[-1, 1\]; received 1.08$"),
        ({"contrast": 0}, "contrast must be a number other than 0; received 0"),
        ({"contrast": "much"}, r"contrast must be a number in \[-1, 1\]; received 'much'"),
        ({"strength": -1}, "strength must be a number"),
        ({"model": "nothing.keras"}, "nothing.keras"),
    ],
)
def test_what_cannot_be_is_refused(noisy, settings, message):
    with pytest.raises(InputError, match=message):
        detail_map(noisy, **settings)
    with pytest.raises(InputError, match=r"one image \(H, W\)"):
        detail_map(noisy[np.newaxis])


def test_the_figure_shows_map_and_sentence(noisy):
    found = detail_map(noisy, "starter-fast")
    figure = detail_map_figure(noisy, found)
    assert figure.axes[0].get_title() == str(found)
    image, overlay = figure.axes[0].get_images()
    np.testing.assert_array_equal(image.get_array(), noisy)
    np.testing.assert_allclose(overlay.get_array(), 100 * np.clip(found.share, 0, 1))


def test_progress_counts_the_tiles_of_all_passes(noisy):
    engine = load_engine(find_model("starter-fast"))
    reports = list(detail_map_steps(np.tile(noisy, (4, 6)), denoiser_steps(engine, 1.0)))
    assert [report.done for report in reports] == list(range(1, reports[-1].total + 1))
    assert len(reports) > 5
