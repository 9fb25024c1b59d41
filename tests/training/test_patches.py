"""Patches come from the images, noisy and clean from one place, the same for the same seed."""

import numpy as np
import pytest

from napari_dental_denoise.errors import InputError
from napari_dental_denoise.noise.pointwise import add_gaussian_noise
from napari_dental_denoise.noise.registry import NoiseRange
from napari_dental_denoise.training.dataset import CleanImages, ImagePairs, split_indices
from napari_dental_denoise.training.details import random_details
from napari_dental_denoise.training.patches import batches


def numbered(shape, dtype=np.uint16):
    return np.arange(shape[0] * shape[1], dtype=dtype).reshape(shape)


def test_pairs_are_cut_and_turned_together():
    clean = [numbered((40, 50)), numbered((64, 33))]
    data = ImagePairs([image + 7 for image in clean], clean)
    drawn = list(batches(data, 16, 8, 5, np.random.default_rng(0)))
    assert len(drawn) == 5
    for noisy, target, _, _ in drawn:
        assert noisy.shape == target.shape == (8, 16, 16, 1)
        # 2^11 - 1 and 2^12 - 1: the fewest bits that hold the noisy images.
        difference = np.unique(np.rint((noisy - target) * 4095))
        assert set(difference.tolist()) <= {7.0, 14.0}


def test_every_pixel_of_an_image_occurs_up_to_its_edges():
    image = numbered((19, 18), np.uint16)
    drawn = next(iter(batches(ImagePairs([image], [image]), 16, 64, 1, np.random.default_rng(0))))
    assert set(np.unique(np.rint(drawn[1] * 511))) == set(np.unique(image).astype(float))


def test_every_symmetry_occurs():
    image = numbered((16, 16), np.uint8)
    data = ImagePairs([image], [image])
    corners = {
        tuple(np.rint(clean[[0, 0, -1], [0, -1, 0], 0] * 255))
        for batch in batches(data, 16, 64, 2, np.random.default_rng(0))
        for clean in batch.clean
    }
    assert len(corners) == 8


def test_a_small_image_is_mirrored_up():
    image = numbered((10, 40), np.uint8)
    clean = next(iter(batches(ImagePairs([image], [image]), 16, 4, 1, np.random.default_rng(0)))).clean
    assert clean.shape == (4, 16, 16, 1)
    assert set(np.unique(np.rint(clean * 255))) <= set(np.unique(image).astype(float))


def test_noise_is_drawn_anew_and_levels_vary():
    data = CleanImages([np.full((64, 64), 128, np.uint8)], NoiseRange("gaussian", {"sigma": (0.01, 0.3)}), 0)
    noisy, clean, _, _ = next(iter(batches(data, 64, 32, 1, np.random.default_rng(0))))
    deviations = (noisy - clean).std(axis=(1, 2, 3))
    assert deviations.min() < 0.06
    assert deviations.max() > 0.25
    assert noisy.max() > 1


def test_the_same_seed_draws_the_same_batches(radiographs):
    data = CleanImages(radiographs, NoiseRange("poisson-gaussian", {}), 0)
    one, other = (list(batches(data, 32, 4, 3, np.random.default_rng(9), with_details=True)) for _ in range(2))
    for batch, again in zip(one, other, strict=True):
        for patches, same in zip(batch, again, strict=True):
            np.testing.assert_array_equal(patches, same)


def test_details_are_in_both_patches_and_not_in_their_noise():
    data = CleanImages([np.full((64, 64), 128, np.uint8)], NoiseRange("gaussian", {"sigma": (0, 0)}), 0, exact={0})
    for batch in batches(data, 64, 16, 2, np.random.default_rng(0), with_details=True):
        np.testing.assert_array_equal(batch.noisy, batch.clean)
        flat = batch.clean - batch.detail
        assert np.ptp(flat, axis=(1, 2, 3)).max() < 1e-6
        assert np.abs(batch.detail).max(axis=(1, 2, 3)).min() > 0.004
        assert batch.detail.min() < 0 < batch.detail.max()
    plain = next(iter(batches(data, 64, 16, 1, np.random.default_rng(0))))
    assert not plain.detail.any()


@pytest.mark.parametrize("noise", [0.02, 0.2])
def test_details_are_as_faint_as_the_noise_allows(noise):
    drawn = [random_details(96, noise, np.random.default_rng(seed)) for seed in range(200)]
    strongest = np.array([np.abs(detail).max() for detail in drawn])
    assert strongest.max() <= 0.6, "at most two of them overlap"
    assert np.median(strongest) < 3 * noise
    # Of one that is found, contrast times the square root of the area is a multiple of the noise.
    energy = np.array([np.linalg.norm(detail) for detail in drawn]) / noise
    assert 2 < np.median(energy) < 40


def test_some_patches_show_more_of_a_clean_image_and_no_pair_does():
    rows = np.repeat(np.arange(0, 256, dtype=np.uint8)[:, None], 256, 1)
    window = next(iter(batches(ImagePairs([rows], [rows]), 32, 64, 1, np.random.default_rng(0)))).clean
    assert np.ptp(window, axis=(1, 2, 3)).max() == pytest.approx(31 / 255)
    data = CleanImages([rows], NoiseRange("gaussian", {"sigma": (0, 0)}), 0)
    ranges = np.ptp(next(iter(batches(data, 32, 200, 1, np.random.default_rng(0)))).clean, axis=(1, 2, 3))
    assert 0.15 < np.mean(ranges > 40 / 255) < 0.6
    assert ranges.max() > 150 / 255


def test_grain_is_that_of_the_image_and_less_where_it_is_reduced():
    grainy = add_gaussian_noise(np.full((256, 256), 0.5, np.float32), 0.012, rng=0)
    noise = NoiseRange("gaussian", {})
    grain = next(iter(batches(CleanImages([grainy], noise, 0), 32, 200, 1, np.random.default_rng(0)))).grain
    assert np.median(grain) == pytest.approx(0.012, rel=0.1)
    assert grain.min() < 0.006
    exact = next(iter(batches(CleanImages([grainy], noise, 0, exact={0}), 32, 8, 1, np.random.default_rng(0))))
    assert not exact.grain.any()
    pairs = next(iter(batches(ImagePairs([grainy], [grainy]), 32, 8, 1, np.random.default_rng(0))))
    assert not pairs.grain.any()


def test_clean_patches_are_also_inverted_and_burnt_out():
    """Of an image that is dark everywhere, bright patches are inverted, and those with black or white are burnt out."""
    image = add_gaussian_noise(np.tile(np.linspace(0.1, 0.4, 240, dtype=np.float32), (240, 1)), 0.01, rng=0)
    data = CleanImages([image], NoiseRange("gaussian", {"sigma": (0, 0)}), 0)
    batch = next(iter(batches(data, 96, 300, 1, np.random.default_rng(0))))
    burnt = (batch.clean.min(axis=(1, 2, 3)) == 0) | (batch.clean.max(axis=(1, 2, 3)) == 1)
    assert 0.05 < np.mean(burnt) < 0.25
    bright = np.median(batch.clean[~burnt], axis=(1, 2, 3)) > 0.5
    assert 0.35 < np.mean(bright) < 0.65
    assert batch.grain.max() > 1.5 * np.median(batch.grain), "more contrast is more grain"


def test_validation_noise_stays_the_same(radiographs):
    data = CleanImages(radiographs, NoiseRange("gaussian", {"sigma": (0.02, 0.2)}), 4)
    window = (slice(0, 32), slice(0, 32))
    np.testing.assert_array_equal(data.validation_patch(1, window, 0.5), data.validation_patch(1, window, 0.5))
    quiet, loud = (np.std(np.subtract(*data.validation_patch(1, window, position))) for position in (0, 1))
    assert loud > 5 * quiet


def test_split_by_file():
    training, validation = split_indices(range(10), 0.2, 3)
    assert len(validation) == 2
    assert sorted(training + validation) == list(range(10))
    assert split_indices(range(10), 0.2, 3) == (training, validation)
    assert split_indices(range(10), 0.2, 4) != (training, validation)
    assert [len(part) for part in split_indices(range(2), 0.01, 0)] == [1, 1]
    assert [len(part) for part in split_indices(range(2), 0.99, 0)] == [1, 1]


def test_the_pages_of_a_file_stay_together():
    files = [name for name in "abcd" for _ in range(5)]
    training, validation = split_indices(files, 0.25, 0)
    assert len(validation) == 5
    assert not {files[i] for i in training} & {files[i] for i in validation}


def test_the_pages_of_a_single_file_are_split():
    training, validation = split_indices(["a"] * 10, 0.2, 3)
    assert (training, validation) == split_indices(range(10), 0.2, 3)


@pytest.mark.parametrize(
    ("count", "share", "message"),
    [
        (1, 0.1, "at least 2 images, one of them for validation; received 1"),
        (5, 0, r"must be a number in \(0, 1\); received 0"),
        (5, 1, r"must be a number in \(0, 1\); received 1"),
    ],
)
def test_impossible_splits_are_refused(count, share, message):
    with pytest.raises(InputError, match=message):
        split_indices(range(count), share, 0)


def test_unequal_pairs_are_refused(radiographs):
    with pytest.raises(InputError, match="a clean image for each noisy one; received 2 and 1"):
        ImagePairs(radiographs[:2], radiographs[:1])
    with pytest.raises(InputError, match=r"pair 1: noisy \(160, 200\) and clean \(159, 200\) differ in size"):
        ImagePairs(radiographs[:1], [radiographs[0][1:]])
