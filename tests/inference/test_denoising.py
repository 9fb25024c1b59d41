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


@settings(max_examples=15, deadline=None)
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
    far = slice(engine.card.halo + 1, None)
    plain, other = (model_denoiser(engine, 1.0)(image, 0.1) for image in (noisy, wild))
    np.testing.assert_array_equal(other[far, far], plain[far, far])


def test_a_stack_is_denoised_image_by_image(engine, radiographs):
    stack = np.stack(radiographs[:3])
    result = denoise(stack, engine)
    for image, denoised in zip(stack, result, strict=True):
        np.testing.assert_array_equal(denoise(image, engine), denoised)


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
        noise = finish(residual_steps(encoding.to_unit(image), engine))
        for strength in (0, 0.3, 1, 1.5):
            expected = denoise(image, engine, strength=strength)
            less_noise = encoding.to_unit(image) - np.float32(strength) * noise
            np.testing.assert_array_equal(encoding.apply(lambda _, result=less_noise: result, image), expected)


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
        (np.zeros((3, 4, 5, 6), np.uint8), 1, r"expected an image \(H, W\) or a stack \(N, H, W\)"),
        (np.zeros((0, 5), np.uint8), 1, r"with pixels; received shape \(0, 5\)"),
        (np.zeros((5, 5), np.int64), 1, "must be uint8, uint16 or floating; received int64"),
        (np.full((5, 5), np.nan), 1, "must hold finite values"),
        (
            np.full((20, 20), -2.0),
            1,
            "must have black at 0; received large parts near -200% of white: add an offset first",
        ),
        (np.zeros((5, 5), np.uint8), -0.1, r"strength must be a number in \[0, inf\); received -0\.1"),
        (np.zeros((5, 5), np.uint8), np.nan, r"strength must be a number in \[0, inf\); received nan"),
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
