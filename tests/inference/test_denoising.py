"""Denoising keeps type, shape and input; tiled equals whole; more strength takes more."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_dental_denoise import add_gaussian_noise, denoise, psnr
from napari_dental_denoise.config import INFERENCE
from napari_dental_denoise.errors import InputError
from napari_dental_denoise.evaluation.comparison import model_denoiser
from napari_dental_denoise.inference import engine as engine_module
from napari_dental_denoise.inference.denoising import denoise_steps, residual_steps
from napari_dental_denoise.inference.engine import cached_engine, load_engine
from napari_dental_denoise.pixels.encoding import PLAIN
from napari_dental_denoise.progress import finish
from napari_dental_denoise.synthesis.scene import phantom


@pytest.fixture(scope="module")
def engine(trained_model):
    return load_engine(trained_model, "f32")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_every_type_gets_better_and_stays_what_it_is(engine, radiographs, dtype):
    scale = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
    clean = np.rint(radiographs[7] / 255 * scale) if scale > 1 else radiographs[7] / 255
    noisy = add_gaussian_noise(clean.astype(dtype), 0.1, rng=0).astype(dtype)
    before = noisy.copy()
    denoised = denoise(noisy, engine)
    assert denoised.dtype == dtype
    assert denoised.shape == noisy.shape
    np.testing.assert_array_equal(noisy, before)
    gain = psnr(clean, denoised, data_range=scale) - psnr(clean, noisy, data_range=scale)
    assert gain > 6
    if np.issubdtype(dtype, np.floating) or dtype == np.uint16:
        assert len(np.unique(denoised)) > 5000


def test_bf16_does_not_posterise(trained_model, radiographs):
    noisy = add_gaussian_noise((radiographs[7] / 255).astype(np.float32), 0.1, rng=0)
    exact, rounded = (denoise(noisy, load_engine(trained_model, precision)) for precision in ("f32", "bf16"))
    assert len(np.unique(rounded)) > 0.9 * len(np.unique(exact))
    assert np.abs(exact - rounded).max() < 0.03


@settings(max_examples=15)
@given(height=st.integers(1, 130), width=st.integers(1, 130))
def test_any_size_comes_out_unchanged(trained_model, height, width):
    image = np.random.default_rng(0).integers(0, 256, (height, width), dtype=np.uint8)
    result = denoise(image, load_engine_once(trained_model))
    assert result.shape == image.shape
    assert result.dtype == np.uint8


def load_engine_once(path, _engines={}):  # noqa: B006 (the cache is meant)
    if path not in _engines:
        _engines[path] = load_engine(path, "f32")
    return _engines[path]


@pytest.mark.parametrize("precision", ["f32", "bf16"])
@pytest.mark.parametrize("tile_side", [8, 40, 100])
def test_tiled_equals_whole(trained_model, radiographs, precision, tile_side):
    engine = load_engine(trained_model, precision)
    image = radiographs[0][:157, :203]
    unit = (image / 255).astype(np.float32)
    whole = finish(denoise_steps(unit, engine, tile_side=10_000))
    tiled = finish(denoise_steps(unit, engine, tile_side=tile_side))
    assert np.abs(whole - tiled).max() < (1e-5 if precision == "f32" else 0.01)


def test_one_wild_pixel_does_not_change_what_white_is(engine, radiographs):
    noisy = add_gaussian_noise(radiographs[0] / np.float32(255), 0.1, rng=0)
    wild = noisy.copy()
    wild[0, 0] = 9.0
    plain, other = (model_denoiser(engine, 1.0)(image, 0.1) for image in (noisy, wild))
    # The network sees the median around it instead of its value: pixels beside it change by some grey levels.
    assert np.abs(other - plain)[1:, 1:].max() < 2 / 255
    np.testing.assert_allclose(other[40:, 40:], plain[40:, 40:], atol=1e-6)


UNITS = st.tuples(st.floats(1e-3, 1e4), st.floats(-1e6, 1e6))


@settings(max_examples=25)
@given(unit=UNITS, seed=st.integers(0, 9), strength=st.sampled_from([0.5, 1.0]))
def test_the_unit_of_floating_values_does_not_matter(trained_model, unit, seed, strength):
    factor, offset = unit
    noisy = add_gaussian_noise(phantom((64, 80), rng=seed).astype(np.float64), 0.1, rng=seed).astype(np.float64)
    engine = load_engine_once(trained_model)
    expected = denoise(noisy, engine, strength=strength)
    result = denoise(factor * noisy + offset, engine, strength=strength)
    np.testing.assert_allclose((result - offset) / factor, expected, atol=1e-4)
    assert np.abs(expected - noisy).max() > 0.05


@pytest.mark.parametrize(("factor", "offset"), [(1, 100), (16, 0), (7, 3000)])
def test_the_unit_of_whole_numbers_does_not_matter(engine, radiographs, factor, offset):
    image = add_gaussian_noise(radiographs[7], 0.05, rng=0).astype(np.uint16)
    expected = denoise(image, engine).astype(float)
    result = denoise((factor * image + offset).astype(np.uint16), engine).astype(float)
    # Both results are rounded.
    assert np.abs((result - offset) / factor - expected).max() <= 0.5 + 0.5 / factor + 0.01


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("defects", [[(10, 12)], [(0, 0), (159, 199)], [(row, 40) for row in range(160)]])
def test_hot_and_dead_pixels_change_nothing_but_themselves(engine, radiographs, dtype, defects):
    noisy = add_gaussian_noise(radiographs[7] // 4 + 20, 0.02, rng=0).astype(dtype)
    hot, dead = noisy.copy(), noisy.copy()
    rows, columns = np.transpose(defects)
    hot[rows, columns] = np.iinfo(dtype).max if dtype != np.float32 else 1e6
    # Of whole numbers, 0 is not far from these grey values: nothing tells it from noise.
    dead[rows, columns] = noisy[rows, columns] if dtype != np.float32 else -1e6
    expected = denoise(noisy, engine).astype(float)
    others = np.ones(noisy.shape, bool)
    others[rows, columns] = False
    for image in (hot, dead):
        change = np.abs(denoise(image, engine).astype(float) - expected)[others]
        assert change.max() < 12
        assert change.mean() < 0.05
    kept = denoise(hot, engine)[rows, columns].astype(float)
    np.testing.assert_allclose(kept, hot[rows, columns], atol=12, err_msg="what is no noise is kept")


def test_a_part_of_an_image_is_denoised_as_in_the_whole(engine, radiographs):
    """Away from the border of the part, at a place that the network's strides divide."""
    noisy = add_gaussian_noise((radiographs[7] / 255).astype(np.float32), 0.1, rng=0)
    halo = engine.card.halo
    large = np.pad(noisy, 160, mode="reflect")
    part = np.s_[64:384, 80:400]
    inner = np.s_[halo:-halo, halo:-halo]
    whole, alone = denoise(large, engine)[part], denoise(large[part], engine)
    np.testing.assert_allclose(alone[inner], whole[inner], atol=1e-5)


def test_an_image_without_anything_stays_as_it_is(engine):
    for value in (0, 7, 65535):
        flat = np.full((40, 50), value, np.uint16)
        np.testing.assert_array_equal(denoise(flat, engine), flat)
    np.testing.assert_array_equal(denoise(np.full((40, 50), -3.5), engine), np.full((40, 50), -3.5))


def test_a_flat_image_of_pure_noise_is_denoised(engine):
    rng = np.random.default_rng(0)
    for level in (0.001, 3.0, 5000.0):
        noisy = (level * rng.standard_normal((160, 200))).astype(np.float32)
        assert denoise(noisy, engine).std() < 0.4 * level


def test_a_stack_is_denoised_image_by_image(engine, radiographs):
    stack = np.stack(radiographs[:3])
    result = denoise(stack, engine)
    for image, denoised in zip(stack, result, strict=True):
        # The stack has one scale, which does not matter but for rounding.
        np.testing.assert_allclose(denoised.astype(int), denoise(image, engine), atol=1)


def test_many_small_images_are_as_one_by_one(engine):
    rng = np.random.default_rng(0)
    stack = np.stack([rng.integers(0, top, (50, 43), dtype=np.uint16) for top in (200, 4095, 65535, 1000, 300)])
    together = finish(denoise_steps(stack, engine, tile_side=80))
    np.testing.assert_array_equal(together, [denoise(image, engine) for image in stack])
    reports = [(report.done, report.total) for report in denoise_steps(stack, engine, tile_side=80)]
    assert reports == [(count, 5) for count in range(1, 6)]


def test_progress_counts_tiles_and_closing_stops(engine, radiographs):
    steps = denoise_steps(np.stack(radiographs[:2]), engine, tile_side=80)
    reports = [next(steps), next(steps)]
    assert [(report.done, report.total) for report in reports] == [(1, 12), (2, 12)]
    steps.close()
    assert list(steps) == []
    every = denoise_steps(np.stack(radiographs[:2]), engine, tile_side=80)
    assert [report.done for report in every] == list(range(1, 13))


def test_strength_is_linear_in_the_residual(engine, radiographs):
    noisy = add_gaussian_noise((radiographs[7] / 255).astype(np.float32), 0.1, rng=0)
    for image in (noisy, np.rint(noisy.clip(0, 1) * 4095).astype(np.uint16)):
        encoding = PLAIN.fit(image)
        noise = finish(residual_steps(image, engine, encoding=encoding))
        for strength in (0, 0.3, 1, 1.5):
            expected = denoise(image, engine, strength=strength)
            np.testing.assert_array_equal(encoding.subtract(image, noise, strength), expected)
            span = encoding.ends[1] - encoding.ends[0]
            less_noise = image - np.float64(strength * span) * noise
            if image.dtype == np.uint16:
                less_noise = less_noise.clip(image.min(), image.max())
            np.testing.assert_allclose(expected, less_noise, atol=1e-5 if image.dtype == np.float32 else 0.51)


def test_a_model_path_is_loaded_once_and_again_when_it_changes(trained_model, tmp_path, radiographs, monkeypatch):
    loads = []
    monkeypatch.setattr(engine_module, "load_engine", lambda *options: loads.append(options) or load_engine(*options))
    path = tmp_path / "model.keras"
    path.write_bytes(trained_model.read_bytes())
    before = cached_engine(path)
    denoise(radiographs[0], path)
    denoise(radiographs[1], path)
    # The defaults spelled out, as a run over files does, and another way to the same file.
    (tmp_path / "folder").mkdir()
    assert cached_engine(tmp_path / "folder" / ".." / "model.keras", INFERENCE.precision, None) is before
    assert len(loads) == 1
    assert cached_engine(path, "f32") is not before
    path.write_bytes(b"no model any more")
    with pytest.raises(InputError, match=r"expected a \.keras model file"):
        denoise(radiographs[0], path)


def test_one_engine_serves_several_threads(engine, radiographs):
    expected = [denoise(image, engine) for image in radiographs]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda image: denoise(image, engine), radiographs))
    np.testing.assert_array_equal(results, expected)


@pytest.mark.parametrize("channels", [3, 4])
def test_colour_is_not_taken_for_a_stack(engine, channels):
    with pytest.raises(InputError, match=rf"colour of shape \(40, 50, {channels}\): convert it to grey first"):
        denoise(np.zeros((40, 50, channels), np.uint8), engine)


@pytest.mark.parametrize(
    ("image", "strength", "message"),
    [
        (np.zeros(6, np.uint8), 1, r"expected an image \(H, W\) or a stack \(\.\.\., H, W\)"),
        (np.zeros((0, 5), np.uint8), 1, r"with pixels; received shape \(0, 5\)"),
        (np.zeros((5, 5), np.complex64), 1, "whole or floating numbers; received complex64"),
        (np.full((5, 5), np.nan), 1, "contains invalid pixels"),
        (np.zeros((5, 5), np.uint8), -0.1, r"strength must be a number in \[0, 1\.5\]; received -0\.1"),
        (np.zeros((5, 5), np.uint8), np.nan, r"strength must be a number in \[0, 1\.5\]; received nan"),
    ],
)
def test_what_cannot_be_denoised_is_refused(engine, image, strength, message):
    with pytest.raises(InputError, match=message):
        denoise(image, engine, strength=strength)


def test_real_radiographs_stay_what_they_are(engine, dental_data):
    from napari_dental_denoise import read_dental

    images = read_dental(dental_data / "panoramic_cc0")[:2]
    for image in images:
        assert denoise(image, engine).shape == image.shape
